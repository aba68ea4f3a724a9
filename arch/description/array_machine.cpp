// SPDX-License-Identifier: Apache-2.0
#include "arch/description/array_machine.hpp"

#include <algorithm>
#include <cmath>

namespace lacuna::description {
namespace {

constexpr const char* kYet = "such machines are described but not run yet";

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
    for (std::size_t i = 0; i < m_.units.size(); ++i) install(i);
    if (m_.find_multiplier() == nullptr) {
      config_.fail("units", "no unit multiplies", "one of class mac-array, for instance");
    }
    spread();
    registers_of_arrays();
    operands();
    partition();
    refuse_the_rest();
    return spec_;
  }

 private:
  [[nodiscard]] ConfigReader level_entry(std::size_t i) const {
    return config_.mappings("levels")[i];
  }
  [[nodiscard]] ConfigReader holding_entry(std::string_view tensor) const {
    return level_entry(buffer_).mapping("holds").mapping(tensor);
  }

  /// One level of operands, and inside it at most one of outputs alone.
  void find_levels() {
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      const Level& level = m_.levels[i];
      const bool operands = holds(level, "A") || holds(level, "B");
      if (operands && holds(level, "A") != holds(level, "B")) {
        level_entry(i).fail("holds", "one level holds A and B", kYet);
      }
      if ((operands && i > 0) || i > 1) {
        level_entry(i).fail("name", fmt::format("'{}' is a second level of operands", level.name),
                            kYet);
      }
      if (!operands && i == 0)
        level_entry(i).fail("holds", "the outermost level holds A and B", kYet);
    }
    inner_ = m_.levels.size() > 1 ? 1 : 0;
  }

  void words() {
    const Precision& a = m_.precision.at("A");
    const ConfigReader entry = config_.mapping("precision");
    if (entry.text("A") != entry.text("B")) {
      entry.fail("B", "operands of one precision are multiplied", kYet);
    }
    spec_.precision = entry.text("A");
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

  /// What the link and the port of a level give together.
  [[nodiscard]] double link_rate(std::string_view from, double port) const {
    double rate = port;
    for (std::size_t i = 0; i < m_.links.size(); ++i) {
      const Link& link = m_.links[i];
      if (link.from != from) continue;
      if (link.latency.count() > 0) {
        config_.mappings("links")[i].fail("latency", "a link to the arrays adds no latency", kYet);
      }
      rate = std::min(rate, link.bandwidth);
    }
    return rate;
  }

  void buffer() {
    const Level& level = m_.levels[buffer_];
    const ConfigReader entry = level_entry(buffer_);
    if (!level.capacity) entry.fail("capacity", "operands share one memory", kYet);
    if (level.capacity->count() < 1024) entry.fail("capacity", "the buffer is smaller than 1 KiB");
    if (level.instances != 1) entry.fail("instances", "one buffer stands before the arrays", kYet);
    spec_.glb.capacity = *level.capacity;
    spec_.glb.metadata = level.metadata.value_or(Bytes(0));
    spec_.glb.slices = level.slices;
    spec_.glb.line_words =
        static_cast<std::uint64_t>(in_words(static_cast<double>(level.line.count())));
    if (spec_.glb.line_words == 0) entry.fail("line", "a line holds at least one operand");
    spec_.glb.words_per_cycle = in_words(link_rate(level.name, level.ports.read));
    spec_.glb.write_words_per_cycle = or_none(level.ports.write);
    const double memory_link = link_rate("memory", m_.memory.read);
    if (memory_link < m_.memory.read) {
      config_.mappings("links")[0].fail("bandwidth", "the memory's own rate bounds its link", kYet);
    }
    policy();
  }

  void policy() {
    const Holding& a = *m_.levels[buffer_].find("A");
    const Holding& b = *m_.levels[buffer_].find("B");
    for (const Holding* holding : {&a, &b}) {
      const ConfigReader entry = holding_entry(holding->tensor);
      if (holding->policy == Policy::kCache)
        entry.fail("policy", "arrays are not fed by a cache", kYet);
      if (holding->share)
        entry.fail("share", "the mapper divides the buffer", "leave the share out");
    }
    if (a.policy != b.policy || a.window != b.window) {
      holding_entry("A").fail("policy", "A and B have one policy and window", kYet);
    }
    spec_.glb.policy = b.policy == Policy::kTailors ? BufferPolicy::tailors : BufferPolicy::buffet;
    spec_.glb.window = b.window;
    if (b.policy == Policy::kTailors && b.window.count() * 4 > spec_.glb.capacity.count()) {
      holding_entry("B").fail("window", "the streaming window is at most a quarter of the buffer");
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
      level_entry(inner_).fail("capacity",
                               fmt::format("no partial sum for each of {} rows", arrays.rows));
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
        default:
          text += "?";
      }
    }
    if (text == "UU") return FabricStorage::uncompressed;
    if (text == "USC") return FabricStorage::coordinates;
    if (text == "USR") return FabricStorage::run_lengths;
    if (text == "UB") return FabricStorage::bitmask;
    if (text == "UBB") return FabricStorage::tiled_bitmask;
    entry.fail("ranks", "arrays do not read this format",
               "[U, U], [U, B], [U, \"HSS(CP)\"], [U, \"HSS(RLE)\"], or [U, B, B] of tiles");
  }

  void operand(const Holding& holding, FabricOperandSpec& spec) const {
    const ConfigReader entry = holding_entry(holding.tensor);
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
    operand(*level.find("B"), spec_.b);
    spec_.b_dense_from = level.find("B")->uncompressed_from;
  }

  /// The strategy that sizes the tiles of B which stay; who is the outer loop, when it is given.
  void partition() {
    for (const auto& [digit, size] : m_.dataflow.partition) {
      const bool strategy = size.kind == SizeKind::kPrescient || size.kind == SizeKind::kSwiftiles;
      if (!strategy) continue;
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
    for (const Digit& digit : m_.dataflow.loops.loops()) {
      if (digit.rank == "K") continue;
      spec_.order = digit.rank == "M" ? FabricOuter::a : FabricOuter::b;
      return;
    }
  }

  void refuse_the_rest() const {
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
  std::size_t buffer_ = 0, inner_ = 0;  // levels of operands, of partial sums
};

}  // namespace

bool is_description(const ConfigReader& config) {
  return config.has("levels");
}

FabricSpec read_array_machine(const ConfigReader& config) {
  const Machine machine = read(config);
  FabricSpec spec = Builder(config, machine).build();
  spec.energy.table = machine.price_table;
  return spec;
}

}  // namespace lacuna::description
