// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <nlohmann/json.hpp>

#include "report/result_json.hpp"
#include "tests/catch.hpp"
#include "tests/report/samples.hpp"

using namespace lacuna;
using namespace lacuna::report;
using Json = nlohmann::json;
using lacuna::test::contains;

namespace {

/// What reading the sample says with one value replaced, at a JSON pointer.
std::string error_with(const std::string& pointer, const Json& value) {
  Json json = Json::parse(result_json(test::sample_result("m")));
  json[Json::json_pointer(pointer)] = value;
  return test::error_of([&] { static_cast<void>(parse_result_json(json.dump(), "f")); });
}

}  // namespace

TEST_CASE("a result has every key of the schema with its type") {
  const RunResult result = test::sample_result("extensor");
  const Json j = Json::parse(result_json(result));
  CHECK(j["schema"] == "lacuna.result/1");
  CHECK(j["name"] == "extensor");
  CHECK(j["cycles"] == 1650800);
  CHECK(j["cycles"].is_number_unsigned());
  CHECK(j["clock_hz"] == 1e9);
  CHECK(j["time_s"] == 0.0016508);
  CHECK(j["macs"].size() == 4);
  for (const char* key : {"dense", "effectual", "gated", "skipped"}) {
    CHECK(j["macs"].at(key).is_number_unsigned());
  }
  for (const char* tensor : {"A", "B", "Z", "Z_partial"}) {
    CHECK(j["traffic"]["dram"].at(tensor).at("read_bytes").is_number_unsigned());
    CHECK(j["traffic"]["dram"].at(tensor).at("write_bytes").is_number_unsigned());
  }
  CHECK(j["energy_pj"].size() == 3);
  CHECK(j["energy_pj"]["static"].is_number());
  CHECK(j["energy_pj"]["total"] == result.energy.total_picojoules);
  CHECK(j["energy_pj"]["components"]["dram"] == 5.1e9);
  CHECK(j["area_um2"] == 98765432.125);
  CHECK(j["cycles_bound"] == 1500000);
  CHECK(j["bound"] == "dram");
  CHECK(j["utilization"]["dram"].is_number_float());
  CHECK(j["tiling"]["A"]["strategy"].is_string());
  CHECK(j["tiling"]["A"]["shape"] == Json({1024, 512}));
  CHECK(j["tiling"]["A"]["tiles"] == 1234);
  CHECK(j["tiling"]["A"]["overbooked_fraction"] == 0.101);
  CHECK(j["tiling"]["A"]["buffer_utilization"] == 0.842);
  CHECK(j["check"]["performed"] == true);
  CHECK(j["check"]["passed"] == true);
  CHECK(j["check"]["max_relative_error"].is_number_float());
  CHECK(j["provenance"] == Json({{"version", "0.1.0"},
                                 {"seed", 42},
                                 {"fidelity", "tile"},
                                 {"inputs", {{"email-Enron.mtx.gz", "sha256:00ff"}}},
                                 {"warnings", Json::array()},
                                 {"sampling_error", {{"B", 0.25}}}}));
  CHECK(j["host"] == Json({{"wall_s", 1.25}, {"peak_rss_bytes", 123456789}, {"events", 4242}}));
  CHECK_FALSE(j.contains("unsupported"));
}

TEST_CASE("a result survives the way to JSON and back") {
  RunResult result = test::sample_result("a, \"b\"\n\t\\ <c> & µ 漢字 \x1b");
  result.statistics.cycles = Cycles(std::numeric_limits<std::uint64_t>::max());
  result.energy.components["mac"].picojoules = 0.1 + 0.2;
  const std::string text = result_json(result);
  const RunResult back = parse_result_json(text);
  CHECK(result_json(back) == text);
  CHECK(back.name == result.name);
  CHECK(back.statistics.cycles == result.statistics.cycles);
  CHECK(back.energy.components.at("mac").picojoules == 0.1 + 0.2);
  CHECK(back.energy.components.at("dram").by_action ==
        result.energy.components.at("dram").by_action);
  CHECK(back.statistics.actions == result.statistics.actions);
  CHECK(back.statistics.traffic == result.statistics.traffic);
  CHECK(back.statistics.pe_busy == result.statistics.pe_busy);
  CHECK(back.statistics.stalls.wait_output == result.statistics.stalls.wait_output);
  CHECK(back.statistics.stalls.drain == result.statistics.stalls.drain);
  CHECK(back.statistics.iterations == result.statistics.iterations);
  CHECK(back.statistics.bounds == result.statistics.bounds);
  CHECK(back.tiling.at("A").occupancy == result.tiling.at("A").occupancy);
  CHECK(back.tiling.at("A").ranks == result.tiling.at("A").ranks);
  CHECK(back.beside == result.beside);
  CHECK(back.energy.flags == result.energy.flags);
  CHECK(back.energy.static_picojoules == result.energy.static_picojoules);
  REQUIRE(back.energy.prices.size() == result.energy.prices.size());
  for (std::size_t i = 0; i < back.energy.prices.size(); ++i) {
    const PriceReport &read = back.energy.prices[i], &written = result.energy.prices[i];
    CHECK(read.component == written.component);
    CHECK(read.count == written.count);
    CHECK(read.actions == written.actions);
    CHECK(read.area_um2 == written.area_um2);
    CHECK(read.static_mw == written.static_mw);
    CHECK(read.static_action == written.static_action);
    CHECK(read.source == written.source);
    CHECK(read.standing == written.standing);
    CHECK(read.flags == written.flags);
  }
  CHECK(back.check.reference == result.check.reference);
}

TEST_CASE("several results are a list, one is not") {
  const auto one = test::sample_result("a");
  const auto two = test::sample_unsupported("b");
  CHECK(Json::parse(results_json({one})).is_object());
  CHECK(Json::parse(results_json({})) == Json::array());
  const std::string text = results_json({one, two});
  REQUIRE(Json::parse(text).size() == 2);
  const auto back = parse_results_json(text);
  REQUIRE(back.size() == 2);
  CHECK(results_json(back) == text);
  CHECK(parse_results_json(result_json(one)).front().name == "a");
}

TEST_CASE("a machine that cannot run shows why and no numbers") {
  const std::string text = result_json(test::sample_unsupported("highlight"));
  const Json j = Json::parse(text);
  CHECK_THAT(j["unsupported"].get<std::string>(), contains("C1(4:8)"));
  for (const char* key : {"cycles", "time_s", "macs", "traffic", "energy_pj", "area_um2",
                          "cycles_bound", "bound", "utilization", "tiling", "check"}) {
    CHECK(j.at(key).is_null());
  }
  CHECK(result_json(parse_result_json(text)) == text);
}

TEST_CASE("what JSON cannot hold is still written as JSON") {
  RunResult result = test::sample_result("bad \xff byte");
  result.check.max_relative_error = std::numeric_limits<double>::infinity();
  const std::string text = result_json(result);
  CHECK(Json::parse(text)["name"] == "bad \xEF\xBF\xBD byte");
  CHECK(Json::parse(text)["check"]["max_relative_error"].is_null());
  CHECK(result_json(parse_result_json(text)) == text);
}

TEST_CASE("a broken result file is refused with the place of the fault") {
  const auto read = [](const std::string& text) {
    return test::error_of([&] { static_cast<void>(parse_result_json(text, "r.json")); });
  };
  CHECK_THAT(read("{"), contains("r.json") && contains("not valid JSON"));
  CHECK_THAT(read(""), contains("not valid JSON"));
  CHECK_THAT(read("[]"), contains("expected one result"));
  CHECK_THAT(read("{}"), contains("schema") && contains("missing"));
  CHECK_THAT(error_with("/schema", "lacuna.result/9"), contains("lacuna.result/1"));
  CHECK_THAT(error_with("/cycles", -1), contains("cycles") && contains("whole number"));
  CHECK_THAT(error_with("/cycles", nullptr), contains("cycles"));
  CHECK_THAT(error_with("/macs/dense", 1.5), contains("macs.dense"));
  CHECK_THAT(error_with("/traffic/dram/A", 7), contains("traffic.dram.A"));
  CHECK_THAT(error_with("/clock_hz", 0), contains("clock_hz"));
  CHECK_THAT(error_with("/clock_hz", nullptr), contains("clock_hz"));
  CHECK_THAT(error_with("/tiling/A/shape", {1, "x"}), contains("tiling.A.shape[1]"));
  CHECK_THAT(error_with("/tiling/A/occupancy", Json::parse("[[0.5]]")),
             contains("tiling.A.occupancy[0]"));
  CHECK_THAT(error_with("/provenance", "x"), contains("provenance"));
  CHECK_THAT(test::error_of([] { static_cast<void>(parse_results_json("[1]", "f")); }),
             contains("[0]"));
  CHECK(error_with("/a_key_of_the_future", 1).empty());
}
