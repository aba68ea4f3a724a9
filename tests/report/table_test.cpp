// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "report/run_labels.hpp"
#include "report/terminal_table.hpp"
#include "report/text_layout.hpp"
#include "tests/catch.hpp"
#include "tests/report/samples.hpp"

using namespace lacuna;
using namespace lacuna::report;
using lacuna::test::contains;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The first line that begins with `label`, its blanks squeezed.
std::string row(const std::string& table, const std::string& label) {
  for (const std::string& line : lines_of(table)) {
    if (!line.starts_with("  " + label + "  ")) continue;
    std::string out;
    for (const char c : line) {
      if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    }
    return out;
  }
  return {};
}

std::vector<RunResult> six() {
  return {test::sample_result("extensor-naive", 3.3),
          test::sample_result("extensor-prescient", 1.5),
          test::sample_result("extensor-overbooked-swiftiles", 0.3),
          test::sample_result("lacuna-with-hierarchical-structured-sparsity-and-overbooking", 0.02),
          test::sample_unsupported("highlight"),
          test::sample_result(test::kHostileName)};
}

}  // namespace

TEST_CASE("the table of one machine gives exact numbers with their groups") {
  const std::string table = terminal_table({test::sample_result("extensor")}, false, 100);
  CHECK(row(table, "cycles") == "cycles 1,650,800");
  CHECK(row(table, "time") == "time 1.651 ms");
  CHECK(row(table, "bound by") == "bound by dram, 90.9 % busy");
  CHECK(row(table, "throughput bound by") == "throughput bound by dram");
  CHECK(row(table, "compute") == "compute 700,123 42.4 %");
  CHECK(row(table, "B read") == "B read 912,345,678");
  CHECK(row(table, "total") == "total 1,040,061,724");
  CHECK(row(table, "pe_buffer") == "pe_buffer 800.0 uJ 10.5 %");
  CHECK(row(table, "overbooked") == "overbooked 10.1 %");
  CHECK(row(table, "result") == "result passed");
  CHECK(row(table, "speedup").empty());
  CHECK_THAT(table, contains("prices: 1 extrapolated (result.json: prices)"));
  CHECK_THAT(table, !contains("/first"));
}

TEST_CASE("machines stand side by side, in relation to the first") {
  const std::string table =
      terminal_table({test::sample_result("base"), test::sample_result("fast", 0.5),
                      test::sample_unsupported("other")},
                     false, 120);
  CHECK(row(table, "cycles") == "cycles 1,650,800 825,400 0.50x");
  CHECK(row(table, "speedup") == "speedup 1.00 x 2.00 x");
  CHECK_THAT(table, contains("! other: not supported: the pattern"));
}

TEST_CASE("no line is wider than the terminal") {
  for (const unsigned width : {60U, 80U, 100U, 160U, 300U}) {
    for (const std::string& line : lines_of(terminal_table(six(), false, width))) {
      CHECK(display_width(line) <= width);
    }
  }
}

TEST_CASE("every machine is shown, below when there is no room beside") {
  const std::string narrow = terminal_table(six(), false, 60);
  std::size_t tables = 0;
  for (const std::string& line : lines_of(narrow)) {
    if (line.starts_with("  cycles  ")) ++tables;
  }
  CHECK(tables > 2);
  CHECK_THAT(narrow, contains("highlight") && contains("extensor-naive"));
}

TEST_CASE("a failed check stands out") {
  auto wrong = test::sample_result("m");
  wrong.check.passed = false;
  wrong.check.max_relative_error = 0.25;
  CHECK(row(terminal_table({wrong}, false, 100), "result") == "result FAILED");
  CHECK_THAT(terminal_table({wrong}, false, 100), contains("! m: the result differs from"));
}

TEST_CASE("colours add sequences and change nothing else") {
  const std::string plain = terminal_table(six(), false, 100);
  const std::string colored = terminal_table(six(), true, 100);
  CHECK(plain.find('\x1b') == std::string::npos);  // not even from the hostile name
  REQUIRE(colored.find('\x1b') != std::string::npos);
  std::string stripped;
  for (std::size_t i = 0; i < colored.size(); ++i) {
    if (colored[i] == '\x1b') {
      i = colored.find('m', i);
    } else {
      stripped += colored[i];
    }
  }
  const auto a = lines_of(plain);
  const auto b = lines_of(stripped);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(b[i].substr(0, a[i].size()) == a[i]);
    CHECK(b[i].find_first_not_of(' ', a[i].size()) == std::string::npos);
  }
}

TEST_CASE("an empty result makes a table without odd numbers") {
  const std::string table = terminal_table({RunResult{}, RunResult{}}, false, 100);
  CHECK_THAT(table, !contains("nan") && !contains("inf"));
  CHECK(terminal_table({}, false, 100) == "no results\n");
}

TEST_CASE("text is measured and broken in terminal columns") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("µ漢e\xCC\x81") == 4);
  CHECK(clean("a\nb\x1b[0m\x7f") == "a b [0m ");
  CHECK(clean("\xff\xc0\x80 ok") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD ok");
  CHECK(clean("\xe2\x80\xae|") == " |");  // right-to-left override
  CHECK(shorten("abcdef", 4) == "abc…");
  CHECK(shorten("漢字漢字", 5) == "漢字…");
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("extensor-overbooked", 10) == std::vector<std::string>{"extensor-", "overbooked"});
  CHECK(wrap("abcdefgh", 3) == std::vector<std::string>{"abc", "def", "gh"});
  CHECK(wrap("漢字", 1) == std::vector<std::string>{"漢", "字"});
  CHECK(wrap("", 5) == std::vector<std::string>{""});
  CHECK(pad_left("µ", 3) == "  µ");
}

TEST_CASE("runs get distinct labels and safe folder names") {
  auto results = std::vector{test::sample_result("a"),  test::sample_result("A"),
                             test::sample_result(".."), test::sample_result("result.json"),
                             test::sample_result("漢"), test::sample_result(test::kHostileName)};
  const auto folders = run_folders(results);
  CHECK(folders[0] == "a");
  CHECK(folders[1] == "A_2");
  CHECK(folders[2] == "run");
  CHECK(folders[3] == "result_json");
  CHECK(folders[4] == "run-2");
  for (const auto& folder : folders) CHECK(folder.find_first_of("/.\n ") == std::string::npos);
  results[1].workload = "other";
  CHECK(run_labels(results)[1] == "A / other");
}
