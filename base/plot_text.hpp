// SPDX-License-Identifier: Apache-2.0
// The texts of plots: pieces of configs/plots/<file>.gp, which the build puts into the program.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace lacuna {

/// "bars/key" is what stands below the line "## key" of bars.gp, without the last line's end.
[[nodiscard]] std::string_view plot_template(std::string_view piece);

/// The piece with its fields filled in: plot_text("bars/tic", fmt::arg("row", 1), ...).
template <class... Fields>
[[nodiscard]] std::string plot_text(std::string_view piece, const Fields&... fields) {
  return fmt::format(fmt::runtime(plot_template(piece)), fields...);
}

/// What one `plot` command draws, one below the other.
[[nodiscard]] inline std::string plot_list(const std::vector<std::string>& curves) {
  return fmt::format("{}", fmt::join(curves, ", \\\n       "));
}

}  // namespace lacuna
