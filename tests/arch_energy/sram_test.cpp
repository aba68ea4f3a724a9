// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "arch/energy/buffer_price.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Approx;
using lacuna::test::error_of;
using lacuna::test::near;
using lacuna::test::table_45;
using lacuna::test::table_65;

namespace {

bool any(const std::vector<std::string>& flags, const std::string& text) {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const std::string& flag) { return flag.find(text) != std::string::npos; });
}

SramShape shape(std::uint64_t bytes, unsigned width, unsigned banks = 1,
                SramPorts ports = SramPorts::rw1) {
  return {Bytes(bytes), width, banks, ports};
}

constexpr std::uint64_t operator""_KiB(unsigned long long kib) {
  return kib << 10U;
}

/// Of another node than the table's file says.
EnergyTable at_nm(unsigned nm) {
  EnergyTable table = table_45();
  table.node_nm = nm;
  return table;
}

/// Without the share of an access that banks divide: as CACTI gives it.
EnergyTable raw(unsigned nm) {
  EnergyTable table = at_nm(nm);
  table.sram.bank_share = 0;
  return table;
}

struct Published {
  SramShape shape;
  unsigned nm;
  double read, write;
  double within;  // relative; what the grid lacks is met less well
};

double figure(const SramFigures& figures, SramFigure of) {
  return figures[static_cast<std::size_t>(of)];
}

/// The share of `errors` below their p-quantile.
double quantile(std::vector<double> errors, double p) {
  std::sort(errors.begin(), errors.end());
  return errors[static_cast<std::size_t>(p * static_cast<double>(errors.size() - 1))];
}

}  // namespace

TEST_CASE("a memory of the grid costs what stands there") {
  for (const unsigned nm : SramGrid::nodes()) {
    const EnergyTable table = raw(nm);
    std::size_t points = 0;
    double worst = 0;
    bool flagged = false;
    for (const auto& [key, row] : SramGrid::of_node(nm).rows()) {
      const auto& [ports, banks, width] = key;
      for (const auto& [bytes, figures] : row) {
        const SramCost cost = sram_cost(table, shape(bytes, width, banks, ports));
        const auto miss = [&](double value, SramFigure of) {
          worst = std::max(worst, std::abs(value / figure(figures, of) - 1));
        };
        miss(cost.read.count(), SramFigure::read_pj);
        miss(cost.write.count(), SramFigure::write_pj);
        miss(cost.leakage_mw * 1e3, SramFigure::leakage_uw);
        miss(cost.area.count(), SramFigure::area_um2);
        miss(cost.access_ns, SramFigure::access_ns);
        miss(cost.cycle_ns, SramFigure::cycle_ns);
        flagged = flagged || !cost.flags.empty();
        ++points;
      }
    }
    INFO(nm << " nm");
    CHECK(worst < 1e-12);
    CHECK_FALSE(flagged);
    CHECK(points == (nm == 32 || nm == 90 ? 984 : 2779));
  }
}

TEST_CASE("the grid that ships is CACTI's table within 0.1 %") {
  LACUNA_NEEDS_SHARED();
  std::ifstream file(lacuna::test::shared_data() / ".." / "reference" / "sram-cacti7.csv");
  REQUIRE(file);
  std::string line;
  std::getline(file, line);
  std::size_t rows = 0;
  double worst = 0;
  while (std::getline(file, line)) {
    std::vector<std::string> f;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) f.push_back(field);
    const auto& figures = SramGrid::of_node(static_cast<unsigned>(std::stoul(f[0])))
                              .row(*parse_sram_ports(f[4]), static_cast<unsigned>(std::stoul(f[3])),
                                   static_cast<unsigned>(std::stoul(f[2])))
                              .at(std::stoull(f[1]));
    const double unit[kSramFigures] = {1, 1, 1e3, 1e6, 1, 1};
    for (std::size_t i = 0; i < kSramFigures; ++i) {
      worst = std::max(worst, std::abs(figures[i] / (std::stod(f[5 + i]) * unit[i]) - 1));
    }
    ++rows;
  }
  CHECK(rows == 10305);
  CHECK(worst < 1e-3);
}

TEST_CASE("published memories come out by the inferred rule of banks and ports") {
  const SramPorts one = SramPorts::rw1, two = SramPorts::rw2;
  const std::vector<Published> all{
      // Of the grid.
      {shape(256_KiB, 512, 2, two), 45, 285.71464, 316.96744, 1e-4},
      {shape(512_KiB, 256, 2, one), 45, 140.09584, 134.50539, 1e-4},
      {shape(128_KiB, 64, 1, one), 45, 32.2859, 26.065, 1e-4},
      {shape(64_KiB, 64, 1, one), 45, 25.8695, 19.6486, 1e-4},
      {shape(2_KiB, 8, 16, two), 45, 1.65889, 1.67589, 1e-4},
      {shape(2_KiB, 16, 1, one), 45, 1.96991, 1.83309, 1e-4},
      {shape(256_KiB, 512, 2, two), 65, 536.05005, 599.806, 1e-4},
      {shape(2_KiB, 8, 16, two), 65, 3.1647, 3.20183, 1e-4},
      // Between its sizes, its widths, and beyond its smallest memory.
      {shape(102400, 64, 1, two), 45, 49.1739, 37.1554, 0.03},
      {shape(56_KiB, 28, 1, one), 45, 14.0361, 10.2583, 0.04},
      {shape(448, 16, 1, two), 45, 0.71011, 1.13063, 0.02},
      {shape(896, 28, 2, one), 45, 0.7383, 1.42366, 0.17},
      {shape(512, 8, 2, one), 45, 0.42568, 0.58331, 0.30},
      {shape(256, 8, 1, one), 45, 0.47678, 0.51919, 0.30},
  };
  for (const Published& p : all) {
    INFO(p.shape.text() << " at " << p.nm << " nm");
    const SramCost cost = sram_cost(at_nm(p.nm), p.shape);
    CHECK(cost.read.count() == Approx(p.read).epsilon(p.within));
    CHECK(cost.write.count() == Approx(p.write).epsilon(p.within));
    CHECK(cost.flags.empty() == (p.within < 1e-3));
  }
  // One rule gives the idle energy too: leakage in one cycle of the memory.
  CHECK(sram_cost(table_45(), shape(256_KiB, 512, 2, two)).idle.count() ==
        Approx(.03325).epsilon(1e-3));
  CHECK(sram_cost(table_65(), shape(256_KiB, 512, 2, two)).idle.count() ==
        Approx(.26703).epsilon(1e-3));
  CHECK(sram_cost(table_45(), shape(2_KiB, 8, 16, two)).area.count() ==
        Approx(23384).epsilon(1e-3));
}

TEST_CASE("half-way sizes are met as the flag of an interpolated size says") {
  std::vector<double> errors;
  for (const unsigned nm : {22U, 45U, 65U}) {
    for (const auto& [key, row] : SramGrid::of_node(nm).rows()) {
      for (auto at = row.begin(); at != row.end(); ++at) {
        if (at->first % 3 != 0 || at == row.begin() || std::next(at) == row.end()) continue;
        const auto low = std::prev(at), high = std::next(at);
        const double x0 = std::log(static_cast<double>(low->first)),
                     x1 = std::log(static_cast<double>(high->first)),
                     x = std::log(static_cast<double>(at->first));
        const double y0 = std::log(figure(low->second, SramFigure::read_pj)),
                     y1 = std::log(figure(high->second, SramFigure::read_pj));
        const double met = std::exp(y0 + (y1 - y0) * (x - x0) / (x1 - x0));
        errors.push_back(std::abs(met / figure(at->second, SramFigure::read_pj) - 1));
      }
    }
  }
  REQUIRE(errors.size() > 300);
  const auto cost = sram_cost(table_45(), shape(100_KiB, 64));
  REQUIRE(any(cost.flags, "such sizes are met within 1.7 %, nine of ten 10.7 %"));
  CHECK(quantile(errors, 0.5) < 0.0175);
  CHECK(quantile(errors, 0.9) < 0.1075);
}

TEST_CASE("widths left out are met as the flag of an interpolated width says") {
  std::vector<double> errors;
  for (const unsigned nm : SramGrid::nodes()) {
    const auto& rows = SramGrid::of_node(nm).rows();
    for (const auto& [key, row] : rows) {
      const auto& [ports, banks, width] = key;
      const auto low = rows.find({ports, banks, width / 2}),
                 high = rows.find({ports, banks, width * 2});
      if (low == rows.end() || high == rows.end()) continue;
      for (const auto& [bytes, figures] : row) {
        const auto below = low->second.find(bytes), above = high->second.find(bytes);
        if (below == low->second.end() || above == high->second.end()) continue;
        const double met = std::sqrt(figure(below->second, SramFigure::read_pj) *
                                     figure(above->second, SramFigure::read_pj));
        errors.push_back(std::abs(met / figure(figures, SramFigure::read_pj) - 1));
      }
    }
  }
  REQUIRE(errors.size() > 7000);
  REQUIRE(any(sram_cost(table_45(), shape(64_KiB, 48)).flags, "within 6.5 %, nine of ten 19.8 %"));
  CHECK(quantile(errors, 0.5) < 0.0655);
  CHECK(quantile(errors, 0.9) < 0.1985);
}

TEST_CASE("between two sizes of a row every figure lies between theirs") {
  const SramCost low = sram_cost(table_45(), shape(64_KiB, 32)),
                 high = sram_cost(table_45(), shape(128_KiB, 32)),
                 middle = sram_cost(table_45(), shape(92682, 32));
  CHECK(middle.read.count() ==
        Approx(std::sqrt(low.read.count() * high.read.count())).epsilon(1e-4));
  CHECK(middle.leakage_mw == Approx(std::sqrt(low.leakage_mw * high.leakage_mw)).epsilon(1e-4));
  CHECK(any(middle.flags, "interpolated: 92682 B between 64 KiB and 128 KiB"));
  CHECK(any(sram_cost(table_45(), shape(64_KiB, 48)).flags,
            "interpolated: 48 bits between 32 and 64"));
}

TEST_CASE("what the grid lacks is flagged with what was taken instead") {
  CHECK(
      any(sram_cost(table_45(), shape(512, 8)).flags, "extrapolated: 512 B from the rows' 1 KiB"));
  CHECK(any(sram_cost(table_45(), shape(128_KiB << 10U, 64)).flags, "extrapolated: 128 MiB"));
  CHECK(any(sram_cost(table_45(), shape(48_KiB, 64, 48)).flags, "inferred: 48 banks as 32"));
  CHECK(any(sram_cost(table_45(), shape(56_KiB, 28)).flags, "inferred: 28 bits as 24"));
  const SramCost wide = sram_cost(table_45(), shape(60_KiB << 10U, 8192));
  CHECK(any(wide.flags, "inferred: 8192 bits as 2 memories side by side"));
  CHECK(wide.read.count() ==
        near(2 * sram_cost(table_45(), shape(30_KiB << 10U, 4096)).read.count()));
  // Nodes with one kind of ports only.
  CHECK(any(sram_cost(at_nm(32), shape(64_KiB, 64, 1, SramPorts::rw2)).flags,
            "inferred: 2rw ports by their ratio to 1rw at 45 nm"));
}

TEST_CASE("leakage is never carried from one node to another") {
  // 45 nm leaks least of all: no line through its neighbours finds it.
  const SramShape one = shape(256_KiB, 512);
  CHECK(sram_cost(at_nm(45), one).leakage_mw < sram_cost(at_nm(32), one).leakage_mw);
  CHECK(sram_cost(at_nm(45), one).leakage_mw < sram_cost(at_nm(65), one).leakage_mw);
  for (const unsigned nm : {16U, 28U, 55U, 130U}) {
    const SramCost cost = sram_cost(at_nm(nm), one);
    CHECK(cost.leakage_mw == 0);
    CHECK(any(cost.flags, "not priced: leakage of SRAM at"));
  }
  const SramCost between = sram_cost(at_nm(28), one);
  CHECK(between.read.count() > sram_cost(at_nm(22), one).read.count());
  CHECK(between.read.count() < sram_cost(at_nm(32), one).read.count());
}

TEST_CASE("cells other than standby cells leak by a factor that is stated, or are refused") {
  EnergyTable table = table_45();
  const SramShape llb = shape(30_KiB << 10U, 4096);
  const double standby = sram_cost(table, llb).leakage_mw;
  CHECK(standby == Approx(0.71).epsilon(0.01));
  table.sram.cells = "hp";
  const SramCost fast = sram_cost(table, llb);
  CHECK(fast.leakage_mw == Approx(13730).epsilon(0.01));
  CHECK(any(fast.flags, "inferred: leakage of hp cells"));
  table.node_nm = 65;
  CHECK(error_of([&] { (void)sram_cost(table, llb); }).find("it has lstp") != std::string::npos);
  table.node_nm = 45;
  table.sram.cells = "edram";
  CHECK(error_of([&] { (void)sram_cost(table, llb); }).find("it has lstp, hp, lop") !=
        std::string::npos);
}

TEST_CASE("small memories are register files, larger ones SRAM") {
  CHECK(memory_cost(table_45(), 64, 16).read.count() ==
        register_file_cost(table_45(), 64, 16).energy.count());
  CHECK(memory_cost(table_45(), 64, 16).area.count() == near(935.68));
  CHECK(memory_cost(table_45(), 32, 20).read.count() ==
        register_file_cost(table_45(), 32, 20).energy.count());
  CHECK(memory_cost(table_45(), 32, 20).area.count() ==
        sram_cost(table_45(), shape(80, 20)).area.count());
  CHECK(memory_cost(table_45(), 2048, 8, 16, SramPorts::rw2).read.count() ==
        Approx(1.65889).epsilon(1e-4));
  CHECK(memory_cost(table_45(), 64, 33).read.count() ==
        sram_cost(table_45(), shape(264, 33)).read.count());
}

TEST_CASE("a memory has as many accesses in a cycle as its banks have ports") {
  const SramShape two = shape(256_KiB, 512, 2, SramPorts::rw2);
  CHECK(memories_for(two, 128, 128) == 1);
  CHECK(memories_for(two, 129, 128) == 2);
  CHECK(memories_for(shape(256_KiB, 512, 2), 128, 128) == 2);
  CHECK(memories_for(shape(256_KiB, 512, 2, SramPorts::r1w1), 128, 128) == 1);
  CHECK(memories_for(shape(256_KiB, 512), 1000, std::numeric_limits<double>::infinity()) == 16);
}

TEST_CASE("ports that a memory does not have are memories side by side with wires") {
  const auto price = [](double bytes, std::uint64_t slices = 1, std::optional<double> mm = {}) {
    return buffer_component(table_45(), "glb", {shape(1_KiB << 10U, 512), slices, bytes, 0, mm}, 1);
  };
  const auto one = price(64), four = price(256);
  CHECK(one.count == 1);
  CHECK(four.count == 4);
  CHECK(any(four.flags, "ports of 256 and 0 B/cycle need 4 memories side by side"));
  CHECK(price(64, 4).actions.at("read") == four.actions.at("read"));
  // Side by side they are cheaper to read, and larger; the wires are not free.
  CHECK(four.actions.at("read") < one.actions.at("read"));
  const SramCost quarter = sram_cost(table_45(), shape(256_KiB, 512));
  const double side = std::sqrt(quarter.area.count()) * 1e-3;
  CHECK(four.actions.at("read").count() == near(quarter.read.count() + 512 * 0.3254 * 0.5 * side));
  CHECK(price(64, 4, 0).actions.at("read") == quarter.read);
  CHECK(price(64, 4, 10).actions.at("read").count() ==
        near(quarter.read.count() + 512 * 0.3254 * 10));
  CHECK(any(price(std::numeric_limits<double>::infinity()).flags, "not bounded"));
}

TEST_CASE("a memory slower than the clock is flagged, unless its banks make up for it") {
  // 8 MiB x 512 b cycles in many ns.
  const auto slow = buffer_component(table_45(), "llb", {shape(8_KiB << 10U, 512), 1, 0, 0, {}}, 1);
  CHECK(any(slow.flags, "time: a bank takes"));
  const auto cut = buffer_component(table_45(), "llb", {shape(8_KiB << 10U, 512), 32, 0, 0, {}}, 1);
  CHECK_FALSE(any(cut.flags, "time:"));
}

TEST_CASE("impossible memories are refused") {
  CHECK_THROWS_AS(sram_cost(table_45(), shape(0, 8)), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), shape(8, 0)), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), shape(8, 8, 0)), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), shape(8, 65)), InputError);
  CHECK_THROWS_AS(memory_cost(table_45(), 0, 8), InputError);
  CHECK_THROWS_AS(memory_cost(table_45(), std::uint64_t{1} << 60, 64), InputError);
}

TEST_CASE("a damaged table of SRAM is refused at its line") {
  const std::string columns =
      "ports,banks,width_bits,bytes,read_pj,write_pj,leakage_uw,area_um2,access_ns,cycle_ns\n";
  const auto said = [&](const std::string& text) {
    const auto file = lacuna::test::scratch("sram_grid") / "grid.csv";
    std::ofstream(file) << text;
    return error_of([&] { (void)SramGrid::load(file); });
  };
  CHECK(said("a,b\n").find(":1: not a table of SRAM") != std::string::npos);
  CHECK(said(columns).find("empty") != std::string::npos);
  CHECK(said(columns + "3rw,1,8,1024,1,1,1,1,1,1\n").find(":2: '3rw' are no ports") !=
        std::string::npos);
  CHECK(said(columns + "1rw,1,8,1024,1,1,1,1,1\n").find(":2: '' is not a number") !=
        std::string::npos);
  CHECK(said(columns + "1rw,1,8,1024,1,nan,1,1,1,1\n").find("not a number above 0") !=
        std::string::npos);
  CHECK(said(columns + "1rw,1,8,1024,1,inf,1,1,1,1\n").find("not a number above 0") !=
        std::string::npos);
  CHECK(said(columns + "1rw,1,8,1024,1,1,1,1,1,1\n1rw,1,8,1024,2,1,1,1,1,1\n")
            .find(":3: this "
                  "memory stands") != std::string::npos);
  CHECK(said(columns + "1rw,0,8,1024,1,1,1,1,1,1\n").find("not a number above 0") !=
        std::string::npos);
}
