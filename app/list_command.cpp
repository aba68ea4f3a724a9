// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/commands.hpp"
#include "base/config.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

int list_everything() {
  for (const char* kind : {"arch", "workloads", "networks", "models", "energy"}) {
    const auto names = shipped(kind);
    if (names.empty()) continue;
    fmt::print("{}:\n", kind);
    for (const auto& name : names) {
      std::string about;
      const auto path = find_config(kind, name);
      if (path.extension() == ".yaml") {
        const ConfigTree tree = load_config_file(kind, path);
        if (const ConfigTree* text = tree.find("description")) about = text->scalar;
      }
      fmt::print("  {:<28} {}\n", name, about);
    }
  }
  return 0;
}

}  // namespace

Command add_list(Options&) {
  return list_everything;
}

}  // namespace lacuna
