// SPDX-License-Identifier: Apache-2.0
#include "arch/spec/machine_spec.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr double kHuge = 1e15;
constexpr Range kLine{0, 8192};             // bytes: the widest memories that tables price
constexpr Range kStored{0, 65536};          // bytes of one microtile's, fiber's, nonzero's share
constexpr Range kTriesPerCycle{1e-3, 1e4};  // a try takes whole ticks, 2^-20 cycles

void require_positive(const ConfigReader& config, std::string_view key, Bytes bytes) {
  if (bytes.count() == 0) config.fail(key, fmt::format("{} must not be zero", key));
}

Bytes read_line(const ConfigReader& config, Bytes def, Bytes capacity) {
  const Bytes line = config.bytes("line", def, kLine);
  if (!std::has_single_bit(line.count())) config.fail("line", "a line must be a power of two");
  if (line > capacity) {
    throw InputError(blamed({config.place("line"), config.place("capacity")}),
                     fmt::format("a line of {} is larger than the buffer of {}", to_text(line),
                                 to_text(capacity)),
                     "make the buffer larger or its line shorter");
  }
  return line;
}

std::uint64_t bytes_of(double share, Bytes capacity) {
  return static_cast<std::uint64_t>(share * static_cast<double>(capacity.count()));
}

/// Each operand needs some room, and so do the partial outputs that come back.
void check_shares(const ConfigReader& config, const ConfigReader& shares, const LlbSpec& llb) {
  for (const auto& [name, share] :
       {std::pair("A", llb.shares.a), std::pair("B", llb.shares.b), std::pair("Z", llb.shares.z)}) {
    if (bytes_of(share, llb.capacity) > 0) continue;
    throw InputError(blamed({shares.place(name), config.place("capacity")}),
                     fmt::format("{}'s share of the buffer, {:g} of {}, is less than a byte", name,
                                 share, to_text(llb.capacity)),
                     "make the share or the buffer larger");
  }
}

/// The streaming window is part of B's share.
void check_window(const ConfigReader& config, const ConfigReader& shares, const LlbSpec& llb) {
  if (llb.window.count() == 0) {
    throw InputError(blamed({config.place("window"), config.place("policy")}),
                     "Tailors needs a streaming window above zero",
                     "give buffers.llb.window, like 64 KiB");
  }
  const std::uint64_t share = bytes_of(llb.shares.b, llb.capacity);
  if (llb.window.count() <= share) return;
  throw InputError(
      blamed({config.place("window"), config.place("capacity"), shares.place("B"),
              config.place("policy")}),
      fmt::format("the streaming window (buffers.llb.window) of {} is larger than B's share of {} "
                  "B, {:g} of {}",
                  to_text(llb.window), share, llb.shares.b, to_text(llb.capacity)),
      fmt::format("make the buffer larger, or the window too: buffers.llb.window={}B", share / 2));
}

DramSpec read_dram(const ConfigReader& config, Hertz clock, EnergySpec& energy) {
  DramSpec dram;
  dram.bytes_per_cycle = config.bandwidth("bandwidth", clock);
  dram.latency = config.cycles("latency", clock, dram.latency);
  dram.burst = config.bytes("burst", dram.burst, kRequestBytes);
  require_positive(config, "burst", dram.burst);
  dram.chunk = config.bytes("chunk", dram.chunk, kRequestBytes);
  require_positive(config, "chunk", dram.chunk);
  dram.outstanding = config.integer("outstanding", {1, 1e6}, dram.outstanding);
  energy.dram_picojoules_per_bit = config.picojoules_per_bit("energy");
  return dram;
}

LlbSpec read_llb(const ConfigReader& config, Hertz clock) {
  LlbSpec llb;
  llb.capacity = config.bytes("capacity");
  require_positive(config, "capacity", llb.capacity);
  llb.bytes_per_cycle = config.bandwidth("bandwidth", clock);
  llb.fill_bytes_per_cycle = config.bandwidth("fill_bandwidth", clock, llb.fill_bytes_per_cycle);
  llb.line = read_line(config, llb.line, llb.capacity);
  llb.policy = config.choice<BufferPolicy>(
      "policy", {{"buffet", BufferPolicy::buffet}, {"tailors", BufferPolicy::tailors}},
      BufferPolicy::buffet);
  const auto shares = config.mapping("shares");
  llb.shares.a = shares.number("A", {0, 1}, 0.45);
  llb.shares.b = shares.number("B", {0, 1}, 0.5);
  llb.shares.z = shares.number("Z", {0, 1}, 0.05);
  if (llb.shares.a <= 0 || llb.shares.b <= 0) {
    config.fail("shares", "A and B need a share above zero");
  }
  if (llb.shares.a + llb.shares.b + llb.shares.z > 1 + 1e-9) {
    throw InputError(
        blamed({shares.place("A"), shares.place("B"), shares.place("Z"), config.place("shares")}),
        fmt::format("the shares add up to {:.4g}, more than the buffer",
                    llb.shares.a + llb.shares.b + llb.shares.z),
        "make them add up to at most 1");
  }
  check_shares(config, shares, llb);
  if (llb.policy == BufferPolicy::tailors) {
    llb.window = config.bytes("window", Bytes(0));
    check_window(config, shares, llb);
  } else if (config.has("window")) {
    llb.window = config.bytes("window");  // kept for a policy switched on by --set
  }
  return llb;
}

IntersectSpec read_intersect(const ConfigReader& config) {
  IntersectSpec spec;
  spec.kind = config.choice<IntersectUnitKind>("kind",
                                               {{"skip-ahead", IntersectUnitKind::skip_ahead},
                                                {"two-finger", IntersectUnitKind::two_finger}},
                                               IntersectUnitKind::skip_ahead);
  if (config.is_scalar("tries_per_cycle") && config.text("tries_per_cycle") == "unbounded") {
    spec.tries_per_cycle = std::numeric_limits<double>::infinity();
  } else {
    spec.tries_per_cycle = config.number("tries_per_cycle", kTriesPerCycle, 1.0);
  }
  return spec;
}

OperandFormat read_format(const ConfigReader& config, OperandFormat def) {
  OperandFormat format;
  format.microtile_bytes = config.bytes("microtile", Bytes(def.microtile_bytes), kStored).count();
  format.fiber_bytes = config.bytes("fiber", Bytes(def.fiber_bytes), kStored).count();
  format.nonzero_bytes = config.bytes("nonzero", Bytes(def.nonzero_bytes), kStored).count();
  format.list_bytes = config.bytes("list", Bytes(def.list_bytes), kStored).count();
  format.fibers = config.choice<OperandFormat::Fibers>(
      "count_fibers",
      {{"over-k", OperandFormat::Fibers::over_k}, {"across-k", OperandFormat::Fibers::across_k}},
      def.fibers);
  format.padded = config.boolean("padded", def.padded);
  if (format.padded && format.fibers == OperandFormat::Fibers::across_k) {
    config.fail("padded", "padded arrays are counted over K only");
  }
  return format;
}

LoopTiles read_tiles(const ConfigReader& config) {
  LoopTiles tiles;
  const auto one = [&](std::string_view key) -> std::uint64_t {
    return config.has(key) ? config.integer(key, {1, 1e9}) : 0;
  };
  tiles.m1 = one("m1");
  tiles.k1 = one("k1");
  tiles.n1 = one("n1");
  return tiles;
}

TilingStrategy read_strategy(const ConfigReader& config, std::optional<TilingStrategy> def = {}) {
  return config.choice<TilingStrategy>("strategy",
                                       {{"fixed", TilingStrategy::fixed},
                                        {"dense-shape", TilingStrategy::dense_shape},
                                        {"prescient", TilingStrategy::prescient},
                                        {"swiftiles", TilingStrategy::swiftiles}},
                                       def);
}

TilingSpec read_tiling(const ConfigReader& config, MicrotileSpec& microtile) {
  TilingSpec tiling;
  tiling.strategy =
      config.choice<TilingStrategy>("strategy", {{"fixed", TilingStrategy::fixed},
                                                 {"dense-shape", TilingStrategy::dense_shape},
                                                 {"prescient", TilingStrategy::prescient},
                                                 {"swiftiles", TilingStrategy::swiftiles}});
  tiling.fixed = read_tiles(config);
  const auto named = config.mapping("by_workload");
  for (const auto& name : named.keys()) {
    tiling.by_workload.emplace_back(name, read_tiles(named.mapping(name)));
  }
  tiling.growth = config.choice<Growth>(
      "growth",
      {{"k-first", Growth::k_first}, {"n-first", Growth::n_first}, {"square", Growth::square}},
      Growth::k_first);
  tiling.aspect = config.number("aspect", {1e-6, 1e6}, 1.0);
  tiling.overbooked_share = config.number("overbooked_share", {1e-6, 0.999}, 0.1);
  tiling.tail_samples = config.integer("tail_samples", {1, 1e6}, 10);
  tiling.seed = config.integer("seed", {0, kHuge}, 1);
  const auto shape = config.mapping("microtile");
  microtile.m0 = static_cast<std::uint32_t>(shape.integer("m0", {1, 65535}, 128));
  microtile.k0 = static_cast<std::uint32_t>(shape.integer("k0", {1, 128}, 128));
  microtile.n0 = static_cast<std::uint32_t>(shape.integer("n0", {1, 65535}, 128));
  microtile.strategy = read_strategy(shape, TilingStrategy::fixed);
  return tiling;
}

BoundSpec read_bound(const ConfigReader& config) {
  BoundSpec bound;
  if (!config.has("blocks")) return bound;
  bound = {false, false, false, false};
  for (const auto& block : config.texts("blocks")) {
    if (block == "dram") {
      bound.dram = true;
    } else if (block == "compute") {
      bound.compute = true;
    } else if (block == "network") {
      bound.network = true;
    } else if (block == "intersect") {
      bound.intersect_k1 = true;
    } else {
      config.fail("blocks", fmt::format("'{}' is not a block", block),
                  suggest(block, {"dram", "compute", "network", "intersect"}));
    }
  }
  return bound;
}

}  // namespace

MachineSpec read_machine(const ConfigReader& config) {
  MachineSpec spec;
  spec.name = config.text("name");
  spec.description = config.text("description", "");
  (void)config.choice<int>("kind", {{kProductKind, 0}}, {}, {kFabricKind});
  // The kernel counts 64 bits of femtoseconds: beyond the range, slower clocks would wrap and
  // faster ones lose cycles.
  spec.clock = config.hertz("clock");
  spec.dram = read_dram(config.mapping("dram"), spec.clock, spec.energy);
  const auto buffers = config.mapping("buffers");
  spec.llb = read_llb(buffers.mapping("llb"), spec.clock);
  const auto peb = buffers.mapping("peb");
  spec.peb.capacity = peb.bytes("capacity");
  require_positive(peb, "capacity", spec.peb.capacity);
  spec.peb.line = read_line(peb, spec.peb.line, spec.peb.capacity);
  spec.peb.pairs_in_flight = peb.integer("pairs_in_flight", {1, 64}, spec.peb.pairs_in_flight);
  spec.peb.operand_share = peb.number("operand_share", {0.01, 1}, spec.peb.operand_share);
  spec.strict = buffers.boolean("strict", false);
  const auto network = config.mapping("network");
  spec.network.latency = network.cycles("latency", spec.clock, Cycles(0));
  const auto pes = config.mapping("pes");
  spec.pes.count = pes.integer("count", {1, 65536});
  spec.pes.dispatch = pes.choice<Dispatch>(
      "dispatch", {{"any-pair", Dispatch::any_pair}, {"k1", Dispatch::k1}}, Dispatch::any_pair);
  spec.pes.pair_overhead = pes.cycles("pair_overhead", spec.clock, Cycles(0));
  const auto intersect = config.mapping("intersect");
  spec.intersect_k1 = read_intersect(intersect.mapping("k1"));
  spec.intersect_k0 = read_intersect(intersect.mapping("k0"));
  if (spec.intersect_k0.tries_per_cycle != 1) {
    intersect.fail("k0", "a processing element makes one try per cycle",
                   "leave tries_per_cycle at 1");
  }
  const auto formats = config.mapping("formats");
  spec.formats.a =
      read_format(formats.mapping("A"), {8, 8, 12, 0, OperandFormat::Fibers::over_k, false});
  spec.formats.b =
      read_format(formats.mapping("B"), {8, 8, 12, 8, OperandFormat::Fibers::over_k, false});
  spec.formats.z_nonzero_bytes = formats.mapping("Z").bytes("nonzero", Bytes(16), kStored).count();
  spec.formats.a_tuples_of_whole_list = formats.boolean("a_tuples_of_whole_list", false);
  spec.tiling = read_tiling(config.mapping("tiling"), spec.microtile);
  spec.energy.table = config.mapping("energy").text("table", "45nm");
  spec.energy.ert = config.mapping("energy").text("ert", "");
  spec.contention = config.boolean("contention", true);
  spec.bound = read_bound(config.mapping("bound"));
  spec.lookahead = config.mapping("sequencer").integer("lookahead", {1, 4096}, spec.lookahead);
  return spec;
}

}  // namespace lacuna
