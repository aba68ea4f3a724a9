// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/commands.hpp"
#include "app/machine_schema.hpp"
#include "app/paths.hpp"
#include "arch/spec/machine_spec.hpp"
#include "base/error.hpp"

namespace lacuna {

std::string machine_schema() {
  ConfigShape shape;
  bool first = true;
  for (const auto& name : shipped("arch")) {
    const ConfigReader reader(ConfigTree::load(find_config("arch", name)));
    (void)read_machine(reader);
    reader.finish();
    if (first) {
      shape = reader.shape();
    } else {
      shape.merge(reader.shape());
    }
    first = false;
  }
  if (first) {
    throw InputError("no machine ships beside this program, so nothing tells the keys",
                     "set LACUNA_CONFIGS to the folder of its configurations");
  }
  return json_schema(shape, "Lacuna machine", "urn:lacuna:machine");
}

Command add_schema(CLI::App&) {
  return [] {
    fmt::print("{}", machine_schema());
    return 0;
  };
}

}  // namespace lacuna
