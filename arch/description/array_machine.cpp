// SPDX-License-Identifier: Apache-2.0
#include "arch/description/array_machine.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include "arch/description/array_buffers.hpp"
#include "arch/description/price_spec.hpp"
#include "arch/description/read_parts.hpp"

namespace lacuna::description {
namespace {

class Builder {
 public:
  Builder(const ConfigReader& config, const Machine& machine) : config_(config), m_(machine) {}

  FabricSpec build() {
    spec_.name = m_.name;
    spec_.description = m_.description;
    spec_.clock = m_.clock;
    spec_.contention = m_.contention;
    words();
    buffers_.emplace(config_, m_, spec_);
    memory();
    buffers_->buffer();
    registers();
    buffers_->shared_level();
    overlap();
    for (std::size_t i = 0; i < m_.units.size(); ++i) install(i);
    if (m_.find_multiplier() == nullptr) {
      config_.fail("units", "no unit multiplies", "one of class mac-array, for instance");
    }
    spread();
    registers_of_arrays();
    operands();
    partition();
    spec_.tiling.seed = m_.dataflow.seed;
    mappings();
    prices();
    features();
    refuse_the_rest();
    return spec_;
  }

 private:
  void overlap() {
    const bool clusters = spec_.shared.has_value();
    spec_.overlap = m_.overlap.value_or(!clusters);
    if (spec_.overlap && clusters) {
      config_.fail("overlap", "operations overlap behind one buffer, not in clusters of them",
                   kYet);
    }
  }

  void words() {
    const Precision& a = m_.precision.at("A");
    if (!(a == m_.precision.at("B"))) {
      config_.mapping("precision").fail("B", "operands of one precision are multiplied", kYet);
    }
    spec_.precision = a.name;
    spec_.word_bits = a.bits;
    spec_.z_width = static_cast<double>(m_.precision.at("Z").bits) / a.bits;
  }

  void memory() {
    const ConfigReader entry = config_.mapping("memory");
    const Memory& memory = m_.memory;
    spec_.dram.read_words = buffers_->in_words(memory.read);
    spec_.dram.write_words = buffers_->in_words(memory.write);
    spec_.dram.shared = memory.shared;
    spec_.dram.latency = memory.latency;
    spec_.dram.chunk = memory.request;
    spec_.dram.outstanding = memory.outstanding;
    spec_.dram.capacity = memory.capacity.value_or(Bytes());
    spec_.dram.banked = memory.banked;
    if (memory.picojoules_per_bit)
      entry.fail("energy", "arrays price memory by its type", "type: lpddr4");
    spec_.dram.kind = memory.price;
    spec_.dram.kind_place = entry.place(entry.has("price") ? "price" : "type");
    if (!memory.holds.empty()) entry.fail("holds", "operands lie in memory as in the buffer", kYet);
  }

  /// Partial sums of one array.
  void registers() {
    const Level& level = m_.levels[buffers_->of_sums()];
    const ConfigReader entry = buffers_->level_entry(buffers_->of_sums());
    const double bytes = static_cast<double>(m_.precision.at("Z").bits) / 8;
    if (!level.capacity) entry.fail("capacity", "registers have a size", "capacity: 2 KiB");
    spec_.arrays.rf_words =
        static_cast<std::uint64_t>(static_cast<double>(level.capacity->count()) / bytes);
    if (spec_.arrays.rf_words == 0) entry.fail("capacity", "no partial sum fits");
    if (buffers_->of_sums() == buffers_->before_arrays()) return;
    if (level.ports.write < level.ports.read) {
      entry.mapping("ports").fail("write", "a sum that is read is written at the same rate", kYet);
    }
    if (level.slices != 1) entry.fail("slices", "registers of an array are one memory", kYet);
    if (level.banks > 0) entry.fail("banks", "registers have the banks of their price", kYet);
    if (level.metadata) entry.fail("metadata", "partial sums have none");
    spec_.arrays.psum_words_per_cycle = buffers_->or_none(level.ports.read);
  }

  void install(std::size_t i) {
    const UnitEntry& unit = m_.units[i];
    const ConfigReader entry = config_.mappings("units")[i];
    if (!unit.enabled) return;
    if (!unit.traits.install)
      entry.fail("class", fmt::format("'{}' is no unit beside arrays", unit.unit_class), kYet);
    if (unit.count != 1) entry.fail("count", "one unit of each kind stands at its level", kYet);
    unit.traits.install(spec_);
  }

  /// Arrays side by side along M and N: loops spread over the registers' instances.
  void spread() {
    std::uint64_t arrays = 1;
    spec_.arrays.across_m = spec_.arrays.across_n = 1;
    for (const Spatial& spatial : m_.dataflow.spatial) {
      if (spatial.over != m_.levels[buffers_->of_sums()].name) continue;
      const std::uint64_t extent = buffers_->extent_of(spatial.digit);
      arrays *= extent;
      if (spatial.digit.rank == "M") {
        spec_.arrays.across_m *= extent;
      } else if (spatial.digit.rank == "N") {
        spec_.arrays.across_n *= extent;
      } else {
        config_.mapping("dataflow")
            .mapping("spatial")
            .fail(spatial.digit.text(), "arrays stand side by side along M and N", kYet);
      }
    }
    const std::uint64_t instances = buffers_->of_sums() == buffers_->before_arrays()
                                        ? 1
                                        : m_.levels[buffers_->of_sums()].instances;
    if (arrays != instances) {
      buffers_->level_entry(buffers_->of_sums())
          .fail("instances",
                fmt::format("{} arrays, the loops are spread over {}", instances, arrays));
    }
  }

  /// Whether a loop of the rank is spread over the multipliers of an array.
  [[nodiscard]] bool spread_over_multipliers(std::string_view rank) const {
    const std::string within = m_.find_multiplier()->name + ".";
    return std::any_of(m_.dataflow.spatial.begin(), m_.dataflow.spatial.end(),
                       [&](const Spatial& spatial) {
                         return spatial.digit.rank == rank && spatial.over.starts_with(within);
                       });
  }

  void check_extents(std::uint64_t m, std::uint64_t n) const {
    const auto [rows, columns] = spec_.arrays.tiles.front();
    for (const auto& [digit, is, has] : {std::tuple("M0", m, rows), std::tuple("N0", n, columns)}) {
      if (is == has) continue;
      config_.mapping("dataflow")
          .mapping("partition")
          .fail(digit, fmt::format("{} outputs along {}, the array has {}", is, digit[0], has),
                fmt::format("{}: {}", digit, has));
    }
  }

  void registers_of_arrays() {
    auto& arrays = spec_.arrays;
    if (!arrays.tiles.empty() && !spread_over_multipliers("N")) {
      config_.mapping("dataflow")
          .fail("spatial", "outputs stay in the elements of the array: M and N are spread over it",
                "M0: {over: array.rows}, N0: {over: array.columns}");
    }
    if (spread_over_multipliers("N")) {
      // Tiles of outputs whose partial sums fill the registers: both shapes of the two extents.
      const std::uint64_t m = buffers_->extent_of({"M", 0, false}),
                          n = buffers_->extent_of({"N", 0, false});
      if (m * n > arrays.rf_words) {
        buffers_->level_entry(buffers_->of_sums())
            .fail("capacity", fmt::format("a tile of {} x {} does not fit", m, n));
      }
      if (!arrays.tiles.empty()) {  // the array takes tiles of its own extents alone
        check_extents(m, n);
        return;
      }
      arrays.tiles = {{m, n}};
      if (m != n) arrays.tiles.emplace_back(n, m);
      return;
    }
    arrays.columns = arrays.rf_words / arrays.rows;
    if (arrays.columns == 0) {
      buffers_->level_entry(buffers_->of_sums())
          .fail("capacity",
                fmt::format("registers of {} words hold no partial sum for each of the "
                            "{} rows",
                            arrays.rf_words, arrays.rows),
                "larger registers, or fewer rows");
    }
    for (const auto& [digit, size] : m_.dataflow.partition) {
      if (digit.rank != "N" || digit.whole || digit.number != 0) continue;
      if (size.kind != SizeKind::kExtent) continue;
      if (size.extent > arrays.columns) {
        buffers_->level_entry(buffers_->of_sums())
            .fail("capacity", fmt::format("{} rows of {} columns have more partial sums than "
                                          "the {} that an array holds",
                                          arrays.rows, size.extent, arrays.rf_words));
      }
      arrays.columns = size.extent;
    }
  }

  /// How zeros are left out of what is stored.
  [[nodiscard]] FabricStorage storage(const TensorFormat& format, const ConfigReader& entry) const {
    std::string text;
    for (const RankFormat& rank : format.ranks) {
      text += rank.structured ? "S" : "";
      switch (rank.encoding.kind) {
        case EncodingKind::uncompressed:
          text += "U";
          break;
        case EncodingKind::bitmask:
          text += "B";
          break;
        case EncodingKind::coordinate_payload:
          text += "C";
          break;
        case EncodingKind::run_length:
          text += "R";
          break;
        case EncodingKind::offset_pairs:
          text += "O";
          break;
        default:
          text += "?";
      }
    }
    if (text == "UU") return FabricStorage::uncompressed;
    if (text == "USC") return FabricStorage::coordinates;
    if (text == "USR") return FabricStorage::run_lengths;
    if (text == "UB") return FabricStorage::bitmask;
    if (text == "UBB") return FabricStorage::tiled_bitmask;
    if (text == "UOC") return FabricStorage::block_offsets;
    entry.fail("ranks", "arrays do not read this format",
               "[U, U], [U, B], [U, \"HSS(CP)\"], [U, \"HSS(RLE)\"], or [U, B, B] of tiles, [U, "
               "UOP, CP] of B's blocks");
  }

  void operand(const Holding& holding, FabricOperandSpec& spec) const {
    const ConfigReader entry = buffers_->holding_entry(buffers_->before_arrays(), holding.tensor);
    if (holding.format) spec.storage = storage(*holding.format, entry.mapping("format"));
    if (!holding.otherwise) return;
    spec.unstructured_storage = storage(*holding.otherwise, entry.mapping("otherwise"));
    if (spec.unstructured_storage != FabricStorage::bitmask &&
        spec.unstructured_storage != FabricStorage::uncompressed) {
      entry.fail("otherwise", "what obeys no structure is stored plain or with a bitmask");
    }
  }

  void operands() {
    const Level& level = m_.levels[buffers_->before_arrays()];
    operand(*level.find("A"), spec_.a);
    if (spec_.a.storage == FabricStorage::block_offsets) {
      buffers_->holding_entry(buffers_->before_arrays(), "A")
          .mapping("format")
          .fail("ranks", "A is stationary: its metadata selects B, block offsets cannot");
    }
    operand(*level.find("B"), spec_.b);
    spec_.b_dense_from = level.find("B")->uncompressed_from;
    spec_.keep_metadata = level.find("A")->keep_metadata;
  }

  /// The strategy that sizes the tiles of B which stay; who is the outer loop, when it is given.
  void partition() {
    for (const auto& [digit, size] : m_.dataflow.partition) {
      const bool strategy = size.kind == SizeKind::kPrescient || size.kind == SizeKind::kSwiftiles;
      if (!strategy || (buffers_->is_shared() && !buffers_->sizes_tiles_of_b(digit))) continue;
      if (digit.rank != "N" || size.tensor != "B") {
        config_.mapping("dataflow")
            .mapping("partition")
            .fail(digit.text(), "tiles of B are sized by what they hold, along N", kYet);
      }
      spec_.tiling.strategy =
          size.kind == SizeKind::kPrescient ? TilingStrategy::prescient : TilingStrategy::swiftiles;
      if (size.kind == SizeKind::kPrescient) continue;
      spec_.tiling.overbooked_share = size.overbooked_share;
      spec_.tiling.tail_samples = size.tail_samples;
    }
    for (const Digit& digit : m_.dataflow.loops.loops()) {
      spec_.arrays.whole_columns = spec_.arrays.whole_columns || (digit.rank == "N" && digit.whole);
    }
    if (m_.dataflow.order_free) return;
    // Loops that pick the shared level's tiles stand outside those of the buffer.
    const auto& nest = m_.dataflow.loops.loops();
    const std::size_t first =
        buffers_->is_shared()
            ? std::max(buffers_->depth_below(0, "A"), buffers_->depth_below(0, "B")) + 1
            : std::size_t{0};
    for (std::size_t i = first; i < nest.size(); ++i) {
      if (nest[i].rank == "K") continue;
      spec_.order = nest[i].rank == "M" ? FabricOuter::a : FabricOuter::b;
      return;
    }
  }

  void prices() {
    spec_.energy.table = m_.prices.table;
    spec_.energy.set = m_.prices.set;
    spec_.prices = price_spec(m_);
    spec_.energy.saf = m_.prices.saf;
  }

  void mappings() {
    for (const ConfigReader& entry : config_.mapping("dataflow").mappings("mappings")) {
      spec_.mappings.push_back(read_mapping(entry, spec_));
    }
    if (!spec_.mappings.empty() && buffers_->is_shared()) {
      config_.mapping("dataflow").fail("mappings", "clusters are mapped by the mapper", kYet);
    }
  }

  /// Each idea switched off by itself.
  void features() {
    if (!m_.features.hss && spec_.a.skips_unstructured) {
      config_.mapping("features")
          .fail("structured_sparsity", "arrays that skip any zeros follow no patterns", kYet);
    }
    if (!m_.features.hss) {
      // The datapath for structured operands as a whole: patterns of A, fetch unit, gating,
      // compression of outputs.
      spec_.a.patterns = {{Pattern::dense(), 0}};
      spec_.a.storage = FabricStorage::uncompressed;
      spec_.b.gating = spec_.vfmu = spec_.compress_outputs = false;
    }
    if (!m_.features.tailors) {
      spec_.glb.a.policy = spec_.glb.b.policy = BufferPolicy::buffet;
      if (spec_.shared) {
        for (FabricHolding* of : {&spec_.shared->a, &spec_.shared->b}) {
          if (of->policy == BufferPolicy::tailors) of->policy = BufferPolicy::buffet;
        }
      }
      // What varies in occupancy needs the buffers that can hold it.
      spec_.a.unstructured_storage = FabricStorage::uncompressed;
    }
    if (m_.features.swiftiles) return;
    for (TilingStrategy* of :
         {&spec_.tiling.strategy, spec_.shared ? &spec_.shared->strategy : nullptr}) {
      if (of != nullptr && *of == TilingStrategy::swiftiles) *of = TilingStrategy::prescient;
    }
  }

  void refuse_the_rest() const {
    if (m_.strict) config_.fail("strict", "what arrays cannot hold is refused in any case", kYet);
    if (m_.memory.burst.count() != 1) {
      config_.mapping("memory").fail("burst", "operands of arrays come in whole requests", kYet);
    }
    if (m_.dataflow.edges != TilingStrategy::fixed) {
      config_.mapping("dataflow").fail("edges", "the arrays say what their tiles are", kYet);
    }
    const ConfigReader dataflow = config_.mapping("dataflow");
    if (m_.dataflow.growth != Growth::k_first) dataflow.fail("growth", "tiles grow along N", kYet);
    if (m_.dataflow.aspect != 1) dataflow.fail("aspect", "tiles grow along N", kYet);
    if (m_.dataflow.lookahead != Dataflow{}.lookahead) {
      dataflow.fail("lookahead", "arrays take one instruction after another", kYet);
    }
    if (!(m_.bound.dram && m_.bound.compute && m_.bound.network && m_.bound.intersect_k1)) {
      config_.mapping("bound").fail("blocks", "the bound of arrays counts all of their blocks",
                                    kYet);
    }
    const Level& level = m_.levels[buffers_->before_arrays()];
    if (level.find("A")->uncompressed_from > 0) {
      buffers_->holding_entry(buffers_->before_arrays(), "A")
          .fail("uncompressed_from", "B alone is stored plain where both are dense", kYet);
    }
    if (level.find("B")->keep_metadata) {
      buffers_->holding_entry(buffers_->before_arrays(), "B")
          .fail("keep_metadata", "A alone keeps its metadata", kYet);
    }
    if (!m_.dataflow.by_workload.empty()) {
      config_.mapping("dataflow")
          .fail("by_workload", "use `mappings`, by the product's edges", kYet);
    }
    if (!m_.intersect.empty()) config_.fail("intersect", "arrays intersect inside", kYet);
    for (const Output& output : m_.outputs) {
      if (output.on_evict != Eviction::kRefuse) {
        config_.mapping("outputs")
            .mapping(output.tensor)
            .fail("on_evict", "sums of arrays stay", kYet);
      }
    }
    for (const Spatial& spatial : m_.dataflow.spatial) {
      if (spatial.dispatch == Dispatch::kStatic) continue;
      config_.mapping("dataflow")
          .mapping("spatial")
          .mapping(spatial.digit.text())
          .fail("dispatch", "arrays work in step", kYet);
    }
  }

  const ConfigReader& config_;
  const Machine& m_;
  FabricSpec spec_;
  std::optional<ArrayBuffers> buffers_;
};

}  // namespace

bool is_description(const ConfigReader& config) {
  return config.has("levels");
}

FabricSpec array_machine(const ConfigReader& config, const Machine& machine) {
  return Builder(config, machine).build();
}

}  // namespace lacuna::description
