// SPDX-License-Identifier: Apache-2.0
#include "arch/description/array_buffers.hpp"

#include <algorithm>
#include <cmath>

#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

constexpr double kMostCacheLines = 1 << 24;    // parameter: what is kept track of, some 1 GiB
constexpr std::uint64_t kMetadataAccess = 64;  // bits of one access of the metadata's memory

bool holds(const Level& level, std::string_view tensor) {
  return level.find(tensor) != nullptr;
}

}  // namespace

ArrayBuffers::ArrayBuffers(const ConfigReader& config, const Machine& machine, FabricSpec& spec)
    : config_(config), m_(machine), spec_(spec) {
  find_levels();
}

/// One level of operands, or one that clusters share and one of their own; inside it at most one
/// of outputs alone.
void ArrayBuffers::find_levels() {
  std::vector<std::size_t> of_operands;
  for (std::size_t i = 0; i < m_.levels.size(); ++i) {
    if (holds(m_.levels[i], "A") || holds(m_.levels[i], "B")) of_operands.push_back(i);
  }
  if (of_operands.empty() || of_operands.back() + 1 != of_operands.size()) {
    level_entry(0).fail("holds", "the outermost level holds A and B", kYet);
  }
  if (of_operands.size() > 2) {
    level_entry(2).fail("name", fmt::format("'{}' is a third level of operands", m_.levels[2].name),
                        kYet);
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

double ArrayBuffers::in_words(double bytes_per_cycle) const {
  return bytes_per_cycle / spec_.word_bytes();
}
/// The rate of a port that is never waited for is 0 there.
double ArrayBuffers::or_none(double bytes_per_cycle) const {
  return std::isfinite(bytes_per_cycle) ? in_words(bytes_per_cycle) : 0;
}

/// The link that leads into a level.
std::size_t ArrayBuffers::link_into(std::size_t level) const {
  for (std::size_t i = 0; i < m_.links.size(); ++i) {
    if (m_.links[i].to == m_.levels[level].name) return i;
  }
  return 0;  // every level has one: see check_machine.cpp
}
/// What the port of a level and the link that leads inside give together.
double ArrayBuffers::rate_inside(std::size_t level) const {
  if (level + 1 == m_.levels.size()) return m_.levels[level].ports.read;
  return std::min(m_.levels[level].ports.read, m_.links[link_into(level + 1)].bandwidth);
}
void ArrayBuffers::no_latency(std::size_t level, const char* why) const {
  const std::size_t link = link_into(level);
  if (m_.links[link].latency.count() == 0) return;
  config_.mappings("links")[link].fail("latency", why, kYet);
}

void ArrayBuffers::buffer() {
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
  if (level.banks > 0) spec_.glb.banks = static_cast<unsigned>(level.banks);
  spec_.glb.contended_banks = level.banks > 0;
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
std::uint64_t ArrayBuffers::words_of_line(std::size_t level) const {
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
void ArrayBuffers::check_slices(std::size_t i) const {
  const Level& level = m_.levels[i];
  const ConfigReader entry = level_entry(i);
  const auto slice = [&level](Bytes bytes) { return bytes.count() / level.slices; };
  if (slice(*level.capacity) < level.line.count()) {
    throw InputError(blamed({entry.place("capacity"), entry.place("line"), entry.place("slices")}),
                     fmt::format("a slice of {} B ({} in {}) is smaller than its line of {}",
                                 slice(*level.capacity), to_text(*level.capacity), level.slices,
                                 to_text(level.line)),
                     "make the buffer larger, its line shorter or its slices fewer");
  }
  const Bytes metadata = level.metadata.value_or(Bytes(0));
  if (metadata.count() > 0 && slice(metadata) < kMetadataAccess / 8) {
    throw InputError(blamed({entry.place("metadata"), entry.place("slices")}),
                     fmt::format("{} B of metadata in each slice are less than one access of {} B",
                                 slice(metadata), kMetadataAccess / 8),
                     "make it larger, or 0 B for a machine without");
  }
}

/// How a level holds a tensor; nothing of it when the tensor passes by.
FabricHolding ArrayBuffers::holding(std::size_t level, const char* tensor) const {
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
void ArrayBuffers::cache(std::size_t level, const char* tensor, const Holding& found,
                         FabricHolding& out) const {
  const ConfigReader entry = holding_entry(level, tensor);
  if (level == buffer_ || *tensor == 'Z') {
    entry.fail("policy", "arrays are not fed by a cache, outputs do not lie in one", kYet);
  }
  out.line = m_.levels[level].line.count();
  out.ways = found.ways;
  const double lines =
      std::floor(found.share.value_or(0) * static_cast<double>(m_.levels[level].capacity->count()) /
                 static_cast<double>(out.line));
  if (lines > kMostCacheLines) {
    level_entry(level).fail(
        "capacity",
        fmt::format("the room of {} in {} has {:.4g} lines of {} B, of a cache {:.0f} are kept "
                    "track of",
                    tensor, m_.levels[level].name, lines, out.line, kMostCacheLines),
        "a smaller level or a longer line; what never replaces anything is a buffet");
  }
  if (lines < 1 || static_cast<double>(out.ways) > lines) {
    entry.fail("ways",
               fmt::format("{} ways in a room of {:.0f} lines of {} B", out.ways, lines, out.line),
               "fewer ways, or more room");
  }
}

/// The level between memory and the clusters' buffers.
void ArrayBuffers::shared_level() {
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
  if (level.banks > 0) out.banks = static_cast<unsigned>(level.banks);
  out.contended_banks = level.banks > 0;
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
void ArrayBuffers::check_room(const Holding& of, Bytes capacity) const {
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

std::size_t ArrayBuffers::depth_below(std::size_t level, const char* tensor) const {
  const Holding* const held = m_.levels[level].find(tensor);
  const bool own = held != nullptr && held->below;
  return *m_.dataflow.loops.depth(own ? *held->below : m_.levels[level].below);
}
/// The loop over N inside which the tiles of B in a level are walked: its size is theirs.
const Digit* ArrayBuffers::tile_loop_of_b(std::size_t level) const {
  const auto& nest = m_.dataflow.loops.loops();
  for (std::size_t i = depth_below(level, "B") + 1; i < nest.size(); ++i) {
    if (nest[i].rank == "N") return &nest[i];
  }
  return nullptr;
}

bool ArrayBuffers::sizes_tiles_of_b(const Digit& digit) const {
  const Digit* const loop = tile_loop_of_b(buffer_);
  return loop != nullptr && *loop == digit;
}

void ArrayBuffers::strategy(FabricSharedLevel& out) const {
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
void ArrayBuffers::clusters_along_m() const {
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
void ArrayBuffers::blocks_outside() {
  for (const Digit& digit : m_.dataflow.loops.loops()) {
    if (digit.rank == "K") continue;
    spec_.shared->a_outside = digit.rank == "M";
    return;
  }
}

std::uint64_t ArrayBuffers::extent_of(const Digit& digit) const {
  for (const auto& [of, size] : m_.dataflow.partition) {
    if (of == digit && size.kind == SizeKind::kExtent) return size.extent;
  }
  config_.mapping("dataflow")
      .fail("partition", fmt::format("{} is spread in space: it has an extent", digit.text()),
            fmt::format("{}: 4", digit.text()));
}

}  // namespace lacuna::description
