// SPDX-License-Identifier: Apache-2.0
#include "tests/record/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace lacuna::test {
namespace {

using OrderedJson = nlohmann::ordered_json;

using Keys = std::set<std::string, std::less<>>;

/// Of the host, derived from what is recorded, or words.
const Keys kLeftOut{"schema",       "name",         "workload", "time_s",
                    "provenance",   "host",         "check",    "energy_pj_per_token",
                    "energy_table", "energy_flags", "prices",   "clock_hz",
                    "utilization",  "activations",  "operands", "dram_bandwidth"};

/// What is recorded of each operation of a step.
const Keys kOfOperation{"times",
                        "cycles",
                        "bound",
                        "energy_pj",
                        "tile_columns",
                        "overbooked_fraction",
                        "dram_weight_bytes",
                        "dram_cache_bytes",
                        "dram_activation_bytes"};

bool says_nothing(const OrderedJson& value) {
  return value.is_null() || value == 0 || value == false || value == "" ||
         (value.is_structured() && value.empty());
}

std::string text_of(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Several values on one line: a run has dozens of operations and actions.
std::string fields_text(const OrderedJson& fields, const Keys& wanted) {
  std::string text;
  for (const std::string& key : wanted) {
    if (!fields.contains(key) || says_nothing(fields[key])) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, text_of(fields[key]));
  }
  return text;
}

void flatten(const std::string& path, const OrderedJson& value, RecordedRun& out) {
  if (says_nothing(value)) return;
  if (value.is_object() && path.starts_with("actions.") && value.contains("count")) {
    const std::string text = fields_text(value, {"count", "energy_pj"});
    if (!text.empty()) out[path] = text;
  } else if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      if (kLeftOut.contains(key)) continue;
      flatten(path.empty() ? key : path + '.' + key, child, out);
    }
  } else if (path == "operations") {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto key = fmt::format("operation {:03} {}", i, text_of(value[i].at("name")));
      out[key] = fields_text(value[i], kOfOperation);
      const std::uint64_t alone = value[i].value("cycles", 0ULL) * value[i].value("times", 1ULL);
      const std::uint64_t in_step = value[i].value("cycles_in_step", alone);
      if (in_step != alone) out[key] += fmt::format(", cycles_in_step {}", in_step);
    }
  } else if (path == "pe_busy") {
    std::uint64_t sum = 0, most = 0;
    for (const auto& pe : value) {
      sum += pe.get<std::uint64_t>();
      most = std::max(most, pe.get<std::uint64_t>());
    }
    out[path] = fmt::format("{} in all, {} at most", sum, most);
  } else {
    out[path] = path == "unsupported" ? "yes" : text_of(value);
  }
}

[[noreturn]] void bad_line(std::size_t number, const std::string& line) {
  throw std::runtime_error(fmt::format("line {}: '{}'", number, line));
}

template <class Each>
void for_each_line(const std::string& text, Each&& each) {
  std::istringstream lines(text);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line[0] != '#') each(number, line);
  }
}

}  // namespace

std::map<std::string, std::vector<ListedRun>> parse_runs(const std::string& text) {
  std::map<std::string, std::vector<ListedRun>> groups;
  std::vector<ListedRun>* group = nullptr;
  for_each_line(text, [&](std::size_t number, const std::string& line) {
    if (line.front() == '[' && line.back() == ']') {
      group = &groups[line.substr(1, line.size() - 2)];
      return;
    }
    const auto colon = line.find(": ");
    if (group == nullptr || colon == std::string::npos) bad_line(number, line);
    ListedRun run{line.substr(0, colon), {}};
    std::istringstream words(line.substr(colon + 2));
    for (std::string word; words >> word;) run.arguments.push_back(word);
    const bool twice = std::any_of(group->begin(), group->end(),
                                   [&](const ListedRun& other) { return other.name == run.name; });
    if (twice) bad_line(number, line);
    group->push_back(std::move(run));
  });
  return groups;
}

Record parse_results(const std::string& run, const std::string& json) {
  const OrderedJson parsed = OrderedJson::parse(json);
  Record record;
  if (parsed.is_object()) {
    flatten("", parsed, record[run]);
    return record;
  }
  for (const OrderedJson& result : parsed) {
    const auto name = fmt::format("{}, {}", run, text_of(result.at("name")));
    if (record.contains(name)) throw std::runtime_error(fmt::format("run {} comes twice", name));
    flatten("", result, record[name]);
  }
  return record;
}

std::string to_text(const Record& record) {
  std::string text;
  for (const auto& [name, run] : record) {
    text += fmt::format("run {}\n", name);
    for (const auto& [key, value] : run) text += fmt::format("  {} = {}\n", key, value);
  }
  return text;
}

Record parse_record(const std::string& text) {
  Record record;
  RecordedRun* run = nullptr;
  for_each_line(text, [&](std::size_t number, const std::string& line) {
    if (line.starts_with("run ")) {
      const auto [place, is_new] = record.try_emplace(line.substr(4));
      if (!is_new) bad_line(number, line);
      run = &place->second;
      return;
    }
    const auto equals = line.find(" = ");
    if (run == nullptr || !line.starts_with("  ") || equals == std::string::npos) {
      bad_line(number, line);
    }
    if (!run->try_emplace(line.substr(2, equals - 2), line.substr(equals + 3)).second) {
      bad_line(number, line);
    }
  });
  return record;
}

std::vector<std::string> differences(const Record& recorded, const Record& now) {
  std::vector<std::string> lines;
  for (const auto& [name, run] : now) {
    if (!recorded.contains(name)) lines.push_back(fmt::format("run {}: not recorded", name));
  }
  for (const auto& [name, before] : recorded) {
    const auto found = now.find(name);
    if (found == now.end()) {
      lines.push_back(fmt::format("run {}: recorded, and no longer run", name));
      continue;
    }
    std::set<std::string> keys;
    for (const auto& [key, value] : before) keys.insert(key);
    for (const auto& [key, value] : found->second) keys.insert(key);
    const auto value = [](const RecordedRun& run, const std::string& key) {
      const auto at = run.find(key);
      return at == run.end() ? std::string("nothing") : at->second;
    };
    for (const std::string& key : keys) {
      const std::string was = value(before, key), is = value(found->second, key);
      if (was == is) continue;
      lines.push_back(fmt::format("run {}: {}: recorded {}, now {}", name, key, was, is));
    }
  }
  return lines;
}

}  // namespace lacuna::test
