// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/ert.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace lacuna {
namespace {

constexpr std::string_view kMetadata = "metadata";
constexpr Range kEnergy{0, 1e15};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// "system.chip.llb[1..16]" -> "llb"; the dots of a [1..16] do not separate.
std::string last_of(std::string_view path) {
  std::string last;
  int depth = 0;
  for (const char c : path) {
    if (c == '[') ++depth;
    if (depth == 0) {
      if (c == '.') {
        last.clear();
      } else {
        last += c;
      }
    }
    if (c == ']' && depth > 0) --depth;
  }
  return last;
}

AccelergyTable::Component read_entry(const ConfigReader& entry) {
  AccelergyTable::Component component;
  component.path = entry.text("name");
  component.last = last_of(component.path);
  std::map<std::string, std::vector<double>> values;
  for (const auto& action : entry.mappings("actions")) {
    auto& list = values[action.text("name")];
    if (action.has("energy")) {
      list.push_back(action.number("energy", kEnergy));
    } else if (action.has("average_energy")) {
      // A summary of several arguments; the mean is what a run with mixed arguments pays.
      const double mean = action.number("average_energy", kEnergy);
      list.push_back(mean);
      auto& stated = component.actions[action.text("name")];
      stated = {mean, action.number("min_energy", kEnergy, mean),
                action.number("max_energy", kEnergy, mean)};
    } else {
      action.fail("energy", "'energy' is required: expected picojoules");
    }
  }
  for (const auto& [name, list] : values) {
    double sum = 0;
    for (const double value : list) sum += value;
    const auto [low, high] = std::minmax_element(list.begin(), list.end());
    component.actions.try_emplace(
        name, AccelergyTable::Action{sum / static_cast<double>(list.size()), *low, *high});
  }
  return component;
}

using Component = AccelergyTable::Component;

template <class Table>
std::string paths_of(const Table& table) {
  std::vector<std::string> paths;
  for (const auto& component : table.components) paths.push_back(component.path);
  return fmt::format("{}", fmt::join(paths, ", "));
}

/// The component of a path or of its last element. Nothing when there is none.
template <class Table>
auto find(const Table& table, std::string_view name) -> decltype(&table.components.front()) {
  std::vector<decltype(&table.components.front())> found;
  for (const auto& component : table.components) {
    if (component.path == name) return &component;
    if (lower(component.last) == lower(name)) found.push_back(&component);
  }
  if (found.size() > 1) {
    throw InputError(Place{table.file, 0, {}},
                     fmt::format("several components of the table are named '{}': {}, {}", name,
                                 found[0]->path, found[1]->path),
                     "map the name to a full path");
  }
  return found.empty() ? nullptr : found.front();
}

/// The component that the mapping names, if it names one.
template <class Table>
auto find_mapped(const Table& table, const std::string& name, const ErtMapping& mapping)
    -> decltype(&table.components.front()) {
  const auto mapped = mapping.components.find(name);
  if (mapped == mapping.components.end()) return nullptr;
  if (const auto* component = find(table, mapped->second); component != nullptr) return component;
  throw InputError(
      Place{table.file, 0, {}},
      fmt::format("'{}' is mapped to '{}', which the table does not have", name, mapped->second),
      "it has: " + paths_of(table));
}

/// A map that a machine's file can take as it is, with the nearest names as guesses.
class NameMap {
 public:
  void add(const std::string& ours, const std::vector<std::string>& theirs) {
    const std::string name = ours.substr(ours.rfind('.') + 1);
    std::string guess = nearest(name, theirs);
    // What does nothing costs what idles (the published tables).
    const bool idles = name == "gated" || name == "skipped" || name == "idle";
    if (idles && std::find(theirs.begin(), theirs.end(), "leak") != theirs.end()) guess = "leak";
    entries_.push_back(fmt::format("\"{}\": \"{}\"", ours, guess.empty() ? theirs.front() : guess));
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("prices: {{names: {{{}}}}}", fmt::join(entries_, ", "));
  }

 private:
  std::vector<std::string> entries_;
};

template <class Table>
std::vector<std::string> last_names(const Table& table) {
  std::vector<std::string> names;
  for (const auto& component : table.components) names.push_back(component.last);
  return names;
}

/// A component of ours in the table, and what its actions' names start with there.
struct Match {
  const Component* component = nullptr;
  bool metadata = false;
};

Match match(const AccelergyTable& table, const std::string& name, const ErtMapping& mapping) {
  if (const auto* component = find_mapped(table, name, mapping)) return {component, false};
  if (const auto* component = find(table, name); component != nullptr) return {component, false};
  const std::string suffix = fmt::format("_{}", kMetadata);
  if (name.ends_with(suffix)) {
    return {find(table, name.substr(0, name.size() - suffix.size())), true};
  }
  return {};
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kSpellings{
    {{"compute", "mac_random"},
     {"compute", "multiply_accumulate"},
     {"reused", "mac_reused"},
     {"gated", "mac_gated"},
     {"gated", "gated_read"},
     {"skipped", "mac_skipped"},
     {"idle", "leak"},
     {"transfer", "access"}}};

std::optional<AccelergyTable::Action> energy_of(const Match& match, const std::string& name,
                                                const std::string& action,
                                                const ErtMapping& mapping) {
  const auto look = [&](const std::string& key) -> std::optional<AccelergyTable::Action> {
    const auto found = match.component->actions.find(key);
    if (found == match.component->actions.end()) return std::nullopt;
    return found->second;
  };
  const auto mapped = mapping.actions.find(name + "." + action);
  if (mapped != mapping.actions.end()) return look(mapped->second);
  if (match.metadata) {
    if (action == "gated") {
      if (auto hit = look("gated_metadata_read")) return hit;
      return look("metadata_gated_read");
    }
    return look(fmt::format("{}_{}", kMetadata, action));
  }
  if (auto hit = look(action)) return hit;
  for (const auto& [ours, theirs] : kSpellings) {
    if (ours != action) continue;
    if (auto hit = look(std::string(theirs))) return hit;
  }
  return std::nullopt;
}

const std::vector<std::string>* needed_of(const NeededActions& needed, std::string_view name) {
  for (const auto& [component, actions] : needed) {
    if (component == name) return &actions;
  }
  return nullptr;
}

ComponentEnergy replaced(const ComponentEnergy& ours, const Match& match,
                         const AccelergyTable& table, const std::vector<std::string>& wanted,
                         const ErtMapping& mapping, std::vector<std::string>& lacking,
                         NameMap& map) {
  ComponentEnergy component = ours;
  component.actions.clear();
  component.standing = "Accelergy table";
  component.source = fmt::format("{}, {}", table.file, match.component->path);
  component.flags = {
      fmt::format("from the Accelergy table {}, {}", table.file, match.component->path)};
  std::vector<std::string> names = wanted;
  for (const auto& [action, energy] : ours.actions) names.push_back(action);
  std::vector<std::string> absent;
  for (const auto& action : names) {
    const auto energy = energy_of(match, ours.name, action, mapping);
    if (energy) {
      component.actions[action] = Picojoules(energy->pj);
      if (energy->low != energy->high) {
        add_flags(component.flags, {fmt::format("mean of arguments: {} is {} to {} pJ", action,
                                                energy->low, energy->high)});
      }
    } else if (std::find(wanted.begin(), wanted.end(), action) != wanted.end()) {
      absent.push_back(action);
    }
  }
  std::sort(absent.begin(), absent.end());
  absent.erase(std::unique(absent.begin(), absent.end()), absent.end());
  if (!absent.empty()) {
    std::vector<std::string> has;
    for (const auto& [action, energy] : match.component->actions) has.push_back(action);
    for (const auto& action : absent) map.add(ours.name + "." + action, has);
    lacking.push_back(fmt::format("{} of '{}' ({} has {})", fmt::join(absent, ", "), ours.name,
                                  match.component->path, fmt::join(has, ", ")));
  }
  return component;
}

}  // namespace

AccelergyTable AccelergyTable::read(const ConfigTree& tree) {
  const ConfigReader config(tree);
  const bool summary = config.has("ERT_summary");
  if (!summary && !config.has("ERT")) {
    config.fail({}, "not an Accelergy energy reference table",
                "expected a top-level key ERT or ERT_summary");
  }
  const auto body = config.mapping(summary ? "ERT_summary" : "ERT");
  AccelergyTable table;
  table.file = tree.file;
  table.version = body.text("version");
  if (table.version != "0.3" && table.version != "0.4") {
    body.fail("version", fmt::format("version {} of the table is not known", table.version),
              "expected 0.3 or 0.4");
  }
  const std::string_view list = summary ? "table_summary" : "tables";
  for (const auto& entry : body.mappings(list)) table.components.push_back(read_entry(entry));
  if (table.components.empty()) body.fail(list, "the table has no components");
  return table;
}

AccelergyTable AccelergyTable::load(const std::filesystem::path& file) {
  return read(ConfigTree::load(file));
}

AccelergyAreas AccelergyAreas::read(const ConfigTree& tree) {
  const ConfigReader config(tree);
  const bool summary = config.has("ART_summary");
  if (!summary && !config.has("ART")) {
    config.fail({}, "not an Accelergy area reference table",
                "expected a top-level key ART or ART_summary");
  }
  const auto body = config.mapping(summary ? "ART_summary" : "ART");
  const std::string version = body.text("version");
  if (version != "0.3" && version != "0.4") {
    body.fail("version", fmt::format("version {} of the table is not known", shortened(version)),
              "expected 0.3 or 0.4");
  }
  const std::string_view list = summary ? "table_summary" : "tables";
  AccelergyAreas areas;
  areas.file = tree.file;
  for (const auto& entry : body.mappings(list)) {
    const std::string path = entry.text("name");
    areas.components.push_back({path, last_of(path), entry.number("area", kEnergy)});
  }
  if (areas.components.empty()) body.fail(list, "the table has no components");
  return areas;
}

AccelergyAreas AccelergyAreas::load(const std::filesystem::path& file) {
  return read(ConfigTree::load(file));
}

namespace {

void check_mapped_names(const ComponentSet& base, const ErtMapping& mapping) {
  std::vector<std::string> names;
  for (const auto& component : base.components) names.push_back(component.name);
  for (const auto& [name, target] : mapping.components) {
    if (base.find(name) != nullptr) continue;
    throw InputError(
        fmt::format("a mapping is given for '{}', which the machine does not have", name),
        suggest(name, names));
  }
}

void take_leakage(ComponentEnergy& component, double clock_ns) {
  const auto idle = component.actions.find("idle");
  component.static_mw = idle == component.actions.end() ? 0 : idle->second.count() / clock_ns;
  if (idle != component.actions.end()) return;
  add_flags(component.flags, {"not priced: leakage, for which the Accelergy table has no action"});
}

}  // namespace

ComponentSet with_accelergy_table(const ComponentSet& base, const AccelergyTable& table,
                                  const NeededActions& needed, const ErtMapping& mapping,
                                  double clock_ns) {
  check_mapped_names(base, mapping);
  ComponentSet set{base.name + " with " + table.file, base.node_nm, {}};
  std::vector<std::string> lacking;
  NameMap map;
  for (const auto& ours : base.components) {
    const auto* wanted = needed_of(needed, ours.name);
    const Match found = match(table, ours.name, mapping);
    if (found.component != nullptr) {
      set.components.push_back(replaced(ours, found, table,
                                        wanted == nullptr ? std::vector<std::string>{} : *wanted,
                                        mapping, lacking, map));
      take_leakage(set.components.back(), clock_ns);
    } else if (wanted != nullptr && !wanted->empty()) {
      map.add(ours.name, last_names(table));
      lacking.push_back(
          fmt::format("component '{}' (needed: {})", ours.name, fmt::join(*wanted, ", ")));
    }
  }
  for (const auto& [name, actions] : needed) {
    if (base.find(name) == nullptr && !actions.empty()) {
      lacking.push_back(fmt::format("component '{}'", name));
    }
  }
  if (lacking.empty()) return set;
  throw InputError(Place{table.file, 0, {}},
                   fmt::format("the energy reference table lacks what the machine counts: {}",
                               fmt::join(lacking, "; ")),
                   fmt::format("add the actions, or map the names, for instance {}; its "
                               "components: {}",
                               map.text(), paths_of(table)));
}

ComponentSet with_accelergy_areas(const ComponentSet& base, const AccelergyAreas& areas,
                                  const NeededActions& needed, const ErtMapping& mapping) {
  check_mapped_names(base, mapping);
  ComponentSet set = base;
  std::vector<std::string> lacking;
  NameMap map;
  for (ComponentEnergy& ours : set.components) {
    const auto* found = find_mapped(areas, ours.name, mapping);
    if (found == nullptr) found = find(areas, ours.name);
    if (found != nullptr) {
      ours.area = SquareMicrons(found->um2);
      add_flags(ours.flags,
                {fmt::format("area from the Accelergy table {}, {}", areas.file, found->path)});
      continue;
    }
    ours.area = SquareMicrons(0);
    const auto* wanted = needed_of(needed, ours.name);
    // Metadata lie in a memory that a table may count with the data's.
    if (wanted == nullptr || wanted->empty() || ours.name.ends_with(kMetadata)) {
      add_flags(ours.flags, {"not priced: area, which the Accelergy table does not have"});
    } else {
      map.add(ours.name, last_names(areas));
      lacking.push_back(ours.name);
    }
  }
  if (lacking.empty()) return set;
  throw InputError(Place{areas.file, 0, {}},
                   fmt::format("the area reference table lacks components of the machine: {}",
                               fmt::join(lacking, ", ")),
                   fmt::format("add them, or map the names, for instance {}; its components: {}",
                               map.text(), paths_of(areas)));
}

ComponentSet with_accelergy_files(const ComponentSet& base, const AccelergyFiles& files,
                                  const NeededActions& needed, double clock_ns) {
  ErtMapping mapping;
  std::vector<std::string> known;
  for (const auto& component : base.components) known.push_back(component.name);
  for (const auto& [ours, theirs] : files.names) {
    const std::string component = ours.substr(0, ours.rfind('.'));
    if (base.find(ours) != nullptr) {
      mapping.components[ours] = theirs;
    } else if (base.find(component) != nullptr) {
      mapping.actions[ours] = theirs;
    } else {
      throw InputError(
          fmt::format("prices.names maps '{}', which is neither a component of the machine nor an "
                      "action of one",
                      shortened(ours)),
          suggest(component, known));
    }
  }
  ComponentSet set = base;
  if (!files.ert.empty()) {
    set = with_accelergy_table(set, AccelergyTable::load(files.ert), needed, mapping, clock_ns);
  }
  // What an energy table dropped has no name to map any more.
  std::erase_if(mapping.components,
                [&](const auto& entry) { return set.find(entry.first) == nullptr; });
  if (!files.art.empty()) {
    set = with_accelergy_areas(set, AccelergyAreas::load(files.art), needed, mapping);
  }
  return set;
}

}  // namespace lacuna
