// SPDX-License-Identifier: Apache-2.0
// `lacuna map` as a user runs it: one product, a model, what is saved, what is refused.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/app/command.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

const std::vector<std::string> kStep{"--model", "olmoe-1b-7b", "--layers",  "3",
                                     "--batch", "4",           "--context", "64"};

std::vector<std::string> and_also(std::vector<std::string> some,
                                  const std::vector<std::string>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

}  // namespace

TEST_CASE("a product's mappings are shown as a loop nest and as JSON") {
  const std::vector<std::string> product{"map", "--arch", "tc", "--gemm", "100x90x80"};
  const Ran text = run_lacuna("map-text", product);
  INFO(text.err);
  REQUIRE(text.code == 0);
  CHECK_THAT(text.out, Catch::Matchers::Contains("for K in 80"));
  CHECK_THAT(text.out, Catch::Matchers::Contains("what a run takes"));
  const Ran json = run_lacuna("map-json", and_also(product, {"--json", "--top", "3"}));
  REQUIRE(json.code == 0);
  const auto parsed = nlohmann::json::parse(json.out);
  CHECK(parsed.at("machine") == "tc");
  CHECK(parsed.at("mappings").size() == 3);
  CHECK(parsed.at("considered") >= parsed.at("fit"));
}

TEST_CASE("a model's products are mapped, shown one by one, and saved") {
  const std::vector<std::string> step = and_also({"map", "--arch", "tc", "--simulate", "2"}, kStep);
  const Ran text = run_lacuna("map-model", step);
  INFO(text.err);
  REQUIRE(text.code == 0);
  CHECK_THAT(text.out, Catch::Matchers::Contains("o_proj"));
  const Ran one = run_lacuna("map-operation", and_also(step, {"--operation", "o_proj"}));
  REQUIRE(one.code == 0);
  CHECK_THAT(one.out, Catch::Matchers::Contains("for K in"));
  const std::string saved = (scratch("map-saved") / "mine.yaml").string();
  const Ran json = run_lacuna(
      "map-model-json", and_also(step, {"--json", "--objective", "traffic", "--save", saved}));
  INFO(json.err);
  REQUIRE(json.code == 0);
  CHECK(nlohmann::json::parse(json.out).at("operations").size() > 5);
  const Ran run = run_lacuna("map-run", and_also({"run", "--arch", saved}, kStep));
  INFO(run.err);
  CHECK(run.code == 0);
  check_refused("map-again", and_also(step, {"--save", saved}), "exists");
}

TEST_CASE("what cannot be mapped is refused") {
  check_refused("map-nothing",
                and_also(and_also({"map", "--arch", "tc"}, kStep), {"--operation", "oproj"}),
                "o_proj");
  check_refused("map-stray", {"map", "--arch", "tc", "--gemm", "8x8x8", "--operation", "o_proj"},
                "--model");
  check_refused("map-extensor", {"map", "--arch", "extensor", "--gemm", "8x8x8"}, "lacuna tile");
}
