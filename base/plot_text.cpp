// SPDX-License-Identifier: Apache-2.0
#include "base/plot_text.hpp"

#include "base/error.hpp"

namespace lacuna {

/// The whole file; from CMake.
std::string_view plot_file(std::string_view name);

std::string_view plot_template(std::string_view piece) {
  const std::size_t slash = piece.find('/');
  const std::string_view text = plot_file(piece.substr(0, slash));
  const std::string head = fmt::format("\n## {}\n", piece.substr(slash + 1));
  const std::size_t found = text.find(head);
  LACUNA_CHECK(found != std::string_view::npos, "no plot template {}", piece);
  const std::size_t begin = found + head.size();
  const std::size_t next = text.find("\n## ", begin);
  return text.substr(begin, (next == std::string_view::npos ? text.size() - 1 : next) - begin);
}

}  // namespace lacuna
