// SPDX-License-Identifier: Apache-2.0
// The pieces of read(): each turns one part of the file into its struct.
#pragma once

#include "arch/description/machine.hpp"

namespace lacuna::description {

/// Why a machine that makes sense is refused.
inline constexpr const char* kYet = "such machines are described but not run yet";

/// What the parts need to know of the whole.
struct Context {
  Hertz clock;
  std::vector<std::string> tensors;
};

[[nodiscard]] Memory read_memory(const ConfigReader& config, const Context& context);
[[nodiscard]] Level read_level(const ConfigReader& config, const Context& context);
[[nodiscard]] Link read_link(const ConfigReader& config, const Context& context);
[[nodiscard]] UnitEntry read_unit(const ConfigReader& config);
[[nodiscard]] std::vector<Meeting> read_intersect(const ConfigReader& config,
                                                  const Context& context);
[[nodiscard]] std::vector<Output> read_outputs(const ConfigReader& config, const Context& context);
[[nodiscard]] Dataflow read_dataflow(const ConfigReader& config, const Context& context);

/// The value of `key`, one of the machine's tensors.
[[nodiscard]] std::string read_tensor(const ConfigReader& config, std::string_view key,
                                      const Context& context);

/// What must hold between the parts; throws InputError at the part that breaks it.
void check_whole(const ConfigReader& config, const Machine& machine);

}  // namespace lacuna::description
