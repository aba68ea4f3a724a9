// SPDX-License-Identifier: Apache-2.0
// Are the texts of plots in the program, piece by piece, and a wrong name or a lacking field an
// error?
#include "base/plot_text.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("a piece of a plot is what stands between its heading and the next") {
  CHECK(plot_template("bars/tic") == "{label} {row}");
  CHECK(plot_text("bars/tic", fmt::arg("row", 3), fmt::arg("label", "'x'")) == "'x' 3");
  CHECK(plot_template("lines/pe_load_settings") == "set xrange [0:100]\nset yrange [0:100]");
  CHECK_THROWS_AS(plot_template("bars/no such"), ModelError);
  CHECK_THROWS_AS(plot_template("nothing/tic"), ModelError);
  CHECK_THROWS_AS(plot_text("bars/tic", fmt::arg("row", 3)), fmt::format_error);
}

TEST_CASE("every piece of every shipped plot is found, to the last line") {
  for (const char* name : {"bars", "figures", "frame", "lines", "routing", "sweep"}) {
    const std::string text =
        read_file(test::source_dir() / "configs/plots" / (std::string(name) + ".gp"));
    std::string pieces = text.substr(0, text.find("\n## ") + 1);
    for (std::size_t at = text.find("\n## "); at != std::string::npos;) {
      const std::string piece = text.substr(at + 4, text.find('\n', at + 1) - at - 4);
      pieces += "## " + piece + "\n" + std::string(plot_template(name + ("/" + piece))) + "\n";
      at = text.find("\n## ", at + 1);
    }
    CHECK(pieces == text);
  }
}
