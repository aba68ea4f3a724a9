// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>

#include "run/fabric/run.hpp"
#include "study/dial_cost.hpp"
#include "tests/app/command.hpp"
#include "workloads/models/sparsity_dial.hpp"

using namespace lacuna;
using namespace lacuna::test;
using Json = nlohmann::json;

TEST_CASE("the dial turns shares into whole experts and the law's optimum") {
  const auto points = sparsity_dial({});
  REQUIRE(points.size() == 6);
  // Loss and best size of the iso-FLOP table at 1e20 training FLOP.
  const std::vector<std::tuple<std::uint64_t, double, double>> known{
      {8, 2.5885, 0.64},  {16, 2.5054, 1.07},  {32, 2.4368, 1.84},
      {80, 2.3638, 3.97}, {160, 2.3191, 7.34}, {400, 2.2708, 17.07}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& [experts, loss, billions] = known[i];
    INFO(experts);
    CHECK(points[i].experts == experts);
    CHECK(points[i].loss == Approx(loss).margin(1e-4));
    CHECK(points[i].parameters / 1e9 == Approx(billions).epsilon(0.02));
    CHECK(points[i].flops_per_token == Approx(2 * points[i].active_parameters));
    CHECK(3 * points[i].flops_per_token * points[i].training_tokens == Approx(1e20));
    const double untouched = std::pow(1 - 8.0 / static_cast<double>(experts), 64);
    CHECK(points[i].touched_bytes == Approx(2 * points[i].parameters * (1 - untouched)));
  }
}

TEST_CASE("held work per token keeps the active size and the training tokens") {
  DialOptions options;
  options.active_flops = 8e8;
  for (const DialPoint& point : sparsity_dial(options)) {
    CHECK(point.active_parameters == Approx(4e8));
    CHECK(point.training_tokens == Approx(1e20 / 2.4e9));
    CHECK(point.parameters == Approx(4e8 / (1 - point.share)));
  }
}

TEST_CASE("a share without a whole number of experts takes the nearest and says so") {
  const Ran ran = run_lacuna("dial_round", {"dial", "--shares", "0.3", "--top-k", "2"});
  REQUIRE(ran.code == 0);
  CHECK(ran.out.find("share 0.3 became 0.333333, of 3 whole experts") != std::string::npos);
}

TEST_CASE("the dial's folder holds the same points as JSON, table and figure") {
  const auto folder = scratch("dial_out");
  const Ran ran = run_lacuna("dial_run", {"dial", "--compute", "1e20", "--shares", "0,0.5,0.98",
                                          "--batch", "1", "--out", (folder / "out").string()});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const Json json = Json::parse(read_file(folder / "out" / "dial.json"));
  REQUIRE(json["points"].size() == 3);
  // One token touches its k experts: the active weights.
  for (const Json& point : json["points"]) {
    CHECK(point["distinct_experts"].get<double>() == Approx(8));
    CHECK(point["touched_weight_bytes"].get<double>() ==
          Approx(2 * point["active_parameters"].get<double>()));
  }
  const std::string csv = read_file(folder / "out" / "dial.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) {
    CHECK(ran.out.find("note:") == std::string::npos);
    CHECK(read_file(folder / "out" / "dial.svg").find("</svg>") != std::string::npos);
    CHECK(read_file(folder / "out" / "dial.png").find("IEND") != std::string::npos);
  }
}

TEST_CASE("a point's step on a machine reads the weights of the experts that it touches") {
  DialOptions options;
  options.shares = {0, 0.5};  // a step of 64 tokens touches all 8 and all 16
  const auto points = sparsity_dial(options);
  const DialShape shape;
  const auto costs = dial_costs(load_fabric("tc-xl"), options, points, shape);
  REQUIRE(costs.size() == 2);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const DialCost& c = costs[i];
    INFO(points[i].experts);
    CHECK(std::abs(c.size_error) < 1e-3);
    const double weights = points[i].weight_bytes * (1 + c.size_error);
    // Each of 8 rows of a token is read by gate and up and written by down, in every layer.
    const double rows = 24.0 * 64 * 8 * 3 * 1024 * 2;
    CHECK(c.dram_bytes * 64 == Approx(weights + rows).epsilon(1e-3));
    CHECK(c.cycles * 64 >= c.dram_bytes * 64 / 3200);
    CHECK(c.picojoules > 0);
  }
  CHECK(costs[1].dram_bytes > costs[0].dram_bytes);
  CHECK_THROWS_AS(dial_costs(load_fabric("tc-xl"), options, points, {24, 1U << 20}), InputError);
  CHECK_THROWS_AS(dial_costs(load_fabric("tc-xl"), options, points, {0, 1024}), InputError);
}

TEST_CASE("the dial with a machine says what the model is that it ran") {
  const auto folder = scratch("dial_machine");
  const Ran ran = run_lacuna("dial_machine_run", {"dial", "--shares", "0,0.5", "--arch", "tc-xl",
                                                  "--out", (folder / "out").string()});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(ran.out.find("24 layers of experts of hidden size 1024") != std::string::npos);
  const Json json = Json::parse(read_file(folder / "out" / "dial.json"));
  CHECK(json["machine"] == "tc-xl");
  CHECK(json["points"][1]["cycles_per_token"].get<double>() > 0);
  CHECK(read_file(folder / "out" / "dial.gp").find("energy per token") != std::string::npos);
}

TEST_CASE("bad input to the dial is refused with one message") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--compute", "0"}, "no training compute"},
      {{"--compute", "inf"}, "no training compute"},
      {{"--compute", "10"}, "beyond 10^6"},
      {{"--shares", "1"}, "not a share"},
      {{"--shares", "-0.5"}, "not a share"},
      {{"--shares", "0,nan"}, "not a share"},
      {{"--shares", "0.9999999"}, "a million experts"},
      {{"--shares", "0.5,x"}, "--shares"},
      {{"--top-k", "0"}, "at least one expert"},
      {{"--batch", "0"}, "no step"},
      {{"--weight-bits", "0"}, "bits per weight"},
      {{"--flops-per-token", "-1"}, "no work per token"},
      {{"--layers", "3"}, "--arch"},
      {{"--arch", "nowhere"}, "nowhere"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::vector<std::string> arguments{"dial"};
    arguments.insert(arguments.end(), cases[i].first.begin(), cases[i].first.end());
    check_refused(fmt::format("dial_bad_{}", i), arguments, cases[i].second);
  }
}
