// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_units.hpp"

#include <algorithm>

#include "arch/energy/buffer_price.hpp"
#include "arch/energy/sparse_units.hpp"

namespace lacuna {
namespace {

/// What the largest pattern of a menu asks of the hardware; 1: nothing is skipped at that rank.
struct MenuReach {
  std::uint64_t h0 = 1, h1 = 1;  // of the ranks that skip
  std::uint64_t block = 1;       // H0, skipped or not
  std::uint64_t g0 = 0;          // the fewest values that stay of a block; 0: no pattern
};

MenuReach reach_of(const FabricOperandSpec& operand) {
  MenuReach reach;
  for (const FabricPattern& entry : operand.patterns) {
    const auto& ranks = entry.pattern.ranks;
    if (ranks.empty()) continue;
    const Rule& inner = ranks.back();
    reach.block = std::max<std::uint64_t>(reach.block, inner.h);
    reach.g0 = reach.g0 == 0 ? inner.g : std::min<std::uint64_t>(reach.g0, inner.g);
    if (inner.g < inner.h) reach.h0 = std::max<std::uint64_t>(reach.h0, inner.h);
    if (ranks.size() > 1 && ranks.front().g < ranks.front().h) {
      reach.h1 = std::max<std::uint64_t>(reach.h1, ranks.front().h);
    }
  }
  return reach;
}

class ArrayUnitPrices {
 public:
  ArrayUnitPrices(const FabricSpec& spec, const EnergyTable& table, double clock_ns)
      : spec_(spec),
        table_(table),
        clock_(clock_ns),
        arrays_(spec.clusters * spec.arrays.across_m * spec.arrays.across_n) {}

  std::vector<ComponentEnergy> all() {
    if (spec_.energy.saf) {
      if (spec_.a.skips_unstructured && spec_.b.skips_unstructured) any_zeros();
      patterns();
      helpers();
    }
    controls();
    return std::move(units_);
  }

 private:
  /// Area and leakage; what it does is in `saf`, or not priced.
  void add(const char* name, std::uint64_t count, UnitCost cost, std::string source,
           bool priced_elsewhere) {
    ComponentEnergy unit;
    unit.name = name;
    unit.component_class = "sparse unit";
    unit.count = count;
    unit.area = cost.area;
    unit.static_mw = cost.leakage_mw;
    unit.flags = std::move(cost.flags);
    if (!priced_elsewhere) unit.flags.emplace_back("not priced: energy of its steps");
    unit.source = std::move(source);
    unit.standing = "computed from its structure, which is inferred";
    units_.push_back(std::move(unit));
  }

  void patterns() {
    const MenuReach a = reach_of(spec_.a), b = reach_of(spec_.b);
    const std::uint64_t word = spec_.word_bits, g0 = std::max<std::uint64_t>(1, a.g0);
    const std::uint64_t blocks = std::max<std::uint64_t>(1, spec_.macs() / g0);
    const auto mux = [&](const char* name, std::uint64_t count, std::uint64_t inputs,
                         std::uint64_t bits, bool priced) {
      if (inputs <= 1) return;
      add(name, count, mux_cost(table_, inputs, bits, clock_),
          fmt::format("{} multiplexers, 1 of {} x {} b", count, inputs, bits), priced);
    };
    mux("select_rank0", spec_.macs(), a.h0, word, true);
    mux("select_rank1", blocks, a.h1, a.block * word, true);
    mux("select_blocks", blocks, b.h1, g0 * word, false);
    if (b.h0 <= 1) return;
    if (a.h0 <= 1) return mux("select_of_a", spec_.macs(), b.h0, word, false);
    add("intersect", blocks, saf_cost(table_, "bitmask_intersect", static_cast<double>(b.h0)),
        fmt::format("{} intersections of masks of {} b", blocks, b.h0), false);
  }

  void any_zeros() {
    std::uint64_t m = 1, n = 1;
    for (const auto& [rows, columns] : spec_.arrays.tiles) {
      m = std::max(m, rows);
      n = std::max(n, columns);
    }
    UnitCost sums = saf_cost(table_, "prefix_sum", static_cast<double>(m));
    sums += saf_cost(table_, "prefix_sum", static_cast<double>(n));
    add("condense", arrays_, sums,
        fmt::format("{} pairs of prefix sums of {} and {} flags", arrays_, m, n), false);
    const std::uint64_t products = spec_.arrays.rows * spec_.arrays.lanes;
    const UnitCost network =
        crossbar_cost(table_, static_cast<unsigned>(products), kSumBanks, spec_.word_bits, clock_);
    auto scatter = unit_component(
        "scatter", "sparse unit", "word", network,
        fmt::format("{} crossbars, {} products to {} banks", arrays_, products, kSumBanks),
        arrays_);
    // One word takes the way of one input.
    scatter.actions["word"] = network.energy * (1.0 / static_cast<double>(products));
    scatter.standing = "computed from its structure, which is inferred";
    units_.push_back(std::move(scatter));
  }

  void helpers() {
    const std::uint64_t word = spec_.word_bits, lanes = spec_.arrays.lanes,
                        rows = spec_.arrays.rows;
    if (spec_.b.gating && spec_.b.storage == FabricStorage::uncompressed) {
      add("zero_test", arrays_ * lanes, unit_cost(table_, "comparator", spec_.word_bits, clock_),
          fmt::format("{} comparators of {} b", arrays_ * lanes, word), false);
    }
    if (spec_.vfmu) {
      add("fetch", spec_.clusters, variable_fetch_cost(table_, spec_.glb.line_words, word, clock_),
          fmt::format("{} of lines of {} words of {} b", spec_.clusters, spec_.glb.line_words,
                      word),
          true);
    }
    if (spec_.compress_outputs) {
      add("pack", arrays_, compressor_cost(table_, rows, word, clock_),
          fmt::format("{} of {} words of {} b at once", arrays_, rows, word), true);
    }
  }

  void control(const char* name, std::uint64_t count, const std::vector<BufferPolicy>& policies) {
    UnitCost sum;
    for (const BufferPolicy policy : policies) {
      const bool tail = policy == BufferPolicy::tailors;
      sum += control_cost(table_, tail ? BufferControl::tailors : BufferControl::buffet, clock_);
    }
    const auto with = [&policies](BufferPolicy policy) {
      return std::count(policies.begin(), policies.end(), policy);
    };
    if (with(BufferPolicy::cache) > 0) sum.flags.emplace_back("not priced: tags of a cache");
    add(name, count, sum,
        fmt::format("{} buffers of {} tensors, {} of them with a tail", count, policies.size(),
                    with(BufferPolicy::tailors)),
        false);
  }

  void controls() {
    control("control_glb", spec_.clusters,
            {spec_.glb.a.policy, spec_.glb.b.policy, BufferPolicy::buffet});
    if (!spec_.shared) return;
    const FabricSharedLevel& level = *spec_.shared;
    control("control_shared", 1, {level.a.policy, level.b.policy, level.z.policy});
  }

  const FabricSpec& spec_;
  const EnergyTable& table_;
  double clock_;
  std::uint64_t arrays_;
  std::vector<ComponentEnergy> units_;
};

}  // namespace

std::vector<ComponentEnergy> array_units(const FabricSpec& spec, const EnergyTable& table,
                                         double clock_ns) {
  return ArrayUnitPrices(spec, table, clock_ns).all();
}

}  // namespace lacuna
