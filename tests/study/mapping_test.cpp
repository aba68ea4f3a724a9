// SPDX-License-Identifier: Apache-2.0
// The mappings of a product: is each that is listed one that a machine's file can give back, is
// the best of them the best, and does the search find what a run takes?
#include "study/mapping/search.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/shipped_files.hpp"
#include "run/model/workload.hpp"
#include "run/network/workload.hpp"
#include "study/mapping/operations.hpp"
#include "study/mapping/text.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

RunResult run_with(FabricSpec machine, const FabricWorkload& workload,
                   const FabricMappingChoice& mapping) {
  machine.mappings = {mapping};
  return run_fabric(machine, workload);
}

struct Case {
  const char* machine;
  const char* a;
  const char* b;
};

constexpr Case kCases[] = {{"tc", "dense", "dense"},
                           {"highlight", "2:4", "uniform:0.6"},
                           {"lacuna", "2:4", "uniform:0.3"},
                           {"lacuna", "uniform:0.4", "uniform:0.2"},
                           {"dstc", "uniform:0.3", "uniform:0.4"},
                           {"stc", "2:4", "dense"}};

/// Beyond which of the best the chosen mapping lies, over random shapes of these machines: all
/// candidates whose estimate is within 10 % of the least are simulated.
std::vector<double> beyond_the_best(std::size_t shapes) {
  std::vector<double> out;
  RandomStream rng(7, "shapes");
  for (std::size_t i = 0; i < shapes; ++i) {
    const Case& of = kCases[i % std::size(kCases)];
    const auto edge = [&] { return 1 + rng.below(256); };
    const FabricSpec machine = load_fabric(of.machine);
    const std::uint64_t m = edge(), n = edge(), k = edge();
    const FabricWorkload workload = pattern_workload(m, n, k, of.a, of.b, i);
    const MapSearch chosen = search_mappings(machine, workload, {});
    if (!chosen.unsupported.empty()) continue;
    MapRequest all;
    double lowest = chosen.ranked.front().estimate;
    for (const RankedMapping& one : chosen.ranked) lowest = std::min(lowest, one.estimate);
    all.simulate = static_cast<std::uint64_t>(
        std::count_if(chosen.ranked.begin(), chosen.ranked.end(),
                      [&](const RankedMapping& one) { return one.estimate <= 1.1 * lowest; }));
    const MapSearch best = search_mappings(machine, workload, all);
    INFO(of.machine << ' ' << m << 'x' << n << 'x' << k);
    REQUIRE(*best.ranked.front().value > 0);
    out.push_back(*chosen.ranked.front().value / *best.ranked.front().value - 1);
  }
  return out;
}

}  // namespace

TEST_CASE("every mapping that is listed can be given, and is then the one that runs") {
  for (const Case& of : kCases) {
    const FabricSpec machine = load_fabric(of.machine);
    const FabricWorkload workload = pattern_workload(200, 330, 256, of.a, of.b);
    const ConsideredMappings found = considered_mappings(machine, workload.instances.front());
    std::size_t fit = 0;
    for (const FabricMapping& one : found.all) {
      if (!one.fits) continue;
      if (++fit % 7 != 1) continue;  // some of many
      FabricSpec pinned = machine;
      pinned.mappings = {as_given(one, found.shape)};
      INFO(of.machine << ": " << in_short(one));
      const ConsideredMappings again = considered_mappings(pinned, workload.instances.front());
      CHECK(again.chosen.rows == one.rows);
      CHECK(again.chosen.columns == one.columns);
      CHECK(again.chosen.a_outer == one.a_outer);
      CHECK(again.chosen.b_resident == one.b_resident);
      CHECK(again.chosen.a_whole == one.a_whole);
      CHECK(again.chosen.passing == one.passing);
      CHECK(again.chosen.tile_columns == for_product(one, found.shape).tile_columns);
      CHECK(again.chosen.tile_rows == for_product(one, found.shape).tile_rows);
      CHECK(again.chosen.b_room == test::Approx(one.b_room).margin(1));
    }
    CHECK(fit > 0);
    const RunResult by_itself = run_fabric(machine, workload);
    const RunResult given = run_with(machine, workload, as_given(found.chosen, found.shape));
    CHECK(given.statistics.cycles == by_itself.statistics.cycles);
    CHECK(given.statistics.traffic == by_itself.statistics.traffic);
  }
}

TEST_CASE("a search keeps to its constraints, and its best is no worse than what a run takes") {
  const FabricSpec machine = load_fabric("lacuna");
  const FabricWorkload workload = pattern_workload(256, 512, 512, "2:4", "uniform:0.5");
  for (const char* name : {"cycles", "traffic", "energy", "edp"}) {
    MapRequest request;
    request.objective = parse_map_objective(name);
    const MapSearch search = search_mappings(machine, workload, request);
    CHECK(search.considered >= search.ranked.size());
    const auto own = std::find_if(search.ranked.begin(), search.ranked.end(),
                                  [](const RankedMapping& one) { return one.is_mappers; });
    REQUIRE(own != search.ranked.end());
    CHECK(*search.ranked.front().value <= *own->value);
    request.constraints = parse_map_constraints(machine, {"outer=A", "tile_columns=64"});
    const MapSearch fixed = search_mappings(machine, workload, request);
    for (const RankedMapping& one : fixed.ranked) {
      CHECK(one.mapping.a_outer);
      CHECK(one.mapping.array_columns == 64);
    }
  }
  CHECK_THROWS_AS(parse_map_objective("speed"), InputError);
  CHECK_THROWS_AS(parse_map_constraints(machine, {"outter=A"}), InputError);
  CHECK_THROWS_AS(parse_map_constraints(machine, {"stays=none", "b_tile_columns=128"}), InputError);
  CHECK_THROWS_AS(search_mappings(load_fabric("lacuna-l2"), workload, {}), InputError);
}

TEST_CASE("fault: half a byte of outputs, rounded by parts and as a whole, ended a run") {
  MapRequest request;
  request.simulate = 40;
  const FabricWorkload workload = pattern_workload(6, 242, 19, "uniform:0.4", "uniform:0.2");
  const MapSearch search = search_mappings(load_fabric("lacuna"), workload, request);
  CHECK(search.ranked.size() > 40);
}

// The rule is 2 %: an estimate knows neither the order of unequal tiles nor how a fetch falls
// between them, so a few small products miss it, by less than 5 %.
TEST_CASE("the chosen of five simulated mappings is near the best of all") {
  const std::vector<double> all = beyond_the_best(24);
  for (const double beyond : all) CHECK(beyond <= 0.05);
  CHECK(std::count_if(all.begin(), all.end(), [](double x) { return x > 0.02; }) <= 1);
}

TEST_CASE("likewise over 300 shapes", "[slow]") {
  const std::vector<double> all = beyond_the_best(300);
  for (const double beyond : all) CHECK(beyond <= 0.05);
  CHECK(std::count_if(all.begin(), all.end(), [](double x) { return x > 0.02; }) <= 9);
}

TEST_CASE(
    "products of a model are mapped as a run makes them, and what is marked is what it takes") {
  ModelWorkloadSpec spec;
  spec.model = find_config("models", "olmoe-1b-7b").string();
  spec.step.layers = "3";
  spec.step.step.batch = 4;
  spec.step.step.context = 64;
  spec.weights = "2:4";
  FabricSpec machine = load_fabric("lacuna");
  machine.overlap = false;  // each operation by itself, as they are mapped
  const RunResult run = run_model(machine, make_model_workload(spec), FabricOptions());
  MapRequest request;
  request.simulate = 2;
  const auto operations = map_operations(machine, make_model_workload(spec), request);
  REQUIRE(operations.size() > 5);
  for (const MappedOperation& one : operations) {
    INFO(one.names.front());
    const auto report = std::find_if(run.operations.begin(), run.operations.end(),
                                     [&](const auto& op) { return op.name == one.names.front(); });
    REQUIRE(report != run.operations.end());
    CHECK(one.search.considered >= one.search.ranked.size());
    const auto taken = std::find_if(one.search.ranked.begin(), one.search.ranked.end(),
                                    [](const RankedMapping& m) { return m.is_mappers; });
    REQUIRE(taken != one.search.ranked.end());
    CHECK(*taken->value == static_cast<double>(report->cycles.count()));
    CHECK(*one.search.ranked.front().value <= *taken->value);
  }
}

TEST_CASE("a machine with clusters says that its mappings are not listed") {
  NetworkWorkloadSpec spec;
  spec.network = "resnet50";
  CHECK_THAT(test::error_of([&] {
               static_cast<void>(
                   map_operations(load_fabric("lacuna-l2"), make_network_workload(spec), {}));
             }),
             test::contains("clusters"));
}
