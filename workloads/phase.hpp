// SPDX-License-Identifier: Apache-2.0
// The two phases of serving a language model: the prompt at once, then token by token.
#pragma once

#include <cstdint>
#include <string_view>

namespace lacuna {

enum class Phase : std::uint8_t { kPrefill, kDecode };

[[nodiscard]] constexpr std::string_view name_of(Phase phase) {
  return phase == Phase::kDecode ? "decode" : "prefill";
}

}  // namespace lacuna
