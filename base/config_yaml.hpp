// SPDX-License-Identifier: Apache-2.0
// YAML text into a ConfigTree, within stated limits. Limits are looked at before memory is taken:
// an alias that stands for a large value is counted as large as what it stands for.
#pragma once

#include <cstdint>
#include <string>

#include "base/config.hpp"

namespace lacuna {

/// Parameters: far above what a machine, a network or an energy table needs.
struct ConfigLimits {
  static constexpr std::uint64_t kFileBytes = std::uint64_t{4} << 20;
  static constexpr std::uint64_t kFiles = 64;                           // `extends:` included
  static constexpr std::uint64_t kValues = 200'000;                     // aliases written out
  static constexpr std::uint64_t kTextBytes = std::uint64_t{64} << 20;  // of values and places
  static constexpr std::uint64_t kDepth = 64;                           // of nesting
  static constexpr std::uint64_t kKeys = 4096;                          // of one mapping
};

/// What a configuration has taken of the limits so far; several files share one.
struct ConfigBudget {
  std::uint64_t files = 0;
  std::uint64_t values = 0;
  std::uint64_t text_bytes = 0;
};

/// The one document of `text`; null when there is none. `file` is the place of every value, with
/// its line, unless there are none to speak of. Throws InputError.
[[nodiscard]] ConfigTree parse_yaml(const std::string& text, const std::string& file,
                                    ConfigBudget& budget, bool lines = true);

}  // namespace lacuna
