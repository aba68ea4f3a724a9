// SPDX-License-Identifier: Apache-2.0
// Pieces of gnuplot scripts: quoting, colours, and the frame that draws the same plot as SVG and
// PNG.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::report::gnuplot {

/// A string literal of one clean line, in single quotes: nothing in it is interpreted.
[[nodiscard]] std::string quoted(std::string_view text);

/// The text in several lines of at most `width` columns, shortened beyond `most` lines.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text, std::size_t width,
                                                std::size_t most);
/// An expression for those lines, one below the other.
[[nodiscard]] std::string joined(const std::vector<std::string>& lines);

/// The same as the label of a tic, where gnuplot would read % as a format.
[[nodiscard]] std::string joined_tic(const std::vector<std::string>& lines);

/// The figure's name and below it, unless empty, what was run; lines of at most `width` columns.
[[nodiscard]] std::string title(const std::string& what, const std::string& workload,
                                std::size_t width);

/// "0xRRGGBB" of the i-th series: Okabe and Ito's palette (safe for the colour-blind), continued
/// with shades of Paul Tol's "muted" scheme; repeats after 14.
[[nodiscard]] std::string color(std::size_t i);

struct Size {
  std::size_t width;  // pixels of the SVG; the PNG has twice as many
  std::size_t height;
};

/// The whole script: `settings` once, `plot` for each of the two files.
[[nodiscard]] std::string script(const std::string& name, const std::string& about, Size size,
                                 const std::string& settings, const std::string& plot);

}  // namespace lacuna::report::gnuplot
