// SPDX-License-Identifier: Apache-2.0
// What must hold on every machine of ExTensor's class that ships: more of anything never costs more
// cycles, fewer nonzeros never cost more of anything.
//
// Bytes: never, to the byte. Cycles: within tolerances. The machine serves requests and pairs in
// the order in which they come. What comes earlier, because there is more of something, can take a
// place that something more urgent would have had (Graham's anomalies of list scheduling); a
// last-level buffer's shares decide that order too. Once, this costs one request (one_request
// below); it can happen again at each tile, hence a share of the run besides. No bound is proved
// for that share: it stands above the worst rise measured. Seeds 1 to 150 on these ladders:
// last-level buffer 8.4 % with given tiles (DRAM moves the same bytes, in another order) and 24 %
// with strategies, its port 1.2 %, DRAM 0.4 %, elements' buffers 0.2 %; elements 3.1 % at seed 120.
#include <algorithm>

#include "arch/energy/energy_table.hpp"
#include "arch/machine/machine_energy.hpp"
#include "dataflows/tiling.hpp"
#include "tests/arch/products.hpp"
#include "tests/properties/random_products.hpp"

using namespace lacuna;
using lacuna::test::one_of;
using lacuna::test::Settings;

namespace {

constexpr std::uint64_t kCases = 48;
constexpr std::uint64_t kMultiplies[] = {10'000, 300'000};  // of a product, at least and at most

const std::vector<std::string> kFixed{"extensor", "extensor-teaal"};  // tile sizes are given
const std::vector<std::string> kTiled{"extensor-n", "extensor-p", "extensor-ob"};
const std::vector<std::string> kAll{"extensor", "extensor-n", "extensor-p", "extensor-ob",
                                    "extensor-teaal"};

struct Case {
  std::string name;  // the machine's
  Settings settings;
  CsrMatrix a, b_transposed;
  std::string text;
};

std::uint64_t multiplies(const CsrMatrix& square) {
  std::vector<std::uint64_t> in_column(square.cols);
  for (const Coordinate column : square.columns) ++in_column[column];
  std::uint64_t sum = 0;
  for (Coordinate row = 0; row < square.rows; ++row) {
    sum += in_column[row] * square.cols_of(row).size();
  }
  return sum;
}

Case random_case(std::uint64_t seed, const std::vector<std::string>& machines) {
  RandomStream random(seed, "extensor property");
  Case c;
  c.name = machines[seed % machines.size()];
  std::uint64_t work = 0;
  while (work < kMultiplies[0] || work > kMultiplies[1]) {
    c.a = test::random_square(random, c.text);
    work = multiplies(c.a);
  }
  c.b_transposed = transpose(c.a);
  c.settings = test::small_extensor(random, c.name);
  // Requests stay small beside what such a product moves, as those of the shipped machines do.
  c.settings["dram.chunk"] = fmt::format("{} B", one_of(random, {128, 256, 512}));
  c.text = fmt::format("seed {}: --arch {} --matrix {}", seed, c.name, c.text);
  return c;
}

std::string text_of(const Case& c, const Settings& settings) {
  std::string text = c.text;
  for (const auto& [key, value] : settings) text += fmt::format(" --set '{}={}'", key, value);
  return text;
}

struct Cost {
  double cycles = 0, bytes = 0, picojoules = 0;
};

MachineSpec machine_of(const Case& c, const Settings& settings) {
  std::vector<std::string> list;
  for (const auto& [key, value] : settings) list.push_back(key + "=" + value);
  return test::machine(c.name, list);
}

Cost cost_of(const Case& c, const Settings& settings, const EnergyTable* table = nullptr) {
  const MachineSpec spec = machine_of(c, settings);
  const ProductOperands operands(c.a, c.b_transposed, spec.microtile);
  const ProductTiling tiling = tile_product(operands, spec, "");
  const MachineStatistics s = test::simulate(spec, operands, tiling.tiles).statistics;
  Cost cost;
  cost.cycles = static_cast<double>(s.cycles.count());
  for (const auto& [tensor, moved] : s.traffic.at("dram")) {
    cost.bytes += static_cast<double>(moved.read_bytes + moved.write_bytes);
  }
  if (table != nullptr) {
    cost.picojoules = account_energy(machine_components(spec, *table), s.actions).total().count();
  }
  return cost;
}

/// A parameter, the factors that it is raised by, and by which share cycles may rise all the same.
struct Ladder {
  const char* key;
  std::vector<double> factors;
  const char* unit;
  bool whole;  // the parameter is a whole number
  double share;
};

const Ladder kLlb{"buffers.llb.capacity", {1, 1.25, 1.5, 2, 4}, " B", true, 0.1};
const Ladder kPeb{"buffers.peb.capacity", {1, 1.3, 4, 16}, " B", true, 0.01};
const Ladder kDram{"dram.bandwidth", {1, 1.1, 2, 8}, " B/cycle", false, 0.01};
const Ladder kPort{"buffers.llb.bandwidth", {1, 1.1, 2, 8}, " B/cycle", false, 0.04};
const Ladder kPes{"pes.count", {1, 1.25, 2, 4}, "", true, 0.04};
const Ladder kTries{"intersect.k1.tries_per_cycle", {0.5, 1, 3, 8}, "", false, 0.04};
constexpr double kThinned = 0.01;

/// One request to DRAM, alone: what the run's first and last, or one served before a more urgent
/// one, can cost whatever the run's length.
double one_request(const Case& c) {
  const DramSpec dram = machine_of(c, c.settings).dram;
  return static_cast<double>(dram.latency.count()) +
         static_cast<double>(dram.chunk.count()) / dram.bytes_per_cycle;
}

Settings raised(const Case& c, const Ladder& ladder, double factor) {
  Settings settings = c.settings;
  const auto found = settings.find(ladder.key);
  const double value = factor * (found == settings.end() ? 1.0 : std::stod(found->second));
  settings[ladder.key] = ladder.whole
                             ? fmt::format("{}{}", static_cast<std::uint64_t>(value), ladder.unit)
                             : fmt::format("{:g}{}", value, ladder.unit);
  return settings;
}

/// What a product costs when each nonzero of A stays with some probability, beside what it costs.
struct Thinned {
  double kept;
  Cost all, fewer;
};

Thinned thin(const Case& c, std::uint64_t seed, const EnergyTable& table) {
  RandomStream random(seed, "share kept");
  Thinned out{one_of(random, {0.98, 0.9, 0.7, 0.4, 0.1}), {}, {}};
  out.all = cost_of(c, c.settings, &table);
  Case sparser = c;
  sparser.a = test::thinned(c.a, out.kept, seed);
  out.fewer = cost_of(sparser, c.settings, &table);
  return out;
}

const EnergyTable& table_45nm() {
  static const EnergyTable kTable =
      EnergyTable::load(test::source_dir() / "configs" / "energy" / "45nm.yaml");
  return kTable;
}

/// Each rung against the best of those below it.
void check_rungs(const Case& c, const Ladder& ladder) {
  const double request = one_request(c);
  Cost best = cost_of(c, raised(c, ladder, ladder.factors.front()));
  for (std::size_t i = 1; i < ladder.factors.size(); ++i) {
    const Settings settings = raised(c, ladder, ladder.factors[i]);
    const Cost cost = cost_of(c, settings);
    INFO(text_of(c, settings));
    CHECK(cost.cycles <= best.cycles * (1 + ladder.share) + request);
    CHECK(cost.bytes <= best.bytes);
    best.cycles = std::min(best.cycles, cost.cycles);
    best.bytes = std::min(best.bytes, cost.bytes);
  }
}

void check_ladder(const Ladder& ladder, const std::vector<std::string>& machines) {
  for (std::uint64_t seed = 1; seed <= kCases; ++seed) {
    check_rungs(random_case(seed, machines), ladder);
  }
}

}  // namespace

TEST_CASE("more last-level buffer never costs more cycles or bytes where tile sizes are given") {
  check_ladder(kLlb, kFixed);
}

// A tile sized for a larger buffer can split K into blocks that do not divide it, and then more
// partial outputs leave and return. The search over mappings is to choose among sizes by cost.
TEST_CASE(
    "fault: where a strategy sizes the tiles, more last-level buffer costs no more (later: "
    "explore)",
    "[!shouldfail]") {
  check_ladder(kLlb, kTiled);
}

TEST_CASE("more buffer in the elements never costs more cycles") {
  check_ladder(kPeb, kAll);
}

TEST_CASE("more DRAM bandwidth never costs more cycles") {
  check_ladder(kDram, kAll);
}

TEST_CASE("more bandwidth of the last-level buffer never costs more cycles") {
  check_ladder(kPort, kAll);
}

TEST_CASE("more processing elements never cost more cycles") {
  check_ladder(kPes, kAll);
}

TEST_CASE("more tries of the intersection in a cycle never cost more cycles") {
  check_ladder(kTries, kAll);
}

TEST_CASE("a sparser A never costs more cycles, bytes or energy on the same machine") {
  for (std::uint64_t seed = 1; seed <= 2 * kCases; ++seed) {
    const Case c = random_case(seed, kAll);
    const Thinned t = thin(c, seed, table_45nm());
    INFO(text_of(c, c.settings) << ", " << t.kept << " of A kept");
    CHECK(t.fewer.cycles <= t.all.cycles * (1 + kThinned) + one_request(c));
    CHECK(t.fewer.bytes <= t.all.bytes);
    CHECK(t.fewer.picojoules <= t.all.picojoules * (1 + 1e-12));
  }
}
