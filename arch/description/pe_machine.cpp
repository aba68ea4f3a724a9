// SPDX-License-Identifier: Apache-2.0
#include "arch/description/pe_machine.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "arch/description/price_spec.hpp"
#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

constexpr std::uint64_t kWidestLine = 8192;  // bytes: the widest memories that tables price
constexpr Range kTriesPerCycle{1e-3, 1e4};   // a try takes whole ticks, 2^-20 cycles
const std::vector<std::string> kLoops{"N2", "K2", "M2", "M1", "N1", "K1", "M0", "N0", "K0"};

class PeBuilder {
 public:
  PeBuilder(const ConfigReader& config, const Machine& machine) : config_(config), m_(machine) {}

  MachineSpec build() {
    spec_.name = m_.name;
    spec_.description = m_.description;
    spec_.clock = m_.clock;
    spec_.precision = m_.precision.at("A").name;
    if (!(m_.precision.at("A") == m_.precision.at("B"))) {
      config_.mapping("precision").fail("B", "operands of one precision are multiplied", kYet);
    }
    spec_.contention = m_.contention;
    if (m_.overlap.value_or(false)) {
      config_.fail("overlap", "operations overlap on machines of arrays behind one buffer", kYet);
    }
    spec_.strict = m_.strict;
    spec_.bound = m_.bound;
    shape();
    memory();
    last_level();
    elements();
    intersections();
    formats();
    tiles();
    spec_.energy.table = m_.prices.table;
    spec_.prices = price_spec(m_);
    if (!m_.prices.set.empty()) {
      config_.mapping("prices").fail("set", "these machines are priced by a table", kYet);
    }
    return spec_;
  }

 private:
  [[nodiscard]] ConfigReader level_entry(std::size_t i) const {
    return config_.mappings("levels")[i];
  }
  [[nodiscard]] ConfigReader holding_entry(std::size_t level, const char* tensor) const {
    return level_entry(level).mapping("holds").mapping(tensor);
  }

  /// A last-level buffer, elements with buffers, and the loops that they run.
  void shape() const {
    const ConfigReader dataflow = config_.mapping("dataflow");
    if (m_.levels.size() != 2) {
      config_.fail("levels", "elements stand behind one last-level buffer, each with its own",
                   kYet);
    }
    if (m_.dataflow.loops.texts() != kLoops) {
      dataflow.fail("loops",
                    fmt::format("the elements are run by the loops {}", fmt::join(kLoops, " ")),
                    kYet);
    }
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      for (const char* tensor : {"A", "B", "Z"}) {
        if (m_.levels[i].find(tensor) != nullptr) continue;
        level_entry(i).fail("holds", fmt::format("{} passes {} by", tensor, m_.levels[i].name),
                            kYet);
      }
      if (i > 0 && m_.levels[i].slices != 1) level_entry(i).fail("slices", "one memory", kYet);
      if (m_.levels[i].metadata) {
        level_entry(i).fail("metadata", "data and metadata lie together here", kYet);
      }
    }
    if (m_.outputs.front().on_evict != Eviction::kSpillPartial) {
      config_.mapping("outputs")
          .mapping(m_.outputs.front().tensor)
          .fail("on_evict", "partial outputs leave and return", "spill-partial");
    }
    if (m_.dataflow.order_free) dataflow.fail("order", "these loops have one order", "given");
    if (!m_.features.hss) {
      config_.mapping("features").fail("structured_sparsity", "elements follow no patterns", kYet);
    }
    if (!dataflow.mappings("mappings").empty()) {
      dataflow.fail("mappings", "tiles of these machines have sizes", "by_workload");
    }
    if (m_.units.size() != 1) {
      config_.mappings("units")[1].fail("class", "nothing stands beside the multipliers", kYet);
    }
  }

  void memory() {
    const ConfigReader entry = config_.mapping("memory");
    const Memory& memory = m_.memory;
    if (!memory.shared) entry.fail("read", "reads and writes share the bandwidth", "bandwidth");
    spec_.dram.bytes_per_cycle = memory.read;
    spec_.dram.latency = memory.latency;
    spec_.dram.burst = memory.burst;
    spec_.dram.chunk = memory.request;
    spec_.dram.outstanding = memory.outstanding;
    spec_.dram.capacity = memory.capacity.value_or(Bytes());
    spec_.dram.banked = memory.banked;
    if (!memory.picojoules_per_bit) {
      entry.fail("type", "these machines price a bit of memory", "energy: 8 pJ/bit");
    }
    spec_.energy.dram_picojoules_per_bit = *memory.picojoules_per_bit;
  }

  [[nodiscard]] const Link& link_into(std::size_t level, std::size_t& index) const {
    for (index = 0; m_.links[index].to != m_.levels[level].name;) ++index;
    return m_.links[index];
  }

  Bytes line(std::size_t i) const {
    const Level& level = m_.levels[i];
    const ConfigReader entry = level_entry(i);
    if (!level.capacity || level.capacity->count() == 0) {
      entry.fail("capacity", "the level has a size", kYet);
    }
    if (!std::has_single_bit(level.line.count())) {
      entry.fail("line", "a line must be a power of two");
    }
    if (level.line.count() > kWidestLine) {
      entry.fail("line", fmt::format("a line of {} is wider than any memory that tables price",
                                     to_text(level.line)));
    }
    if (level.line > *level.capacity) {
      throw InputError(blamed({entry.place("line"), entry.place("capacity")}),
                       fmt::format("a line of {} is larger than the buffer of {}",
                                   to_text(level.line), to_text(*level.capacity)),
                       "make the buffer larger or its line shorter");
    }
    return level.line;
  }

  void last_level() {
    const Level& level = m_.levels[0];
    const ConfigReader entry = level_entry(0);
    LlbSpec& llb = spec_.llb;
    llb.line = line(0);
    llb.capacity = *level.capacity;
    if (level.banks > 0) llb.banks = static_cast<unsigned>(level.banks);
    llb.slices = level.slices;
    llb.contended_banks = level.banks > 0;
    if (m_.levels[1].banks > 1)
      level_entry(1).fail("banks", "elements' buffers have one bank", kYet);
    if (level.instances != 1) entry.fail("instances", "one last-level buffer", kYet);
    std::size_t link = 0;
    llb.bytes_per_cycle = std::min(level.ports.read, link_into(1, link).bandwidth);
    if (!std::isfinite(llb.bytes_per_cycle)) {
      entry.mapping("ports").fail("read", "the port or the link to the elements has a rate", kYet);
    }
    llb.fill_bytes_per_cycle = level.ports.write;
    spec_.network.latency = m_.links[link].latency;
    const Link& outer = link_into(0, link);
    const ConfigReader outer_entry = config_.mappings("links")[link];
    if (outer.latency.count() > 0) {
      outer_entry.fail("latency", "memory's own latency is that of its link", kYet);
    }
    if (outer.bandwidth < m_.memory.read) {
      outer_entry.fail("bandwidth", "the memory's own rate bounds its link", kYet);
    }
    shares();
    policy();
  }

  void shares() {
    LlbSpec& llb = spec_.llb;
    for (const auto& [tensor, share] :
         {std::pair("A", &llb.shares.a), std::pair("B", &llb.shares.b),
          std::pair("Z", &llb.shares.z)}) {
      const Holding& holding = *m_.levels[0].find(tensor);
      const ConfigReader entry = holding_entry(0, tensor);
      if (!holding.share) entry.fail("share", "each tensor has a share here", "share: 0.45");
      *share = *holding.share;
      if (bytes_of(*share) > 0) continue;
      throw InputError(blamed({entry.place("share"), level_entry(0).place("capacity")}),
                       fmt::format("{}'s share of the buffer, {:g} of {}, is less than a byte",
                                   tensor, *share, to_text(llb.capacity)),
                       "make the share or the buffer larger");
    }
  }
  [[nodiscard]] std::uint64_t bytes_of(double share) const {
    return static_cast<std::uint64_t>(share * static_cast<double>(spec_.llb.capacity.count()));
  }

  void policy() {
    const Holding& a = *m_.levels[0].find("A");
    const Holding& b = *m_.levels[0].find("B");
    if (a.policy == Policy::kCache || b.policy == Policy::kCache) {
      holding_entry(0, "B").fail("policy", "elements are not fed by a cache", kYet);
    }
    if (a.policy != b.policy) {
      holding_entry(0, "A").fail("policy", "A and B have one policy", kYet);
    }
    if (m_.levels[0].find("Z")->policy != Policy::kBuffet) {
      holding_entry(0, "Z").fail("policy", "partial outputs stand in a buffet", kYet);
    }
    spec_.llb.policy = b.policy == Policy::kTailors && m_.features.tailors ? BufferPolicy::tailors
                                                                           : BufferPolicy::buffet;
    spec_.llb.window = b.window;
    spec_.llb.a_window = a.window;
  }

  void elements() {
    const Level& level = m_.levels[1];
    spec_.peb.line = line(1);
    spec_.peb.capacity = *level.capacity;
    spec_.pes.count = level.instances;
    const Holding& a = *level.find("A");
    const Holding& b = *level.find("B");
    if (a.share && b.share) spec_.peb.operand_share = *a.share + *b.share;
    for (const char* tensor : {"A", "B", "Z"}) {
      if (level.find(tensor)->policy == Policy::kBuffet) continue;
      holding_entry(1, tensor).fail("policy", "elements have buffets", kYet);
    }
    if (std::isfinite(level.ports.read) || std::isfinite(level.ports.write)) {
      level_entry(1).fail("ports", "ports of the elements' buffers are never waited for", kYet);
    }
    m_.find_multiplier()->traits.install_elements(spec_);
    const ConfigReader spatial = config_.mapping("dataflow").mapping("spatial");
    for (const Spatial& one : m_.dataflow.spatial) {
      const std::string key = one.digit.text();
      if (key != "K1" || one.over != level.name || one.dispatch == Dispatch::kStatic) {
        spatial.fail(key, "matching pairs of K1 go to elements that are idle",
                     fmt::format("K1: {{over: {}, dispatch: any-idle}}", level.name));
      }
      spec_.pes.dispatch =
          one.dispatch == Dispatch::kByOutput ? lacuna::Dispatch::k1 : lacuna::Dispatch::any_pair;
    }
  }

  void intersections() {
    const ConfigReader entries = config_.mapping("intersect");
    for (const Meeting& meeting : m_.intersect) {
      const std::string key = meeting.digit.text();
      const ConfigReader entry = entries.mapping(key);
      const bool two_finger = meeting.kind == MeetingKind::kTwoFinger;
      if (!two_finger && meeting.kind != MeetingKind::kSkipAhead) {
        entry.fail("kind", "these fibers are intersected by skip-ahead or two fingers", kYet);
      }
      const IntersectSpec spec{
          two_finger ? IntersectUnitKind::two_finger : IntersectUnitKind::skip_ahead,
          meeting.per_cycle};
      const auto at = [&](const std::string& place) {
        if (meeting.at != place) entry.fail("at", fmt::format("{} meets at {}", key, place), kYet);
      };
      if (key == "K2") {
        at("memory");
        if (std::isfinite(meeting.per_cycle))
          entry.fail("per_cycle", "never waited for", "unbounded");
      } else if (key == "K1") {
        at(m_.levels[0].name);
        spec_.intersect_k1 = spec;
        if (std::isfinite(spec.tries_per_cycle) && (spec.tries_per_cycle < kTriesPerCycle.low ||
                                                    spec.tries_per_cycle > kTriesPerCycle.high)) {
          entry.fail("per_cycle", fmt::format("{} is out of range", spec.tries_per_cycle),
                     fmt::format("between {} and {}, or unbounded", kTriesPerCycle.low,
                                 kTriesPerCycle.high));
        }
      } else {
        at(m_.levels[1].name);
        spec_.intersect_k0 = spec;
        if (spec.tries_per_cycle != 1) {
          entry.fail("per_cycle", "a processing element makes one try per cycle", "per_cycle: 1");
        }
      }
    }
    for (const char* digit : {"K2", "K1", "K0"}) {
      if (std::none_of(m_.intersect.begin(), m_.intersect.end(),
                       [&](const Meeting& meeting) { return meeting.digit.text() == digit; })) {
        config_.fail("intersect", fmt::format("{} of both operands meets nowhere", digit), kYet);
      }
    }
  }

  /// Bytes of a rank's element: its coordinate and where the fiber below it begins.
  [[nodiscard]] static std::uint64_t bytes_of(const RankFormat& rank) {
    if (rank.encoding.kind == EncodingKind::uncompressed) return 0;
    return bytes_for(Bits(rank.encoding.bits.value_or(0) + rank.payload.count())).count();
  }
  [[nodiscard]] static bool is_list(const RankFormat& rank) {
    return !rank.structured && (rank.encoding.kind == EncodingKind::uncompressed ||
                                (rank.encoding.kind == EncodingKind::coordinate_payload &&
                                 rank.encoding.bits && rank.encoding.slots == 0));
  }

  [[nodiscard]] ConfigReader format_entry(const char* tensor) const {
    return config_.mapping("memory").mapping("holds").mapping(tensor).mapping("format");
  }

  const TensorFormat& format_of(const char* tensor, std::size_t ranks) const {
    for (const Holding& holding : m_.memory.holds) {
      if (holding.tensor != tensor) continue;
      const TensorFormat& format = *holding.format;
      if (format.ranks.size() != ranks ||
          !std::all_of(format.ranks.begin(), format.ranks.end(), is_list)) {
        format_entry(tensor).fail("ranks",
                                  fmt::format("{} lies in {} ranks of coordinates", tensor, ranks),
                                  "CP(32b+32b) for each, U for one that takes no room");
      }
      return format;
    }
    config_.mapping("memory").fail("holds",
                                   fmt::format("how {} lies in memory is not said", tensor),
                                   "a format for A, B and Z");
  }

  /// Lists of microtiles, each a list of fibers.
  OperandFormat operand(const char* tensor, const char* own) const {
    const TensorFormat& format = format_of(tensor, 4);
    const ConfigReader entry = format_entry(tensor);
    const std::string first = std::string(own) + "1", inner = std::string(own) + "0";
    const auto is = [&](std::size_t i, const std::string& digit) {
      return format.order[i].text() == digit;
    };
    const bool over_k = is(2, inner) && is(3, "K0");
    if (!is(0, first) || !is(1, "K1") || (!over_k && !(is(2, "K0") && is(3, inner)))) {
      entry.fail("order", "microtiles lie list by list, their fibers inside",
                 fmt::format("[{}, K1, {}, K0] or [{}, K1, K0, {}]", first, inner, first, inner));
    }
    OperandFormat out;
    out.list_bytes = bytes_of(format.ranks[0]);
    out.microtile_bytes = bytes_of(format.ranks[1]);
    out.fiber_bytes = bytes_of(format.ranks[2]);
    out.nonzero_bytes =
        bytes_of(format.ranks[3]) + bytes_for(Bits(m_.precision.at(tensor).bits)).count();
    out.fibers = over_k ? OperandFormat::Fibers::over_k : OperandFormat::Fibers::across_k;
    out.padded = format.padded;
    if (out.padded && !over_k) entry.fail("padded", "padded arrays are counted over K only");
    if (out.padded && m_.precision.at(tensor).bits != 64) {
      entry.fail("padded", "padded arrays hold values of 64 bits", "precision: fp64");
    }
    return out;
  }

  void formats() {
    spec_.formats.a = operand("A", "M");
    spec_.formats.b = operand("B", "N");
    spec_.formats.a_tuples_of_whole_list = format_of("A", 4).whole_list;
    spec_.formats.z_nonzero_bytes = bytes_of(format_of("Z", 2).ranks[0]) +
                                    bytes_of(format_of("Z", 2).ranks[1]) +
                                    bytes_for(Bits(m_.precision.at("Z").bits)).count();
  }

  [[nodiscard]] const DigitSize& size_of(const char* digit) const {
    for (const auto& [of, size] : m_.dataflow.partition) {
      if (of.text() == digit) return size;
    }
    config_.mapping("dataflow").fail("partition", fmt::format("{} has no size", digit));
  }
  [[nodiscard]] std::uint32_t edge(const char* digit, std::uint64_t most) const {
    const DigitSize& size = size_of(digit);
    if (size.kind == SizeKind::kExtent && size.extent <= most) {
      return static_cast<std::uint32_t>(size.extent);
    }
    config_.mapping("dataflow")
        .mapping("partition")
        .fail(digit, fmt::format("an edge of a microtile is a number from 1 to {}", most));
  }

  static LoopTiles tiles_of(const Partition& partition) {
    LoopTiles tiles;
    for (const auto& [digit, size] : partition) {
      const std::uint64_t extent = size.kind == SizeKind::kExtent ? size.extent : 0;
      if (digit.text() == "M1") tiles.m1 = extent;
      if (digit.text() == "K1") tiles.k1 = extent;
      if (digit.text() == "N1") tiles.n1 = extent;
    }
    return tiles;
  }

  void tiles() {
    const ConfigReader partition = config_.mapping("dataflow").mapping("partition");
    const Dataflow& dataflow = m_.dataflow;
    spec_.microtile = {edge("M0", 65535), edge("N0", 65535), edge("K0", 128), dataflow.edges};
    spec_.lookahead = dataflow.lookahead;
    TilingSpec& tiling = spec_.tiling;
    tiling.growth = dataflow.growth;
    tiling.aspect = dataflow.aspect;
    tiling.seed = dataflow.seed;
    tiling.fixed = tiles_of(dataflow.partition);
    for (const auto& [name, sizes] : dataflow.by_workload) {
      tiling.by_workload.emplace_back(name, tiles_of(sizes));
    }
    const DigitSize& k = size_of("K1");
    const DigitSize& n = size_of("N1");
    if (k.text() != n.text() && (k.kind != SizeKind::kExtent || n.kind != SizeKind::kExtent)) {
      partition.fail("N1", "a tile of B is sized in both ranks by one strategy", "the same as K1");
    }
    switch (n.kind) {
      case SizeKind::kExtent:
        tiling.strategy = TilingStrategy::fixed;
        return;
      case SizeKind::kDenseShape:
        tiling.strategy = TilingStrategy::dense_shape;
        return;
      case SizeKind::kPrescient:
        tiling.strategy = TilingStrategy::prescient;
        return;
      case SizeKind::kSwiftiles:
        tiling.strategy =
            m_.features.swiftiles ? TilingStrategy::swiftiles : TilingStrategy::prescient;
        tiling.overbooked_share = n.overbooked_share;
        tiling.tail_samples = n.tail_samples;
        return;
      default:
        partition.fail("N1", "tiles of B have a size or a strategy",
                       "a number, dense-shape(B), prescient(B) or swiftiles(B, 0.1)");
    }
  }

  const ConfigReader& config_;
  const Machine& m_;
  MachineSpec spec_;
};

}  // namespace

MachineSpec pe_machine(const ConfigReader& config, const Machine& machine) {
  return PeBuilder(config, machine).build();
}

}  // namespace lacuna::description
