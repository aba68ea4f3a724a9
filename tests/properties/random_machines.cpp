// SPDX-License-Identifier: Apache-2.0
#include "tests/properties/random_machines.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>

namespace lacuna::test {
namespace {

using Values = std::vector<std::string>;

/// A key and what it may be set to.
struct Knob {
  std::string key;
  Values values;
};
using Knobs = std::vector<Knob>;

const Knobs kMemoryOfAll{
    {"memory.latency", {"0 cycles", "1 cycle", "100 cycles", "5000 cycles"}},
    {"memory.request", {"1 B", "16 B", "64 B", "2 KiB", "1 MiB"}},
    {"memory.outstanding", {"1", "2", "16", "64"}},
    {"memory.capacity", {"1 KiB", "16 GiB", "16 GiB"}},
    {"contention", {"true", "false"}},
};

const Knobs kArrays{
    {"memory.read", {"0.5 B/cycle", "3 B/cycle", "64 B/cycle", "4096 B/cycle", "unbounded"}},
    {"memory.write", {"1 B/cycle", "32 B/cycle", "unbounded"}},
    {"levels.glb.capacity", {"512 B", "1 KiB", "3 KiB", "16 KiB", "256 KiB", "1 GiB"}},
    {"levels.glb.metadata", {"0 B", "8 B", "1 KiB", "64 KiB"}},
    {"levels.glb.line", {"1 B", "8 B", "64 B", "256 B"}},
    {"levels.glb.banks", {"1", "2", "16"}},
    {"levels.glb.slices", {"1", "2", "8"}},
    {"levels.glb.ports.read", {"1 B/cycle", "12.5 B/cycle", "76 B/cycle", "unbounded"}},
    {"levels.glb.ports.write", {"1 B/cycle", "24 B/cycle", "unbounded"}},
    {"levels.glb.holds.A.policy", {"buffet", "tailors", "cache"}},
    {"levels.glb.holds.B.policy", {"buffet", "tailors"}},
    {"levels.glb.holds.A.window", {"16 B", "256 B", "16 KiB"}},
    {"levels.glb.holds.B.window", {"16 B", "256 B", "16 KiB"}},
    {"levels.glb.holds.B.format",
     {"{order: [N, K], ranks: [U, B]}", "{order: [N, K], ranks: [U, U]}"}},
    {"levels.rf.capacity", {"64 B", "512 B", "2 KiB", "64 KiB"}},
    {"links.rf.latency", {"0 cycles", "7 cycles"}},
    {"units.macs.rows", {"1", "3", "16", "32"}},
    {"units.macs.lanes", {"1", "4", "16", "32"}},
    {"units.macs.gates", {"[]", "[B]"}},
    {"units.macs.skips",
     {"{}", "{A: [\"2:4\"]}", "{A: [\"4:8\", \"1:4\"]}", "{B: [unstructured]}"}},
    {"units.macs.psum_spill_steps", {"0", "1", "4"}},
    {"dataflow.partition.N1",
     {"auto", "dense-shape(B)", "prescient(B)", "\"swiftiles(B, 0.3)\"", "3"}},
    {"dataflow.partition.N0", {"auto", "1", "8"}},
    {"dataflow.partition.M1", {"1", "2", "4"}},
    {"levels.rf.instances", {"1", "2", "4"}},
    {"dataflow.order", {"mapper", "given"}},
    {"precision",
     {"{A: int8, B: int8, Z: int32}", "{A: int16, B: int16, Z: int16}", "fp32",
      "{A: int4, B: int4, Z: int32}"}},
    {"features.structured_sparsity", {"true", "false"}},
    {"features.overbooking", {"true", "false"}},
    {"features.tile_estimation", {"true", "false"}},
};

const Knobs kClusters{
    {"levels.l2.capacity", {"4 KiB", "64 KiB", "2 MiB"}},
    {"levels.l2.line", {"1 B", "64 B"}},
    {"levels.l2.slices", {"1", "8"}},
    {"levels.l2.banks", {"1", "4"}},
    {"levels.l2.ports.read", {"3 B/cycle", "128 B/cycle", "unbounded"}},
    {"levels.l2.ports.write", {"3 B/cycle", "64 B/cycle", "unbounded"}},
    {"levels.l2.holds.A.policy", {"buffet", "tailors", "cache"}},
    {"levels.l2.holds.B.policy", {"buffet", "tailors", "cache"}},
    {"levels.l2.holds.A.ways", {"1", "4"}},
    {"levels.l2.holds.B.ways", {"1", "16"}},
    {"levels.l2.holds.A.window", {"64 B", "4 KiB"}},
    {"levels.l2.holds.B.window", {"64 B", "4 KiB"}},
    {"levels.l2.holds.A.share", {"0.05", "0.4"}},
    {"levels.glb.instances", {"1", "2", "3", "4"}},
    {"dataflow.partition.M2", {"1", "2", "3", "4"}},
    {"links.glb.multicast", {"true", "false"}},
    {"links.glb.latency", {"0 cycles", "9 cycles"}},
};

const Knobs kElements{
    {"memory.bandwidth", {"0.7 B/cycle", "3 B/cycle", "73 B/cycle", "4096 B/cycle"}},
    {"memory.burst", {"1 B", "32 B", "64 B"}},
    {"levels.llb.capacity", {"64 B", "2 KiB", "20 KiB", "64 KiB", "1 MiB"}},
    {"levels.llb.line", {"8 B", "64 B", "256 B"}},
    {"levels.llb.banks", {"1", "2", "16"}},
    {"levels.llb.ports.read", {"1 B/cycle", "16 B/cycle", "2048 B/cycle"}},
    {"levels.llb.ports.write", {"1 B/cycle", "16 B/cycle", "unbounded"}},
    {"levels.llb.holds.A.policy", {"buffet", "tailors", "cache"}},
    {"levels.llb.holds.B.policy", {"buffet", "tailors"}},
    {"levels.llb.holds.A.window", {"8 B", "256 B", "64 KiB"}},
    {"levels.llb.holds.B.window", {"8 B", "256 B", "64 KiB"}},
    {"levels.llb.holds.B.share", {"0.1", "0.5"}},
    {"buffers.peb.capacity", {"8 B", "256 B", "64 KiB"}},
    {"buffers.peb.pairs_in_flight", {"1", "2", "4"}},
    {"pes.count", {"1", "2", "7", "128"}},
    {"pes.dispatch", {"any-pair", "k1"}},
    {"pes.pair_overhead", {"0 cycles", "2 cycles"}},
    {"network.latency", {"0 cycles", "9 cycles"}},
    {"intersect.k0.kind", {"skip-ahead", "two-finger"}},
    {"intersect.k1.kind", {"skip-ahead", "two-finger"}},
    {"intersect.k1.tries_per_cycle", {"1", "0.3", "unbounded"}},
    {"dataflow.lookahead", {"1", "2", "100"}},
    {"dataflow.partition.M0", {"1", "2", "16", "128"}},
    {"dataflow.partition.K0", {"1", "7", "16", "128"}},
    {"dataflow.partition.N0", {"1", "2", "16", "128"}},
    {"dataflow.partition.K1",
     {"1", "4", "prescient(B)", "\"swiftiles(B, 0.3)\"", "dense-shape(B)"}},
    {"dataflow.partition.N1",
     {"1", "4", "prescient(B)", "\"swiftiles(B, 0.3)\"", "dense-shape(B)"}},
    {"dataflow.partition.M1", {"1", "3", "64"}},
    {"strict", {"true", "false"}},
};

const Knobs kMerging{
    {"memory.bandwidth", {"0.7 B/cycle", "3 B/cycle", "40 B/cycle", "4096 B/cycle"}},
    {"levels.fiber-cache.capacity", {"64 B", "512 B", "2 KiB", "3 MiB"}},
    {"levels.fiber-cache.line", {"8 B", "12 B", "64 B"}},
    {"levels.fiber-cache.banks", {"1", "4", "48"}},
    {"levels.fiber-cache.holds.B.ways", {"1", "4", "16"}},
    {"levels.fiber-cache.holds.Z.ways", {"1", "4", "16"}},
    {"levels.fiber-cache.holds",
     {"{B: {policy: buffet}}", "{B: {policy: cache, ways: 4}}",
      "{B: {policy: tailors, window: 512 B}}"}},
    {"levels.fiber-cache.ports.read", {"3 B/cycle", "20 B/cycle", "unbounded"}},
    {"levels.fiber-cache.ports.write", {"3 B/cycle", "24 B/cycle", "unbounded"}},
    {"levels.pe.instances", {"1", "2", "3", "32"}},
    {"levels.pe.capacity", {"16 B", "64 B", "8 KiB"}},
    {"units.merge.radix", {"2", "3", "64"}},
    {"units.merge.per_cycle", {"0.5", "1", "3"}},
    {"units.multiplier.pairs_in_flight", {"1", "2", "4"}},
    {"links.pe.latency", {"0 cycles", "7 cycles"}},
};

/// Of a machine that merges, with tiles of the contracted rank.
const Values kMergingTiles{
    "dataflow.loops=[K1,M,K0,N]", "dataflow.partition={K0: 10}", "levels.fiber-cache.below=K1",
    "intersect={K0: {at: pe, kind: leader-follower, leader: A, per_cycle: unbounded}}"};

const Knobs kSumming{
    {"memory.bandwidth", {"0.7 B/cycle", "2 B/cycle", "64 B/cycle", "unbounded"}},
    {"levels.spad.holds.A.capacity", {"4 B", "36 B", "288 B"}},
    {"levels.spad.holds.B.capacity", {"4 B", "24 B"}},
    {"levels.spad.holds.Z.capacity", {"4 B", "40 B", "80 B", "4 KiB"}},
    {"dataflow.partition.M0", {"1", "16", "32", "33"}},
    {"dataflow.partition.N0", {"1", "2", "7"}},
    {"dataflow.partition.K0", {"1", "5", "16"}},
    {"dataflow.loops", {"[M1, N1, K1, N0, K0, M0]", "[N1, M1, K1, N0, K0, M0]"}},
};

const Knobs kSystolic{
    {"memory.bandwidth", {"3 B/cycle", "64 B/cycle", "unbounded"}},
    {"levels.smem.capacity", {"1 KiB", "16 KiB", "1 GiB"}},
    {"levels.smem.line", {"1 B", "128 B"}},
    {"levels.smem.ports.read", {"3 B/cycle", "256 B/cycle", "unbounded"}},
    {"levels.smem.ports.write", {"3 B/cycle", "unbounded"}},
    {"levels.smem.banks", {"1", "8"}},
    {"levels.acc.capacity", {"64 B", "64 KiB", "1 GiB"}},
    {"units.array.gates", {"[]", "[B]"}},
};

const Knobs kWeightStationary{
    {"units.array.load", {"hidden", "exposed"}},
    {"units.array.skips",
     {"{}", "{A: [\"2:4\"]}", "{A: [\"C1(2:4)->C0(2:4)\"]}", "{B: [\"2:4\"]}"}},
    {"units.array.stationary", {"A", "A", "Z"}},
};

/// Rows and columns of a systolic array with the digits that run over them.
Values systolic_extents(RandomStream& random, bool sums_stay) {
  const std::uint64_t sizes[] = {1, 4, 9, 32};
  const std::uint64_t rows = sizes[random.below(4)], columns = sizes[random.below(4)];
  return {fmt::format("units.array.rows={}", rows), fmt::format("units.array.columns={}", columns),
          sums_stay ? fmt::format("dataflow.partition={{M0: {}, N0: {}}}", rows, columns)
                    : fmt::format("dataflow.partition={{M0: {}, K0: {}}}", columns, rows)};
}

/// Channels of a DRAM with banks, instead of a rate and a latency; not of all is there a price.
Values banked_memory(RandomStream& random, const std::string& base, bool two_rates) {
  const char* const types[] = {"ddr4-3200", "hbm2", "hbm3", "lpddr4-3200", "lpddr5-6400"};
  Values out{"memory.kind=banked", fmt::format("memory.type={}", types[random.below(5)]),
             fmt::format("memory.channels={}", 1 + random.below(4)), "memory.latency=null",
             "memory.capacity=null"};
  const bool has_energy = base == "gamma" || base.starts_with("extensor");  // of a bit
  if (!has_energy && random.below(8) > 0) out.emplace_back("memory.price=lpddr4");
  for (const char* rate : {"read", "write"}) {
    if (two_rates) out.push_back(fmt::format("memory.{}=null", rate));
  }
  if (!two_rates) out.emplace_back("memory.bandwidth=null");
  return out;
}

struct Kind {
  Values bases;
  std::vector<const Knobs*> knobs;
  Values loops;  // of the shipped files
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds{
      {{"tc", "stc", "highlight", "lacuna", "s2ta", "dsso", "stc-flexible-dual"},
       {&kArrays},
       {"N2", "M2", "N1", "K1", "M1", "N0", "M0", "K0"}},
      {{"dstc"}, {&kArrays}, {"N3", "M2", "N2", "M1", "N1", "K", "M0", "N0"}},
      {{"lacuna-l2"},
       {&kArrays, &kClusters},
       {"N3", "M4", "N2", "M3", "N1", "K1", "M2", "M1", "N0", "M0", "K0"}},
      {{"extensor", "extensor-n", "extensor-p", "extensor-ob", "extensor-teaal"},
       {&kElements},
       {"N2", "K2", "M2", "M1", "N1", "K1", "M0", "N0", "K0"}},
      {{"gamma"}, {&kMerging}, {"M", "K", "N"}},
      {{"eyeriss-v2-pe"}, {&kSumming}, {"M1", "N1", "K1", "N0", "K0", "M0"}},
      {{"systolic-ws"}, {&kSystolic, &kWeightStationary}, {"M1", "K1", "N", "M0", "K0"}},
      {{"systolic-os"}, {&kSystolic}, {"M1", "N1", "K", "M0", "N0"}}};
  return kKinds;
}

std::string shuffled(RandomStream& random, Values loops) {
  for (std::size_t i = loops.size(); i > 1; --i) std::swap(loops[i - 1], loops[random.below(i)]);
  return fmt::format("dataflow.loops=[{}]", fmt::join(loops, ", "));
}

/// What belongs together is often, not always, turned together: a window beside Tailors, ways
/// beside a cache, instances beside the loop that is spread over them.
void follow(RandomStream& random, const std::string& base, Values& settings) {
  if (random.below(6) == 0) return;
  Values more;
  for (const std::string& setting : settings) {
    const std::string key = setting.substr(0, setting.find('=')),
                      value = setting.substr(key.size() + 1);
    const std::string holding = key.substr(0, key.rfind('.'));
    if (value == "tailors")
      more.push_back(holding + ".window=" + (random.below(2) == 0 ? "16 B" : "512 B"));
    if (value == "cache") more.push_back(holding + ".ways=" + (random.below(2) == 0 ? "1" : "4"));
    if (key == "levels.glb.instances") more.push_back("dataflow.partition.M2=" + value);
    if (key == "levels.rf.instances") more.push_back("dataflow.partition.M1=" + value);
    if (key == "levels.glb.line" && (base == "highlight" || base.starts_with("lacuna")))
      more.push_back("units.fetch.line=" + value);
  }
  settings.insert(settings.end(), more.begin(), more.end());
}

/// Some of the knobs turned; seldom the loops shuffled.
void draw(RandomStream& random, const Kind& kind, RandomMachine& out) {
  std::vector<const Knobs*> all = kind.knobs;
  all.push_back(&kMemoryOfAll);
  const double often = random.below(3) == 0 ? 0.5 : 0.12;
  for (const Knobs* knobs : all) {
    for (const Knob& knob : *knobs) {
      if (random.uniform() >= often) continue;
      out.settings.push_back(knob.key + "=" + knob.values[random.below(knob.values.size())]);
    }
  }
  follow(random, out.base, out.settings);
  if (random.below(12) == 0) out.settings.push_back(shuffled(random, kind.loops));
}

void append(Values& to, const Values& more) {
  to.insert(to.end(), more.begin(), more.end());
}

CsrMatrix random_operand(RandomStream& random, Coordinate rows, Coordinate cols) {
  const double densities[] = {0, 0.01, 0.1, 0.4, 1};
  const double density = densities[random.below(5)];
  const bool halved = random.below(3) == 0;  // two of every four
  std::vector<Entry> entries;
  for (Coordinate row = 0; row < rows; ++row) {
    for (Coordinate col = 0; col < cols; ++col) {
      if (halved && (col + row) % 4 > 1) continue;
      if (random.uniform() < density) entries.push_back({row, col, random.uniform() - 0.5});
    }
  }
  return from_entries(rows, cols, std::move(entries), false);
}

}  // namespace

RandomMachine random_machine(std::uint64_t seed) {
  RandomStream random(seed, "random machine");
  const Kind& kind = kinds()[seed % kinds().size()];
  RandomMachine out;
  out.base = kind.bases[random.below(kind.bases.size())];
  draw(random, kind, out);
  const bool systolic = out.base.starts_with("systolic");
  if (systolic && random.below(4) > 0) {
    append(out.settings, systolic_extents(random, out.base == "systolic-os"));
  }
  if (out.base == "gamma" && random.below(4) == 0) append(out.settings, kMergingTiles);
  if (random.below(4) == 0)
    append(out.settings, banked_memory(random, out.base, kind.knobs[0] == &kArrays));
  const Coordinate edges[] = {1, 2, 9, 33, 70, 120};
  const Coordinate m = edges[random.below(6)], n = edges[random.below(6)],
                   k = edges[random.below(6)];
  out.a = random_operand(random, m, k);
  out.b_transposed = random_operand(random, n, k);
  return out;
}

}  // namespace lacuna::test
