// SPDX-License-Identifier: Apache-2.0
#include "report/result_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/config.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json_text.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::report {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;
using Leaves = std::map<std::string, OrderedJson>;

/// Of the host, or how the result is written.
constexpr std::string_view kNotOfTheRun[] = {"host.", "schema", "provenance.version"};
/// What people look at first.
constexpr std::string_view kFirst[] = {"cycles",   "time_s", "energy_pj.total",
                                       "area_um2", "bound",  "traffic.dram"};

bool begins(const std::string& path, std::string_view with) {
  return path.starts_with(with);
}

std::size_t rank_of(const std::string& path) {
  std::size_t rank = 0;
  for (const std::string_view first : kFirst) {
    const bool is_it = first == "traffic.dram" ? begins(path, first) : path == first;
    if (is_it) return rank;
    ++rank;
  }
  return rank;
}

void flatten(const OrderedJson& value, const std::string& path, Leaves& out) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      flatten(child, path.empty() ? key : path + '.' + key, out);
    }
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const OrderedJson& child : value) {
      // Entries with a name are known by it.
      const bool named = child.is_object() && child.contains("name");
      const std::string key = named ? child["name"].dump() : std::to_string(i);
      flatten(child, fmt::format("{}[{}]", path, key), out);
      ++i;
    }
  } else {
    out[path] = value;
  }
}

void flatten(const ConfigTree& tree, const std::string& path, Leaves& out) {
  if (tree.kind == ConfigTree::Kind::scalar) out[path] = tree.scalar;
  for (const auto& [key, child] : tree.children) {
    flatten(child, path.empty() ? key : path + '.' + key, out);
  }
  for (std::size_t i = 0; i < tree.items.size(); ++i) {
    const ConfigTree* const name = tree.items[i].find("name");
    flatten(tree.items[i],
            name != nullptr ? path + '.' + name->scalar : fmt::format("{}[{}]", path, i), out);
  }
}

std::string text_of(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned()) return grouped(value.get<std::uint64_t>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump();
}

std::vector<Difference> differences(const Leaves& a, const Leaves& b) {
  std::map<std::string, Difference> all;
  for (const auto& [path, value] : a) all[path] = {path, text_of(value), "", {}};
  for (const auto& [path, value] : b) {
    Difference& one = all[path];
    one.path = path;
    one.b = text_of(value);
    const auto found = a.find(path);
    if (found == a.end() || !found->second.is_number() || !value.is_number()) continue;
    const double x = found->second.get<double>(), y = value.get<double>();
    if (x != 0 && y != 0) one.ratio = y / x;
  }
  std::vector<Difference> out;
  for (auto& [path, one] : all) {
    const auto left = a.find(path), right = b.find(path);
    if (left != a.end() && right != b.end() && left->second == right->second) continue;
    out.push_back(std::move(one));
  }
  return out;
}

/// The larger the factor, the sooner; what only one run has comes last.
double weight(const Difference& one) {
  return one.ratio && *one.ratio > 0 ? -std::abs(std::log(*one.ratio)) : 0;
}

struct Run {
  OrderedJson result;
  std::optional<ConfigTree> configuration;
};

fs::path file_of(const fs::path& given) {
  std::error_code ignored;
  return fs::is_directory(given, ignored) ? given / "result.json" : given;
}

/// Beside a run's own result, or in a folder of its name beside those of several.
std::optional<ConfigTree> configuration_of(const fs::path& file, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& beside : {file.parent_path() / name, file.parent_path()}) {
    if (fs::is_regular_file(beside / "resolved.yaml", ignored)) {
      return ConfigTree::load(beside / "resolved.yaml");
    }
  }
  return std::nullopt;
}

std::vector<Run> load(const fs::path& given) {
  const fs::path file = file_of(given);
  const std::string name = file.string();
  const auto json = parse_json<OrderedJson>(read_file(file), JsonOrigin{name});
  std::vector<Run> runs;
  for (const OrderedJson& one : json.is_array() ? json : OrderedJson::array({json})) {
    if (!one.is_object() || !one.contains("name") || !one.contains("cycles")) {
      throw InputError({name, 0, {}}, "no result of `lacuna run`",
                       "give its folder or result.json");
    }
    runs.push_back({one, configuration_of(file, text_of(one["name"]))});
  }
  return runs;
}

std::string label(const OrderedJson& result) {
  return fmt::format("{}, {}", text_of(result["name"]), text_of(result.value("workload", "")));
}

RunDifferences compare(const Run& a, const Run& b) {
  RunDifferences out;
  out.a = label(a.result);
  out.b = label(b.result);
  Leaves of_a, of_b;
  flatten(a.result, "", of_a);
  flatten(b.result, "", of_b);
  out.values = differences(of_a, of_b);
  std::erase_if(out.values, [](const Difference& one) {
    return std::any_of(std::begin(kNotOfTheRun), std::end(kNotOfTheRun),
                       [&](std::string_view path) { return begins(one.path, path); });
  });
  std::stable_sort(
      out.values.begin(), out.values.end(), [](const Difference& x, const Difference& y) {
        return std::pair(rank_of(x.path), weight(x)) < std::pair(rank_of(y.path), weight(y));
      });
  out.compared_configuration = a.configuration && b.configuration;
  if (!out.compared_configuration) return out;
  of_a.clear();
  of_b.clear();
  flatten(*a.configuration, "", of_a);
  flatten(*b.configuration, "", of_b);
  out.configuration = differences(of_a, of_b);
  return out;
}

std::string row(const Difference& one) {
  const auto cell = [](const std::string& text) { return text.empty() ? "-" : shortened(text); };
  std::string out =
      fmt::format("    {:<52} {:>22} {:>22}", shortened(one.path), cell(one.a), cell(one.b));
  if (one.ratio) out += fmt::format(" {:>10.4g}", *one.ratio);
  return out + '\n';
}

}  // namespace

std::vector<RunDifferences> compare_results(const fs::path& a, const fs::path& b) {
  const std::vector<Run> of_a = load(a), of_b = load(b);
  if (of_a.size() != of_b.size()) {
    throw InputError(
        fmt::format("{} has {} runs, {} has {}", a.string(), of_a.size(), b.string(), of_b.size()),
        "compare results of one run each, like DIR/MACHINE");
  }
  std::vector<RunDifferences> out;
  for (std::size_t i = 0; i < of_a.size(); ++i) out.push_back(compare(of_a[i], of_b[i]));
  return out;
}

std::string differences_text(const std::vector<RunDifferences>& runs, std::size_t most) {
  std::string out;
  for (const RunDifferences& run : runs) {
    out += fmt::format("A: {}\nB: {}\n", run.a, run.b);
    if (!run.compared_configuration) {
      out += "  configurations are not compared: no resolved.yaml stands beside both\n";
    } else if (run.configuration.empty()) {
      out += "  the same configuration\n";
    } else {
      out += fmt::format("  {:<54} {:>22} {:>22}\n", "set differently", "A", "B");
    }
    for (const Difference& one : run.configuration) out += row(one);
    if (run.values.empty()) {
      out += "  no value differs\n";
      continue;
    }
    out +=
        fmt::format("  {:<54} {:>22} {:>22} {:>10}\n", "came out differently", "A", "B", "B / A");
    const std::size_t shown = most == 0 ? run.values.size() : std::min(most, run.values.size());
    for (std::size_t i = 0; i < shown; ++i) out += row(run.values[i]);
    if (shown < run.values.size()) {
      out += fmt::format("  and {} more (--all)\n", run.values.size() - shown);
    }
  }
  return out;
}

std::string differences_json(const std::vector<RunDifferences>& runs) {
  OrderedJson out = OrderedJson::array();
  const auto list = [](const std::vector<Difference>& all) {
    OrderedJson rows = OrderedJson::array();
    for (const Difference& one : all) {
      OrderedJson row{{"path", one.path}, {"a", one.a}, {"b", one.b}};
      if (one.ratio) row["ratio"] = *one.ratio;
      rows.push_back(std::move(row));
    }
    return rows;
  };
  for (const RunDifferences& run : runs) {
    OrderedJson one{{"a", run.a}, {"b", run.b}, {"values", list(run.values)}};
    if (run.compared_configuration) one["configuration"] = list(run.configuration);
    out.push_back(std::move(one));
  }
  return out.dump(2);
}

}  // namespace lacuna::report
