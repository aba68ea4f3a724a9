// SPDX-License-Identifier: Apache-2.0
#include "arch/description/older_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arch/energy/precision.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

enum class Was {
  kSame,
  kWords,      // a number of words; a size now
  kWordsRate,  // words per cycle; 0: never waited for
  kDispatch,   // any-pair or k1
  kStrategy,   // one of B's tiles
  kOverbooked,
  kSamples,
  kEdges,
  kStorage,   // of an operand: cp, bitmask, ...
  kPatterns,  // that it may obey; without dense among them it must
  kGating,
  kUnstructured,  // storage of an operand that obeys none
  kTiles,         // of an outer-product array
  kAcrossM,
  kAcrossN,
};

/// An older key and where its value belongs; several places: each of them.
struct Older {
  const char* key;
  std::vector<const char*> now;
  Was was = Was::kSame;
};

const std::vector<Older>& older_keys() {
  static const std::vector<Older> keys{
      {"dram.kind", {"memory.type"}},
      {"dram.bandwidth", {"memory.bandwidth"}},
      {"dram.read_words_per_cycle", {"memory.read"}, Was::kWordsRate},
      {"dram.write_words_per_cycle", {"memory.write"}, Was::kWordsRate},
      {"dram.latency", {"memory.latency"}},
      {"dram.burst", {"memory.burst"}},
      {"dram.chunk", {"memory.request"}},
      {"dram.outstanding", {"memory.outstanding"}},
      {"dram.energy", {"memory.energy"}},
      {"glb.capacity", {"levels.glb.capacity"}},
      {"glb.metadata", {"levels.glb.metadata"}},
      {"glb.slices", {"levels.glb.slices"}},
      {"glb.line_words", {"levels.glb.line"}, Was::kWords},
      {"glb.policy", {"levels.glb.holds.A.policy", "levels.glb.holds.B.policy"}},
      {"glb.window", {"levels.glb.holds.A.window", "levels.glb.holds.B.window"}},
      {"glb.words_per_cycle", {"levels.glb.ports.read"}, Was::kWordsRate},
      {"glb.write_words_per_cycle", {"levels.glb.ports.write"}, Was::kWordsRate},
      {"arrays.rows", {"units.macs.rows"}},
      {"arrays.lanes", {"units.macs.lanes"}},
      {"arrays.rf_words", {"levels.rf.capacity"}, Was::kWords},
      {"arrays.columns", {"dataflow.partition.N0"}},
      {"arrays.psum_words_per_cycle",
       {"levels.rf.ports.read", "levels.rf.ports.write"},
       Was::kWordsRate},
      {"arrays.psum_spill_steps", {"units.macs.psum_spill_steps"}},
      {"arrays.across_m", {}, Was::kAcrossM},
      {"arrays.across_n", {}, Was::kAcrossN},
      {"arrays.tiles", {}, Was::kTiles},
      {"operands.A.storage", {"levels.glb.holds.A.format"}, Was::kStorage},
      {"operands.B.storage", {"levels.glb.holds.B.format"}, Was::kStorage},
      {"operands.A.patterns", {"units.macs.skips.A"}, Was::kPatterns},
      {"operands.B.patterns", {"units.macs.skips.B"}, Was::kPatterns},
      {"operands.A.code_bits", {"units.macs.code_bits"}},
      {"operands.B.gating", {"units.macs.gates"}, Was::kGating},
      {"operands.A.unstructured_storage", {"levels.glb.holds.A.otherwise"}, Was::kUnstructured},
      {"operands.B_uncompressed_from", {"levels.glb.holds.B.uncompressed_from"}},
      {"operands.keep_metadata", {"levels.glb.holds.A.keep_metadata"}},
      {"outputs.compress", {"units.pack.enabled"}},
      {"operands.vfmu", {"units.fetch.enabled"}},
      {"mappings", {"dataflow.mappings"}},
      {"features.hss", {"features.structured_sparsity"}},
      {"features.tailors", {"features.overbooking"}},
      {"features.swiftiles", {"features.tile_estimation"}},
      {"buffers.llb.capacity", {"levels.llb.capacity"}},
      {"buffers.llb.bandwidth", {"levels.llb.ports.read"}},
      {"buffers.llb.fill_bandwidth", {"levels.llb.ports.write"}},
      {"buffers.llb.line", {"levels.llb.line"}},
      {"buffers.llb.policy", {"levels.llb.holds.A.policy", "levels.llb.holds.B.policy"}},
      {"buffers.llb.window", {"levels.llb.holds.A.window", "levels.llb.holds.B.window"}},
      {"buffers.llb.shares.A", {"levels.llb.holds.A.share"}},
      {"buffers.llb.shares.B", {"levels.llb.holds.B.share"}},
      {"buffers.llb.shares.Z", {"levels.llb.holds.Z.share"}},
      {"buffers.peb.capacity", {"levels.peb.capacity"}},
      {"buffers.peb.line", {"levels.peb.line"}},
      {"buffers.peb.pairs_in_flight", {"units.multiplier.pairs_in_flight"}},
      {"buffers.strict", {"strict"}},
      {"network.latency", {"links.peb.latency"}},
      {"pes.count", {"levels.peb.instances"}},
      {"pes.dispatch", {"dataflow.spatial.K1.dispatch"}, Was::kDispatch},
      {"pes.pair_overhead", {"units.multiplier.pair_overhead"}},
      {"intersect.k1.kind", {"intersect.K1.kind"}},
      {"intersect.k1.tries_per_cycle", {"intersect.K1.per_cycle"}},
      {"intersect.k0.kind", {"intersect.K0.kind"}},
      {"intersect.k0.tries_per_cycle", {"intersect.K0.per_cycle"}},
      {"formats.A.padded", {"memory.holds.A.format.padded"}},
      {"formats.B.padded", {"memory.holds.B.format.padded"}},
      {"formats.a_tuples_of_whole_list", {"memory.holds.A.format.whole_list"}},
      {"tiling.microtile.m0", {"dataflow.partition.M0"}},
      {"tiling.microtile.k0", {"dataflow.partition.K0"}},
      {"tiling.microtile.n0", {"dataflow.partition.N0"}},
      {"tiling.microtile.strategy", {"dataflow.edges"}, Was::kEdges},
      {"tiling.m1", {"dataflow.partition.M1"}},
      {"tiling.k1", {"dataflow.partition.K1"}},
      {"tiling.n1", {"dataflow.partition.N1"}},
      {"tiling.strategy", {}, Was::kStrategy},
      {"tiling.overbooked_share", {}, Was::kOverbooked},
      {"tiling.tail_samples", {}, Was::kSamples},
      {"tiling.growth", {"dataflow.growth"}},
      {"tiling.aspect", {"dataflow.aspect"}},
      {"tiling.seed", {"dataflow.seed"}},
      {"tiling.by_workload", {"dataflow.by_workload"}},
      {"sequencer.lookahead", {"dataflow.lookahead"}},
      {"energy.table", {"prices.table"}},
      {"energy.set", {"prices.set"}},
      {"energy.ert", {"prices.ert"}},
      {"energy.art", {"prices.art"}},
      {"energy.names", {"prices.names"}},
      {"energy.saf", {"prices.saf"}},
      {"energy.rank0_select_pj", {"units.macs.rank0_select_pj"}},
      {"energy.rank1_select_pj", {"units.macs.rank1_select_pj"}},
      {"energy.vfmu_word_pj", {"units.fetch.word_pj"}},
      {"energy.compress_word_pj", {"units.pack.word_pj"}},
  };
  return keys;
}

/// What became several parts.
constexpr std::array<std::pair<const char*, const char*>, 8> kParts{{
    {"kind", "extends: tc, or `levels`, `links`, `units`, `dataflow` (docs/decisions/016)"},
    {"dram", "memory"},
    {"glb", "levels.glb"},
    {"arrays", "units.macs, levels.rf, dataflow.spatial and dataflow.partition"},
    {"operands", "units.macs.skips and gates, levels.glb.holds.A.format"},
    {"buffers", "levels.llb and levels.peb"},
    {"pes", "levels.peb and units.multiplier"},
    {"formats", "memory.holds.A.format"},
}};

constexpr std::array kGroups{"dram",    "glb",      "arrays",  "operands", "buffers",
                             "network", "pes",      "formats", "tiling",   "sequencer",
                             "energy",  "mappings", "kind"};

/// Takes the value of a path out of the tree.
std::optional<ConfigTree> take(ConfigTree& tree, std::string_view path) {
  const auto dot = path.find('.');
  const auto at = std::find_if(tree.children.begin(), tree.children.end(), [&](const auto& child) {
    return child.first == path.substr(0, dot);
  });
  if (at == tree.children.end() || tree.kind != ConfigTree::Kind::mapping) return std::nullopt;
  std::optional<ConfigTree> value;
  if (dot == std::string_view::npos) {
    value = std::move(at->second);
  } else {
    value = take(at->second, path.substr(dot + 1));
    if (!value || !at->second.children.empty()) return value;
  }
  tree.children.erase(at);
  return value;
}

[[noreturn]] void refuse(const ConfigTree& value, const std::string& key,
                         const std::string& problem, const std::string& now) {
  throw InputError({value.file, value.line, key}, problem, now);
}

class Translator {
 public:
  explicit Translator(ConfigTree& machine) : machine_(machine) {}

  void run() {
    take_word_bits();
    for (const Older& older : older_keys()) {
      std::optional<ConfigTree> value = take(machine_, older.key);
      if (value) put(older, *value);
    }
    for (const char* group : kGroups) {
      const ConfigTree* const left = machine_.find(group);
      if (left == nullptr) continue;
      const auto part = std::find_if(kParts.begin(), kParts.end(), [&](const auto& known) {
        return std::string_view(known.first) == group;
      });
      const ConfigTree* value = left;
      std::string key = group;
      while (value->kind == ConfigTree::Kind::mapping && !value->children.empty()) {
        key += "." + value->children.front().first;
        value = &value->children.front().second;
      }
      const std::string near = suggest(key, names_like(group));
      const bool guessed = near.starts_with("did you mean");
      refuse(*value, key, fmt::format("'{}' is not a key of a described machine", shortened(key)),
             guessed || part == kParts.end() ? near : fmt::format("now {}", part->second));
    }
  }

 private:
  static std::vector<std::string> names_like(std::string_view group) {
    std::vector<std::string> names;
    for (const Older& older : older_keys()) {
      if (std::string_view(older.key).starts_with(group)) names.emplace_back(older.key);
    }
    return names;
  }

  void put(const Older& older, const ConfigTree& value) {
    switch (older.was) {
      case Was::kStrategy:
      case Was::kOverbooked:
      case Was::kSamples:
        return put_strategy(older, value);
      case Was::kAcrossM:
      case Was::kAcrossN:
        return put_across(older.was == Was::kAcrossM ? "M1" : "N1", value);
      case Was::kTiles:
        return put_tiles(older, value);
      case Was::kPatterns:
        if (!runs_dense(value))
          machine_.put_at("units.macs.requires", list({older.key[9] == 'A' ? "A" : "B"}, value));
        break;
      default:
        break;
    }
    for (const char* path : older.now) machine_.put_at(path, converted(older, value));
  }

  /// Words of rates, lines and registers: as wide as `word_bits` says, else as the operands, unless
  /// a setting chose another precision for them.
  void take_word_bits() {
    if (const auto given = take(machine_, "word_bits")) {
      const auto bits = parse_integer(given->scalar);
      if (!bits || *bits == 0 || *bits > 64) {
        refuse(*given, "word_bits", "a word has 1 to 64 bits", "word_bits: 8");
      }
      word_bytes_ = static_cast<double>(*bits) / 8;
      return;
    }
    const ConfigTree* precision = machine_.find("precision");
    if (precision != nullptr && precision->kind == ConfigTree::Kind::mapping) {
      precision = precision->find("A");
    }
    if (precision == nullptr || precision->kind != ConfigTree::Kind::scalar ||
        is_setting({precision->file, precision->line, {}})) {
      return;
    }
    word_bytes_ =
        Precision::parse(precision->scalar, {precision->file, precision->line, "precision"}).bits /
        8.0;
  }

  [[nodiscard]] ConfigTree converted(const Older& older, ConfigTree value) const {
    if (value.kind != ConfigTree::Kind::scalar) return value;
    const auto number = parse_number(value.scalar);
    switch (older.was) {
      case Was::kWords:
        if (number) value.scalar = fmt::format("{} B", *number * word_bytes_);
        break;
      case Was::kWordsRate:
        if (number && *number == 0)
          value.scalar = "unbounded";
        else if (number)
          value.scalar = fmt::format("{} B/cycle", *number * word_bytes_);
        break;
      case Was::kDispatch:
        if (value.scalar == "any-pair")
          value.scalar = "any-idle";
        else if (value.scalar == "k1")
          value.scalar = "by-output";
        break;
      case Was::kStorage:
        return format(value, older.key[9] == 'A' ? "M" : "N");
      case Was::kUnstructured:
        return format(value, "M");
      case Was::kGating:
        return list(
            value.scalar == "true" ? std::vector<std::string>{"B"} : std::vector<std::string>{},
            value);
      case Was::kEdges:
        if (value.scalar == "fixed") value.scalar = "given";
        break;
      default:
        break;
    }
    return value;
  }

  static ConfigTree scalar(std::string text, const ConfigTree& like) {
    ConfigTree out = like;
    out.kind = ConfigTree::Kind::scalar;
    out.children.clear();
    out.items.clear();
    out.scalar = std::move(text);
    return out;
  }
  static ConfigTree list(const std::vector<std::string>& texts, const ConfigTree& like) {
    ConfigTree out = scalar({}, like);
    out.kind = ConfigTree::Kind::sequence;
    for (const std::string& text : texts) out.items.push_back(scalar(text, like));
    return out;
  }

  static bool runs_dense(const ConfigTree& patterns) {
    return std::any_of(patterns.items.begin(), patterns.items.end(), [](const ConfigTree& item) {
      return item.scalar == "dense" || item.scalar.find('{') != std::string::npos;
    });
  }

  /// "cp" as the encodings of the operand's ranks.
  static ConfigTree format(const ConfigTree& value, const std::string& rank) {
    using Texts = std::vector<std::string>;
    const Texts plain{rank, "K"};
    const std::map<std::string, std::pair<Texts, Texts>> known{
        {"uncompressed", {plain, {"U", "U"}}},
        {"cp", {plain, {"U", "HSS(CP)"}}},
        {"rle", {plain, {"U", "HSS(RLE)"}}},
        {"bitmask", {plain, {"U", "B"}}},
        {"tiled-bitmask", {{rank + "1", "K", rank + "0"}, {"U", "B", "B"}}},
        {"block-offsets", {{rank, "K1", "K0"}, {"U", "UOP", "CP"}}}};
    const auto found = known.find(value.scalar);
    if (found == known.end()) {
      Texts names;
      for (const auto& [name, encodings] : known) names.push_back(name);
      refuse(value, "storage", fmt::format("'{}' is not a storage", shortened(value.scalar)),
             suggest(value.scalar, names));
    }
    ConfigTree out = list({}, value);
    out.kind = ConfigTree::Kind::mapping;
    out.children = {{"order", list(found->second.first, value)},
                    {"ranks", list(found->second.second, value)}};
    return out;
  }

  /// Arrays side by side along a rank.
  void put_across(const char* digit, const ConfigTree& value) {
    const ConfigTree* const dataflow = machine_.find("dataflow");
    const ConfigTree* const spatial = dataflow == nullptr ? nullptr : dataflow->find("spatial");
    const auto number = parse_integer(value.scalar);
    if (spatial == nullptr || spatial->find(digit) == nullptr || !number) {
      refuse(value, "arrays", fmt::format("{} of this machine is not spread over arrays", digit),
             "dataflow.spatial, dataflow.partition and levels.rf.instances");
    }
    machine_.put_at(fmt::format("dataflow.partition.{}", digit), value);
    std::uint64_t arrays = 1;
    for (const char* of : {"M1", "N1"}) {
      const ConfigTree* const size = machine_.find("dataflow")->find("partition")->find(of);
      if (spatial->find(of) != nullptr && size != nullptr) {
        arrays *= parse_integer(size->scalar).value_or(1);
      }
    }
    machine_.put_at("levels.rf.instances", scalar(std::to_string(arrays), value));
  }

  void put_tiles(const Older& older, const ConfigTree& value) {
    const ConfigTree* const tile = value.items.empty() ? nullptr : &value.items.front();
    const ConfigTree* const rows = tile == nullptr ? nullptr : tile->find("rows");
    const ConfigTree* const columns = tile == nullptr ? nullptr : tile->find("columns");
    if (rows == nullptr || columns == nullptr) {
      refuse(value, older.key, "a tile has rows and columns",
             "dataflow.partition: {M0: 64, N0: 32}");
    }
    machine_.put_at("dataflow.partition.M0", *rows);
    machine_.put_at("dataflow.partition.N0", *columns);
  }

  /// "swiftiles(B, 0.1, 10)" in its parts.
  struct Strategy {
    std::string name, share = "0.1", samples = "10";
    [[nodiscard]] std::string text() const {
      return name == "swiftiles" ? fmt::format("swiftiles(B, {}, {})", share, samples)
                                 : fmt::format("{}(B)", name);
    }
  };

  void put_strategy(const Older& older, const ConfigTree& value) {
    if (value.kind != ConfigTree::Kind::scalar) {
      refuse(value, older.key, "a strategy is a word", "dataflow.partition.N1: swiftiles(B, 0.1)");
    }
    // Where both ranks of B's tile are cut, one strategy sizes both.
    const ConfigTree* const dataflow = machine_.find("dataflow");
    const ConfigTree* const sizes = dataflow == nullptr ? nullptr : dataflow->find("partition");
    bool found = false;
    for (const char* digit : {"N1", "K1"}) {
      const ConfigTree* const size = sizes == nullptr ? nullptr : sizes->find(digit);
      if (size == nullptr || size->kind != ConfigTree::Kind::scalar) continue;
      Strategy strategy = parts_of(size->scalar);
      if (older.was == Was::kStrategy) {
        strategy.name = value.scalar;
        if (strategy.name == "fixed") {
          if (parse_number(size->scalar)) return;  // it is
          refuse(value, older.key, "fixed tiles have sizes",
                 "--set dataflow.partition.K1=64 --set dataflow.partition.N1=96");
        }
      } else if (strategy.name != "swiftiles") {
        return;  // the others heed none
      }
      if (older.was == Was::kOverbooked) strategy.share = value.scalar;
      if (older.was == Was::kSamples) strategy.samples = value.scalar;
      ConfigTree sized = value;
      sized.scalar = strategy.text();
      machine_.put_at(fmt::format("dataflow.partition.{}", digit), std::move(sized));
      found = true;
    }
    if (!found) {
      refuse(value, older.key, "no digit N1 of this machine is sized by a strategy",
             "dataflow.partition");
    }
  }

  static Strategy parts_of(const std::string& text) {
    Strategy strategy;
    const auto open = text.find('(');
    if (open == std::string::npos) return strategy;
    strategy.name = text.substr(0, open);
    std::vector<std::string> arguments{""};
    for (const char c : text.substr(open + 1)) {
      if (c == ',')
        arguments.emplace_back();
      else if (c != ' ' && c != ')')
        arguments.back() += c;
    }
    if (arguments.size() > 1) strategy.share = arguments[1];
    if (arguments.size() > 2) strategy.samples = arguments[2];
    return strategy;
  }

  ConfigTree& machine_;
  double word_bytes_ = 1;
};

}  // namespace

void translate_older_keys(ConfigTree& machine) {
  if (machine.find("levels") == nullptr) {
    const ConfigTree* const kind = machine.find("kind");
    throw InputError({machine.file, kind != nullptr ? kind->line : machine.line, "levels"},
                     kind != nullptr
                         ? fmt::format("'{}' is no kind of machine: a machine is described "
                                       "part by part, and has levels of buffers",
                                       shortened(kind->scalar))
                         : "a machine has levels of buffers",
                     "start from a shipped one (extends: tc), or see docs/decisions/016");
  }
  Translator(machine).run();
}

}  // namespace lacuna::description
