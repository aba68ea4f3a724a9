// SPDX-License-Identifier: Apache-2.0
// The shipped models and what tests ask of them.
#pragma once

#include <string>

#include "base/file.hpp"
#include "tests/catch.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/operation_graph.hpp"

namespace lacuna::test {

inline std::filesystem::path shipped_model(const std::string& name) {
  return source_dir() / "configs" / "models" / (name + ".json");
}

inline ModelSpec shipped(const std::string& name) {
  return load_model(shipped_model(name));
}

inline std::string shipped_text(const std::string& name) {
  return read_file(shipped_model(name));
}

/// What the reader says to this text; empty: nothing.
inline std::string refusal(const std::string& text) {
  return error_of([&] { (void)parse_model(text, "m.json"); });
}

/// The operation of this name in a layer; there must be one.
inline const Operation& op(const OperationGraph& graph, const char* name, std::uint32_t layer) {
  const auto id = find_operation(graph, name, layer);
  INFO(name);
  REQUIRE(id);
  return graph[*id];
}

}  // namespace lacuna::test
