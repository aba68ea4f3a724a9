// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "tests/app/command.hpp"
#include "tests/workloads/routing/fixtures.hpp"

using namespace lacuna;
using namespace lacuna::test;
using Json = nlohmann::json;

namespace {

Json routing_json(const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "routing");
  arguments.emplace_back("--json");
  const Ran ran = run_lacuna(name, arguments);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return Json::parse(ran.out);
}

}  // namespace

TEST_CASE("a trace's layers are described and laid out step by step") {
  const auto file = fixture("command.csv", kCompactCsv);
  const Json json =
      routing_json("routing_trace", {file.string(), "--block", "2", "--capacity", "1"});
  CHECK(json["schema"] == "lacuna.routing/1");
  const Json set = json["sets"][0];
  CHECK(set["kind"] == "trace");
  CHECK(set["top_k"] == 2);
  CHECK(set["steps"] == 3);
  REQUIRE(set["layers"].size() == 2);
  // Layer 0: loads of the steps [1,2,1,2], [0,1,1,2], [2,1,1,0].
  const Json layer = set["layers"][0];
  CHECK(layer["load"]["assignments"] == 14);
  CHECK(layer["load"]["min"] == 3);
  CHECK(layer["load"]["max"] == 4);
  CHECK(layer["distinct_per_step"]["mean"].get<double>() == Approx(10.0 / 3));
  CHECK(layer["repeats"]["top1"] == 0.5);
  const Json layouts = layer["layouts"];
  CHECK(layouts["grouped"]["rows_executed"] == 14);
  // C = int(1 * kB / E): 1 in every step; dropped 2 + 1 + 1, padded 0 + 1 + 1.
  CHECK(layouts["capacity"]["per_expert"] == 1);
  CHECK(layouts["capacity"]["rows_executed"] == 12);
  CHECK(layouts["capacity"]["dropped"] == 4);
  CHECK(layouts["capacity"]["padding"] == 2);
  // Blocks of two rows: 4 + 3 + 3 of them.
  CHECK(layouts["block_sparse"]["rows_executed"] == 20);
  CHECK(layouts["block_sparse"]["useful_share"].get<double>() == Approx(0.7));
  CHECK(!layouts["grouped"].contains("flop_executed"));
}

TEST_CASE("what counts cannot tell is null, not zero") {
  const auto file = fixture("command_counts.csv", kCountCsv);
  const Json json = routing_json("routing_counts", {file.string()});
  REQUIRE(!json["sets"].empty());
  for (const Json& set : json["sets"]) {
    CHECK(set["kind"] == "counts");
    for (const Json& layer : set["layers"]) {
      CHECK(layer["distinct_per_step"].is_null());
      CHECK(layer["repeats"].is_null());
      CHECK(layer["load"]["assignments"].get<std::uint64_t>() > 0);
    }
  }
}

TEST_CASE("the routing folder holds tables and pictures of every set") {
  const auto folder = scratch("routing_out");
  const auto file = fixture("command_out.csv", kCompactCsv);
  const auto out = (folder / "out").string();
  const Ran ran = run_lacuna("routing_out_run", {"routing", file.string(), "--out", out});
  INFO(ran.err << ran.out);
  REQUIRE(ran.code == 0);
  CHECK(Json::parse(read_file(folder / "out" / "routing.json"))["sets"].size() == 1);
  for (const char* name : {"routing_layers.csv", "routing_layouts.csv", "routing_steps.csv"}) {
    CHECK(!read_file(folder / "out" / name).empty());
  }
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) {
    CHECK(ran.out.find("note: routing_") == std::string::npos);
    for (const char* name : {"routing_loads", "routing_imbalance", "routing_distinct"}) {
      INFO(name);
      CHECK(std::filesystem::exists(folder / "out" / (std::string(name) + ".svg")));
      CHECK(std::filesystem::exists(folder / "out" / (std::string(name) + ".png")));
    }
  }
}

TEST_CASE("bad input to the routing command is refused with one message") {
  const auto good = fixture("command_good.csv", kCompactCsv).string();
  const auto cut = fixture("command_cut.csv", kCompactCsv.substr(0, 90)).string();
  const auto negative =
      fixture("command_negative.csv", "tok,layer,e0,e1\n0,0,1,2\n1,0,-3,1\n").string();
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"absent.csv"}, "neither a kind of routing nor a file"},
      {{"uniform"}, "generates routing"},
      {{cut}, "command_cut.csv:"},
      {{negative}, "command_negative.csv:3"},
      {{good + "#experts=3"}, "command_good.csv:"},
      {{good + "#expert=4"}, "did you mean 'experts'"},
      {{good + "#map=layers:cycle"}, "--model"},
      {{good, "--model", "mixtral-8x7b"}, "map"},
      {{good, "--model", "absent"}, "no shipped models"},
      {{good, "--block", "0"}, "block"},
      {{good, "--capacity", "-1"}, "capacity"},
      {{good, "--capacity", "nan"}, "capacity"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::vector<std::string> arguments{"routing"};
    arguments.insert(arguments.end(), cases[i].first.begin(), cases[i].first.end());
    check_refused(fmt::format("routing_bad_{}", i), arguments, cases[i].second);
  }
}

TEST_CASE("the real prefill's layouts are those of the reference") {
  LACUNA_NEEDS_SHARED();
  const auto file = shared_data() / "traces" / "flame_moe_290m_prefill_2048tok_layers2-9.csv";
  const Json json = routing_json("routing_flame", {file.string()});
  struct Known {
    std::uint64_t rows, dropped;
    double useful;
  };
  const std::vector<Known> known{{16256, 468, 0.7559}, {16384, 111, 0.7500}, {16000, 29, 0.7680},
                                 {16384, 65, 0.7500},  {16640, 76, 0.7385},  {16256, 112, 0.7559},
                                 {16128, 159, 0.7619}, {16256, 202, 0.7559}};
  const Json layers = json["sets"][0]["layers"];
  REQUIRE(layers.size() == known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    INFO(i);
    const Json layouts = layers[i]["layouts"];
    CHECK(layouts["capacity"]["per_expert"] == 240);
    CHECK(layouts["capacity"]["dropped"] == known[i].dropped);
    CHECK(layouts["block_sparse"]["rows_executed"] == known[i].rows);
    CHECK(layouts["block_sparse"]["useful_share"].get<double>() ==
          Approx(known[i].useful).margin(5e-5));
  }
}

TEST_CASE("with a model the sets of other models are left out and FLOP are counted") {
  LACUNA_NEEDS_SHARED();
  const auto file = shared_data() / "traces" / "olmoe_mixtral_expert_counts_by_domain.csv";
  const Json json = routing_json("routing_sets", {file.string(), "--model", "mixtral-8x7b"});
  CHECK(json["sets"].size() == 5);
  CHECK(json["left_out"].size() > 5);
  for (const Json& set : json["sets"]) {
    CHECK(set["top_k"] == 2);
    const Json layer = set["layers"][0];
    CHECK(layer["layouts"]["grouped"]["flop_executed"].get<double>() ==
          Approx(6.0 * 4096 * 14336 * layer["load"]["assignments"].get<double>()));
  }
}
