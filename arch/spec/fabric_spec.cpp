// SPDX-License-Identifier: Apache-2.0
#include "arch/spec/fabric_spec.hpp"

#include <algorithm>

#include "arch/energy/precision.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/encoding.hpp"

namespace lacuna {
namespace {

constexpr double kMost = 1e9;
constexpr std::uint64_t kMostTileEdge = 4096;
constexpr double kLeastRate = 1e-3;            // words per cycle
constexpr std::uint64_t kMetadataAccess = 64;  // bits of one access of the metadata's memory

/// Words per cycle of a port that may be left out of the model by a zero.
double rate_or_none(const ConfigReader& config, std::string_view key) {
  const double rate = config.number(key, {0, kMost}, 0.0);
  if (rate > 0 && rate < kLeastRate) {
    config.fail(
        key, fmt::format("{} is out of range", rate),
        fmt::format("expected a number in [{}, {}], or 0: never waited for", kLeastRate, kMost));
  }
  return rate;
}

/// From the words that a file's rates, lines and registers are stated in to those of the precision
/// that the machine runs at: the bytes stay what they are.
class WordScale {
 public:
  WordScale(const ConfigReader& config, std::uint32_t bits)
      : stated_(config.integer("word_bits", {1, 64}, bits)), bits_(bits) {}

  /// Words per cycle.
  [[nodiscard]] double rate(double stated) const {
    return stated * static_cast<double>(stated_) / static_cast<double>(bits_);
  }
  /// Whole words.
  [[nodiscard]] std::uint64_t words(const ConfigReader& config, std::string_view key,
                                    std::uint64_t stated) const {
    if (stated * stated_ % bits_ == 0) return stated * stated_ / bits_;
    config.fail(key,
                fmt::format("{} words of {} bits are no whole number of words of {} bits", stated,
                            stated_, bits_),
                "choose another size, or another precision");
  }

 private:
  std::uint64_t stated_, bits_;
};

bool is_family(const std::string& text) {
  return text.find('{') != std::string::npos;
}

void add_patterns(const ConfigReader& config, const std::string& text, std::uint32_t bits,
                  std::vector<FabricPattern>& out) {
  const Place place = config.place("patterns");
  if (is_family(text)) {
    for (const Pattern& pattern : parse_pattern_family(text, place).menu()) {
      out.push_back({pattern, bits});
    }
    return;
  }
  const Pattern pattern = parse_pattern(text, place);
  if (pattern.kind != PatternKind::dense && pattern.kind != PatternKind::hss) {
    config.fail("patterns", fmt::format("'{}' has no rules that hardware could follow", text),
                "use dense, N:M or an HSS pattern; `skipping: unstructured` takes any zeros");
  }
  out.push_back({pattern, bits});
}

FabricOperandSpec read_operand(const ConfigReader& config) {
  FabricOperandSpec operand;
  const auto bits = config.mapping("code_bits");
  auto texts = config.texts("patterns");
  if (texts.empty()) texts.emplace_back("dense");
  for (const auto& text : texts) {
    const auto code =
        static_cast<std::uint32_t>(bits.has(text) ? bits.integer(text, {1, 8}) : std::uint64_t{0});
    add_patterns(config, text, code, operand.patterns);
  }
  std::stable_sort(operand.patterns.begin(), operand.patterns.end(),
                   [](const FabricPattern& x, const FabricPattern& y) {
                     return x.pattern.density() < y.pattern.density();
                   });
  operand.skips_unstructured =
      config.choice<bool>("skipping", {{"patterns", false}, {"unstructured", true}}, false);
  operand.storage = config.choice<FabricStorage>("storage",
                                                 {{"uncompressed", FabricStorage::uncompressed},
                                                  {"cp", FabricStorage::coordinates},
                                                  {"rle", FabricStorage::run_lengths},
                                                  {"bitmask", FabricStorage::bitmask},
                                                  {"tiled-bitmask", FabricStorage::tiled_bitmask},
                                                  {"block-offsets", FabricStorage::block_offsets}},
                                                 FabricStorage::uncompressed);
  operand.unstructured_storage = config.choice<FabricStorage>(
      "unstructured_storage",
      {{"uncompressed", FabricStorage::uncompressed}, {"bitmask", FabricStorage::bitmask}},
      FabricStorage::uncompressed);
  operand.gating = config.boolean("gating", false);
  return operand;
}

FabricSpec::Dram read_dram(const ConfigReader& config, Hertz clock, const WordScale& scale) {
  FabricSpec::Dram dram;
  dram.kind = config.text("kind", dram.kind);
  dram.kind_place = config.place("kind");
  const auto rate = [&](std::string_view key, double def) {
    return scale.rate(config.number(key, {kLeastRate, kMost}, def));
  };
  dram.read_words = rate("read_words_per_cycle", dram.read_words);
  dram.write_words = rate("write_words_per_cycle", dram.write_words);
  dram.latency = config.cycles("latency", clock, Cycles(0));
  dram.chunk = config.bytes("chunk", dram.chunk, kRequestBytes);
  if (dram.chunk.count() == 0) config.fail("chunk", "chunk must not be zero");
  dram.outstanding = config.integer("outstanding", {1, 1e6}, dram.outstanding);
  return dram;
}

/// Each slice is a memory that holds at least the bits of one access.
void check_slices(const ConfigReader& config, const FabricSpec::Glb& glb, std::uint32_t word_bits) {
  const auto slice = [&glb](Bytes bytes) { return bytes.count() / glb.slices; };
  const std::uint64_t line = bytes_for(Bits(glb.line_words * word_bits)).count();
  if (slice(glb.capacity) < line) {
    throw InputError(
        blamed({config.place("capacity"), config.place("line_words"), config.place("slices")}),
        fmt::format("a slice of {} B ({} in {}) is smaller than its line of {} B",
                    slice(glb.capacity), to_text(glb.capacity), glb.slices, line),
        "make the buffer larger, its line shorter or its slices fewer");
  }
  const std::uint64_t metadata = slice(glb.metadata);
  if (glb.metadata.count() > 0 && metadata < kMetadataAccess / 8) {
    throw InputError(blamed({config.place("metadata"), config.place("slices")}),
                     fmt::format("{} B of metadata in each slice are less than one access of {} B",
                                 metadata, kMetadataAccess / 8),
                     "make it larger, or 0 B for a machine without");
  }
}

FabricSpec::Glb read_glb(const ConfigReader& config, std::uint32_t word_bits,
                         const WordScale& scale) {
  FabricSpec::Glb glb;
  glb.capacity = config.bytes("capacity");
  if (glb.capacity.count() < 1024) config.fail("capacity", "the buffer is smaller than 1 KiB");
  glb.metadata = config.bytes("metadata", Bytes(0));
  glb.line_words =
      scale.words(config, "line_words", config.integer("line_words", {1, 65536}, glb.line_words));
  glb.slices = config.integer("slices", {1, 65536}, glb.slices);
  check_slices(config, glb, word_bits);
  FabricHolding holding;
  holding.policy = config.choice<BufferPolicy>(
      "policy", {{"buffet", BufferPolicy::buffet}, {"tailors", BufferPolicy::tailors}},
      BufferPolicy::buffet);
  holding.window = config.bytes("window", Bytes(0));  // kept for a policy switched on by --set
  glb.a = glb.b = holding;
  if (holding.policy == BufferPolicy::tailors &&
      (holding.window.count() == 0 || holding.window.count() * 4 > glb.capacity.count())) {
    throw InputError(
        blamed({config.place("window"), config.place("capacity"), config.place("policy")}),
        fmt::format("Tailors needs a streaming window above zero, a quarter of the buffer at most: "
                    "glb.window is {}, glb.capacity {}",
                    to_text(holding.window), to_text(glb.capacity)),
        "16 KiB hides 500 cycles of DRAM latency at 32 B/cycle");
  }
  glb.words_per_cycle = scale.rate(config.number("words_per_cycle", {kLeastRate, kMost}));
  glb.write_words_per_cycle = scale.rate(rate_or_none(config, "write_words_per_cycle"));
  return glb;
}

/// Columns of B under a stationary A, each with a partial sum for every row.
void read_columns(const ConfigReader& config, FabricSpec::Arrays& arrays) {
  const auto fail = [&](const std::string& problem, const std::string& suggestion) {
    throw InputError(
        blamed({config.place("columns"), config.place("rf_words"), config.place("rows")}), problem,
        suggestion);
  };
  if (arrays.rf_words < arrays.rows) {
    fail(fmt::format("the RF of {} words holds no partial sum for each of the {} rows",
                     arrays.rf_words, arrays.rows),
         "make arrays.rf_words larger or arrays.rows fewer");
  }
  arrays.columns = config.integer("columns", {1, kMost}, arrays.rf_words / arrays.rows);
  if (arrays.columns * arrays.rows > arrays.rf_words) {
    fail(fmt::format("{} rows of {} columns are more than the {} words of the RF", arrays.rows,
                     arrays.columns, arrays.rf_words),
         "make arrays.rf_words larger, or rows or columns fewer");
  }
}

FabricSpec::Arrays read_arrays(const ConfigReader& config, const WordScale& scale) {
  FabricSpec::Arrays arrays;
  arrays.dataflow =
      config.choice<FabricDataflow>("dataflow", {{"inner-product", FabricDataflow::inner_product},
                                                 {"outer-product", FabricDataflow::outer_product}});
  arrays.across_m = config.integer("across_m", {1, 4096});
  arrays.across_n = config.integer("across_n", {1, 4096});
  arrays.rows = config.integer("rows", {1, 4096});
  arrays.lanes = config.integer("lanes", {1, 4096});
  arrays.rf_words = scale.words(config, "rf_words", config.integer("rf_words", {1, kMost}));
  arrays.psum_words_per_cycle = scale.rate(rate_or_none(config, "psum_words_per_cycle"));
  arrays.psum_spill_steps = config.integer("psum_spill_steps", {0, kMost}, 0);
  if (arrays.dataflow == FabricDataflow::inner_product) {
    read_columns(config, arrays);
    return arrays;
  }
  for (const auto& tile : config.mappings("tiles")) {
    arrays.tiles.emplace_back(tile.integer("rows", {1, 4096}), tile.integer("columns", {1, 4096}));
    const auto& [rows, columns] = arrays.tiles.back();
    if (rows * columns > arrays.rf_words) {
      config.fail("tiles", fmt::format("a tile of {} x {} does not fit the {} words of the RF",
                                       rows, columns, arrays.rf_words));
    }
  }
  if (arrays.tiles.empty()) config.fail("tiles", "an outer-product machine needs its tiles");
  return arrays;
}

/// A tile of outputs must have the rows, columns and registers that one array has.
void check_mapping(const ConfigReader& config, const FabricSpec::Arrays& arrays,
                   const FabricMappingChoice& choice) {
  const bool inner = arrays.dataflow == FabricDataflow::inner_product;
  if (inner && choice.tile_rows > arrays.rows) {
    config.fail("tile_rows",
                fmt::format("a tile of {} rows, one array has {}", choice.tile_rows, arrays.rows),
                "a tile larger than the arrays is several tiles: keep tile_rows at arrays.rows");
  }
  if (inner && choice.tile_columns > arrays.columns) {
    config.fail("tile_columns",
                fmt::format("a tile of {} columns, the registers of one array hold partial sums of "
                            "{} rows x {} columns",
                            choice.tile_columns, arrays.rows, arrays.columns),
                "a wider tile of B that stays in the buffer is b_tile_columns");
  }
  if (!inner && (choice.tile_rows > kMostTileEdge || choice.tile_columns > kMostTileEdge)) {
    config.fail(choice.tile_rows > kMostTileEdge ? "tile_rows" : "tile_columns",
                fmt::format("a tile has at most {} rows and columns", kMostTileEdge));
  }
  const std::uint64_t psums = std::max<std::uint64_t>(1, choice.tile_rows) *
                              std::max<std::uint64_t>(1, choice.tile_columns);
  if (psums > arrays.rf_words) {
    config.fail("tile_rows",
                fmt::format("a tile of {} x {} needs {} partial sums, the registers "
                            "of one array (arrays.rf_words) hold {}",
                            choice.tile_rows, choice.tile_columns, psums, arrays.rf_words));
  }
  const std::uint64_t columns = choice.tile_columns * arrays.across_n;
  if (choice.b_tile_columns == 0 || columns == 0) return;
  if (choice.b_tile_columns % columns != 0) {
    config.fail("b_tile_columns",
                fmt::format("{} columns of B are no multiple of the {} columns of a tile ({} of "
                            "each of {} arrays)",
                            choice.b_tile_columns, columns, choice.tile_columns, arrays.across_n));
  }
  if (choice.outer == FabricOuter::a && choice.b_tile_columns != columns) {
    config.fail("b_tile_columns",
                fmt::format("with `outer: A` columns of B pass, {} at a time; no tile of {} stays",
                            columns, choice.b_tile_columns),
                "leave b_tile_columns out, or let B be outer");
  }
}

FabricMappingChoice read_mapping(const ConfigReader& config, const FabricSpec::Arrays& arrays) {
  FabricMappingChoice choice;
  choice.m = config.integer("m", {1, kMost});
  choice.n = config.integer("n", {1, kMost});
  choice.k = config.integer("k", {1, kMost});
  choice.a_density_from = config.number("a_density_from", {0, 1}, 0.0);
  choice.a_density_to = config.number("a_density_to", {0, 1}, 1.0);
  choice.tile_rows = config.integer("tile_rows", {0, kMost}, 0);
  choice.tile_columns = config.integer("tile_columns", {0, kMost}, 0);
  choice.b_tile_columns = config.integer("b_tile_columns", {0, kMost}, 0);
  if (config.has("outer")) {  // left out: the mapper's choice, which has no name
    choice.outer = config.choice<FabricOuter>(
        "outer", {{"B", FabricOuter::b}, {"A", FabricOuter::a}}, FabricOuter::b);
  }
  check_mapping(config, arrays, choice);
  return choice;
}

FabricSpec::Energy read_energy(const ConfigReader& config) {
  FabricSpec::Energy energy;
  energy.set = config.text("set", "");
  energy.table = config.text("table", energy.set.empty() ? "45nm" : "");
  if (!energy.set.empty() && !energy.table.empty()) {
    config.fail("table", "both a component set and a technology table are given",
                "keep one of energy.set and energy.table");
  }
  energy.ert = config.text("ert", "");
  energy.saf = config.boolean("saf", true);
  energy.rank1_select_pj = config.number("rank1_select_pj", {0, 1e6}, 0.0);
  energy.rank0_select_pj = config.number("rank0_select_pj", {0, 1e6}, 0.0);
  energy.vfmu_word_pj = config.number("vfmu_word_pj", {0, 1e6}, 0.0);
  energy.compress_word_pj = config.number("compress_word_pj", {0, 1e6}, 0.0);
  return energy;
}

FabricSpec::Tiling read_tiling(const ConfigReader& config) {
  FabricSpec::Tiling tiling;
  tiling.strategy = config.choice<TilingStrategy>("strategy",
                                                  {{"dense-shape", TilingStrategy::dense_shape},
                                                   {"prescient", TilingStrategy::prescient},
                                                   {"swiftiles", TilingStrategy::swiftiles}},
                                                  TilingStrategy::dense_shape);
  tiling.overbooked_share = config.number("overbooked_share", {1e-6, 0.999}, 0.1);
  tiling.tail_samples = config.integer("tail_samples", {1, 1e6}, 10);
  tiling.seed = config.integer("seed", {0, 1e15}, 1);
  return tiling;
}

/// The three ideas of the machine `lacuna`, each to be switched off by itself.
void apply_features(const ConfigReader& config, FabricSpec& spec) {
  if (!config.boolean("hss", true)) {
    // HighLight's datapath as a whole: patterns of A, fetch unit, gating, compression of outputs.
    spec.a.patterns = {{Pattern::dense(), 0}};
    spec.a.storage = FabricStorage::uncompressed;
    spec.b.gating = spec.vfmu = spec.compress_outputs = false;
  }
  if (!config.boolean("tailors", true)) {
    spec.glb.a.policy = spec.glb.b.policy = BufferPolicy::buffet;
    // What varies in occupancy needs the buffers that can hold it.
    spec.a.unstructured_storage = FabricStorage::uncompressed;
  }
  if (!config.boolean("swiftiles", true) && spec.tiling.strategy == TilingStrategy::swiftiles) {
    spec.tiling.strategy = TilingStrategy::prescient;
  }
}

/// The lanes hold whole blocks of every pattern that the array follows.
void check_lanes(const ConfigReader& config, const FabricSpec& spec) {
  if (spec.arrays.dataflow == FabricDataflow::outer_product) return;
  for (const FabricPattern& entry : spec.a.patterns) {
    if (entry.pattern.is_dense()) continue;
    std::uint64_t values = 1;
    for (const Rule& rule : entry.pattern.ranks) values *= rule.g;
    if (values <= spec.arrays.lanes) continue;
    throw InputError(
        blamed({config.mapping("arrays").place("lanes"),
                config.mapping("operands").mapping("A").place("patterns")}),
        fmt::format("{} lanes hold no block of the pattern {} of A, which has {} values",
                    spec.arrays.lanes, entry.pattern.text(), values),
        "make arrays.lanes more, or take the pattern out of operands.A.patterns");
  }
}

void check_operands(const ConfigReader& operands, const FabricSpec& spec) {
  const bool outer = spec.arrays.dataflow == FabricDataflow::outer_product;
  if (spec.a.skips_unstructured != outer || spec.b.skips_unstructured != outer) {
    operands.fail(outer ? "A" : "B",
                  outer ? "an outer-product machine skips unstructured zeros of both operands"
                        : "an inner-product machine cannot skip unstructured zeros",
                  outer ? "skipping: unstructured" : "skipping: patterns");
  }
  if (spec.a.storage == FabricStorage::block_offsets) {
    operands.fail("A", "A is stationary: its metadata selects B, block offsets cannot");
  }
}

}  // namespace

FabricSpec read_fabric(const ConfigReader& config) {
  FabricSpec spec;
  spec.name = config.text("name");
  spec.description = config.text("description", "");
  (void)config.choice<int>("kind", {{kFabricKind, 0}}, {}, {kProductKind});
  spec.clock = config.hertz("clock");
  spec.precision = config.text("precision", spec.precision);
  spec.word_bits = Precision::parse(spec.precision, config.place("precision")).bits;
  const WordScale scale(config, spec.word_bits);
  spec.contention = config.boolean("contention", true);
  spec.dram = read_dram(config.mapping("dram"), spec.clock, scale);
  spec.glb = read_glb(config.mapping("glb"), spec.word_bits, scale);
  spec.arrays = read_arrays(config.mapping("arrays"), scale);
  const auto operands = config.mapping("operands");
  spec.a = read_operand(operands.mapping("A"));
  spec.b = read_operand(operands.mapping("B"));
  spec.b_dense_from = operands.number("B_uncompressed_from", {0, 1}, 0.0);
  spec.keep_metadata = operands.boolean("keep_metadata", false);
  spec.vfmu = operands.boolean("vfmu", false);
  check_operands(operands, spec);
  spec.compress_outputs = config.mapping("outputs").boolean("compress", false);
  for (const auto& mapping : config.mappings("mappings")) {
    spec.mappings.push_back(read_mapping(mapping, spec.arrays));
  }
  spec.tiling = read_tiling(config.mapping("tiling"));
  spec.energy = read_energy(config.mapping("energy"));
  apply_features(config.mapping("features"), spec);
  check_lanes(config, spec);
  return spec;
}

double metadata_words(const FabricPattern& pattern, FabricStorage storage,
                      std::uint32_t word_bits) {
  if (pattern.pattern.kind != PatternKind::hss || pattern.pattern.is_dense()) {
    return 0;
  }
  if (storage == FabricStorage::bitmask) {
    return 1.0 / (word_bits * pattern.pattern.density().value());
  }
  if (storage != FabricStorage::coordinates && storage != FabricStorage::run_lengths) return 0;
  double words = 0;
  double values = 1;  // values that one code of this rank stands for
  for (auto rule = pattern.pattern.ranks.rbegin(); rule != pattern.pattern.ranks.rend(); ++rule) {
    if (rule->g < rule->h) {
      const std::uint32_t bits = pattern.code_bits != 0 ? pattern.code_bits : bits_for(rule->h);
      words += 1.0 / (std::max<std::uint32_t>(1, word_bits / bits) * values);
    }
    values *= rule->g;
  }
  return words;
}

}  // namespace lacuna
