// SPDX-License-Identifier: Apache-2.0
// What must hold on every machine of ExTensor's class that ships: more of anything never costs more
// cycles, fewer nonzeros never cost more of anything.
//
// Never, within tolerances. What they allow is not a model that is wrong but one that is not
// optimal, like the machine: pairs go to elements in the order in which they are found, and
// requests to DRAM in the order in which they are made. So what arrives earlier can take a place
// that something more urgent would have had (Graham's anomalies of list scheduling), and larger
// tiles change that order. Measured worst rises stand beside each tolerance: over 2,000 products,
// by the hidden case "measure".
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "arch/energy/energy_table.hpp"
#include "arch/machine/machine_energy.hpp"
#include "dataflows/tiling.hpp"
#include "tests/arch/products.hpp"
#include "tests/properties/random_products.hpp"

using namespace lacuna;
using lacuna::test::one_of;
using lacuna::test::Settings;

namespace {

constexpr std::uint64_t kCases = 40;
constexpr double kThinnedCycles = 0.01;
constexpr const char* kMachines[] = {"extensor", "extensor-n", "extensor-p", "extensor-ob",
                                     "extensor-teaal"};

struct Case {
  std::string name;  // the machine's
  Settings settings;
  CsrMatrix a, b_transposed;
  std::string text;
};

Case random_case(std::uint64_t seed) {
  RandomStream random(seed, "extensor property");
  Case c;
  c.name = kMachines[seed % std::size(kMachines)];
  c.a = test::random_square(random, c.text);
  c.b_transposed = transpose(c.a);
  c.settings = test::small_extensor(random, c.name);
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

Cost cost_of(const Case& c, const Settings& settings, const EnergyTable* table = nullptr) {
  std::vector<std::string> list;
  for (const auto& [key, value] : settings) list.push_back(key + "=" + value);
  const MachineSpec spec = test::machine(c.name, list);
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

/// A parameter, the factors that it is raised by, and by how much cycles may rise all the same.
struct Ladder {
  const char* key;
  std::vector<double> factors;
  const char* unit;
  bool whole;          // the parameter is a whole number
  double usual, most;  // of 19 in 20 products; of any
};

const Ladder kLlb{"buffers.llb.capacity", {1, 1.1, 1.25, 1.5, 2, 3, 4, 8}, " B", true, 0.05, 0.3};
const Ladder kPeb{"buffers.peb.capacity", {1, 1.3, 2, 4, 16}, " B", true, 0.001, 0.01};
const Ladder kDram{"dram.bandwidth", {1, 1.1, 1.5, 2, 4, 16}, " B/cycle", false, 0.001, 0.01};
const Ladder kPort{"buffers.llb.bandwidth", {1, 1.1, 1.5, 2, 4, 16}, " B/cycle", false, 0.01, 0.04};
const Ladder kPes{"pes.count", {1, 1.25, 1.5, 2, 4}, "", true, 0.001, 0.01};
const Ladder kTries{"intersect.k1.tries_per_cycle", {0.5, 1, 2, 3, 8}, "", false, 0.005, 0.01};

Settings raised(const Case& c, const Ladder& ladder, double factor) {
  Settings settings = c.settings;
  const auto found = settings.find(ladder.key);
  const double value = factor * (found == settings.end() ? 1.0 : std::stod(found->second));
  settings[ladder.key] = ladder.whole
                             ? fmt::format("{}{}", static_cast<std::uint64_t>(value), ladder.unit)
                             : fmt::format("{:g}{}", value, ladder.unit);
  return settings;
}

struct Rise {
  double cycles = 0;  // the worst of the ladder, relative to the best before it
  std::string text;
};

Rise worst_rise(const Case& c, const Ladder& ladder) {
  Rise worst;
  double best = 0;
  std::string best_value;
  for (const double factor : ladder.factors) {
    const Settings settings = raised(c, ladder, factor);
    const double cycles = cost_of(c, settings).cycles;
    const std::string& value = settings.at(ladder.key);
    if (best > 0 && cycles / best - 1 > worst.cycles) {
      worst.cycles = cycles / best - 1;
      worst.text = fmt::format("{} -> {}: {} -> {} cycles of {}", best_value, value, best, cycles,
                               text_of(c, settings));
    }
    if (best == 0 || cycles < best) {
      best = cycles;
      best_value = value;
    }
  }
  return worst;
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

void check_ladder(const Ladder& ladder) {
  std::vector<double> rises;
  for (std::uint64_t seed = 1; seed <= kCases; ++seed) {
    const Rise rise = worst_rise(random_case(seed), ladder);
    INFO(rise.text);
    CHECK(rise.cycles <= ladder.most);
    rises.push_back(rise.cycles);
  }
  std::sort(rises.begin(), rises.end());
  CHECK(rises[kCases - 1 - kCases / 20] <= ladder.usual);
}

}  // namespace

TEST_CASE("more last-level buffer never costs more cycles") {
  check_ladder(kLlb);
}

TEST_CASE("more buffer in the elements never costs more cycles") {
  check_ladder(kPeb);
}

TEST_CASE("more DRAM bandwidth never costs more cycles") {
  check_ladder(kDram);
}

TEST_CASE("more bandwidth of the last-level buffer never costs more cycles") {
  check_ladder(kPort);
}

TEST_CASE("more processing elements never cost more cycles") {
  check_ladder(kPes);
}

TEST_CASE("more tries of the intersection in a cycle never cost more cycles") {
  check_ladder(kTries);
}

TEST_CASE("a sparser A never costs more cycles, bytes or energy on the same machine") {
  for (std::uint64_t seed = 1; seed <= 4 * kCases; ++seed) {
    const Case c = random_case(seed);
    const Thinned t = thin(c, seed, table_45nm());
    INFO(text_of(c, c.settings) << ", " << t.kept << " of A kept");
    CHECK(t.fewer.cycles <= t.all.cycles * (1 + kThinnedCycles));
    CHECK(t.fewer.bytes <= t.all.bytes);
    CHECK(t.fewer.picojoules <= t.all.picojoules * (1 + 1e-12));
  }
}

TEST_CASE("measure", "[.]") {
  const char* runs = std::getenv("LACUNA_MEASURE");
  const std::uint64_t count = runs == nullptr ? 2000 : std::stoull(runs);
  for (const Ladder& ladder : {kLlb, kPeb, kDram, kPort, kPes, kTries}) {
    std::vector<Rise> rises;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
      rises.push_back(worst_rise(random_case(seed), ladder));
    }
    std::sort(rises.begin(), rises.end(),
              [](const Rise& x, const Rise& y) { return x.cycles > y.cycles; });
    std::printf("== %s\n", ladder.key);
    std::printf("19 in 20 below %.5f\n", rises[rises.size() / 20].cycles);
    for (std::size_t i = 0; i < 6 && rises[i].cycles > 0; ++i) {
      std::printf("%.5f %s\n", rises[i].cycles, rises[i].text.c_str());
    }
    std::fflush(stdout);
  }
  std::vector<std::pair<double, std::string>> cycles, bytes, energy;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const Case c = random_case(seed);
    const Thinned t = thin(c, seed, table_45nm());
    const std::string text = fmt::format("{} kept of {}", t.kept, text_of(c, c.settings));
    cycles.emplace_back(t.fewer.cycles / t.all.cycles - 1, text);
    bytes.emplace_back(t.fewer.bytes / t.all.bytes - 1, text);
    energy.emplace_back(t.fewer.picojoules / t.all.picojoules - 1, text);
  }
  for (auto* rises : {&cycles, &bytes, &energy}) {
    std::sort(rises->rbegin(), rises->rend());
    std::printf("== a sparser A: cycles, bytes, energy in turn\n");
    for (std::size_t i = 0; i < 4; ++i) {
      std::printf("%.5f %s\n", (*rises)[i].first, (*rises)[i].second.c_str());
    }
  }
}
