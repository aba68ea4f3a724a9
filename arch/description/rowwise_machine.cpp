// SPDX-License-Identifier: Apache-2.0
#include "arch/description/rowwise_machine.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "arch/description/price_spec.hpp"
#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

constexpr std::uint64_t kMostLines = std::uint64_t{1} << 28;  // of a cache: some GB when full

/// Each is a module of its own; the largest machine published has 32.
constexpr std::uint64_t kMostElements = 4096;

class RowwiseBuilder {
 public:
  RowwiseBuilder(const ConfigReader& config, const Machine& machine)
      : config_(config), m_(machine) {}

  RowwiseSpec build() {
    spec_.name = m_.name;
    spec_.description = m_.description;
    spec_.clock = m_.clock;
    spec_.contention = m_.contention;
    spec_.bound = m_.bound;
    precision();
    whole();
    meeting();
    units();
    loops();
    memory();
    if (m_.levels.size() == 2) fiber_level();
    elements();
    links();
    outputs();
    formats();
    prices();
    return spec_;
  }

 private:
  [[nodiscard]] ConfigReader level_entry(std::size_t i) const {
    return config_.mappings("levels")[i];
  }
  [[nodiscard]] ConfigReader holding_entry(std::size_t level, const std::string& tensor) const {
    return level_entry(level).mapping("holds").mapping(tensor);
  }
  [[nodiscard]] const Level& element_level() const { return m_.levels.back(); }
  [[nodiscard]] std::size_t element_index() const { return m_.levels.size() - 1; }
  [[nodiscard]] std::string output() const { return m_.outputs.front().tensor; }

  void precision() {
    const ConfigReader entry = config_.mapping("precision");
    if (!(m_.precision.at("A") == m_.precision.at("B"))) {
      entry.fail("B", "operands of one precision are multiplied", kYet);
    }
    spec_.operands = m_.precision.at("A");
    spec_.sums = m_.precision.at("Z");
  }

  /// What no machine of this kind takes, whatever its shape.
  void whole() const {
    if (m_.levels.size() > 2) {
      config_.fail("levels", "elements stand behind one level of fibers, or behind memory", kYet);
    }
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      if ((i > 0 || m_.levels.size() == 1) && m_.levels[i].slices != 1)
        level_entry(i).fail("slices", "one memory", kYet);
      if (m_.levels[i].metadata) {
        level_entry(i).fail("metadata", "data and metadata lie together here", kYet);
      }
    }
    if (m_.overlap.value_or(false)) {
      config_.fail("overlap", "operations overlap on machines of arrays behind one buffer", kYet);
    }
    if (m_.strict) {
      config_.fail("strict", "what does not fit streams, and that is counted", "strict: false");
    }
    const ConfigReader dataflow = config_.mapping("dataflow");
    if (m_.dataflow.order_free) dataflow.fail("order", "these loops have one order", "given");
    if (!dataflow.mappings("mappings").empty()) {
      dataflow.fail("mappings", "tiles of these machines have sizes", "partition");
    }
    if (!m_.dataflow.by_workload.empty()) {
      dataflow.fail("by_workload", "tiles have one size here", kYet);
    }
    if (dataflow.has("lookahead")) {
      dataflow.fail("lookahead", "tasks are taken ahead by the multiplier's unit",
                    "pairs_in_flight, beside its lanes");
    }
  }

  void meeting() {
    const ConfigReader entries = config_.mapping("intersect");
    if (m_.intersect.size() != 1) {
      config_.fail("intersect", "the leader names the follower's fibers in one place", kYet);
    }
    const Meeting& meeting = m_.intersect.front();
    const ConfigReader entry = entries.mapping(meeting.digit.text());
    if (meeting.digit.rank != "K" || meeting.digit.number != 0) {
      entries.fail(meeting.digit.text(), "fibers are named along the innermost digit of K", kYet);
    }
    if (meeting.at != element_level().name) {
      entry.fail("at", "elements look up what they fetch", kYet);
    }
    if (std::isfinite(meeting.per_cycle)) {
      entry.fail("per_cycle", "naming fibers is never waited for", "unbounded");
    }
    spec_.leader_is_b = meeting.leader == "B";
    leader_ = meeting.leader;
    follower_ = spec_.leader_is_b ? "A" : "B";
    own_ = spec_.leader_is_b ? "N" : "M";
    other_ = spec_.leader_is_b ? "M" : "N";
  }

  void units() {
    const auto entries = config_.mappings("units");
    for (std::size_t i = 0; i < m_.units.size(); ++i) {
      const UnitEntry& unit = m_.units[i];
      if (!unit.enabled) continue;
      if (!unit.traits.install_rowwise) {
        entries[i].fail("class", "elements of row-wise products have no such unit", kYet);
      }
      if (unit.at != element_level().name || unit.count != 1) {
        entries[i].fail("at", "one such unit stands at each element", kYet);
      }
      unit.traits.install_rowwise(spec_);
    }
  }

  [[nodiscard]] std::uint64_t extent(const std::string& digit) const {
    const ConfigReader partition = config_.mapping("dataflow").mapping("partition");
    for (const auto& [of, size] : m_.dataflow.partition) {
      if (of.text() != digit) continue;
      if (size.kind == SizeKind::kExtent) return size.extent;
      partition.fail(digit, fmt::format("{} is a number of coordinates here", digit), kYet);
    }
    partition.fail(digit, fmt::format("{} has no size", digit));
  }

  void loops() {
    const ConfigReader dataflow = config_.mapping("dataflow");
    const auto given = m_.dataflow.loops.texts();
    using Loops = std::vector<std::string>;
    const auto is = [&](const Loops& loops) { return given == loops; };
    const std::string own1 = own_ + "1", own0 = own_ + "0", other1 = other_ + "1",
                      other0 = other_ + "0";
    const Loops rows{own_, "K", other_}, cut{"K1", own_, "K0", other_};
    const Loops sums{other1, own1, "K1", own0, "K0", other0};
    const Loops sums_outside{own1, other1, "K1", own0, "K0", other0};
    if (spec_.merges()) {
      if (is(cut)) {
        spec_.tiles.fibers = extent("K0");
      } else if (!is(rows)) {
        dataflow.fail("loops",
                      fmt::format("rows of {} are merged by the loops {} or {}", leader_,
                                  fmt::join(rows, " "), fmt::join(cut, " ")),
                      kYet);
      }
    } else {
      if (!is(sums) && !is(sums_outside)) {
        dataflow.fail("loops",
                      fmt::format("without a unit that merges, sums stand while the loops {} or {} "
                                  "run",
                                  fmt::join(sums, " "), fmt::join(sums_outside, " ")),
                      kYet);
      }
      spec_.tiles = {extent("K0"), extent(own0), extent(other0), is(sums_outside)};
    }
    const ConfigReader spatial = dataflow.mapping("spatial");
    for (const Spatial& one : m_.dataflow.spatial) {
      const std::string key = one.digit.text();
      if (spec_.merges() && key == own_ && one.over == element_level().name &&
          one.dispatch == Dispatch::kAnyIdle) {
        continue;
      }
      spatial.fail(key, fmt::format("rows of {} go to elements that are idle", leader_),
                   fmt::format("{}: {{over: {}, dispatch: any-idle}}", own_, element_level().name));
    }
  }

  void memory() {
    const ConfigReader entry = config_.mapping("memory");
    const Memory& memory = m_.memory;
    if (!memory.shared) entry.fail("read", "reads and writes share the bandwidth", "bandwidth");
    if (memory.banked) entry.fail("kind", "fibers come from a memory of one rate", kYet);
    if (memory.burst.count() != 1) entry.fail("burst", "fibers come to the byte", kYet);
    spec_.dram.bytes_per_cycle = memory.read;
    spec_.dram.latency = memory.latency;
    spec_.dram.chunk = memory.request;
    spec_.dram.outstanding = memory.outstanding;
    spec_.dram_picojoules_per_bit = memory.picojoules_per_bit;
    spec_.dram_type = memory.price;
    spec_.dram.capacity = memory.capacity.value_or(Bytes());
  }

  Bytes line_of(std::size_t i, const Level& level) const {
    const ConfigReader entry = level_entry(i);
    if (!std::has_single_bit(level.line.count())) {
      entry.fail("line", "a line must be a power of two");
    }
    if (level.line > *level.capacity) {
      throw InputError(blamed({entry.place("line"), entry.place("capacity")}),
                       fmt::format("a line of {} is larger than the buffer of {}",
                                   to_text(level.line), to_text(*level.capacity)),
                       "make the buffer larger or its line shorter");
    }
    if (level.capacity->count() / level.line.count() > kMostLines) {
      entry.fail("line",
                 fmt::format("{} holds more than {} lines", level.name, grouped(kMostLines)),
                 "a longer line");
    }
    return level.line;
  }

  /// Holds fibers of the follower, and outputs that are not final.
  void fiber_level() {
    const Level& level = m_.levels[0];
    const ConfigReader entry = level_entry(0);
    if (!spec_.merges()) {
      config_.fail("levels", "an element that sums up stands behind memory alone", kYet);
    }
    if (level.instances != 1) entry.fail("instances", "one level for all elements", kYet);
    if (!level.capacity || level.capacity->count() == 0) {
      entry.fail("capacity", "the level has a size", kYet);
    }
    FiberLevelSpec& out = spec_.level.emplace();
    out.name = level.name;
    out.capacity = *level.capacity;
    out.line = line_of(0, level);
    if (level.banks > 0) out.banks = static_cast<unsigned>(level.banks);
    out.slices = level.slices;
    const Holding* const fibers = level.find(follower_);
    if (fibers == nullptr) {
      entry.fail("holds", fmt::format("{} passes {} by", follower_, level.name), kYet);
    }
    if (level.find(leader_) != nullptr) {
      entry.mapping("holds").fail(leader_, "the leader passes by: every nonzero is read once",
                                  "leave it out");
    }
    const Holding* const partial = level.find(output());
    policy(*fibers, partial, out);
    if (partial == nullptr) return;
    const ConfigReader own = holding_entry(0, output());
    if (partial->policy != Policy::kCache) {
      own.fail("policy", "outputs that are not final stay in a cache or pass by", kYet);
    }
    if (partial->ways != fibers->ways && out.policy == BufferPolicy::cache) {
      own.fail("ways", fmt::format("lines of {} and of {} are in one cache", output(), follower_),
               fmt::format("the ways of {}", follower_));
    }
    if (out.line.count() > kCacheLineBytes) {
      entry.fail("line", fmt::format("a line of a cache has {} B at most here", kCacheLineBytes),
                 kYet);
    }
    out.ways = partial->ways;
    if ((out.capacity - out.room < out.line) && out.policy != BufferPolicy::cache) {
      own.fail("share", fmt::format("{} leaves no line for {}", follower_, output()));
    }
    out.holds_partials = true;
  }

  /// Of the follower's fibers, and their room beside that of partial outputs: half, where no shares
  /// are given.
  void policy(const Holding& fibers, const Holding* partial, FiberLevelSpec& out) const {
    const ConfigReader entry = holding_entry(0, follower_);
    const bool cut = spec_.tiles.fibers > 0;
    out.room =
        Bytes(static_cast<std::uint64_t>(fibers.share.value_or(partial != nullptr ? 0.5 : 1) *
                                         static_cast<double>(out.capacity.count())));
    if (fibers.policy == Policy::kCache) {
      out.policy = BufferPolicy::cache;
      out.ways = fibers.ways;
      if (out.line.count() > kCacheLineBytes) {
        level_entry(0).fail(
            "line", fmt::format("a line of a cache has {} B at most here", kCacheLineBytes), kYet);
      }
      if (fibers.share) entry.fail("share", "who uses a cache has what it uses", "leave it out");
      return;
    }
    const bool tailors = fibers.policy == Policy::kTailors && m_.features.tailors;
    out.policy = tailors ? BufferPolicy::tailors : BufferPolicy::buffet;
    out.window = fibers.window;
    const Digit& below = fibers.below ? *fibers.below : m_.levels[0].below;
    const std::string wanted = cut ? "K1" : "K";
    if (below.text() != wanted) {
      (fibers.below ? entry : level_entry(0))
          .fail("below",
                fmt::format("a tile of {} is what the loops inside {} touch", follower_, wanted),
                wanted);
    }
  }

  void elements() {
    const Level& level = element_level();
    const ConfigReader entry = level_entry(element_index());
    RowwiseElementSpec& out = spec_.elements;
    out.buffer = level.name;
    out.count = level.instances;
    out.line = level.line;
    out.separate = !level.capacity;
    if (level.banks > 1) entry.fail("banks", "elements' buffers have one bank", kYet);
    if (!spec_.merges() && out.count != 1) {
      entry.fail("instances", "one element sums up", kYet);
    }
    if (out.count > kMostElements) {
      entry.fail("instances", fmt::format("{} elements are simulated one by one", out.count),
                 fmt::format("at most {}", kMostElements));
    }
    if (std::isfinite(level.ports.read) || std::isfinite(level.ports.write)) {
      entry.fail("ports", "ports of the elements' buffers are never waited for", kYet);
    }
    for (const Holding& holding : level.holds) {
      if (holding.policy == Policy::kBuffet) continue;
      holding_entry(element_index(), holding.tensor).fail("policy", "elements have buffets", kYet);
    }
    out.leader_room = room(leader_);
    out.output_room = room(output());
    const bool holds_fibers = level.find(follower_) != nullptr;
    if (spec_.merges() && holds_fibers) {
      entry.mapping("holds").fail(follower_, "fibers are merged as they come", "leave it out");
    }
    if (!spec_.merges()) out.follower_room = room(follower_);
    if (!spec_.merges()) sums_fit();
  }

  /// A tensor's part of an element's memory, in equal parts where no shares are given.
  [[nodiscard]] Bytes room(const std::string& tensor) const {
    const Level& level = element_level();
    const Holding* const holding = level.find(tensor);
    if (holding == nullptr) {
      level_entry(element_index())
          .fail("holds", fmt::format("{} passes {} by", tensor, level.name), kYet);
    }
    Bytes bytes;
    if (holding->capacity) {
      bytes = *holding->capacity;
    } else {
      const double share = holding->share.value_or(1.0 / static_cast<double>(level.holds.size()));
      bytes =
          Bytes(static_cast<std::uint64_t>(share * static_cast<double>(level.capacity->count())));
    }
    if (bytes.count() == 0) {
      holding_entry(element_index(), tensor)
          .fail(holding->capacity ? "capacity" : "share",
                fmt::format("{} has no room in {}", tensor, level.name));
    }
    return bytes;
  }

  void sums_fit() const {
    const std::uint64_t bits =
        spec_.tiles.leader_rows * spec_.tiles.follower_part * spec_.sums.bits;
    if (bytes_for(Bits(bits)) <= spec_.elements.output_room) return;
    const ConfigReader partition = config_.mapping("dataflow").mapping("partition");
    partition.fail(
        other_ + "0",
        fmt::format("{} x {} sums of {} bits take {}, {} has {}", spec_.tiles.leader_rows,
                    spec_.tiles.follower_part, spec_.sums.bits, to_text(bytes_for(Bits(bits))),
                    element_level().name, to_text(spec_.elements.output_room)),
        "smaller tiles, or more room");
  }

  void links() {
    const auto entries = config_.mappings("links");
    for (std::size_t i = 0; i < m_.links.size(); ++i) {
      const Link& link = m_.links[i];
      if (link.to == m_.levels[0].name) {
        if (link.latency.count() > 0) {
          entries[i].fail("latency", "memory's own latency is that of its link", kYet);
        }
        if (link.bandwidth < m_.memory.read) {
          entries[i].fail("bandwidth", "the memory's own rate bounds its link", kYet);
        }
      } else {
        spec_.level->read_bytes_per_cycle = std::min(m_.levels[0].ports.read, link.bandwidth);
        spec_.level->latency = link.latency;
      }
    }
    if (!spec_.level) return;
    spec_.level->write_bytes_per_cycle =
        spec_.contention ? m_.levels[0].ports.write : std::numeric_limits<double>::infinity();
  }

  void outputs() const {
    const Output& out = m_.outputs.front();
    const ConfigReader entry = config_.mapping("outputs").mapping(out.tensor);
    if (out.accumulate_at != element_level().name) {
      entry.fail("accumulate_at", "sums are kept by the elements", kYet);
    }
    if (spec_.merges() && out.on_evict != Eviction::kMerge) {
      entry.fail("on_evict", "outputs that are not final are merged", "merge");
    }
  }

  [[nodiscard]] const TensorFormat* format_of(const std::string& tensor,
                                              ConfigReader& entry) const {
    for (const Holding& holding : m_.memory.holds) {
      if (holding.tensor != tensor) continue;
      entry = config_.mapping("memory").mapping("holds").mapping(tensor).mapping("format");
      return &*holding.format;
    }
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      const Holding* const holding = m_.levels[i].find(tensor);
      if (holding == nullptr || !holding->format) continue;
      entry = holding_entry(i, tensor).mapping("format");
      return &*holding->format;
    }
    return nullptr;
  }

  /// A list of fibers along `outer`, each a list of nonzeros along `inner`.
  FiberFormat format(const std::string& tensor, const std::string& outer,
                     const std::string& inner) const {
    ConfigReader entry = config_;
    const TensorFormat* const format = format_of(tensor, entry);
    FiberFormat out;
    out.value_bits = m_.precision.at(tensor).bits;
    if (format == nullptr) {
      if (tensor == output() && !spec_.merges()) {
        out.plain = true;
        return out;
      }
      config_.mapping("memory").fail("holds",
                                     fmt::format("how {} lies in memory is not said", tensor),
                                     "a format for A, B and Z");
    }
    if (tensor == output() && !spec_.merges()) {
      entry.fail("ranks", "sums leave as they stand, without coordinates", "leave the format out");
    }
    if (format->order.size() != 2 || format->order[0].rank != outer ||
        format->order[1].rank != inner) {
      entry.fail("order", fmt::format("{} is a list of fibers along {}", tensor, inner),
                 fmt::format("[{}, {}]", outer, inner));
    }
    const RankFormat& fibers = format->ranks[0];
    const RankFormat& nonzeros = format->ranks[1];
    const bool pointers = fibers.encoding.kind == EncodingKind::offset_pairs &&
                          fibers.encoding.bits && !fibers.structured;
    const bool list = nonzeros.encoding.kind == EncodingKind::coordinate_payload ||
                      nonzeros.encoding.kind == EncodingKind::run_length;
    if (!pointers || !list || nonzeros.structured || nonzeros.encoding.slots != 0 ||
        !nonzeros.encoding.bits || format->padded || format->whole_list) {
      entry.fail("ranks", fmt::format("fibers of {} have pointers and lists of nonzeros", tensor),
                 "[UOP(32b), CP(32b)], or run lengths: RLE(4b)");
    }
    out.pointer_bits = *fibers.encoding.bits;
    out.coordinate_bits = *nonzeros.encoding.bits + nonzeros.payload.count();
    out.run_lengths = nonzeros.encoding.kind == EncodingKind::run_length;
    if (out.run_lengths && spec_.merges()) {
      entry.fail("ranks", "fibers that are merged have coordinates", "CP(32b)");
    }
    return out;
  }

  void formats() {
    spec_.a = format("A", spec_.leader_is_b ? "K" : "M", spec_.leader_is_b ? "M" : "K");
    spec_.b = format("B", spec_.leader_is_b ? "N" : "K", spec_.leader_is_b ? "K" : "N");
    spec_.z = format(output(), own_, other_);
  }

  void prices() {
    spec_.table = m_.prices.table;
    spec_.prices = price_spec(m_);
    if (!m_.prices.set.empty()) {
      config_.mapping("prices").fail("set", "these machines are priced by a table", kYet);
    }
  }

  const ConfigReader& config_;
  const Machine& m_;
  RowwiseSpec spec_;
  std::string leader_, follower_, own_, other_;  // tensors; ranks that only one of them has
};

}  // namespace

bool is_rowwise(const Machine& machine) {
  return std::any_of(machine.intersect.begin(), machine.intersect.end(),
                     [](const Meeting& one) { return one.kind == MeetingKind::kLeaderFollower; });
}

RowwiseSpec rowwise_machine(const ConfigReader& config, const Machine& machine) {
  return RowwiseBuilder(config, machine).build();
}

}  // namespace lacuna::description
