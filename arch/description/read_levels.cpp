// SPDX-License-Identifier: Apache-2.0
// Memory, levels, links and how tensors are stored in them.
#include <algorithm>
#include <limits>

#include "arch/description/dram_type.hpp"
#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"
#include "base/whole.hpp"

namespace lacuna::description {
namespace {

constexpr double kMostInstances = 65536;
constexpr Range kMillimetres{0, 1000};
constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// "CP(32b+32b)": a coordinate and where its fiber begins; "HSS(CP)": one CP for each rule of the
/// operand's pattern. The rest is the grammar of sparse_formats/encoding.hpp.
RankFormat parse_rank(std::string text, const Place& place) {
  RankFormat format;
  if (text.starts_with("HSS(") && text.ends_with(")")) {
    format.structured = true;
    text = text.substr(4, text.size() - 5);
  }
  if (const auto plus = text.find('+'); plus != std::string::npos) {
    const auto end = text.find("b)", plus);
    const auto bits = end == std::string::npos
                          ? std::nullopt
                          : parse_integer(std::string_view(text).substr(plus + 1, end - plus - 1));
    if (!bits || *bits > 64) {
      throw InputError(place, fmt::format("'{}' has no width after the '+'", text),
                       "a coordinate and a position: CP(32b+32b)");
    }
    format.payload = Bits(*bits);
    text.erase(plus, end + 1 - plus);  // "CP(32b+32b)" is "CP(32b)" and a payload
  }
  const EncodingStack stack = parse_encoding(text, place);
  if (stack.ranks.size() != 1) {
    throw InputError(place, fmt::format("'{}' is more than one rank", text),
                     "one list entry for each rank: [\"UOP(32b)\", \"CP(32b)\"]");
  }
  format.encoding = stack.ranks.front();
  return format;
}

TensorFormat read_format(const ConfigReader& config) {
  TensorFormat format;
  for (const auto& text : config.texts("order")) {
    format.order.push_back(parse_digit(text, config.place("order")));
  }
  for (const auto& text : config.texts("ranks")) {
    format.ranks.push_back(parse_rank(text, config.place("ranks")));
  }
  if (format.order.empty() || format.order.size() != format.ranks.size()) {
    config.fail("ranks",
                fmt::format("{} encodings for {} ranks", format.ranks.size(), format.order.size()),
                "one for each entry of `order`, outermost first");
  }
  format.padded = config.boolean("padded", false);
  format.whole_list = config.boolean("whole_list", false);
  return format;
}

std::optional<Digit> read_below(const ConfigReader& config) {
  if (!config.has("below")) return std::nullopt;
  return parse_digit(config.text("below"), config.place("below"));
}

Holding read_holding(const ConfigReader& config, const std::string& tensor) {
  Holding holding;
  holding.tensor = tensor;
  if (config.has("share")) holding.share = config.number("share", {1e-6, 1});
  if (config.has("capacity")) holding.capacity = config.bytes("capacity");
  holding.policy = config.choice<Policy>(
      "policy",
      {{"buffet", Policy::kBuffet}, {"tailors", Policy::kTailors}, {"cache", Policy::kCache}});
  // Kept for a policy switched on by --set.
  holding.window = config.bytes("window", Bytes(0));
  holding.ways = config.integer("ways", {0, kMostInstances}, 0);
  if (config.has("format")) holding.format = read_format(config.mapping("format"));
  if (config.has("otherwise")) holding.otherwise = read_format(config.mapping("otherwise"));
  holding.uncompressed_from = config.number("uncompressed_from", {0, 1}, 0.0);
  holding.keep_metadata = config.boolean("keep_metadata", false);
  holding.below = read_below(config);
  return holding;
}

std::vector<Holding> read_holds(const ConfigReader& config, const Context& context,
                                bool formats_only) {
  std::vector<Holding> holds;
  for (const auto& tensor : config.keys()) {
    if (std::find(context.tensors.begin(), context.tensors.end(), tensor) ==
        context.tensors.end()) {
      config.fail(tensor, fmt::format("'{}' is not a tensor of this machine", tensor),
                  suggest(tensor, context.tensors));
    }
    const ConfigReader entry = config.mapping(tensor);
    if (formats_only) {
      Holding holding;
      holding.tensor = tensor;
      holding.format = read_format(entry.mapping("format"));
      holds.push_back(std::move(holding));
    } else {
      holds.push_back(read_holding(entry, tensor));
    }
  }
  return holds;
}

}  // namespace

namespace {

/// A rate for both directions or for each, and a latency.
void read_fixed(const ConfigReader& config, const Context& context, Memory& memory) {
  memory.shared = !config.has("read") && !config.has("write");
  if (memory.shared) {
    memory.read = memory.write = config.bandwidth("bandwidth", context.clock);
  } else if (config.has("bandwidth")) {
    config.fail("bandwidth", "reads and writes share it, or have `read` and `write` of their own",
                "keep bandwidth, or read and write");
  } else {
    memory.read = config.bandwidth("read", context.clock);
    memory.write = config.bandwidth("write", context.clock);
  }
  memory.latency = config.cycles("latency", context.clock);
  if (config.has("type") == config.has("energy")) {
    config.fail("type", "what an access costs is given by `type` or by `energy`, once",
                "type: lpddr4, or energy: 8 pJ/bit");
  }
  if (config.has("type")) memory.price = config.text("type");
  if (config.has("capacity")) memory.capacity = config.bytes("capacity");
  if (memory.capacity == Bytes(0)) config.fail("capacity", "a memory holds at least one byte");
}

constexpr Bytes kMostBurstOfBanks(1U << 20);

/// Rates, latency and capacity follow from the type of DRAM and the channels.
void read_banked(const ConfigReader& config, const Context& context, Memory& memory) {
  for (const char* key : {"bandwidth", "read", "write", "latency", "capacity"}) {
    if (!config.has(key)) continue;
    config.fail(key, "of a memory of banks it follows from `type` and `channels`",
                fmt::format("leave it out; of an extended file: {}: null", key));
  }
  memory.banked = read_banks(config, context.clock);
  const DramDevice& device = memory.banked->device;
  const double channels = static_cast<double>(memory.banked->channels);
  memory.read = memory.write = channels * device.rate(context.clock);
  const double unloaded =
      static_cast<double>(device.unloaded_clocks()) * context.clock.count() / device.clock.count();
  memory.latency = memory.banked->controller + Cycles(whole_up(unloaded - 1e-9));
  memory.capacity = Bytes(memory.banked->channels * device.capacity());
  const bool by_energy = config.has("energy");
  if (!by_energy) memory.price = config.text("price", device.price);
  if (by_energy ? config.has("price") : memory.price.empty()) {
    config.fail("price", "what an access costs is given by `price` or by `energy`, once",
                "price: lpddr4 (a type of DRAM that the energy table knows), or energy: 8 pJ/bit");
  }
}

}  // namespace

Memory read_memory(const ConfigReader& config, const Context& context) {
  enum class Kind { kFixed, kBanked };
  Memory memory;
  const Kind kind =
      config.choice<Kind>("kind", {{"fixed", Kind::kFixed}, {"banked", Kind::kBanked}});
  (kind == Kind::kBanked ? read_banked : read_fixed)(config, context, memory);
  memory.burst = config.bytes("burst", memory.burst, kRequestBytes);
  if (memory.burst.count() == 0) config.fail("burst", "a burst moves at least one byte");
  if (memory.banked && memory.burst > kMostBurstOfBanks) {
    config.fail("burst", "a burst of banks is at most 1 MiB: each of its lines takes its time");
  }
  memory.request = config.bytes("request", {}, kRequestBytes);
  if (memory.request.count() == 0) config.fail("request", "a request moves at least one byte");
  memory.outstanding = config.integer("outstanding", {1, 1e6});
  if (config.has("energy")) memory.picojoules_per_bit = config.picojoules_per_bit("energy");
  memory.holds = read_holds(config.mapping("holds"), context, true);
  return memory;
}

Level read_level(const ConfigReader& config, const Context& context) {
  Level level;
  level.name = config.text("name");
  level.instances = config.integer("instances", {1, kMostInstances}, 1);
  if (config.has("capacity")) level.capacity = config.bytes("capacity");
  if (config.has("metadata")) level.metadata = config.bytes("metadata");
  level.line = config.bytes("line", Bytes(1));
  if (level.line.count() == 0) config.fail("line", "a line holds at least one byte");
  if (config.has("banks")) level.banks = config.integer("banks", {1, kMostInstances});
  level.slices = config.integer("slices", {1, kMostInstances}, 1);
  if (config.has("sram_ports")) {
    level.sram = config.choice<SramPorts>(
        "sram_ports",
        {{"1rw", SramPorts::rw1}, {"1r1w", SramPorts::r1w1}, {"2rw", SramPorts::rw2}});
  }
  if (config.has("wire_mm")) level.wire_mm = config.number("wire_mm", kMillimetres);
  const ConfigReader ports = config.mapping("ports");
  level.ports.read = ports.bandwidth("read", context.clock);
  level.ports.write = ports.bandwidth("write", context.clock);
  level.below = parse_digit(config.text("below"), config.place("below"));
  level.holds = read_holds(config.mapping("holds"), context, false);
  if (level.holds.empty()) config.fail("holds", "the level holds no tensor", "leave it out");
  return level;
}

Link read_link(const ConfigReader& config, const Context& context) {
  Link link;
  link.from = config.text("from");
  link.to = config.text("to");
  link.bandwidth = config.bandwidth("bandwidth", context.clock);
  link.latency = config.cycles("latency", context.clock);
  link.multicast = config.boolean("multicast", false);
  if (config.has("length_mm")) link.length_mm = config.number("length_mm", kMillimetres);
  return link;
}

std::vector<Meeting> read_intersect(const ConfigReader& config, const Context& context) {
  std::vector<Meeting> meetings;
  for (const auto& key : config.keys()) {
    const ConfigReader entry = config.mapping(key);
    Meeting meeting;
    meeting.digit = parse_digit(key, config.place(key));
    meeting.at = entry.text("at");
    meeting.kind =
        entry.choice<MeetingKind>("kind", {{"skip-ahead", MeetingKind::kSkipAhead},
                                           {"two-finger", MeetingKind::kTwoFinger},
                                           {"bitmap", MeetingKind::kBitmap},
                                           {"leader-follower", MeetingKind::kLeaderFollower}});
    meeting.per_cycle = entry.text("per_cycle") == "unbounded"
                            ? kUnbounded
                            : entry.number("per_cycle", {1e-3, 1e6});
    if (meeting.kind == MeetingKind::kLeaderFollower) {
      meeting.leader = read_tensor(entry, "leader", context);
    }
    meetings.push_back(std::move(meeting));
  }
  return meetings;
}

std::vector<Output> read_outputs(const ConfigReader& config, const Context& context) {
  std::vector<Output> outputs;
  for (const auto& tensor : config.keys()) {
    if (std::find(context.tensors.begin(), context.tensors.end(), tensor) ==
        context.tensors.end()) {
      config.fail(tensor, fmt::format("'{}' is not a tensor of this machine", tensor),
                  suggest(tensor, context.tensors));
    }
    const ConfigReader entry = config.mapping(tensor);
    Output output;
    output.tensor = tensor;
    output.accumulate_at = entry.text("accumulate_at");
    output.on_evict =
        entry.choice<Eviction>("on_evict", {{"refuse", Eviction::kRefuse},
                                            {"spill-partial", Eviction::kSpillPartial},
                                            {"merge", Eviction::kMerge}});
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace lacuna::description
