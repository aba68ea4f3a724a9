// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <set>

#include "app/commands.hpp"
#include "app/machine_schema.hpp"
#include "arch/spec/machine_spec.hpp"
#include "base/config_descriptions.hpp"
#include "base/error.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/run.hpp"

namespace lacuna {

namespace {

/// Machines that are described part by part have no kind.
constexpr const char* kDescribed = "described";

std::string kind_of(const ConfigTree& tree) {
  if (tree.find("levels") != nullptr) return kDescribed;
  const ConfigTree* given = tree.find("kind");
  return given == nullptr ? kProductKind : given->scalar;
}

}  // namespace

std::string machine_schema(const std::string& kind) {
  std::optional<ConfigShape> shape;
  std::set<std::string> kinds;
  for (const auto& name : shipped("arch")) {
    ConfigTree tree = load_config("arch", name);
    const std::string its_kind = kind_of(tree);
    kinds.insert(its_kind);
    if (its_kind != kind) continue;
    const ConfigReader reader(std::move(tree));
    if (kind == kDescribed || kind == kFabricKind) {
      (void)read_arrays(reader);
    } else {
      (void)read_machine(reader);
    }
    reader.finish();
    if (shape) {
      shape->merge(reader.shape());
    } else {
      shape = reader.shape();
    }
  }
  if (kinds.empty()) {
    throw InputError("no machine ships beside this program, so nothing tells the keys",
                     "set LACUNA_CONFIGS to the folder of its configurations");
  }
  if (!shape) {
    throw InputError(fmt::format("--kind {}: no shipped machine is of this kind", kind),
                     suggest(kind, {kinds.begin(), kinds.end()}));
  }
  return json_schema(*shape, "Lacuna machine", "urn:lacuna:machine:" + kind,
                     ConfigDescriptions(load_config("schema", "machine-keys")));
}

Command add_schema(Options& app) {
  auto kind = std::make_shared<std::string>("extensor");
  app.add_option("--kind", *kind, "class of machine: extensor (default), mac-array or described");
  return [kind] {
    fmt::print("{}", machine_schema(*kind));
    return 0;
  };
}

}  // namespace lacuna
