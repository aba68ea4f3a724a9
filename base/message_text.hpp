// SPDX-License-Identifier: Apache-2.0
// What the user wrote, as messages repeat it.
#pragma once

#include <string>
#include <string_view>

namespace lacuna {

/// On one line, and cut when it is long.
[[nodiscard]] std::string shortened(std::string_view text);

}  // namespace lacuna
