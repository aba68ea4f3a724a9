// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/pattern.hpp"

#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

std::string canonical(std::string_view text) {
  return parse_pattern(text).text();
}

/// Sparsities in percent with one decimal, as the published enumerations print them.
std::string percent(const std::vector<Ratio>& degrees) {
  std::string out;
  for (const Ratio& degree : degrees) {
    out += fmt::format("{}{:.1f}", out.empty() ? "" : " ", 100.0 * degree.value());
  }
  return out;
}

}  // namespace

TEST_CASE("a pattern prints in its canonical form and reads back as itself") {
  CHECK(canonical("dense") == "dense");
  CHECK(canonical(" 2:4 ") == "2:4");
  CHECK(canonical("C0(2:4)") == "2:4");
  CHECK(canonical("hss:2:4") == "2:4");
  CHECK(canonical("C1(4:8)->C0(2:4)") == "hss:C1(4:8)->C0(2:4)");
  CHECK(canonical("hss: C1(3:4) \xE2\x86\x92 C0(2:4)") == "hss:C1(3:4)->C0(2:4)");
  CHECK(canonical("RS->C2->C1(3:4)->C0(2:4)") == "hss:C1(3:4)->C0(2:4)");
  CHECK(canonical("C2(1:2)->C1(3:4)->C0(2:4)") == "hss:C2(1:2)->C1(3:4)->C0(2:4)");
  CHECK(canonical("uniform:.50") == "uniform:0.5");
  CHECK(canonical("unstructured:25%") == "uniform:0.25");
  CHECK(canonical("uniform:1/3") == "uniform:1/3");
  CHECK(canonical("uniform:1e-3") == "uniform:0.001");
  CHECK(canonical("uniform:1") == "uniform:1");
  CHECK(canonical("uniform:0") == "uniform:0");
  CHECK(canonical("block:32x16:0.25") == "block:32x16:0.25");
  CHECK(canonical("channel:3/8") == "channel:0.375");
  for (const char* text : {"dense", "2:4", "hss:C1(4:8)->C0(2:4)", "uniform:1/3",
                           "block:32x16:0.25", "channel:0.375"}) {
    CHECK(canonical(text) == text);
    CHECK(parse_pattern(canonical(text)) == parse_pattern(text));
  }
}

TEST_CASE("density is the exact product of the rules") {
  CHECK(parse_pattern("C1(3:4)->C0(2:4)").density() == Ratio{3, 8});
  CHECK(parse_pattern("C1(4:6)->C0(1:4)").density() == Ratio{1, 6});
  CHECK(parse_pattern("C1(4:8)->C0(2:4)").density() == Ratio{1, 4});
  CHECK(parse_pattern("C1(4:4)->C0(2:4)").density() == parse_pattern("2:4").density());
  CHECK(parse_pattern("uniform:0.3").density() == Ratio{3, 10});
  CHECK(parse_pattern("dense").density() == Ratio{1, 1});
  CHECK(parse_pattern("C1(4:8)->C0(2:4)").group_size() == 32);
}

TEST_CASE("a share of a count rounds half up without floating point") {
  CHECK(share_of({1, 2}, 3) == 2);
  CHECK(share_of({1, 3}, 4) == 1);
  CHECK(share_of({1, 3}, 5) == 2);
  CHECK(share_of({1, 1}, ~std::uint64_t{0} / 4) == ~std::uint64_t{0} / 4);
}

TEST_CASE("families reach the published degrees") {
  CHECK(percent(parse_pattern_family("C1(4:{4..7})->C0({1,2,4}:4)").degrees()) ==
        "0.0 20.0 33.3 42.9 50.0 60.0 66.7 71.4 75.0 80.0 83.3 85.7");
  CHECK(percent(parse_pattern_family("C0(2:{2\xE2\x89\xA4H\xE2\x89\xA4"
                                     "16})")
                    .degrees()) ==
        "0.0 33.3 50.0 60.0 66.7 71.4 75.0 77.8 80.0 81.8 83.3 84.6 85.7 86.7 87.5");
  CHECK(percent(parse_pattern_family("C1(2:{2<=H<=8})->C0(2:{2<=H<=4})").degrees()) ==
        "0.0 33.3 50.0 55.6 60.0 66.7 71.4 73.3 75.0 77.8 80.0 81.0 83.3 85.7 87.5");
  const auto highlight = parse_pattern_family("C1(4:{4..8})->C0(2:{2..4})");
  CHECK(percent(highlight.degrees()) ==
        "0.0 20.0 33.3 42.9 46.7 50.0 55.6 60.0 61.9 66.7 71.4 75.0");
  CHECK(highlight.menu().size() == 15);
  CHECK(highlight.menu().front().text() == "hss:C1(4:8)->C0(2:4)");
  CHECK(highlight.menu().back().density() == Ratio{1, 1});
  CHECK(highlight.text() == "C1(4:{4..8})->C0(2:{2..4})");
  CHECK(parse_pattern_family(highlight.text()) == highlight);
  CHECK(parse_pattern_family("2:{4,6,8}").text() == "C0(2:{4,6,8})");
  CHECK(parse_pattern_family("hss:C1(4:8)->C0(2:4)").degrees() == std::vector<Ratio>{{3, 4}});
}

TEST_CASE("a bad pattern is told what is wrong with which part") {
  const std::pair<const char*, const char*> cases[] = {
      {"5:4", "5:4 asks for 5 of 4"},
      {"5:4", "4:5?"},
      {"0:4", "0:4 keeps nothing"},
      {"C1(4:8)->C0(0:4)", "0:4 keeps nothing"},
      {"2:x", "H 'x' is not a whole number"},
      {"2:", "H '' is not a whole number"},
      {"-2:4", "G '-2' is not a whole number"},
      {"2:4:8", "'2:4:8' is not a rule"},
      {"2:99999999999", "larger than"},
      {"C2(3:4)->C0(2:4)", "expected rank C1, found 'C2'"},
      {"C1(3:4)", "expected rank C0, found 'C1'"},
      {"C2->C0(2:4)", "expected rank C1, found 'C2'"},
      {"C1(3:4)->C0", "rank C0 carries no rule"},
      {"C1(3:4)->", "a rank has no name"},
      {"C2(1:2)->C1->C0(2:4)", "rank C1 carries no rule"},
      {"C0(2:4", "misses its closing ')'"},
      {"C1(3:4)->(2:4)", "a rank has no name"},
      {"C0(2:{2..4})", "family of patterns"},
      {"unifrom:0.5", "did you mean 'uniform'?"},
      {"uniform", "uniform needs a share"},
      {"uniform:1.5", "larger than 1"},
      {"uniform:-0.5", "'-0.5' is not a share"},
      {"uniform:1/0", "not a share"},
      {"uniform:nan", "not a share"},
      {"uniform:1e300", "not a share"},
      {"0.5", "write uniform:0.5"},
      {"", "not a pattern"},
      {"dense:0.5", "dense takes no parameter"},
      {"block:32:0.25", "write block:32x32:0.25"},
      {"block:0x4:0.25", "no elements"},
      {"C2(1:60000)->C1(1:60000)->C0(1:60000)", "2^31"},
  };
  for (const auto& [text, part] : cases) {
    const std::string message = error_of([&] { (void)parse_pattern(text); });
    INFO(text << " gave: " << message);
    CHECK(message.find(part) != std::string::npos);
  }
  const std::pair<const char*, const char*> families[] = {
      {"C0(2:{4..2})", "is empty"},    {"C0(2:{2..4)", "closing '}'"},
      {"C0({1,5}:4)", "5 of 4"},       {"C1->RS", "no rank carries a rule"},
      {"2:{1..99999}", "larger than"},
  };
  for (const auto& [text, part] : families) {
    const std::string message = error_of([&] { (void)parse_pattern_family(text); });
    INFO(text << " gave: " << message);
    CHECK(message.find(part) != std::string::npos);
  }
  CHECK(error_of([] {
          (void)parse_pattern("5:4", Place{"w.yaml", 3, "a"});
        }).starts_with("w.yaml:3: a: 5:4 asks for 5 of 4"));
}
