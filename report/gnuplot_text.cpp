// SPDX-License-Identifier: Apache-2.0
#include "report/gnuplot_text.hpp"

#include <array>

#include "base/plot_text.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report::gnuplot {

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : clean(text)) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> lines_of(std::string_view text, std::size_t width, std::size_t most) {
  auto lines = wrap(clean(text), width);
  if (lines.size() > most) {
    lines.resize(most);
    lines.back() = shorten(lines.back(), width - 1);
    if (!lines.back().ends_with("…")) lines.back() += "…";
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines)
    out += (out.empty() ? "" : ".\"\\n\".") + gnuplot::quoted(line);
  return out;
}

std::string joined_tic(const std::vector<std::string>& lines) {
  std::vector<std::string> doubled;
  for (const std::string& line : lines) {
    std::string& out = doubled.emplace_back();
    for (const char c : line) out += c == '%' ? std::string("%%") : std::string(1, c);
  }
  return joined(doubled);
}

std::string title(const std::string& what, const std::string& workload, std::size_t width) {
  std::vector<std::string> lines = lines_of(what, width, 2);
  if (!workload.empty()) {
    for (std::string& line : lines_of(workload, width, 2)) lines.push_back(std::move(line));
  }
  return joined(lines);
}

std::string color(std::size_t i) {
  constexpr std::array<std::string_view, 14> colors{
      "0x0072B2", "0xE69F00", "0x009E73", "0xCC79A7", "0x56B4E9", "0xD55E00", "0xF0E442",
      "0x555555", "0x332288", "0x999933", "0x882255", "0x44AA99", "0xAAAAAA", "0xDDCC77"};
  return std::string(colors[i % colors.size()]);
}

std::string script(const std::string& name, const std::string& about, Size size,
                   const std::string& settings, const std::string& plot) {
  const std::string drawing =
      plot_text("frame/drawing", fmt::arg("name", name), fmt::arg("plot", plot),
                fmt::arg("width", size.width), fmt::arg("height", size.height),
                fmt::arg("width2", 2 * size.width), fmt::arg("height2", 2 * size.height));
  return plot_text("frame/script", fmt::arg("about", clean(about)), fmt::arg("name", name),
                   fmt::arg("settings", settings), fmt::arg("drawing", drawing)) +
         "\n";
}

}  // namespace lacuna::report::gnuplot
