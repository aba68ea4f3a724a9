// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "app/commands.hpp"
#include "app/machine_schema.hpp"
#include "arch/description/read_spec.hpp"
#include "base/config_descriptions.hpp"
#include "base/error.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {

std::string machine_schema() {
  std::optional<ConfigShape> shape;
  for (const auto& name : shipped("arch")) {
    const ConfigReader reader = machine_reader(load_config("arch", name));
    (void)read_any_machine(reader);
    reader.finish();
    if (shape) {
      shape->merge(reader.shape());
    } else {
      shape = reader.shape();
    }
  }
  if (!shape) {
    throw InputError("no machine ships beside this program, so nothing tells the keys",
                     "set LACUNA_CONFIGS to the folder of its configurations");
  }
  return json_schema(*shape, "Lacuna machine", "urn:lacuna:machine",
                     ConfigDescriptions(load_config("schema", "machine-keys")));
}

Command add_schema(Options&) {
  return [] {
    fmt::print("{}", machine_schema());
    return 0;
  };
}

}  // namespace lacuna
