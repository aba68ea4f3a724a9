// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/classes/unit_classes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sparse_formats/pattern.hpp"

namespace lacuna {
namespace {

constexpr Range kExtent{1, 65536};

/// The patterns of a key's list, each family all of its members.
void add_patterns(const ConfigReader& config, const std::string& tensor, const std::string& text,
                  std::uint32_t code_bits, std::vector<FabricPattern>& out) {
  const Place place = config.place(tensor);
  if (text.find('{') != std::string::npos) {
    for (const Pattern& pattern : parse_pattern_family(text, place).menu()) {
      out.push_back({pattern, code_bits});
    }
    return;
  }
  const Pattern pattern = parse_pattern(text, place);
  if (pattern.kind != PatternKind::dense && pattern.kind != PatternKind::hss) {
    config.fail(tensor, fmt::format("'{}' has no rules that hardware could follow", text),
                "use N:M, an HSS pattern or a family of them; `unstructured` takes any zeros");
  }
  out.push_back({pattern, code_bits});
}

/// What a multiplier array makes of one operand's zeros.
struct Skipping {
  std::vector<FabricPattern> patterns;  // sparsest first
  bool unstructured = false;
};

/// Zeros that take no slot. An operand that obeys none of its patterns runs dense, unless the array
/// `requires` one of them.
Skipping read_skips(const ConfigReader& config, const std::string& tensor) {
  const ConfigReader skips = config.mapping("skips"), bits = config.mapping("code_bits");
  const auto required = config.texts("requires");
  Skipping out;
  for (const auto& text : skips.texts(tensor)) {
    if (text == "unstructured") {
      out.unstructured = true;
      continue;
    }
    const std::uint64_t code = bits.has(text) ? bits.integer(text, {1, 8}) : 0;
    add_patterns(skips, tensor, text, static_cast<std::uint32_t>(code), out.patterns);
  }
  const bool dense = std::any_of(out.patterns.begin(), out.patterns.end(),
                                 [](const auto& entry) { return entry.pattern.is_dense(); });
  if (!dense && std::find(required.begin(), required.end(), tensor) == required.end()) {
    out.patterns.push_back({Pattern::dense(), 0});
  }
  if (out.patterns.empty() && !out.unstructured) {
    config.fail("requires", fmt::format("{} must obey a pattern and none is given", tensor),
                "patterns under `skips`, or leave it out");
  }
  std::stable_sort(out.patterns.begin(), out.patterns.end(),
                   [](const FabricPattern& x, const FabricPattern& y) {
                     return x.pattern.density() < y.pattern.density();
                   });
  return out;
}

UnitTraits multiply_accumulate(const ConfigReader& config) {
  const std::uint64_t lanes = config.integer("lanes", kExtent);
  const std::uint64_t in_flight = config.integer("pairs_in_flight", {1, 64}, 2);
  (void)config.has("pair_overhead");  // a time: read where the clock is known
  UnitTraits traits{.extents = {{"lanes", lanes}}, .multiplies = true};
  traits.install_elements = [=](MachineSpec& spec) {
    if (lanes != 1) config.fail("lanes", "a processing element multiplies one pair a cycle");
    spec.pes.pair_overhead = config.cycles("pair_overhead", spec.clock, Cycles(0));
    spec.peb.pairs_in_flight = in_flight;
  };
  traits.install_rowwise = [=](RowwiseSpec& spec) {
    if (lanes != 1) config.fail("lanes", "a processing element multiplies one pair a cycle");
    if (config.has("pair_overhead")) {
      config.fail("pair_overhead", "tasks follow each other without a pause", "leave it out");
    }
    spec.elements.lanes = lanes;
    spec.elements.tasks_held = in_flight;
  };
  return traits;
}

constexpr Range kPicojoules{0, 1e6};

/// The values of a pattern's block are multiplied side by side, in `key` places.
void check_block(const ConfigReader& config, const Pattern& pattern, std::uint64_t places,
                 const char* key) {
  std::uint64_t values = 1;
  for (const Rule& rule : pattern.ranks) values *= rule.g;
  if (pattern.is_dense() || values <= places) return;
  config.fail(key,
              fmt::format("{} {} hold no block of the pattern {} of A, which has {} values", places,
                          key, pattern.text(), values),
              fmt::format("more {}, or take the pattern out of `skips`", key));
}

/// Rows and lanes, skipping and gating of an array; `dataflow` is how it multiplies.
UnitTraits array(const ConfigReader& config, FabricDataflow dataflow) {
  const std::uint64_t rows = config.integer("rows", kExtent),
                      lanes = config.integer("lanes", kExtent);
  const Skipping a = read_skips(config, "A"), b = read_skips(config, "B");
  const bool outer = dataflow == FabricDataflow::outer_product;
  for (const auto& [tensor, skipping] : {std::pair("A", &a), std::pair("B", &b)}) {
    if (skipping->unstructured == outer) continue;
    config.fail("skips",
                outer ? fmt::format("outer products skip any zeros of {}", tensor)
                      : fmt::format("this array cannot skip any zeros of {}", tensor),
                outer ? "unstructured, for both operands" : "N:M or HSS patterns");
  }
  for (const FabricPattern& entry : a.patterns) {
    if (!outer) check_block(config, entry.pattern, lanes, "lanes");
  }
  const auto gates = config.texts("gates");
  const bool gating = std::find(gates.begin(), gates.end(), "B") != gates.end();
  const std::uint64_t spill = config.integer("psum_spill_steps", {0, 1e9}, 0);
  const double rank1 = config.number("rank1_select_pj", kPicojoules, 0.0);
  const double rank0 = config.number("rank0_select_pj", kPicojoules, 0.0);
  UnitTraits traits{.extents = {{"rows", rows}, {"lanes", lanes}}, .multiplies = true};
  traits.install = [=](FabricSpec& spec) {
    spec.arrays.dataflow = dataflow;
    spec.arrays.rows = rows;
    spec.arrays.lanes = lanes;
    spec.a.patterns = a.patterns;
    spec.b.patterns = b.patterns;
    spec.a.skips_unstructured = a.unstructured;
    spec.b.skips_unstructured = b.unstructured;
    spec.b.gating = gating;
    spec.arrays.psum_spill_steps = spill;
    spec.energy.rank1_select_pj = rank1;
    spec.energy.rank0_select_pj = rank0;
  };
  return traits;
}

UnitTraits mac_array(const ConfigReader& config) {
  return array(config, FabricDataflow::inner_product);
}

UnitTraits outer_product_array(const ConfigReader& config) {
  return array(config, FabricDataflow::outer_product);
}

/// Zeros that a systolic array skips: none but those of the stationary operand's pattern, which
/// take no element. What streams through takes its cycle.
Skipping read_systolic_skips(const ConfigReader& config, bool a_stays, std::uint64_t slots) {
  if (config.has("skips")) {
    const ConfigReader skips = config.mapping("skips");
    for (const char* tensor : {"A", "B"}) {
      if (!skips.has(tensor) || (a_stays && *tensor == 'A')) continue;
      config.fail(
          "skips",
          fmt::format("{} streams through the array: each of its values takes a cycle", tensor),
          a_stays ? "patterns of A, which stays" : "nothing stays but sums: leave it out");
    }
  }
  Skipping a = read_skips(config, "A");
  if (a.unstructured) {
    config.fail("skips", "an array in step cannot skip any zeros of A", "N:M or HSS patterns");
  }
  for (const FabricPattern& entry : a.patterns) check_block(config, entry.pattern, slots, "rows");
  return a;
}

/// A stays and partial sums pass, or sums stay and both operands pass.
UnitTraits systolic_array(const ConfigReader& config) {
  const bool a_stays = config.choice<bool>("stationary", {{"A", true}, {"Z", false}});
  const bool exposed =
      a_stays && config.choice<bool>("load", {{"hidden", false}, {"exposed", true}});
  const std::uint64_t rows = config.integer("rows", kExtent);
  const std::uint64_t columns = config.integer("columns", kExtent);
  const auto gates = config.texts("gates");
  const bool gating = std::find(gates.begin(), gates.end(), "B") != gates.end();
  const Skipping a = read_systolic_skips(config, a_stays, rows);
  const double rank1 = a_stays ? config.number("rank1_select_pj", kPicojoules, 0.0) : 0;
  const double rank0 = a_stays ? config.number("rank0_select_pj", kPicojoules, 0.0) : 0;
  UnitTraits traits{.extents = {{"rows", rows}, {"columns", columns}}, .multiplies = true};
  traits.install = [=](FabricSpec& spec) {
    spec.a.patterns = a.patterns;
    spec.b.patterns = {{Pattern::dense(), 0}};
    spec.b.gating = gating;
    spec.energy.rank1_select_pj = rank1;
    spec.energy.rank0_select_pj = rank0;
    if (a_stays) {
      spec.arrays.dataflow = FabricDataflow::weight_stationary;
      spec.arrays.rows = columns;  // M in space
      spec.arrays.lanes = rows;    // K in space
      spec.arrays.load_exposed = exposed;
      return;
    }
    spec.arrays.dataflow = FabricDataflow::output_stationary;
    spec.arrays.rows = rows;  // M in space
    spec.arrays.lanes = 1;    // a position of K each cycle
    spec.arrays.multipliers = rows * columns;
    spec.arrays.columns = columns;  // N in space
    spec.arrays.tiles = {{rows, columns}};
  };
  return traits;
}

UnitTraits merger(const ConfigReader& config) {
  const std::uint64_t radix = config.integer("radix", {2, 65536});
  const double per_cycle = config.number("per_cycle", {1e-3, 65536});
  UnitTraits traits{.merges = true};
  traits.install_rowwise = [=](RowwiseSpec& spec) {
    spec.elements.radix = radix;
    spec.elements.merged_per_cycle = per_cycle;
  };
  return traits;
}

UnitTraits variable_fetch(const ConfigReader& config) {
  (void)config.choice<int>("tensor", {{"B", 0}});
  const std::uint64_t line = config.bytes("line").count();
  if (line == 0) config.fail("line", "a line holds at least one byte");
  const double word = config.number("word_pj", kPicojoules, 0.0);
  const Place place = config.place("line");
  UnitTraits traits;
  traits.install = [=](FabricSpec& spec) {
    const auto buffer =
        static_cast<std::uint64_t>(static_cast<double>(spec.glb.line_words) * spec.word_bytes());
    if (line != buffer) {
      throw InputError(
          place,
          fmt::format("the fetch unit reads lines of {} B, the buffer has lines of {} B", line,
                      buffer),
          "the unit reads whole lines of the buffer");
    }
    spec.vfmu = true;
    spec.energy.vfmu_word_pj = word;
  };
  return traits;
}

UnitTraits compressor(const ConfigReader& config) {
  (void)config.choice<int>("tensor", {{"Z", 0}});
  const double word = config.number("word_pj", kPicojoules, 0.0);
  UnitTraits traits;
  traits.install = [=](FabricSpec& spec) {
    spec.compress_outputs = true;
    spec.energy.compress_word_pj = word;
  };
  return traits;
}

UnitTraits vector_unit(const ConfigReader& config) {
  // Vector operations take the time of the buffer's port: their arithmetic is not modelled.
  return {.extents = {{"lanes", config.integer("lanes", kExtent)}}, .install = [](FabricSpec&) {}};
}

using Reader = UnitTraits (*)(const ConfigReader&);
constexpr std::array<std::pair<const char*, Reader>, 8> kClasses{{
    {"multiply-accumulate", multiply_accumulate},  // pairs of fibers, one multiply for each match
    {"mac-array", mac_array},                      // A stationary, K in space, psums in registers
    {"outer-product-array", outer_product_array},  // nonzeros of both operands, scattered psums
    {"systolic-array", systolic_array},
    {"merger", merger},
    {"variable-fetch", variable_fetch},
    {"compressor", compressor},
    {"vector-unit", vector_unit},
}};

}  // namespace

std::vector<std::string> unit_classes() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : kClasses) names.emplace_back(name);
  return names;
}

UnitTraits read_unit_traits(const std::string& unit_class, const ConfigReader& config) {
  for (const auto& [name, reader] : kClasses) {
    if (unit_class == name) return reader(config);
  }
  config.fail("class", fmt::format("'{}' is not a class of units", unit_class),
              suggest(unit_class, unit_classes()));
}

}  // namespace lacuna
