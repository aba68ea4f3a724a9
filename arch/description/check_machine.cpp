// SPDX-License-Identifier: Apache-2.0
// What must hold between the parts of a machine. Each rule is a function; each message says which
// part breaks it and what to write instead.
#include <algorithm>
#include <cmath>
#include <set>

#include "arch/description/read_parts.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::description {
namespace {

constexpr const char* kMemory = "memory";

class Checker {
 public:
  Checker(const ConfigReader& config, const Machine& machine) : config_(config), m_(machine) {}

  void run() const {
    ranks();
    names();
    levels();
    links();
    units();
    partition();
    spatial();
    meetings();
    outputs();
  }

 private:
  [[nodiscard]] const LoopNest& loops() const { return m_.dataflow.loops; }

  void ranks() const {
    const ConfigReader dataflow = config_.mapping("dataflow");
    std::set<std::string> known;
    for (const auto& [tensor, ranks] : m_.tensors) known.insert(ranks.begin(), ranks.end());
    for (const auto& rank : known) {
      if (!loops().has_rank(rank)) {
        dataflow.fail("loops", fmt::format("no loop runs over the rank {}", rank));
      }
    }
    for (const Digit& digit : loops().loops()) {
      if (known.count(digit.rank) != 0) continue;
      dataflow.fail("loops",
                    fmt::format("{} is a loop over a rank that no tensor has", digit.text()),
                    suggest(digit.rank, {known.begin(), known.end()}));
    }
  }

  void names() const {
    std::set<std::string> seen{kMemory};
    const auto once = [&](const ConfigReader& entry, const std::string& name) {
      if (!seen.insert(name).second) {
        entry.fail("name", fmt::format("'{}' is the name of two parts", name));
      }
    };
    const auto level_entries = config_.mappings("levels");
    if (m_.levels.empty()) config_.fail("levels", "a machine has at least one level of buffers");
    for (std::size_t i = 0; i < m_.levels.size(); ++i) once(level_entries[i], m_.levels[i].name);
    const auto unit_entries = config_.mappings("units");
    if (m_.units.empty()) config_.fail("units", "a machine has at least one compute unit");
    for (std::size_t i = 0; i < m_.units.size(); ++i) once(unit_entries[i], m_.units[i].name);
  }

  /// Where a tensor's tiles begin in a level: inside this loop.
  [[nodiscard]] static const Digit& below(const Level& level, const Holding& holding) {
    return holding.below ? *holding.below : level.below;
  }

  void levels() const {
    const auto entries = config_.mappings("levels");
    std::map<std::string, std::size_t> outer;  // depth of each tensor's tile in the levels so far
    for (std::size_t i = 0; i < m_.levels.size(); ++i) {
      const Level& level = m_.levels[i];
      const ConfigReader holds = entries[i].mapping("holds");
      need_loop(entries[i], "below", level.below);
      room(entries[i], level);
      for (const Holding& holding : level.holds) {
        const ConfigReader entry = holds.mapping(holding.tensor);
        if (holding.below) need_loop(entry, "below", *holding.below);
        const std::size_t depth = *loops().depth(below(level, holding));
        const auto at = outer.find(holding.tensor);
        if (at != outer.end() && depth < at->second) {
          (holding.below ? entry : entries[i])
              .fail(
                  "below",
                  fmt::format("the tiles of {} in {} would be larger than in the level outside it",
                              holding.tensor, level.name),
                  "levels stand from memory to compute, each inside the loops of the one before");
        }
        outer[holding.tensor] = depth;
        if (holding.policy == Policy::kTailors) tailors(entry, level, holding, depth);
        if (holding.format) format(entry.mapping("format"), holding);
      }
    }
    const ConfigReader memory = config_.mapping("memory").mapping("holds");
    for (const Holding& holding : m_.memory.holds) {
      format(memory.mapping(holding.tensor).mapping("format"), holding);
    }
  }

  void need_loop(const ConfigReader& entry, std::string_view key, const Digit& digit) const {
    if (loops().depth(digit)) return;
    entry.fail(key, fmt::format("there is no loop {}", digit.text()),
               suggest(digit.text(), loops().texts()));
  }

  /// Shares of one memory, or a memory for each tensor; never more than there is.
  void room(const ConfigReader& entry, const Level& level) const {
    double shares = 0;
    bool all = true;
    for (const Holding& holding : level.holds) {
      const ConfigReader own = entry.mapping("holds").mapping(holding.tensor);
      if (level.capacity && holding.capacity) {
        own.fail("capacity",
                 fmt::format("{} has one memory of {} for all its tensors", level.name,
                             to_text(*level.capacity)),
                 "give a share of it");
      }
      if (!level.capacity && !holding.capacity) {
        own.fail(
            "capacity",
            fmt::format("{} has no capacity, and none is given for {}", level.name, holding.tensor),
            "give the level a capacity, or every tensor one of its own");
      }
      if (!level.capacity && holding.share) own.fail("share", "there is no common memory to share");
      shares += holding.share.value_or(0);
      all = all && holding.share.has_value();
    }
    if (shares > 1 + 1e-9) {
      entry.fail("holds", fmt::format("the shares of {} add up to {}", level.name, shares),
                 "at most 1");
    }
    if (shares > 0 && !all) {
      entry.fail("holds",
                 fmt::format("some tensors of {} have a share and some have none", level.name),
                 "give each a share, or none: then the mapper divides the room");
    }
  }

  /// An overbooked tile is walked again and again in one order: it must be a part of the tensor,
  /// and a loop of another rank must come between what picks the tile and what walks it.
  void tailors(const ConfigReader& entry, const Level& level, const Holding& holding,
               std::size_t depth) const {
    const auto& nest = loops().loops();
    std::optional<std::size_t> picks;  // the innermost loop outside that picks the tile
    for (std::size_t i = 0; i <= depth; ++i) {
      if (m_.has_rank(holding.tensor, nest[i].rank)) picks = i;
    }
    if (!picks) {
      entry.fail("policy",
                 fmt::format("{} in {} is never cut: no loop outside {} picks a part of it",
                             holding.tensor, level.name, below(level, holding).text()),
                 fmt::format("Tailors holds tiles: put a digit of a rank of {} outside, like K1 in "
                             "[K1, M, K0, N]",
                             holding.tensor));
    }
    bool again = false;
    for (std::size_t i = *picks + 1; i < nest.size(); ++i) {
      if (m_.has_rank(holding.tensor, nest[i].rank)) break;
      again = true;
    }
    if (!again) {
      entry.fail("policy",
                 fmt::format("no loop walks a tile of {} again: nothing of it is ever reused",
                             holding.tensor),
                 again_if(nest, *picks, holding.tensor));
    }
    const double room =
        holding.capacity ? static_cast<double>(holding.capacity->count())
                         : static_cast<double>(level.capacity->count()) * holding.share.value_or(1);
    window(entry, level, holding, room);
  }

  /// What would have a tile walked again that the loop at `picks` picks.
  [[nodiscard]] std::string again_if(const std::vector<Digit>& nest, std::size_t picks,
                                     const std::string& tensor) const {
    for (std::size_t i = 0; i < picks; ++i) {
      if (m_.has_rank(tensor, nest[i].rank)) continue;
      return fmt::format(
          "a loop {0}1 outside {1}, {0}0 inside: a tile of {2} is then walked in "
          "every step of {1}; or policy: buffet",
          nest[picks].rank, nest[i].text(), tensor);
    }
    return "policy: buffet, or another order of the loops";
  }

  /// The streaming window is part of the tensor's room.
  void window(const ConfigReader& entry, const Level& level, const Holding& holding,
              double room) const {
    const ConfigReader whole = level_of(level);
    if (holding.window.count() == 0) {
      throw InputError(blamed({entry.place("window"), entry.place("policy")}),
                       "Tailors needs a streaming window above zero", "like window: 16 KiB");
    }
    if (static_cast<double>(holding.window.count()) <= room) return;
    const std::string path = fmt::format("levels.{}.holds.{}.window", level.name, holding.tensor);
    throw InputError(
        blamed({entry.place("window"), whole.place("capacity"), entry.place("share"),
                entry.place("capacity"), entry.place("policy")}),
        fmt::format("the streaming window ({}) of {} is larger than the room of {}, {}", path,
                    to_text(holding.window), holding.tensor, human_bytes(room)),
        fmt::format("make the room larger, or the window too: {}={}B", path,
                    static_cast<std::uint64_t>(room / 2)));
  }

  [[nodiscard]] ConfigReader level_of(const Level& level) const {
    return config_.mappings("levels")[static_cast<std::size_t>(&level - m_.levels.data())];
  }

  void format(const ConfigReader& entry, const Holding& holding) const {
    for (const Digit& digit : holding.format->order) {
      if (!m_.has_rank(holding.tensor, digit.rank)) {
        entry.fail("order", fmt::format("{} has no rank {}", holding.tensor, digit.rank),
                   fmt::format("its ranks are {}", fmt::join(m_.tensors.at(holding.tensor), ", ")));
      }
      if (!digit.whole) need_loop(entry, "order", digit);
    }
    for (const auto& rank : m_.tensors.at(holding.tensor)) {
      const auto& order = holding.format->order;
      if (std::none_of(order.begin(), order.end(),
                       [&](const Digit& digit) { return digit.rank == rank; })) {
        entry.fail("order", fmt::format("the rank {} of {} is not stored", rank, holding.tensor));
      }
    }
  }

  /// Every pair of neighbours has its link, so that a free one is written as unbounded.
  void links() const {
    std::vector<std::string> chain{kMemory};
    for (const Level& level : m_.levels) chain.push_back(level.name);
    const auto entries = config_.mappings("links");
    std::set<std::string> linked;
    for (std::size_t i = 0; i < m_.links.size(); ++i) {
      const Link& link = m_.links[i];
      const auto from = std::find(chain.begin(), chain.end(), link.from);
      if (from == chain.end()) {
        entries[i].fail("from", fmt::format("'{}' is no level", link.from),
                        suggest(link.from, chain));
      }
      const auto next = from + 1;
      if (next == chain.end() || *next != link.to) {
        entries[i].fail(
            "to", fmt::format("'{}' is not the level inside '{}'", link.to, link.from),
            next == chain.end() ? "nothing is inside it" : fmt::format("expected {}", *next));
      }
      if (!linked.insert(link.to).second) {
        entries[i].fail("to", fmt::format("two links lead to {}", link.to));
      }
    }
    for (std::size_t i = 1; i < chain.size(); ++i) {
      if (linked.count(chain[i]) != 0) continue;
      config_.fail("links", fmt::format("no link from {} to {}", chain[i - 1], chain[i]),
                   "add one; what is not modelled is written as bandwidth: unbounded");
    }
  }

  void units() const {
    const auto entries = config_.mappings("units");
    for (std::size_t i = 0; i < m_.units.size(); ++i) {
      need_level(entries[i], "at", m_.units[i].at);
    }
  }

  void need_level(const ConfigReader& entry, std::string_view key, const std::string& name,
                  bool memory_too = false) const {
    if (m_.find_level(name) != nullptr || (memory_too && name == kMemory)) return;
    std::vector<std::string> known;
    for (const Level& level : m_.levels) known.push_back(level.name);
    if (memory_too) known.emplace_back(kMemory);
    entry.fail(key, fmt::format("'{}' is no level", name), suggest(name, known));
  }

  /// Every digit but the outermost of its rank has a size; the outermost runs over what is left.
  void partition() const {
    const ConfigReader entry = config_.mapping("dataflow").mapping("partition");
    std::set<std::string> sized;
    for (const auto& [digit, size] : m_.dataflow.partition) {
      need_loop(entry, digit.text(), digit);
      if (loops().outermost_of_rank(digit)) {
        entry.fail(digit.text(),
                   fmt::format("{} is the outermost loop of its rank: it runs over what is left",
                               digit.text()),
                   "leave its size out");
      }
      if (!size.tensor.empty() && !m_.has_rank(size.tensor, digit.rank)) {
        entry.fail(digit.text(), fmt::format("{} has no rank {}", size.tensor, digit.rank));
      }
      sized.insert(digit.text());
    }
    for (const Digit& digit : loops().loops()) {
      if (loops().outermost_of_rank(digit) || sized.count(digit.text()) != 0) continue;
      entry.fail(digit.text(), fmt::format("how far {} runs is not said", digit.text()),
                 "a number of steps, a strategy, or auto: the mapper's choice");
    }
  }

  [[nodiscard]] const DigitSize* size_of(const Digit& digit) const {
    for (const auto& [sized, size] : m_.dataflow.partition) {
      if (sized == digit) return &size;
    }
    return nullptr;
  }

  /// What a loop may be spread over, and how many there are.
  [[nodiscard]] std::optional<std::uint64_t> places(const std::string& over) const {
    if (const Level* level = m_.find_level(over)) return level->instances;
    for (const UnitEntry& unit : m_.units) {
      for (const auto& [extent, number] : unit.traits.extents) {
        if (over == unit.name + "." + extent) return number;
      }
    }
    return std::nullopt;
  }

  void spatial() const {
    const ConfigReader entry = config_.mapping("dataflow").mapping("spatial");
    std::map<std::string, double> spread;  // steps of all digits over a place
    for (const Spatial& spatial : m_.dataflow.spatial) {
      const std::string key = spatial.digit.text();
      need_loop(entry, key, spatial.digit);
      const auto there = places(spatial.over);
      if (!there) {
        entry.mapping(key).fail(
            "over", fmt::format("'{}' is neither a level nor an extent of a unit", spatial.over),
            suggest(spatial.over, all_places()));
      }
      const DigitSize* const size = size_of(spatial.digit);
      const bool known = size != nullptr && size->kind == SizeKind::kExtent;
      auto& steps = spread.emplace(spatial.over, 1.0).first->second;
      // Any idle instance takes the next step: there may be more steps than instances. Of rows and
      // lanes a step may fill a multiple, in time.
      if (known && spatial.dispatch == Dispatch::kStatic &&
          m_.find_level(spatial.over) != nullptr) {
        steps *= static_cast<double>(size->extent);
        if (steps > static_cast<double>(*there)) {
          entry.fail(key,
                     fmt::format("{} steps are spread over {} instances of {}", steps, *there,
                                 spatial.over),
                     "make the digit smaller, or leave the rest to a loop in time");
        }
      }
    }
    for (const Level& level : m_.levels) {
      if (level.instances == 1 || spread.count(level.name) != 0) continue;
      config_.mapping("dataflow")
          .fail("spatial",
                fmt::format("{} has {} instances and no loop is spread over them", level.name,
                            level.instances),
                fmt::format("like M0: {{over: {}}}", level.name));
    }
  }

  [[nodiscard]] std::vector<std::string> all_places() const {
    std::vector<std::string> out;
    for (const Level& level : m_.levels) out.push_back(level.name);
    for (const UnitEntry& unit : m_.units) {
      for (const auto& [extent, number] : unit.traits.extents)
        out.push_back(unit.name + "." + extent);
    }
    return out;
  }

  /// Fibers meet on a rank that two operands share.
  void meetings() const {
    const ConfigReader entries = config_.mapping("intersect");
    for (const Meeting& meeting : m_.intersect) {
      const std::string key = meeting.digit.text();
      need_loop(entries, key, meeting.digit);
      need_level(entries.mapping(key), "at", meeting.at, true);
      std::size_t sharing = 0;
      for (const auto& [tensor, ranks] : m_.tensors) {
        if (!is_output(tensor) && m_.has_rank(tensor, meeting.digit.rank)) ++sharing;
      }
      if (sharing < 2) {
        entries.fail(key, fmt::format("only one operand has the rank {}: nothing meets there",
                                      meeting.digit.rank));
      }
      if (!meeting.leader.empty() && !m_.has_rank(meeting.leader, meeting.digit.rank)) {
        entries.mapping(key).fail(
            "leader", fmt::format("{} has no rank {}", meeting.leader, meeting.digit.rank));
      }
    }
  }

  [[nodiscard]] bool is_output(const std::string& tensor) const {
    return std::any_of(m_.outputs.begin(), m_.outputs.end(),
                       [&](const Output& output) { return output.tensor == tensor; });
  }

  void outputs() const {
    const ConfigReader entries = config_.mapping("outputs");
    if (m_.outputs.empty())
      config_.fail("outputs", "no tensor is an output", "Z: {accumulate_at: ...}");
    for (const Output& output : m_.outputs) {
      const ConfigReader entry = entries.mapping(output.tensor);
      need_level(entry, "accumulate_at", output.accumulate_at);
      const Level& level = *m_.find_level(output.accumulate_at);
      const Holding* const holding = level.find(output.tensor);
      if (holding == nullptr) {
        entry.fail("accumulate_at", fmt::format("{} does not hold {}", level.name, output.tensor),
                   fmt::format("add {} to its `holds`", output.tensor));
      }
      if (output.on_evict == Eviction::kMerge && !has_merger()) {
        entry.fail("on_evict", "nothing can merge: no unit of the class merger is there");
      }
      if (output.on_evict == Eviction::kRefuse) never_cut(entry, output, level, *holding);
    }
  }

  [[nodiscard]] bool has_merger() const {
    return std::any_of(m_.units.begin(), m_.units.end(),
                       [](const UnitEntry& unit) { return unit.enabled && unit.traits.merges; });
  }

  /// A loop over a contracted rank outside a loop that picks the output's tile makes the tile leave
  /// before it is finished.
  void never_cut(const ConfigReader& entry, const Output& output, const Level& level,
                 const Holding& holding) const {
    const auto& nest = loops().loops();
    const std::size_t depth = *loops().depth(below(level, holding));
    const Digit* contracted = nullptr;
    for (std::size_t i = 0; i <= depth; ++i) {
      const bool picks = m_.has_rank(output.tensor, nest[i].rank);
      if (!picks) contracted = &nest[i];
      if (picks && contracted != nullptr && !is_spatial(nest[i])) {
        entry.fail("on_evict",
                   fmt::format("{} is outside {}: tiles of {} leave {} before they are finished",
                               contracted->text(), nest[i].text(), output.tensor, level.name),
                   "spill-partial or merge, or another order of the loops");
      }
    }
  }

  [[nodiscard]] bool is_spatial(const Digit& digit) const {
    return std::any_of(m_.dataflow.spatial.begin(), m_.dataflow.spatial.end(),
                       [&](const Spatial& spatial) { return spatial.digit == digit; });
  }

  const ConfigReader& config_;
  const Machine& m_;
};

}  // namespace

void check_whole(const ConfigReader& config, const Machine& machine) {
  Checker(config, machine).run();
}

}  // namespace lacuna::description
