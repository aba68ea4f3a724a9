// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/whole.hpp"
#include "sparse_formats/encoding.hpp"

namespace lacuna {
namespace {

// Parameters: most words of an operand in one instruction, as a share of the buffer, and the fewest
// pieces that K is cut into, so that fetching and computing overlap.
constexpr std::uint64_t kChunksOfBuffer = 16;
constexpr std::uint64_t kLeastChunks = 8;

std::string menu_text(const std::vector<FabricPattern>& menu) {
  std::string text;
  for (const FabricPattern& entry : menu) {
    text += (text.empty() ? "" : ", ") + entry.pattern.text();
  }
  return text;
}

[[noreturn]] void refuse_instructions(const FabricSpec& spec, FabricShape shape, double count) {
  throw InputError(fmt::format("{} x {} x {} makes {:.3g} instructions on {}", shape.m, shape.n,
                               shape.k, count, spec.name),
                   fmt::format("split the product; at most {:.0e} are taken", kMostInstructions));
}

/// Pieces that K is cut into at least, for tiles of outputs of these rows and columns.
double wanted_chunks(const FabricSpec& spec, std::uint64_t k, std::uint64_t edge) {
  const double chunk = real(spec.glb.capacity.count() / kChunksOfBuffer);
  return std::max(real(kLeastChunks), real(edge) * real(k) * spec.word_bytes() / chunk);
}

}  // namespace

/// Wider tiles make fewer instructions: those of the widest are the fewest that any mapping makes.
void check_instructions(const FabricSpec& spec, FabricShape shape) {
  const FabricSpec::Arrays& arrays = spec.arrays;
  auto tiles = arrays.tiles;
  std::uint64_t step = 1;  // most positions of K that a step takes
  if (tiles.empty()) {
    tiles = {{arrays.rows, std::min(arrays.columns, ceil_div(shape.n, arrays.across_n))}};
    step = whole_up(real(arrays.lanes) / spec.a.patterns.front().pattern.density().value());
  }
  double fewest = std::numeric_limits<double>::infinity();
  for (const auto& [rows, columns] : tiles) {
    const std::uint64_t m = rows * arrays.across_m, n = columns * arrays.across_n;
    const double groups =
        std::max(1.0, real(shape.m) / real(m)) * std::max(1.0, real(shape.n) / real(n));
    const double chunks =
        std::min(real(ceil_div(shape.k, step)), wanted_chunks(spec, shape.k, std::max(m, n)));
    fewest = std::min(fewest, groups * chunks);
  }
  // Chunks are whole: tiles a little narrower may make a little fewer.
  if (fewest > 2 * kMostInstructions) refuse_instructions(spec, shape, fewest);
}

FabricProduct::FabricProduct(const FabricSpec& spec, const FabricInstance& instance)
    : spec_(spec),
      ops_(*instance.operands),
      any_zeros_(spec.a.skips_unstructured),
      instance_(instance) {
  if (instance_.z_width <= 0) instance_.z_width = spec.z_width;
  work_.operands = instance.operands;
  work_.b_width = instance.b.width;
}

FabricProduct::FabricProduct(const FabricProduct& whole, const FabricInstance& part)
    : FabricProduct(whole.spec_, part) {
  const std::shared_ptr<const GemmOperands> own = work_.operands;
  work_ = whole.work_;
  work_.operands = own;
  da_ = whole.da_;
  db_ = whole.db_;
  a_bitmask_ = whole.a_bitmask_;
  group_ = whole.group_;
  padded_k_of_b_ = whole.padded_k_of_b_;
  instance_.z_width = whole.instance_.z_width;
  if (whole.b_metadata_words_ > 0) b_metadata_words_ = real(block_offset_bits()) / spec_.word_bits;
}

bool FabricProduct::choose_operand(const char* name, const FabricOperandSpec& spec,
                                   const std::optional<FabricPattern>& fit, double density,
                                   bool skips, FabricPattern& out, std::string& unsupported,
                                   std::vector<std::string>& warnings) const {
  if (!fit) {
    unsupported = fmt::format(
        "{} (density {:.4g}) fits no pattern that {} runs ({}), and it has no dense mode", name,
        density, spec_.name, menu_text(spec.patterns));
    return false;
  }
  out = *fit;
  const double degree = fit->pattern.density().value();
  if (skips && density < degree - 1e-9) {
    warnings.push_back(
        fmt::format("{} of density {:.4g} runs as {} (density {:.4g}), the sparsest pattern of {} "
                    "that it obeys",
                    name, density, fit->pattern.text(), degree, spec_.name));
  }
  return true;
}

std::string FabricProduct::prepare(std::vector<std::string>& warnings) {
  std::string unsupported;
  if (any_zeros_) {
    work_.a_pattern.pattern = work_.b_pattern.pattern = Pattern::dense();
  } else {
    const bool b_skips = spec_.b.patterns.size() > 1;
    const bool runs = choose_operand("A", spec_.a, ops_.a_fit(spec_.a.patterns), ops_.a_density(),
                                     true, work_.a_pattern, unsupported, warnings) &&
                      choose_operand("B", spec_.b, ops_.b_fit(spec_.b.patterns), ops_.b_density(),
                                     b_skips, work_.b_pattern, unsupported, warnings);
    if (!runs) return unsupported;
  }
  settle();
  lacuna::check_instructions(spec_, shape());
  return {};
}

void FabricProduct::prepare_as(const FabricPattern& a, const FabricPattern& b) {
  work_.a_pattern = a;
  work_.b_pattern = b;
  settle();
  a_bitmask_ = false;  // all of a dense A
}

/// What follows from the patterns.
void FabricProduct::settle() {
  choose_storage();
  std::uint64_t g = 1;
  if (!work_.a_pattern.pattern.is_dense()) {
    for (const Rule& rule : work_.a_pattern.pattern.ranks) {
      g *= rule.g;
      group_ *= rule.h;
    }
  }
  LACUNA_CHECK(any_zeros_ || g <= spec_.arrays.lanes, "{} slots of a group on {} lanes", g,
               spec_.arrays.lanes);
  // Whole groups on the lanes; a group that does not divide them leaves lanes idle.
  work_.step_k = any_zeros_ ? 1 : spec_.arrays.lanes / g * group_;
  work_.padded_k = ceil_div(ops_.k(), group_) * group_;
  const Pattern& b = work_.b_pattern.pattern;
  const std::uint64_t group_of_b = b.is_dense() ? 1 : b.group_size();
  padded_k_of_b_ = ceil_div(ops_.k(), group_of_b) * group_of_b;
  if (spec_.b.storage == FabricStorage::block_offsets && work_.b_compressed) {
    b_metadata_words_ = real(block_offset_bits()) / spec_.word_bits;
  }
}

void FabricProduct::choose_storage() {
  da_ = work_.a_pattern.pattern.density().value();
  db_ = work_.b_pattern.pattern.density().value();
  const double a = ops_.a_density(), b = ops_.b_density();
  if (any_zeros_) {
    work_.a_compressed = a < 1 || spec_.keep_metadata;
    work_.b_compressed =
        !(spec_.b_dense_from > 0 && a >= spec_.b_dense_from && b >= spec_.b_dense_from);
    return;
  }
  work_.a_compressed =
      !work_.a_pattern.pattern.is_dense() && spec_.a.storage != FabricStorage::uncompressed;
  a_bitmask_ = work_.a_pattern.pattern.is_dense() &&
               spec_.a.unstructured_storage == FabricStorage::bitmask &&
               a + 1.0 / spec_.word_bits < 1;
  switch (spec_.b.storage) {
    case FabricStorage::uncompressed:
      work_.b_compressed = false;
      break;
    case FabricStorage::coordinates:
    case FabricStorage::run_lengths:
      work_.b_compressed = !work_.b_pattern.pattern.is_dense();
      break;
    default: {
      // Only when it saves: a dense operand keeps its plain form.
      const double metadata = spec_.b.storage == FabricStorage::block_offsets
                                  ? real(block_offset_bits()) / (real(ops_.k()) * real(ops_.n()))
                                  : 1;
      work_.b_compressed = stored_b_density() + metadata / spec_.word_bits < 1;
    }
  }
}

/// A bitmask over n:8 blocks stores the block's bound, otherwise the nonzeros.
double FabricProduct::stored_b_density() const {
  return work_.b_pattern.pattern.is_dense() ? ops_.b_density() : db_;
}

/// Of a repeated operand: its sample's bits for as many rows as there are.
std::uint64_t FabricProduct::block_offset_bits() const {
  std::uint64_t h1 = 4, h0 = 2;  // of HighLight's dense degree C1(4:4)->C0(2:2)
  const auto& ranks = work_.a_pattern.pattern.ranks;
  if (ranks.size() == 2) {
    h1 = ranks[0].h;
    h0 = ranks[1].h;
  }
  const BitMatrix& sample = ops_.b_transposed().sample();
  const double bits = real(block_offset_metadata(sample, h1, h0).count());
  return whole_near(bits * real(ops_.n()) / real(sample.rows()));
}

std::string FabricProduct::key_of_a() const {
  const OperandStorage& a = instance_.a;
  return fmt::format("{} {} {} {} {} {} {}", ops_.m(), ops_.k(), work_.a_pattern.pattern.text(),
                     ops_.a_density(), a.width, a.scale_words, a.on_chip);
}

double FabricProduct::z_bytes() const {
  return real(ops_.m()) * real(ops_.n()) * instance_.z_width * spec_.word_bytes();
}

double FabricProduct::on_chip_bytes() const {
  const FabricInstance& instance = instance_;
  double words = 0;
  if (instance.a.on_chip) words += a_words(0, ops_.m(), 0, ops_.k(), 0).all();
  if (instance.b.on_chip) {
    words += b_words(0, ops_.n(), 0, ops_.k(), 0).all() * instance.b_footprint;
  }
  const double own = words * spec_.word_bytes() + (instance.z_on_chip ? z_bytes() : 0);
  return std::max(own, instance.held_bytes);
}

const FabricMappingChoice* FabricProduct::given_mapping() const {
  for (const FabricMappingChoice& choice : spec_.mappings) {
    if (choice.m != ops_.m() || choice.n != ops_.n() || choice.k != ops_.k()) continue;
    const double density = ops_.a_density();
    if (density >= choice.a_density_from && density <= choice.a_density_to) return &choice;
  }
  return nullptr;
}

FabricLoad FabricProduct::load() const {
  FabricLoad load;
  load.n = ops_.n();
  load.times = instance_.times;
  load.b_sums = [this](const FabricMapping& mapping) -> const std::vector<double>& {
    return b_sums(mapping);
  };
  load.b_bytes = instance_.b.on_chip ? 0 : instance_.b_footprint * spec_.word_bytes();
  load.work = [this](const FabricMapping& mapping) { return work(mapping); };
  load.a_port_bytes = a_words(0, ops_.m(), 0, ops_.k(), 0).all() * spec_.word_bytes();
  load.b_port_bytes = b_words(0, ops_.n(), 0, ops_.k(), 0).all() * spec_.word_bytes();
  if (!instance_.z_on_chip) load.z_words = z_words().all();
  return load;
}

std::vector<double> FabricProduct::a_groups(const FabricMapping& mapping) const {
  std::vector<double> bytes;
  const double fetched = instance_.a.on_chip ? 0 : spec_.word_bytes();
  const std::uint64_t rows = mapping.rows;
  for (std::uint64_t m = 0; m < ops_.m(); m += rows) {
    const std::uint64_t of = std::min(rows, ops_.m() - m);
    bytes.push_back(a_words(m, of, 0, ops_.k(), mapping.array_rows).all() * fetched);
  }
  return bytes;
}

const std::vector<double>& FabricProduct::b_sums(const FabricMapping& mapping) const {
  const auto [found, is_new] = known_b_sums_.try_emplace(any_zeros_ ? mapping.array_columns : 0);
  std::vector<double>& sums = found->second;
  if (!is_new) return sums;
  sums.reserve(ops_.n() + 1);
  sums.push_back(0);
  for (std::uint64_t n = 0; n < ops_.n(); ++n) {
    sums.push_back(sums.back() + b_words(n, 1, 0, ops_.k(), mapping.array_columns).all());
  }
  return sums;
}

double FabricProduct::all_a_words(const FabricMapping& mapping) const {
  const auto [found, is_new] = known_a_words_.try_emplace(any_zeros_ ? mapping.array_rows : 0);
  if (is_new) found->second = a_words(0, ops_.m(), 0, ops_.k(), mapping.array_rows).all();
  return found->second;
}

/// Words of one position of A at most.
double FabricProduct::most_a_words(const FabricMapping& mapping) const {
  const OperandStorage& storage = instance_.a;
  double data = 1, metadata = 0;
  if (any_zeros_) {
    if (work_.a_compressed) metadata = tiled_mask(mapping.array_rows);
  } else if (work_.a_compressed) {
    data = da_;
    metadata = da_ * metadata_words(work_.a_pattern, spec_.a.storage, spec_.word_bits);
  } else if (a_bitmask_) {
    metadata = 1.0 / spec_.word_bits;
  }
  return data * storage.width + metadata + data * storage.scale_words;
}

double FabricProduct::most_b_words(const FabricMapping& mapping) const {
  const OperandStorage& storage = instance_.b;
  double data = 1, metadata = 0;
  if (work_.b_compressed) {
    switch (spec_.b.storage) {
      case FabricStorage::tiled_bitmask:
        metadata = tiled_mask(mapping.array_columns);
        break;
      case FabricStorage::bitmask:
        if (!work_.b_pattern.pattern.is_dense()) data = db_;
        metadata = 1.0 / spec_.word_bits;
        break;
      case FabricStorage::block_offsets:
        metadata = b_metadata_words_ / (real(ops_.n()) * real(ops_.k()));
        break;
      default:
        data = db_;
        metadata = db_ * metadata_words(work_.b_pattern, spec_.b.storage, spec_.word_bits);
    }
  }
  return data * storage.width + metadata + data * storage.scale_words;
}

double FabricProduct::largest_b_column(const FabricMapping& mapping) const {
  const double fetched = instance_.b.on_chip ? 0 : instance_.b_footprint;
  return real(padded_k_of_b_) * most_b_words(mapping) * spec_.word_bytes() * fetched;
}

FabricChunk FabricProduct::largest_chunk(const FabricMapping& mapping) const {
  FabricChunk chunk;
  chunk.pieces = chunks_for(mapping);
  const std::uint64_t steps = ceil_div(ceil_div(ops_.k(), work_.step_k), chunk.pieces);
  const std::uint64_t all = std::max({work_.padded_k, padded_k_of_b_, ops_.k()});
  const double bytes = real(std::min(all, steps * work_.step_k)) * spec_.word_bytes();
  const std::uint64_t rows = std::min(mapping.rows, ops_.m());
  const std::uint64_t columns = std::min(mapping.columns, ops_.n());
  const FabricInstance& instance = instance_;
  if (!instance.a.on_chip) chunk.a = real(rows) * bytes * most_a_words(mapping);
  if (!instance.b.on_chip) {
    chunk.b = real(columns) * bytes * most_b_words(mapping) * instance.b_footprint;
  }
  return chunk;
}

std::uint64_t FabricProduct::chunks_for(const FabricMapping& map) const {
  const double k_bytes = real(ops_.k()) * spec_.word_bytes();
  double wanted = wanted_chunks(spec_, ops_.k(), std::max(map.rows, map.columns));
  // What streams through the window of an overbooked tile must fit it twice: used and arriving.
  const auto windowed = [&](const FabricHolding& holding, double room, std::uint64_t edge,
                            double width) {
    const double half = real(holding.window.count()) / 2;
    if (holding.policy != BufferPolicy::tailors || half <= 0 || room <= 0) return;
    wanted = std::max(wanted, real(edge) * k_bytes * (width + 0.125) / half);
  };
  windowed(spec_.glb.b, map.b_room, map.columns, instance_.b.width);
  windowed(spec_.glb.a, map.a_room, map.rows, instance_.a.width);
  return std::min(ceil_div(ops_.k(), work_.step_k), whole_up(wanted));
}

/// The product as a mapping cuts it.
ArrayWork FabricProduct::work(const FabricMapping& map) const {
  ArrayWork work = work_;
  work.rows = map.rows;
  work.columns = map.columns;
  work.array_rows = map.array_rows;
  work.array_columns = map.array_columns;
  work.chunks = chunks_for(map);
  if (any_zeros_ && work.a_compressed) {
    work.a_mask_words = real(map.array_rows) * tiled_mask(map.array_rows);
  }
  if (any_zeros_ && work.b_compressed) {
    work.b_mask_words = real(map.array_columns) * tiled_mask(map.array_columns);
  }
  work.a_words = all_a_words(map);
  work.b_words = b_sums(map).back();
  return work;
}

void FabricProduct::check_instructions(const ArrayWork& work) const {
  const double instructions = real(work.m_tiles()) * real(work.n_tiles()) * real(work.chunks);
  if (instructions > kMostInstructions) refuse_instructions(spec_, shape(), instructions);
}

/// One bit for every element and a flag for each K coordinate of an array's tile, in words. Before
/// there is a mapping, of the machine's first tile.
double FabricProduct::tiled_mask(std::uint64_t tile) const {
  if (tile == 0) tile = spec_.arrays.tiles.front().second;
  return (1 + 1.0 / real(tile)) / spec_.word_bits;
}

FabricWords FabricProduct::a_words(std::uint64_t first, std::uint64_t rows, std::uint64_t k0,
                                   std::uint64_t k1, std::uint64_t tile) const {
  const OperandStorage& storage = instance_.a;
  FabricWords words;
  if (any_zeros_) {
    words.data = real(rows) * real(k1 - k0);
    if (work_.a_compressed) {
      words = {real(ops_.a().count(first, first + rows, k0, k1)), words.data * tiled_mask(tile)};
    }
  } else if (work_.a_compressed) {
    // Slots, also those that a sparser group leaves empty: the format cannot leave them out.
    const std::uint64_t end = k1 == ops_.k() ? work_.padded_k : k1;
    words.data = real(rows) * real(end - k0) * da_;
    words.metadata = words.data * metadata_words(work_.a_pattern, spec_.a.storage, spec_.word_bits);
  } else if (a_bitmask_) {
    words = {real(ops_.a().count(first, first + rows, k0, k1)),
             real(rows) * real(k1 - k0) / spec_.word_bits};
  } else {
    words.data = real(rows) * real(k1 - k0);
  }
  return {words.data * storage.width, words.metadata + words.data * storage.scale_words};
}

FabricWords FabricProduct::b_words(std::uint64_t first, std::uint64_t columns, std::uint64_t k0,
                                   std::uint64_t k1, std::uint64_t tile) const {
  const OperandStorage& storage = instance_.b;
  const double positions = real(columns) * real(k1 - k0);
  FabricWords words{positions, 0};
  if (work_.b_compressed) {
    // Slots of a pattern, those of the last block too, which may not be whole.
    const double slots = real(columns) * real((k1 == ops_.k() ? padded_k_of_b_ : k1) - k0) * db_;
    const auto nonzeros = [&] {
      return real(ops_.b_transposed().count(first, first + columns, k0, k1));
    };
    switch (spec_.b.storage) {
      case FabricStorage::tiled_bitmask:
        words = {nonzeros(), positions * tiled_mask(tile)};
        break;
      case FabricStorage::bitmask:
        words = {work_.b_pattern.pattern.is_dense() ? nonzeros() : slots,
                 positions / spec_.word_bits};
        break;
      case FabricStorage::block_offsets:
        words = {nonzeros(), positions / (real(ops_.n()) * real(ops_.k())) * b_metadata_words_};
        break;
      default:
        words = {slots, slots * metadata_words(work_.b_pattern, spec_.b.storage, spec_.word_bits)};
    }
  }
  return {words.data * storage.width, words.metadata + words.data * storage.scale_words};
}

void FabricProduct::fill_words(ArrayProduct& product) const {
  for (std::uint64_t m = 0; m < product.m_tiles(); ++m) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < product.chunks; ++c) {
      product.a.push_back(a_words(m * product.rows, product.rows_of(m), product.first_k(c),
                                  product.first_k(c + 1), product.array_rows));
    }
  }
  for (std::uint64_t n = 0; n < product.n_tiles(); ++n) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < product.chunks; ++c) {
      product.b.push_back(b_words(n * product.columns, product.columns_of(n), product.first_k(c),
                                  product.first_k(c + 1), product.array_columns));
    }
  }
}

FabricPart FabricProduct::finish(const FabricMapping& mapping, std::uint64_t a_groups) const {
  ArrayProduct product;
  static_cast<ArrayWork&>(product) = work(mapping);
  check_instructions(product);
  fill_words(product);
  product.a_footprint = instance_.a.on_chip ? 0 : 1;
  product.b_footprint = instance_.b.on_chip ? 0 : instance_.b_footprint;
  product.z = z_words();
  product.z_on_chip = instance_.z_on_chip;
  return {
      instance_, mapping,
      std::make_shared<FabricSchedule>(std::move(product), mapping, spec_.word_bytes(), a_groups)};
}

/// Words of the outputs as they leave.
FabricWords FabricProduct::z_words() const {
  const double places = real(ops_.m()) * real(ops_.n());
  FabricWords z{places * instance_.z_width, 0};
  if (spec_.compress_outputs && !instance_.z_on_chip) {
    const double mask = places / spec_.word_bits;
    const double nonzeros = real(ops_.z_nonzeros()) * instance_.z_width;
    if (nonzeros + mask < z.data) z = {nonzeros, mask};
  }
  // A product's outputs leave in whole bytes.
  const double bytes = z.all() * spec_.word_bytes();
  z.data += (std::ceil(bytes * (1 - 1e-12)) - bytes) / spec_.word_bytes();
  return z;
}

}  // namespace lacuna
