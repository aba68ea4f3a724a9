// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lacuna {

/// A field of a table of comma-separated values, in quotes where RFC 4180 asks for them.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace lacuna
