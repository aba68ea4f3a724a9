// SPDX-License-Identifier: Apache-2.0
// Random machines and operands, small and pathological ones among them, as functions of a seed.
#pragma once

#include <fmt/format.h>

#include "tests/arch/products.hpp"

namespace lacuna::test {

struct RandomRun {
  MachineSpec spec;
  CsrMatrix a, b_transposed;
  LoopTiles tiles;
  std::string text;  // what was drawn, for messages
};

inline CsrMatrix random_operand(RandomStream& random, Coordinate rows, Coordinate cols) {
  const double densities[] = {0.0, 0.01, 0.05, 0.2, 0.6, 1.0};
  CsrMatrix matrix = random_matrix(rows, cols, densities[random.below(6)], random());
  if (random.below(3) != 0) return matrix;
  // Whole rows and columns without a nonzero.
  std::vector<Entry> kept;
  for (Coordinate row = 0; row < rows; ++row) {
    const auto columns = matrix.cols_of(row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (row % 3 != 1 && columns[i] % 4 != 2) {
        kept.push_back({row, columns[i], matrix.values_of(row)[i]});
      }
    }
  }
  return from_entries(rows, cols, std::move(kept), false);
}

template <class T, std::size_t n>
T pick(RandomStream& random, const T (&values)[n]) {
  return values[random.below(n)];
}

inline std::vector<std::string> random_settings(RandomStream& random) {
  std::vector<std::string> s;
  const std::uint64_t capacity = pick<std::uint64_t>(random, {64, 300, 1000, 4096, 65536});
  const double share_a = pick(random, {0.02, 0.2, 0.45}), share_b = pick(random, {0.1, 0.5});
  const auto a_bytes = static_cast<std::uint64_t>(share_a * static_cast<double>(capacity));
  const auto b_bytes = static_cast<std::uint64_t>(share_b * static_cast<double>(capacity));
  s.push_back(fmt::format("buffers.llb.capacity={} B", capacity));
  s.push_back(fmt::format("buffers.llb.shares={{A: {}, B: {}, Z: {}}}", share_a, share_b,
                          pick(random, {0.02, 0.05, 0.05})));
  const std::uint64_t line = pick<std::uint64_t>(random, {1, 8, 64, 512});
  s.push_back(fmt::format("buffers.llb.line={} B", line > capacity ? 64 : line));
  if (random.below(3) != 0) {
    const std::uint64_t windows[] = {1, b_bytes, 1 + random.below(b_bytes), b_bytes / 2 + 1};
    s.push_back("buffers.llb.policy=tailors");
    const std::uint64_t window = std::min(b_bytes, windows[random.below(4)]);
    s.push_back(fmt::format("levels.llb.holds.B.window={} B", window));
    s.push_back(fmt::format("levels.llb.holds.A.window={} B", std::min(a_bytes, window)));
  }
  s.push_back(fmt::format("buffers.llb.bandwidth={} B/cycle", pick<int>(random, {1, 17, 2048})));
  s.push_back(fmt::format("dram.chunk={} B", pick<int>(random, {5, 64, 1000, 16384})));
  s.push_back(fmt::format("dram.outstanding={}", 1 + random.below(5)));
  s.push_back(fmt::format("dram.latency={} cycles", pick<int>(random, {0, 1, 100})));
  s.push_back(fmt::format("dram.burst={} B", pick<int>(random, {1, 1, 32, 64})));
  s.push_back(fmt::format("dram.bandwidth={} B/cycle", pick(random, {0.7, 3.0, 73.289, 1e6})));
  s.push_back(fmt::format("buffers.peb.capacity={} B", pick<int>(random, {8, 256, 65536})));
  s.push_back(fmt::format("buffers.peb.pairs_in_flight={}", 1 + random.below(4)));
  s.push_back(fmt::format("pes.count={}", pick<int>(random, {1, 2, 7, 128})));
  s.push_back(fmt::format("pes.dispatch={}", random.below(2) == 0 ? "any-pair" : "k1"));
  s.push_back(fmt::format("pes.pair_overhead={} cycles", random.below(3)));
  s.push_back(fmt::format("network.latency={} cycles", pick<int>(random, {0, 0, 9})));
  for (const char* unit : {"k0", "k1"}) {
    s.push_back(fmt::format("intersect.{}.kind={}", unit,
                            random.below(2) == 0 ? "skip-ahead" : "two-finger"));
  }
  s.push_back(fmt::format("intersect.k1.tries_per_cycle={}",
                          pick<const char*>(random, {"1", "0.3", "4", "unbounded"})));
  s.push_back(fmt::format("sequencer.lookahead={}", pick<int>(random, {1, 2, 8, 100})));
  const int outer[] = {1, 2, 5, 16, 128, 300}, inner[] = {1, 2, 7, 16, 100, 128};
  s.push_back(fmt::format("tiling.microtile={{m0: {}, k0: {}, n0: {}}}", pick(random, outer),
                          pick(random, inner), pick(random, outer)));
  const char* const fill[] = {"unbounded", "unbounded", "3 B/cycle", "64 B/cycle"};
  s.push_back(fmt::format("buffers.llb.fill_bandwidth={}", pick(random, fill)));
  return s;
}

inline RandomRun random_run(std::uint64_t seed) {
  RandomStream random(seed, "random run");
  RandomRun run;
  const char* const machines[] = {"extensor", "extensor-ob", "extensor-teaal"};
  const char* const name = machines[random.below(3)];
  std::vector<std::string> settings = random_settings(random);
  if (std::string(name) == "extensor-ob") {
    // Its own policy stays; the window drawn above belongs to the capacity drawn with it.
    settings.push_back("dataflow.partition.K1=64");
    settings.push_back("dataflow.partition.N1=96");
    bool given = false;
    for (const auto& setting : settings) given = given || setting.find("window") != setting.npos;
    if (!given) {
      settings.emplace_back("levels.llb.holds.B.window=6 B");
      settings.emplace_back("levels.llb.holds.A.window=1 B");
    }
  }
  run.spec = machine(name, settings);
  const Coordinate edges[] = {1, 2, 9, 40, 90, 150};
  const Coordinate m = pick(random, edges), n = pick(random, edges), k = pick(random, edges);
  run.a = random_operand(random, m, k);
  run.b_transposed = random_operand(random, n, k);
  const std::uint64_t lengths[] = {1, 1, 2, 5, 1000};
  run.tiles = {pick(random, lengths), pick(random, lengths), pick(random, lengths)};
  run.text =
      fmt::format("seed {}: {} {}x{}x{}, nnz {} and {}, tiles m1 {} k1 {} n1 {}", seed, name, m, n,
                  k, run.a.nnz(), run.b_transposed.nnz(), run.tiles.m1, run.tiles.k1, run.tiles.n1);
  for (const auto& setting : settings) run.text += "\n  --set " + setting;
  return run;
}

}  // namespace lacuna::test
