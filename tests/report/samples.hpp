// SPDX-License-Identifier: Apache-2.0
// Results that look like real ones, for tests of their rendering.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "run/result.hpp"
#include "tests/catch.hpp"

namespace lacuna::test {

inline TilingReport sample_tiling(const std::string& strategy, double scale, bool overbooked) {
  TilingReport t;
  t.strategy = strategy;
  t.ranks = {"k", "m"};
  t.shape = {1024, 512};
  t.tiles = 1234;
  t.overbooked_fraction = overbooked ? 0.101 : 0.0;
  t.buffer_utilization = 0.842;
  t.share_bytes = 15728640;
  t.work_nonzeros = 4096;
  for (int i = 0; i <= 20; ++i) {
    const double q = i / 20.0;
    const double share = scale * std::pow(10.0, 2.0 * q - (overbooked ? 1.8 : 2.0));
    t.occupancy.emplace_back(q, static_cast<std::uint64_t>(share * 15728640.0) + 1);
  }
  return t;
}

inline void fill_statistics(MachineStatistics& s, double scale, unsigned pes) {
  const auto scaled = [&](double value) { return static_cast<std::uint64_t>(value * scale); };
  s.cycles = Cycles(scaled(1650800));
  s.cycles_bound = Cycles(scaled(1500000));
  s.cycles_bound_by = s.bound = "dram";
  s.bounds = {{"compute", Cycles(scaled(700123))},
              {"dram", Cycles(scaled(1500000))},
              {"intersect", Cycles(scaled(33000))},
              {"network", Cycles(scaled(912000))}};
  for (const auto& [block, cycles] : s.bounds) {
    s.utilization[block] =
        static_cast<double>(cycles.count()) / static_cast<double>(s.cycles.count());
  }
  s.traffic["dram"] = {{"A", {scaled(48123456), 0}},
                       {"B", {scaled(912345678), 0}},
                       {"Z", {0, scaled(77123456)}},
                       {"Z_partial", {scaled(1234567), scaled(1234567)}}};
  s.traffic["llb"] = {{"A", {scaled(1048123456), 0}}, {"Z", {0, scaled(77123456)}}};
  s.actions = {{"dram", {{"read", scaled(9e8)}, {"write", scaled(8e7)}}},
               {"llb", {{"read", scaled(1e9)}}},
               {"idle_block", {}}};
  s.macs_effectual = 123456789;
  s.adds = 100000001;
  s.z_nonzeros = 9000001;
  s.b_bytes_as_read = 17;
  s.activations = 4242;
  s.iterations = {{"N2", 3}, {"K2", 17}, {"M2", 4}};
  std::uint64_t busy = 0;
  for (unsigned pe = 0; pe < pes; ++pe) {
    const double load = std::min(0.95, 0.55 + 0.1 * scale) - 0.4 * (pe * 37 % pes) / pes;
    s.pe_busy.push_back(static_cast<std::uint64_t>(load * static_cast<double>(s.cycles.count())));
    busy += s.pe_busy.back();
  }
  const std::uint64_t rest = s.cycles.count() * pes - busy;
  StallBreakdown& d = s.stalls;
  d.busy = busy;
  d.wait_a = rest / 10;
  d.wait_b = rest / 3;
  d.wait_intersect = rest / 20;
  d.wait_network = rest / 9;
  d.wait_output = rest / 15;
  d.imbalance = rest / 7;
  d.drain =
      rest - d.wait_a - d.wait_b - d.wait_intersect - d.wait_network - d.wait_output - d.imbalance;
}

/// A complete result; `scale` stretches its numbers.
inline RunResult sample_result(const std::string& name, double scale = 1, unsigned pes = 128) {
  RunResult r;
  r.name = name;
  r.workload = "email-Enron: Z = A * A (36,692 x 36,692, 367,662 nonzeros)";
  r.clock = Hertz(1e9);
  fill_statistics(r.statistics, scale, pes);
  r.macs_dense = 49397000000000ULL;
  r.macs_gated = 1000;
  r.macs_skipped = r.macs_dense - r.macs_gated - r.statistics.macs_effectual;
  r.energy.components = {{"dram", {5.1e9 * scale, {{"read", 5e9 * scale}, {"write", 1e8 * scale}}}},
                         {"llb", {1.2e9 * scale, {{"read", 1.2e9 * scale}}}},
                         {"pe_buffer", {0.8e9 * scale, {}}},
                         {"mac", {2.2e8 / 3.0 * scale, {}}},
                         {"intersect", {1.1e8 * scale, {}}},
                         {"network", {3.3e8 * scale, {}}}};
  for (const auto& [component, report] : r.energy.components) {
    r.energy.total_picojoules += report.picojoules;
  }
  r.energy.area_um2 = 98765432.125;
  r.energy.table = "lacuna-45nm (45 nm)";
  r.energy.flags = {"llb: extrapolated: beyond 512 KiB"};
  r.energy.static_picojoules = 1e8 * scale;
  r.energy.prices = {{"llb",
                      4,
                      {{"read", 2.5}, {"write", 3.25}},
                      1e6,
                      0.5,
                      "leak",
                      "SRAM",
                      "computed",
                      {"extrapolated: beyond 512 KiB"}}};
  r.tiling = {
      {"A", sample_tiling("overbooked by Swiftiles, y = 10 %", 1.2 * std::sqrt(scale), true)},
      {"B", sample_tiling("prescient", std::sqrt(std::min(scale, 1.0)), false)}};
  r.check = {true, true, 1.0 / 3e15, "a row-by-row product in double precision", {}};
  r.provenance = {"0.1.0", 42, "tile", {{"email-Enron.mtx.gz", "sha256:00ff"}}, {}, {{"B", 0.25}}};
  r.host = {1.25, 123456789, 4242};
  r.beside = {{"dram_b_bytes_by_column_fibers", 1234567}};
  r.resolved.kind = ConfigTree::Kind::mapping;
  ConfigTree& clock = r.resolved.at_or_add("clock");
  clock.kind = ConfigTree::Kind::scalar;
  clock.scalar = "1 GHz";
  return r;
}

inline RunResult sample_unsupported(const std::string& name) {
  RunResult r;
  r.name = name;
  r.workload = sample_result("x").workload;
  r.unsupported = "the pattern C1(4:8)->C0(2:4) of A is not one that the machine can skip";
  return r;
}

/// Characters that mean something to JSON, CSV, gnuplot, SVG, a shell, a terminal or a file system.
inline const std::string kHostileName =
    "../a, \"b\" 'c'\n<d> & \\`touch x` $(e) @f {g} %s µ \x1b[31m\xff # end\\";

}  // namespace lacuna::test
