// SPDX-License-Identifier: Apache-2.0
#include "arch/description/array_machine.hpp"

#include <algorithm>
#include <cmath>

#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

constexpr std::uint64_t kMetadataAccess = 64;  // bits of one access of the metadata's memory

bool holds(const Level& level, std::string_view tensor) {
  return level.find(tensor) != nullptr;
}

class Builder {
 public:
  Builder(const ConfigReader& config, const Machine& machine) : config_(config), m_(machine) {}

  FabricSpec build() {
    find_levels();
    spec_.name = m_.name;
    spec_.description = m_.description;
    spec_.clock = m_.clock;
    spec_.contention = m_.contention;
    words();
    memory();
    buffer();
    registers();
    shared_level();
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
  [[nodiscard]] ConfigReader level_entry(std::size_t i) const {
    return config_.mappings("levels")[i];
  }
  [[nodiscard]] ConfigReader holding_entry(std::size_t level, std::string_view tensor) const {
    return level_entry(level).mapping("holds").mapping(tensor);
  }

  /// One level of operands, or one that clusters share and one of their own; inside it at most one
  /// of outputs alone.
  void find_levels() {
    std::vector<std::size_t> of_operands;
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      if (holds(m_.levels[i], "A") || holds(m_.levels[i], "B")) of_operands.push_back(i);
    }
    if (of_operands.empty() || of_operands.back() + 1 != of_operands.size()) {
      level_entry(0).fail("holds", "the outermost level holds A and B", kYet);
    }
    if (of_operands.size() > 2) {
      level_entry(2).fail(
          "name", fmt::format("'{}' is a third level of operands", m_.levels[2].name), kYet);
    }
    buffer_ = of_operands.back();
    shared_ = buffer_ == 1;
    inner_ = std::min(buffer_ + 1, m_.levels.size() - 1);
    const Level& buffer = m_.levels[buffer_];
    if (holds(buffer, "A") != holds(buffer, "B")) {
      level_entry(buffer_).fail("holds", "the buffer before the arrays holds A and B", kYet);
    }
    if (m_.levels.size() > buffer_ + 2) {
      level_entry(buffer_ + 2).fail("name", "there are two levels of outputs", kYet);
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

  [[nodiscard]] double in_words(double bytes_per_cycle) const {
    return bytes_per_cycle / spec_.word_bytes();
  }
  /// The rate of a port that is never waited for is 0 there.
  [[nodiscard]] double or_none(double bytes_per_cycle) const {
    return std::isfinite(bytes_per_cycle) ? in_words(bytes_per_cycle) : 0;
  }

  void memory() {
    const ConfigReader entry = config_.mapping("memory");
    const Memory& memory = m_.memory;
    spec_.dram.read_words = in_words(memory.read);
    spec_.dram.write_words = in_words(memory.write);
    spec_.dram.shared = memory.shared;
    spec_.dram.latency = memory.latency;
    spec_.dram.chunk = memory.request;
    spec_.dram.outstanding = memory.outstanding;
    if (memory.picojoules_per_bit)
      entry.fail("energy", "arrays price memory by its type", "type: lpddr4");
    spec_.dram.kind = memory.type;
    spec_.dram.kind_place = entry.place("type");
    if (!memory.holds.empty()) entry.fail("holds", "operands lie in memory as in the buffer", kYet);
  }

  /// The link that leads into a level.
  [[nodiscard]] std::size_t link_into(std::size_t level) const {
    for (std::size_t i = 0; i < m_.links.size(); ++i) {
      if (m_.links[i].to == m_.levels[level].name) return i;
    }
    return 0;  // every level has one: see check_machine.cpp
  }
  /// What the port of a level and the link that leads inside give together.
  [[nodiscard]] double rate_inside(std::size_t level) const {
    if (level + 1 == m_.levels.size()) return m_.levels[level].ports.read;
    return std::min(m_.levels[level].ports.read, m_.links[link_into(level + 1)].bandwidth);
  }
  void no_latency(std::size_t level, const char* why) const {
    const std::size_t link = link_into(level);
    if (m_.links[link].latency.count() == 0) return;
    config_.mappings("links")[link].fail("latency", why, kYet);
  }

  void buffer() {
    const Level& level = m_.levels[buffer_];
    const ConfigReader entry = level_entry(buffer_);
    if (!level.capacity) entry.fail("capacity", "operands share one memory", kYet);
    if (level.capacity->count() < 1024) entry.fail("capacity", "the buffer is smaller than 1 KiB");
    if (level.instances != 1 && !shared_) {
      entry.fail("instances", "clusters stand behind a level that they share", kYet);
    }
    spec_.glb.capacity = *level.capacity;
    spec_.glb.metadata = level.metadata.value_or(Bytes(0));
    spec_.glb.slices = level.slices;
    spec_.glb.line_words = words_of_line(buffer_);
    spec_.glb.words_per_cycle = in_words(rate_inside(buffer_));
    if (inner_ != buffer_) spec_.glb.latency = m_.links[link_into(inner_)].latency;
    spec_.glb.write_words_per_cycle = or_none(level.ports.write);
    no_latency(0, "memory's own latency is that of its link");
    if (m_.links[link_into(0)].bandwidth < m_.memory.read) {
      config_.mappings("links")[link_into(0)].fail("bandwidth",
                                                   "the memory's own rate bounds its link", kYet);
    }
    spec_.glb.a = holding(buffer_, "A");
    spec_.glb.b = holding(buffer_, "B");
    for (const auto& [tensor, of] : {std::pair("A", &spec_.glb.a), std::pair("B", &spec_.glb.b)}) {
      if (of->policy != BufferPolicy::tailors) continue;
      if (of->window.count() * 4 <= spec_.glb.capacity.count()) continue;
      const ConfigReader own = holding_entry(buffer_, tensor);
      throw InputError(blamed({own.place("window"), entry.place("capacity"), own.place("policy")}),
                       fmt::format("the streaming window is a quarter of the buffer at most: the "
                                   "window of {} is {}, the capacity {}",
                                   tensor, to_text(of->window), to_text(spec_.glb.capacity)),
                       "16 KiB hides 500 cycles of DRAM latency at 32 B/cycle");
    }
  }

  /// Whole operands in an access.
  [[nodiscard]] std::uint64_t words_of_line(std::size_t level) const {
    const double words = in_words(static_cast<double>(m_.levels[level].line.count()));
    if (words != std::floor(words)) {
      level_entry(level).fail("line",
                              fmt::format("a line of {} holds {:g} operands of {} bits",
                                          to_text(m_.levels[level].line), words, spec_.word_bits),
                              "a line holds whole operands, at least one");
    }
    check_slices(level);
    return static_cast<std::uint64_t>(words);
  }

  /// Each slice is a memory that holds at least the bits of one access.
  void check_slices(std::size_t i) const {
    const Level& level = m_.levels[i];
    const ConfigReader entry = level_entry(i);
    const auto slice = [&level](Bytes bytes) { return bytes.count() / level.slices; };
    if (slice(*level.capacity) < level.line.count()) {
      throw InputError(
          blamed({entry.place("capacity"), entry.place("line"), entry.place("slices")}),
          fmt::format("a slice of {} B ({} in {}) is smaller than its line of {}",
                      slice(*level.capacity), to_text(*level.capacity), level.slices,
                      to_text(level.line)),
          "make the buffer larger, its line shorter or its slices fewer");
    }
    const Bytes metadata = level.metadata.value_or(Bytes(0));
    if (metadata.count() > 0 && slice(metadata) < kMetadataAccess / 8) {
      throw InputError(
          blamed({entry.place("metadata"), entry.place("slices")}),
          fmt::format("{} B of metadata in each slice are less than one access of {} B",
                      slice(metadata), kMetadataAccess / 8),
          "make it larger, or 0 B for a machine without");
    }
  }

  /// How a level holds a tensor; nothing of it when the tensor passes by.
  [[nodiscard]] FabricHolding holding(std::size_t level, const char* tensor) const {
    FabricHolding out;
    const Holding* const found = m_.levels[level].find(tensor);
    if (found == nullptr) return out;
    const ConfigReader entry = holding_entry(level, tensor);
    out.policy = found->policy == Policy::kTailors ? BufferPolicy::tailors
                 : found->policy == Policy::kCache ? BufferPolicy::cache
                                                   : BufferPolicy::buffet;
    if (out.policy == BufferPolicy::cache) cache(level, tensor, *found, out);
    out.window = found->window;
    out.share = found->share.value_or(0);
    return out;
  }

  /// Lines and ways; only a level that others read may be one.
  void cache(std::size_t level, const char* tensor, const Holding& found,
             FabricHolding& out) const {
    const ConfigReader entry = holding_entry(level, tensor);
    if (level == buffer_ || *tensor == 'Z') {
      entry.fail("policy", "arrays are not fed by a cache, outputs do not lie in one", kYet);
    }
    out.line = m_.levels[level].line.count();
    out.ways = found.ways;
    const double lines = std::floor(found.share.value_or(0) *
                                    static_cast<double>(m_.levels[level].capacity->count()) /
                                    static_cast<double>(out.line));
    if (lines < 1 || static_cast<double>(out.ways) > lines) {
      entry.fail(
          "ways",
          fmt::format("{} ways in a room of {:.0f} lines of {} B", out.ways, lines, out.line),
          "fewer ways, or more room");
    }
  }

  /// The level between memory and the clusters' buffers.
  void shared_level() {
    if (!shared_) return;
    const Level& level = m_.levels[0];
    const ConfigReader entry = level_entry(0);
    FabricSharedLevel out;
    if (!level.capacity) entry.fail("capacity", "the level's tensors share one memory", kYet);
    if (level.metadata) entry.fail("metadata", "data and metadata lie together here", kYet);
    if (level.instances != 1) entry.fail("instances", "one level is shared by all clusters", kYet);
    out.name = level.name;
    out.capacity = *level.capacity;
    out.line_words = words_of_line(0);
    out.slices = level.slices;
    out.read_words = or_none(rate_inside(0));
    out.write_words = or_none(level.ports.write);
    const Link& link = m_.links[link_into(1)];
    out.latency = link.latency;
    out.multicast = link.multicast;
    out.a = holding(0, "A");
    out.b = holding(0, "B");
    out.z = holding(0, "Z");
    for (const Holding& of : level.holds) check_room(of, *level.capacity);
    strategy(out);
    spec_.shared = std::move(out);
    spec_.clusters = m_.levels[buffer_].instances;
    clusters_along_m();
    blocks_outside();
  }

  /// Operands that clusters take in turn have room for two requests of each; outputs for one.
  void check_room(const Holding& of, Bytes capacity) const {
    const ConfigReader own = holding_entry(0, of.tensor);
    if (!of.share) own.fail("share", "tensors of a shared level have shares", "share: 0.4");
    const bool tailors = of.policy == Policy::kTailors;
    const double share = *of.share * static_cast<double>(capacity.count());
    const double room = tailors ? static_cast<double>(of.window.count()) : share;
    const std::uint64_t requests = of.tensor == "A"   ? 2 * m_.levels[buffer_].instances
                                   : of.tensor == "B" ? 2
                                                      : 1;
    const double least = static_cast<double>(requests * m_.memory.request.count());
    if (room >= least) return;
    own.fail(tailors ? "window" : "share",
             fmt::format("{:.0f} bytes for {} requests of {} bytes at once, they need {:.0f}", room,
                         requests, m_.memory.request.count(), least),
             "more room, or a smaller memory.request");
  }

  [[nodiscard]] std::size_t depth_below(std::size_t level, const char* tensor) const {
    const Holding* const held = m_.levels[level].find(tensor);
    const bool own = held != nullptr && held->below;
    return *m_.dataflow.loops.depth(own ? *held->below : m_.levels[level].below);
  }
  /// The loop over N inside which the tiles of B in a level are walked: its size is theirs.
  [[nodiscard]] const Digit* tile_loop_of_b(std::size_t level) const {
    const auto& nest = m_.dataflow.loops.loops();
    for (std::size_t i = depth_below(level, "B") + 1; i < nest.size(); ++i) {
      if (nest[i].rank == "N") return &nest[i];
    }
    return nullptr;
  }

  [[nodiscard]] bool sizes_tiles_of_b(const Digit& digit) const {
    const Digit* const loop = tile_loop_of_b(buffer_);
    return loop != nullptr && *loop == digit;
  }

  void strategy(FabricSharedLevel& out) const {
    const Digit* const loop = tile_loop_of_b(0);
    for (const auto& [digit, size] : m_.dataflow.partition) {
      if (loop == nullptr || !(digit == *loop)) continue;
      out.strategy = size.kind == SizeKind::kSwiftiles   ? TilingStrategy::swiftiles
                     : size.kind == SizeKind::kPrescient ? TilingStrategy::prescient
                                                         : TilingStrategy::dense_shape;
      if (size.kind != SizeKind::kSwiftiles) continue;
      out.overbooked_share = size.overbooked_share;
      out.tail_samples = size.tail_samples;
    }
  }

  /// One loop over M is spread over the clusters.
  void clusters_along_m() const {
    std::uint64_t clusters = 1;
    for (const Spatial& spatial : m_.dataflow.spatial) {
      if (spatial.over != m_.levels[buffer_].name) continue;
      if (spatial.digit.rank != "M") {
        config_.mapping("dataflow")
            .mapping("spatial")
            .fail(spatial.digit.text(), "clusters take rows of A, along M", kYet);
      }
      clusters *= extent_of(spatial.digit);
    }
    if (clusters == spec_.clusters) return;
    level_entry(buffer_).fail("instances", fmt::format("{} clusters, the loops are spread over {}",
                                                       spec_.clusters, clusters));
  }

  /// Which of the loops outside the shared level comes first.
  void blocks_outside() {
    for (const Digit& digit : m_.dataflow.loops.loops()) {
      if (digit.rank == "K") continue;
      spec_.shared->a_outside = digit.rank == "M";
      return;
    }
  }

  /// Partial sums of one array.
  void registers() {
    const Level& level = m_.levels[inner_];
    const double bytes = static_cast<double>(m_.precision.at("Z").bits) / 8;
    if (!level.capacity)
      level_entry(inner_).fail("capacity", "registers have a size", "capacity: 2 KiB");
    spec_.arrays.rf_words =
        static_cast<std::uint64_t>(static_cast<double>(level.capacity->count()) / bytes);
    if (spec_.arrays.rf_words == 0) level_entry(inner_).fail("capacity", "no partial sum fits");
    if (inner_ != buffer_) spec_.arrays.psum_words_per_cycle = or_none(level.ports.read);
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
      if (spatial.over != m_.levels[inner_].name) continue;
      const std::uint64_t extent = extent_of(spatial.digit);
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
    const std::uint64_t instances = inner_ == buffer_ ? 1 : m_.levels[inner_].instances;
    if (arrays != instances) {
      level_entry(inner_).fail(
          "instances", fmt::format("{} arrays, the loops are spread over {}", instances, arrays));
    }
  }

  [[nodiscard]] std::uint64_t extent_of(const Digit& digit) const {
    for (const auto& [of, size] : m_.dataflow.partition) {
      if (of == digit && size.kind == SizeKind::kExtent) return size.extent;
    }
    config_.mapping("dataflow")
        .fail("partition", fmt::format("{} is spread in space: it has an extent", digit.text()),
              fmt::format("{}: 4", digit.text()));
  }

  /// Whether a loop of the rank is spread over the multipliers of an array.
  [[nodiscard]] bool spread_over_multipliers(std::string_view rank) const {
    const std::string within = m_.find_multiplier()->name + ".";
    return std::any_of(m_.dataflow.spatial.begin(), m_.dataflow.spatial.end(),
                       [&](const Spatial& spatial) {
                         return spatial.digit.rank == rank && spatial.over.starts_with(within);
                       });
  }

  void registers_of_arrays() {
    auto& arrays = spec_.arrays;
    if (spread_over_multipliers("N")) {
      // Tiles of outputs whose partial sums fill the registers: both shapes of the two extents.
      const std::uint64_t m = extent_of({"M", 0, false}), n = extent_of({"N", 0, false});
      if (m * n > arrays.rf_words) {
        level_entry(inner_).fail("capacity", fmt::format("a tile of {} x {} does not fit", m, n));
      }
      arrays.tiles = {{m, n}};
      if (m != n) arrays.tiles.emplace_back(n, m);
      return;
    }
    arrays.columns = arrays.rf_words / arrays.rows;
    if (arrays.columns == 0) {
      level_entry(inner_).fail(
          "capacity",
          fmt::format("registers of {} words hold no partial sum for each of the "
                      "{} rows",
                      arrays.rf_words, arrays.rows),
          "larger registers, or fewer rows");
    }
    for (const auto& [digit, size] : m_.dataflow.partition) {
      if (digit.rank != "N" || digit.whole || digit.number != 0) continue;
      if (size.kind != SizeKind::kExtent) continue;
      if (size.extent > arrays.columns) {
        level_entry(inner_).fail("capacity",
                                 fmt::format("{} rows of {} columns have more partial sums than "
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
    const ConfigReader entry = holding_entry(buffer_, holding.tensor);
    if (holding.format) spec.storage = storage(*holding.format, entry.mapping("format"));
    if (!holding.otherwise) return;
    spec.unstructured_storage = storage(*holding.otherwise, entry.mapping("otherwise"));
    if (spec.unstructured_storage != FabricStorage::bitmask &&
        spec.unstructured_storage != FabricStorage::uncompressed) {
      entry.fail("otherwise", "what obeys no structure is stored plain or with a bitmask");
    }
  }

  void operands() {
    const Level& level = m_.levels[buffer_];
    operand(*level.find("A"), spec_.a);
    if (spec_.a.storage == FabricStorage::block_offsets) {
      holding_entry(buffer_, "A")
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
      if (!strategy || (shared_ && !sizes_tiles_of_b(digit))) continue;
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
        shared_ ? std::max(depth_below(0, "A"), depth_below(0, "B")) + 1 : std::size_t{0};
    for (std::size_t i = first; i < nest.size(); ++i) {
      if (nest[i].rank == "K") continue;
      spec_.order = nest[i].rank == "M" ? FabricOuter::a : FabricOuter::b;
      return;
    }
  }

  void prices() {
    spec_.energy.table = m_.prices.table;
    spec_.energy.set = m_.prices.set;
    spec_.energy.ert = m_.prices.ert;
    spec_.energy.saf = m_.prices.saf;
  }

  void mappings() {
    for (const ConfigReader& entry : config_.mapping("dataflow").mappings("mappings")) {
      spec_.mappings.push_back(read_mapping(entry, spec_.arrays));
    }
    if (!spec_.mappings.empty() && shared_) {
      config_.mapping("dataflow").fail("mappings", "clusters are mapped by the mapper", kYet);
    }
  }

  /// Each idea switched off by itself.
  void features() {
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
  std::size_t buffer_ = 0, inner_ = 0;  // levels before the arrays, of partial sums
  bool shared_ = false;                 // a level outside the buffer, of all clusters
};

}  // namespace

bool is_description(const ConfigReader& config) {
  return config.has("levels");
}

FabricSpec array_machine(const ConfigReader& config, const Machine& machine) {
  return Builder(config, machine).build();
}

}  // namespace lacuna::description
