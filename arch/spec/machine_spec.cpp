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

void require_positive(const ConfigReader& config, std::string_view key, Bytes bytes) {
  if (bytes.count() == 0) config.fail(key, fmt::format("{} must not be zero", key));
}

DramSpec read_dram(const ConfigReader& config, Hertz clock, EnergySpec& energy) {
  DramSpec dram;
  dram.bytes_per_cycle = config.bandwidth("bandwidth", clock);
  dram.latency = config.cycles("latency", clock, dram.latency);
  dram.burst = config.bytes("burst", dram.burst);
  require_positive(config, "burst", dram.burst);
  dram.chunk = config.bytes("chunk", dram.chunk);
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
  llb.line = config.bytes("line", llb.line);
  if (!std::has_single_bit(llb.line.count())) config.fail("line", "a line must be a power of two");
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
    config.fail("shares",
                fmt::format("the shares add up to {:.4g}, more than the buffer",
                            llb.shares.a + llb.shares.b + llb.shares.z),
                "make them add up to at most 1");
  }
  const auto bytes_of = [&](double share) {
    return std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(share * static_cast<double>(llb.capacity.count())));
  };
  if (bytes_of(llb.shares.a) + bytes_of(llb.shares.b) + bytes_of(llb.shares.z) >
      llb.capacity.count()) {
    config.fail("shares", "what returns of Z passes the buffer, and A and B leave it no byte",
                "leave a byte of the capacity, by a smaller share of A or B");
  }
  if (llb.policy == BufferPolicy::tailors) {
    llb.window = config.bytes("window", Bytes(0));
    const auto share =
        static_cast<std::uint64_t>(llb.shares.b * static_cast<double>(llb.capacity.count()));
    if (llb.window.count() == 0)
      config.fail("window", "Tailors needs a streaming window above zero");
    if (llb.window.count() > share) {
      config.fail("window",
                  fmt::format("the streaming window of {} is larger than B's share of {} B",
                              to_text(llb.window), share),
                  "make the window smaller or the buffer larger");
    }
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
    spec.tries_per_cycle = config.number("tries_per_cycle", {1e-6, 1e6}, 1.0);
  }
  return spec;
}

OperandFormat read_format(const ConfigReader& config, OperandFormat def) {
  OperandFormat format;
  format.microtile_bytes = config.bytes("microtile", Bytes(def.microtile_bytes)).count();
  format.fiber_bytes = config.bytes("fiber", Bytes(def.fiber_bytes)).count();
  format.nonzero_bytes = config.bytes("nonzero", Bytes(def.nonzero_bytes)).count();
  format.list_bytes = config.bytes("list", Bytes(def.list_bytes)).count();
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
  (void)config.choice<int>("kind", {{"extensor", 0}});
  spec.clock = config.hertz("clock");
  // The kernel counts 64 bits of femtoseconds: slower clocks would wrap, faster ones lose cycles.
  if (spec.clock < Hertz(1e6) || spec.clock > Hertz(1e11)) {
    config.fail("clock", fmt::format("a clock of {:g} Hz cannot be simulated", spec.clock.count()),
                "choose one from 1 MHz to 100 GHz");
  }
  spec.dram = read_dram(config.mapping("dram"), spec.clock, spec.energy);
  const auto buffers = config.mapping("buffers");
  spec.llb = read_llb(buffers.mapping("llb"), spec.clock);
  const auto peb = buffers.mapping("peb");
  spec.peb.capacity = peb.bytes("capacity");
  require_positive(peb, "capacity", spec.peb.capacity);
  spec.peb.line = peb.bytes("line", spec.peb.line);
  require_positive(peb, "line", spec.peb.line);
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
  spec.formats.z_nonzero_bytes = formats.mapping("Z").bytes("nonzero", Bytes(16)).count();
  spec.formats.a_tuples_of_whole_list = formats.boolean("a_tuples_of_whole_list", false);
  spec.tiling = read_tiling(config.mapping("tiling"), spec.microtile);
  spec.energy.table = config.mapping("energy").text("table", "45nm");
  spec.energy.ert = config.mapping("energy").text("ert", "");
  spec.bound = read_bound(config.mapping("bound"));
  spec.lookahead = config.mapping("sequencer").integer("lookahead", {1, 4096}, spec.lookahead);
  return spec;
}

}  // namespace lacuna
