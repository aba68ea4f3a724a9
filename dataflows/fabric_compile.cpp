// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_compile.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "dataflows/fabric_expectation.hpp"
#include "dataflows/fabric_outer.hpp"
#include "dataflows/fabric_schedule.hpp"
#include "sparse_formats/encoding.hpp"

namespace lacuna {
namespace {

constexpr double kChunkWords = 16384;  // parameter: most words of an operand in one instruction
constexpr std::uint64_t kLeastChunks = 8;

double d(std::uint64_t x) {
  return static_cast<double>(x);
}

bool is_dense(const Pattern& pattern) {
  return pattern.density() == Ratio{1, 1};
}

std::string menu_text(const std::vector<FabricPattern>& menu) {
  std::string text;
  for (const FabricPattern& entry : menu) {
    text += (text.empty() ? "" : ", ") + entry.pattern.text();
  }
  return text;
}

class Compiler {
 public:
  Compiler(const FabricSpec& spec, const GemmOperands& operands, FabricMode mode)
      : spec_(spec),
        ops_(operands),
        mode_(mode),
        outer_(spec.arrays.dataflow == FabricDataflow::outer_product) {}

  FabricPlan compile() {
    if (!choose_patterns()) return std::move(plan_);
    choose_storage();
    map();
    cut_k();
    fill_words();
    if (outer_) {
      outer_product();
    } else {
      inner_product();
    }
    traffic();
    plan_.a_tile_bytes = a_footprint(tables_, plan_.mapping).tile;
    plan_.b_tile_bytes = b_footprint(tables_, plan_.mapping).tile;
    const double word = spec_.word_bytes(), latency = d(spec_.dram.latency.count());
    double group = 0;  // bytes of A's first rows, which the first walk takes as they come
    for (std::uint64_t c = 0; c < tables_.chunks; ++c) group += tables_.a[c].all() * word;
    plan_.fill_cycles = latency + (std::max(d(plan_.a_tile_bytes), group) + d(plan_.b_tile_bytes)) /
                                      (spec_.dram.read_words * word);
    const double z = *std::max_element(tables_.z_bytes.begin(), tables_.z_bytes.end());
    plan_.drain_cycles = latency + z / (spec_.dram.write_words * word);
    plan_.instructions = tables_.cycles.size();
    plan_.program = make_program(std::move(tables_), plan_.mapping,
                                 spec_.glb.capacity.count() + spec_.glb.metadata.count());
    return std::move(plan_);
  }

 private:
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }

  bool choose_operand(const char* name, const FabricOperandSpec& spec,
                      const std::optional<FabricPattern>& fit, double density, bool skips,
                      FabricPattern& out) {
    if (!fit) {
      plan_.unsupported = fmt::format(
          "{} (density {:.4g}) fits no pattern that {} runs ({}), and it has no dense mode", name,
          density, spec_.name, menu_text(spec.patterns));
      return false;
    }
    out = *fit;
    const double degree = fit->pattern.density().value();
    if (skips && density < degree - 1e-9) {
      warn(
          fmt::format("{} of density {:.4g} runs as {} (density {:.4g}), the sparsest pattern of "
                      "{} that it obeys",
                      name, density, fit->pattern.text(), degree, spec_.name));
    }
    return true;
  }

  bool choose_patterns() {
    if (outer_) {
      plan_.a_pattern.pattern = plan_.b_pattern.pattern = Pattern::dense();
      return true;
    }
    const bool b_skips = spec_.b.patterns.size() > 1;
    return choose_operand("A", spec_.a, ops_.a_fit(spec_.a.patterns), ops_.a_density(), true,
                          plan_.a_pattern) &&
           choose_operand("B", spec_.b, ops_.b_fit(spec_.b.patterns), ops_.b_density(), b_skips,
                          plan_.b_pattern);
  }

  void choose_storage() {
    da_ = plan_.a_pattern.pattern.density().value();
    db_ = plan_.b_pattern.pattern.density().value();
    const double a = ops_.a_density(), b = ops_.b_density();
    if (outer_) {
      plan_.a_compressed = a < 1 || spec_.keep_metadata;
      plan_.b_compressed =
          !(spec_.b_dense_from > 0 && a >= spec_.b_dense_from && b >= spec_.b_dense_from);
      return;
    }
    plan_.a_compressed =
        !is_dense(plan_.a_pattern.pattern) && spec_.a.storage != FabricStorage::uncompressed;
    switch (spec_.b.storage) {
      case FabricStorage::uncompressed:
        plan_.b_compressed = false;
        break;
      case FabricStorage::coordinates:
      case FabricStorage::run_lengths:
        plan_.b_compressed = !is_dense(plan_.b_pattern.pattern);
        break;
      default: {
        // Only when it saves: a dense operand keeps its plain form.
        const double metadata = spec_.b.storage == FabricStorage::block_offsets
                                    ? d(block_offset_bits()) / (d(ops_.k()) * d(ops_.n()))
                                    : 1;
        plan_.b_compressed = stored_b_density() + metadata / spec_.word_bits < 1;
      }
    }
  }

  /// A bitmask over n:8 blocks stores the block's bound, otherwise the nonzeros.
  [[nodiscard]] double stored_b_density() const {
    return is_dense(plan_.b_pattern.pattern) ? ops_.b_density() : db_;
  }

  [[nodiscard]] std::uint64_t block_offset_bits() const {
    std::uint64_t h1 = 4, h0 = 2;  // of HighLight's dense degree C1(4:4)->C0(2:2)
    const auto& ranks = plan_.a_pattern.pattern.ranks;
    if (ranks.size() == 2) {
      h1 = ranks[0].h;
      h0 = ranks[1].h;
    }
    return block_offset_metadata(ops_.b_transposed(), h1, h0).count();
  }

  void map() {
    const auto& ranks = plan_.a_pattern.pattern.ranks;
    std::uint64_t g = 1, h = 1;
    if (!is_dense(plan_.a_pattern.pattern)) {
      for (const Rule& rule : ranks) {
        g *= rule.g;
        h *= rule.h;
      }
    }
    LACUNA_CHECK(outer_ || g <= spec_.arrays.lanes, "{} slots of a group on {} lanes", g,
                 spec_.arrays.lanes);
    group_ = h;
    // Whole groups on the lanes; a group that does not divide them leaves lanes idle.
    step_k_ = outer_ ? 1 : spec_.arrays.lanes / g * h;
    padded_k_ = ceil_div(ops_.k(), group_) * group_;
    FabricSizes sizes;
    sizes.shape = {ops_.m(), ops_.n(), ops_.k()};
    const double stored = outer_ ? ops_.a_density() : plan_.a_compressed ? da_ : 1;
    sizes.a_row_bytes = d(padded_k_) * stored * spec_.word_bytes();
    sizes.b_column_bytes = d(ops_.k()) * spec_.word_bytes();
    sizes.a_density = ops_.a_density();
    plan_.mapping = choose_mapping(spec_, sizes);
  }

  void cut_k() {
    steps_ = ceil_div(ops_.k(), step_k_);
    const double widest = d(std::max(plan_.mapping.rows, plan_.mapping.columns)) * d(ops_.k());
    const auto wanted =
        std::max(kLeastChunks, static_cast<std::uint64_t>(std::ceil(widest / kChunkWords)));
    tables_.chunks = std::min(steps_, wanted);
    tables_.m_tiles = ceil_div(ops_.m(), plan_.mapping.rows);
    tables_.n_tiles = ceil_div(ops_.n(), plan_.mapping.columns);
    tables_.word_bytes = spec_.word_bytes();
    const double tiles = d(tables_.m_tiles) * d(tables_.n_tiles) * d(tables_.chunks);
    if (tiles > 5e7) {
      throw InputError(fmt::format("{} x {} x {} makes {:.3g} instructions on {}", ops_.m(),
                                   ops_.n(), ops_.k(), tiles, spec_.name),
                       "split the product; at most 5e7 are taken");
    }
    tables_.cycles.resize(tables_.m_tiles * tables_.n_tiles * tables_.chunks);
  }

  [[nodiscard]] std::uint64_t first_step(std::uint64_t chunk) const {
    return steps_ * chunk / tables_.chunks;
  }
  [[nodiscard]] std::uint64_t k_of(std::uint64_t step) const {
    return std::min(ops_.k(), step * step_k_);
  }
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t m) const {
    return std::min(ops_.m() - m * plan_.mapping.rows, plan_.mapping.rows);
  }
  [[nodiscard]] std::uint64_t columns_of(std::uint64_t n) const {
    return std::min(ops_.n() - n * plan_.mapping.columns, plan_.mapping.columns);
  }
  /// One bit for every element and a flag for each K coordinate of an array's tile, in words.
  [[nodiscard]] double tiled_mask(std::uint64_t tile) const {
    return (1 + 1.0 / d(tile)) / spec_.word_bits;
  }

  [[nodiscard]] FabricWords a_words(std::uint64_t m, std::uint64_t k0, std::uint64_t k1) const {
    const std::uint64_t rows = rows_of(m), first = m * plan_.mapping.rows;
    if (outer_) {
      const double positions = d(rows) * d(k1 - k0);
      if (!plan_.a_compressed) return {positions, 0};
      return {d(ops_.a().count(first, first + rows, k0, k1)),
              positions * tiled_mask(plan_.mapping.array_rows)};
    }
    // Slots, also those that a sparser group leaves empty: the format cannot leave them out.
    const std::uint64_t end = k1 == ops_.k() ? padded_k_ : k1;
    if (!plan_.a_compressed) return {d(rows) * d(k1 - k0), 0};
    const double slots = d(rows) * d(end - k0) * da_;
    return {slots, slots * metadata_words(plan_.a_pattern, spec_.a.storage, spec_.word_bits)};
  }

  [[nodiscard]] FabricWords b_words(std::uint64_t n, std::uint64_t k0, std::uint64_t k1) const {
    const std::uint64_t columns = columns_of(n), first = n * plan_.mapping.columns;
    const double positions = d(columns) * d(k1 - k0);
    if (!plan_.b_compressed) return {positions, 0};
    const auto nonzeros = [&] {
      return d(ops_.b_transposed().count(first, first + columns, k0, k1));
    };
    switch (spec_.b.storage) {
      case FabricStorage::tiled_bitmask:
        return {nonzeros(), positions * tiled_mask(plan_.mapping.array_columns)};
      case FabricStorage::bitmask:
        return {is_dense(plan_.b_pattern.pattern) ? nonzeros() : positions * db_,
                positions / spec_.word_bits};
      case FabricStorage::block_offsets: {
        const double share = positions / (d(ops_.n()) * d(ops_.k()));
        return {nonzeros(), share * b_metadata_words_};
      }
      default:
        return {
            positions * db_,
            positions * db_ * metadata_words(plan_.b_pattern, spec_.b.storage, spec_.word_bits)};
    }
  }

  void fill_words() {
    if (spec_.b.storage == FabricStorage::block_offsets && plan_.b_compressed) {
      b_metadata_words_ = d(block_offset_bits()) / spec_.word_bits;
    }
    for (std::uint64_t m = 0; m < tables_.m_tiles; ++m) {
      for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
        tables_.a.push_back(a_words(m, k_of(first_step(c)), k_of(first_step(c + 1))));
      }
    }
    for (std::uint64_t n = 0; n < tables_.n_tiles; ++n) {
      for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
        tables_.b.push_back(b_words(n, k_of(first_step(c)), k_of(first_step(c + 1))));
      }
    }
    for (const FabricWords& words : tables_.a) a_stored_ += words;
    for (const FabricWords& words : tables_.b) b_stored_ += words;
    FabricCounts& counts = plan_.counts;
    counts.glb_a = a_stored_ * d(tables_.n_tiles);
    counts.glb_b = b_stored_ * d(tables_.m_tiles);
  }

  /// Psums that pass the GLB per K step of an output tile of this size, when they do not stay.
  [[nodiscard]] double spilled(double outputs) const {
    return spec_.arrays.psum_spill_steps == 0 ? 0 : outputs / d(spec_.arrays.psum_spill_steps);
  }

  void inner_product() {
    FabricCounts& counts = plan_.counts;
    const double m = d(ops_.m()), n = d(ops_.n());
    const double port = spec_.glb.words_per_cycle;
    plan_.steps = d(steps_) * db_;
    double words_check = 0;
    for (std::uint64_t i = 0; i < tables_.m_tiles; ++i) {
      for (std::uint64_t j = 0; j < tables_.n_tiles; ++j) {
        for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
          const double steps = d(first_step(c + 1) - first_step(c)) * db_;
          // Columns are shared by the arrays that stand side by side along N.
          const double slots = steps * d(ceil_div(columns_of(j), spec_.arrays.across_n));
          double words =
              tables_.a[i * tables_.chunks + c].all() + tables_.b[j * tables_.chunks + c].all();
          words_check += words;
          words += steps * spilled(d(rows_of(i) * columns_of(j)));
          tables_.cycles[(i * tables_.n_tiles + j) * tables_.chunks + c] =
              std::max(slots, words / port);
          counts.compute_cycles += slots;
        }
      }
    }
    const double words = counts.glb_a.all() + counts.glb_b.all();
    LACUNA_CHECK(std::abs(words - words_check) <= 1e-6 * words,
                 "instructions read {} words of the global buffer, the operands have {}",
                 words_check, words);
    const double effectual = d(ops_.effectual());
    counts.mac_slots = m * n * d(padded_k_) * da_ * db_;
    // A degree of B makes the slots a mean over blocks (S2TA): real pairs scatter around it.
    if (db_ < 1) counts.mac_slots = std::max(counts.mac_slots, effectual);
    LACUNA_CHECK(counts.mac_slots >= effectual - 0.5, "{} effectual multiplies in {} slots",
                 effectual, counts.mac_slots);
    counts.mac_compute = spec_.b.gating ? effectual : counts.mac_slots;
    counts.mac_gated = counts.mac_slots - counts.mac_compute;
    counts.lrf_data = counts.mac_slots + counts.glb_a.data;
    counts.lrf_metadata =
        plan_.a_compressed ? counts.lrf_data * counts.glb_a.metadata / counts.glb_a.data : 0;
    // Each step is one read and one write of a psum; the first reads nothing, and a fill comes
    // before it.
    const double passes = spec_.arrays.psum_spill_steps == 0
                              ? 1
                              : std::ceil(plan_.steps / d(spec_.arrays.psum_spill_steps));
    counts.rf_writes = m * n * (plan_.steps + passes);
    counts.rf_reads = m * n * std::max(0.0, plan_.steps - 1 + (passes > 1 ? 1 : 0));
    if (passes > 1) {
      counts.psum_glb_writes = m * n * passes;
      counts.psum_glb_reads = m * n * (passes - 1);
    }
    count_saf();
    bound_glb();
  }

  void count_saf() {
    FabricCounts& counts = plan_.counts;
    const auto& ranks = plan_.a_pattern.pattern.ranks;
    if (!is_dense(plan_.a_pattern.pattern)) {
      if (ranks.back().g < ranks.back().h) counts.rank0_selects = counts.mac_slots;
      if (ranks.size() > 1 && ranks.front().g < ranks.front().h) {
        counts.rank1_selects = counts.mac_slots / d(ranks.back().g);
      }
    }
    if (spec_.vfmu) counts.vfmu_words = counts.glb_b.data;
    if (spec_.compress_outputs) counts.compressed_words = d(ops_.m()) * d(ops_.n());
  }

  void bound_glb() {
    FabricCounts& counts = plan_.counts;
    counts.glb_cycles = (counts.glb_a.all() + counts.glb_b.all() + counts.psum_glb_reads) /
                        spec_.glb.words_per_cycle;
    if (spec_.glb.write_words_per_cycle > 0) {
      counts.glb_write_cycles = counts.psum_glb_writes / spec_.glb.write_words_per_cycle;
    }
  }

  void outer_product() {
    FabricCounts& counts = plan_.counts;
    const double effectual = d(ops_.effectual());
    counts.mac_slots = counts.mac_compute = effectual;
    plan_.steps = d(ops_.k());
    const FabricMapping& map = plan_.mapping;
    const double tile = d(map.array_rows) * d(map.array_columns);
    const double m_arrays = d(ceil_div(ops_.m(), map.array_rows));
    const double n_arrays = d(ceil_div(ops_.n(), map.array_columns));
    const double k = d(ops_.k());
    const double all_spilled = m_arrays * n_arrays * k * spilled(tile);
    counts.psum_glb_reads = counts.psum_glb_writes = all_spilled;
    bound_glb();
    const double arrays = d(spec_.arrays.across_m * spec_.arrays.across_n);
    const double first = mode_ == FabricMode::data ? from_data(tile) : from_expectation();
    if (spec_.arrays.psum_words_per_cycle > 0) {
      counts.psum_cycles = (effectual + all_spilled) / (spec_.arrays.psum_words_per_cycle * arrays);
    }
    if (mode_ == FabricMode::expected) spread_evenly();
    // Two psum accesses for every multiply: the price of scattering (HighLight's "DSTC tax").
    counts.rf_writes = effectual + d(ops_.m()) * d(ops_.n()) + all_spilled;
    counts.rf_reads = effectual - first + all_spilled;
    // Bitmask entries of 4 bits: A's once and again for every group of columns, and B's likewise.
    const double lanes = d(spec_.arrays.lanes), rows = d(spec_.arrays.rows);
    const double m = d(ops_.m()), n = d(ops_.n());
    if (plan_.a_compressed) {
      counts.lrf_metadata += m * k * n_arrays * (d(map.array_columns) / lanes + 1) / 4;
    }
    if (plan_.b_compressed) {
      counts.lrf_metadata += n * k * m_arrays * (d(map.array_rows) / rows + 1) / 4;
    }
  }

  /// Returns the products of the first K step.
  double from_data(double tile) {
    FabricCounts& counts = plan_.counts;
    const FabricMapping& map = plan_.mapping;
    OuterFetch fetch;
    if (plan_.a_compressed) fetch.a_mask_words = d(map.array_rows) * tiled_mask(map.array_rows);
    if (plan_.b_compressed) {
      fetch.b_mask_words = d(map.array_columns) * tiled_mask(map.array_columns);
    }
    fetch.spill_words = spilled(tile);
    OuterSteps outer(spec_, ops_, map, fetch);
    const double drain =
        spec_.arrays.psum_words_per_cycle > 0 ? tile / spec_.arrays.psum_words_per_cycle : 0;
    for (std::uint64_t i = 0; i < tables_.m_tiles; ++i) {
      for (std::uint64_t j = 0; j < tables_.n_tiles; ++j) {
        double* const cycles = &tables_.cycles[(i * tables_.n_tiles + j) * tables_.chunks];
        for (std::uint64_t c = 0; c < tables_.chunks; ++c) {
          cycles[c] = outer.cycles(i, j, k_of(first_step(c)), k_of(first_step(c + 1)));
        }
        cycles[tables_.chunks - 1] += drain;
      }
    }
    const OuterTotals& totals = outer.totals();
    LACUNA_CHECK(totals.products == counts.mac_compute, "{} products in the tiles, {} in all",
                 totals.products, counts.mac_compute);
    counts.compute_cycles = totals.slots / d(spec_.arrays.across_m * spec_.arrays.across_n);
    counts.lrf_data = totals.entry_reads * spec_.word_bits / kLineBufferBits;
    return totals.first_products;
  }

  double from_expectation() {
    FabricCounts& counts = plan_.counts;
    const FabricMapping& map = plan_.mapping;
    const std::uint64_t rows = spec_.arrays.rows, lanes = spec_.arrays.lanes;
    const double a = ops_.a_density(), b = ops_.b_density();
    const double m = d(ops_.m()), n = d(ops_.n()), k = d(ops_.k());
    counts.compute_cycles = m * n * k * a * b /
                            (d(spec_.macs()) * lane_utilisation(a, map.array_rows, rows) *
                             lane_utilisation(b, map.array_columns, lanes));
    const double tiles = m / d(map.array_rows) * (n / d(map.array_columns));
    const double na = a * d(map.array_rows), nb = b * d(map.array_columns);
    const double entries = na * (expected_groups(b, map.array_columns, lanes) + 1) +
                           nb * (expected_groups(a, map.array_rows, rows) + 1);
    counts.lrf_data = tiles * k * entries * spec_.word_bits / kLineBufferBits;
    return a * b * m * n;
  }

  void spread_evenly() {
    const FabricCounts& c = plan_.counts;
    const double cycles =
        std::max({c.compute_cycles, c.glb_cycles, c.psum_cycles, c.glb_write_cycles});
    std::fill(tables_.cycles.begin(), tables_.cycles.end(), cycles / d(tables_.cycles.size()));
  }

  /// Outputs, DRAM words and times.
  void traffic() {
    FabricCounts& counts = plan_.counts;
    const double outputs = d(ops_.m()) * d(ops_.n());
    counts.dram_z = {outputs, 0};
    if (spec_.compress_outputs) {
      const double mask = outputs / spec_.word_bits;
      const double nonzeros = d(ops_.z_nonzeros());
      if (nonzeros + mask < outputs) counts.dram_z = {nonzeros, mask};
    }
    const double share = counts.dram_z.all() / outputs;
    for (std::uint64_t i = 0; i < tables_.m_tiles; ++i) {
      for (std::uint64_t j = 0; j < tables_.n_tiles; ++j) {
        tables_.z_bytes.push_back(share * d(rows_of(i) * columns_of(j)) * spec_.word_bytes());
      }
    }
    plan_.z_bytes =
        static_cast<std::uint64_t>(std::llround(counts.dram_z.all() * spec_.word_bytes()));
    counts.dram_a = a_stored_ * d(plan_.mapping.a_fetches);
    counts.dram_b = b_stored_ * d(plan_.mapping.b_fetches);
    counts.dram_read_cycles = (counts.dram_a.all() + counts.dram_b.all()) / spec_.dram.read_words;
    counts.dram_write_cycles = counts.dram_z.all() / spec_.dram.write_words;
  }

  static constexpr double kLineBufferBits = 16;  // published: 64 x 16 b

  const FabricSpec& spec_;
  const GemmOperands& ops_;
  FabricMode mode_;
  bool outer_;
  FabricPlan plan_;
  FabricTables tables_;
  double da_ = 1, db_ = 1;
  std::uint64_t group_ = 1, step_k_ = 1, padded_k_ = 0, steps_ = 0;
  double b_metadata_words_ = 0;
  FabricWords a_stored_, b_stored_;
};

}  // namespace

FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands, FabricMode mode) {
  return Compiler(spec, operands, mode).compile();
}

}  // namespace lacuna
