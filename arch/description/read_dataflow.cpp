// SPDX-License-Identifier: Apache-2.0
// The loop nest: which digit runs where, and how far.
#include <charconv>

#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

/// "name(first, second, ...)" taken apart; no parentheses: a name alone.
struct Call {
  std::string name;
  std::vector<std::string> arguments;
};

std::optional<Call> parse_call(std::string_view text) {
  Call call;
  const auto open = text.find('(');
  call.name = std::string(text.substr(0, open));
  if (open == std::string_view::npos) return call;
  if (!text.ends_with(')')) return std::nullopt;
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (true) {
    const auto comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    call.arguments.emplace_back(one);
    if (comma == std::string_view::npos) return call;
    rest.remove_prefix(comma + 1);
  }
}

constexpr const char* kSizes =
    "expected a number of steps, auto, occupancy(TENSOR, n), dense-shape(TENSOR), "
    "prescient(TENSOR) or swiftiles(TENSOR, y) with an optional third value k";

class SizeReader {
 public:
  SizeReader(const ConfigReader& config, std::string_view key, const Context& context)
      : config_(config), key_(key), context_(context), text_(config.text(key)) {}

  DigitSize read() const {
    DigitSize size;
    if (const auto extent = parse_integer(text_)) {
      if (*extent == 0) fail("a digit runs at least one step");
      size.kind = SizeKind::kExtent;
      size.extent = *extent;
      return size;
    }
    const auto call = parse_call(text_);
    if (!call) fail(fmt::format("'{}' is not closed", text_));
    if (call->name == "auto" && call->arguments.empty()) return size;
    strategy(*call, size);
    return size;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { config_.fail(key_, problem, kSizes); }

  double share(const std::string& text) const {
    const auto value = parse_number(text);
    if (!value || *value <= 0 || *value >= 1) {
      fail(fmt::format("'{}' is not a share between 0 and 1", text));
    }
    return *value;
  }
  std::uint64_t count(const std::string& text) const {
    const auto value = parse_integer(text);
    if (!value || *value == 0) fail(fmt::format("'{}' is not a number above zero", text));
    return *value;
  }

  void strategy(const Call& call, DigitSize& size) const {
    const auto& arguments = call.arguments;
    const auto takes = [&](std::size_t least, std::size_t most) {
      return arguments.size() >= least && arguments.size() <= most;
    };
    if (call.name == "dense-shape" && takes(1, 1)) {
      size.kind = SizeKind::kDenseShape;
    } else if (call.name == "prescient" && takes(1, 1)) {
      size.kind = SizeKind::kPrescient;
    } else if (call.name == "occupancy" && takes(2, 2)) {
      size.kind = SizeKind::kOccupancy;
      size.extent = count(arguments[1]);
    } else if (call.name == "swiftiles" && takes(2, 3)) {
      size.kind = SizeKind::kSwiftiles;
      size.overbooked_share = share(arguments[1]);
      size.tail_samples = arguments.size() > 2 ? count(arguments[2]) : 10;  // recalled
    } else {
      const std::string near =
          suggest(call.name, {"auto", "occupancy", "dense-shape", "prescient", "swiftiles"});
      config_.fail(key_, fmt::format("'{}' is not a size", text_),
                   near.starts_with("did you mean") ? near : kSizes);
    }
    size.tensor = arguments.front();
    for (const auto& tensor : context_.tensors) {
      if (tensor == size.tensor) return;
    }
    config_.fail(key_, fmt::format("'{}' is not a tensor of this machine", size.tensor),
                 suggest(size.tensor, context_.tensors));
  }

  const ConfigReader& config_;
  std::string_view key_;
  const Context& context_;
  std::string text_;
};

Partition read_partition(const ConfigReader& config, const Context& context) {
  Partition partition;
  for (const auto& key : config.keys()) {
    partition.emplace_back(parse_digit(key, config.place(key)),
                           SizeReader(config, key, context).read());
  }
  return partition;
}

}  // namespace

std::string DigitSize::text() const {
  switch (kind) {
    case SizeKind::kAuto:
      return "auto";
    case SizeKind::kExtent:
      return std::to_string(extent);
    case SizeKind::kOccupancy:
      return fmt::format("occupancy({}, {})", tensor, extent);
    case SizeKind::kDenseShape:
      return fmt::format("dense-shape({})", tensor);
    case SizeKind::kPrescient:
      return fmt::format("prescient({})", tensor);
    case SizeKind::kSwiftiles:
      break;
  }
  return fmt::format("swiftiles({}, {}, {})", tensor, overbooked_share, tail_samples);
}

Dataflow read_dataflow(const ConfigReader& config, const Context& context) {
  Dataflow dataflow;
  std::vector<Digit> loops;
  for (const auto& text : config.texts("loops")) {
    loops.push_back(parse_digit(text, config.place("loops")));
  }
  if (loops.empty()) config.fail("loops", "no loop is given", "outermost first: [M1, N, K, M0]");
  dataflow.loops = LoopNest(std::move(loops), config.place("loops"));
  dataflow.order_free = config.choice<bool>("order", {{"given", false}, {"mapper", true}}, false);
  const ConfigReader spatial = config.mapping("spatial");
  for (const auto& key : spatial.keys()) {
    const ConfigReader entry = spatial.mapping(key);
    dataflow.spatial.push_back({parse_digit(key, spatial.place(key)), entry.text("over"),
                                entry.choice<Dispatch>("dispatch",
                                                       {{"static", Dispatch::kStatic},
                                                        {"any-idle", Dispatch::kAnyIdle},
                                                        {"by-output", Dispatch::kByOutput}},
                                                       Dispatch::kStatic)});
  }
  dataflow.partition = read_partition(config.mapping("partition"), context);
  const ConfigReader named = config.mapping("by_workload");
  for (const auto& name : named.keys()) {
    dataflow.by_workload.emplace_back(name, read_partition(named.mapping(name), context));
  }
  dataflow.growth = config.choice<Growth>(
      "growth",
      {{"k-first", Growth::k_first}, {"n-first", Growth::n_first}, {"square", Growth::square}},
      Growth::k_first);
  dataflow.aspect = config.number("aspect", {1e-6, 1e6}, 1.0);
  dataflow.edges = config.choice<TilingStrategy>("edges",
                                                 {{"given", TilingStrategy::fixed},
                                                  {"dense-shape", TilingStrategy::dense_shape},
                                                  {"prescient", TilingStrategy::prescient},
                                                  {"swiftiles", TilingStrategy::swiftiles}},
                                                 TilingStrategy::fixed);
  dataflow.seed = config.integer("seed", {0, 1e15}, 1);
  dataflow.lookahead = config.integer("lookahead", {1, 4096}, dataflow.lookahead);
  return dataflow;
}

}  // namespace lacuna::description
