// SPDX-License-Identifier: Apache-2.0
// The schema is checked against the shipped machines with a small validator of the words it uses.
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/config.hpp"
#include "base/config_descriptions.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "tests/app/command.hpp"

using namespace lacuna;
using namespace lacuna::test;
using Json = nlohmann::json;

namespace {

std::string faults(const Json& schema, const ConfigTree& value, const std::string& path);

bool is_number(const ConfigTree& value, const Json& schema, bool whole) {
  const auto number = parse_number(value.scalar);
  return number && (!whole || *number == std::floor(*number)) &&
         (!schema.contains("minimum") || *number >= schema["minimum"].get<double>()) &&
         (!schema.contains("maximum") || *number <= schema["maximum"].get<double>());
}

std::string mapping_faults(const Json& schema, const ConfigTree& value, const std::string& path) {
  std::string out;
  std::set<std::string> given;
  for (const auto& [key, child] : value.children) {
    given.insert(key);
    const std::string at = path + "." + key;
    if (schema.contains("properties") && schema["properties"].contains(key)) {
      out += faults(schema["properties"][key], child, at);
    } else if (schema.contains("additionalProperties")) {
      const Json& others = schema["additionalProperties"];
      out += others.is_boolean() ? at + ": unknown key\n" : faults(others, child, at);
    }
  }
  for (const Json& key : schema.value("required", Json::array())) {
    if (!given.contains(key.get<std::string>())) {
      out += path + "." + key.get<std::string>() + ": missing\n";
    }
  }
  return out;
}

bool fits_type(const Json& schema, const ConfigTree& value, const std::string& type) {
  const bool scalar = value.kind == ConfigTree::Kind::scalar;
  if (type == "object") return value.kind == ConfigTree::Kind::mapping;
  if (type == "null") return value.kind == ConfigTree::Kind::null;
  if (type == "array") return value.kind == ConfigTree::Kind::sequence;
  if (type == "boolean") return scalar && (value.scalar == "true" || value.scalar == "false");
  if (type == "integer" || type == "number") {
    return scalar && is_number(value, schema, type == "integer");
  }
  return scalar;  // string
}

/// What does not fit, one a line; keywords: anyOf, type, enum, pattern, minimum, maximum,
/// properties, additionalProperties, required, items.
std::string faults(const Json& schema, const ConfigTree& value, const std::string& path) {
  std::string out;
  if (schema.contains("anyOf")) {
    std::string of_all;
    bool fits = false;
    for (const Json& way : schema["anyOf"]) {
      const std::string found = faults(way, value, path);
      fits = fits || found.empty();
      of_all += found;
    }
    if (!fits) out += of_all;
  }
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    const bool fits = std::any_of(types.begin(), types.end(), [&](const Json& type) {
      return fits_type(schema, value, type.get<std::string>());
    });
    if (!fits) return out + path + ": not of type " + types.dump() + "\n";
  }
  if (schema.contains("enum")) {
    const Json& names = schema["enum"];
    if (std::find(names.begin(), names.end(), value.scalar) == names.end()) {
      out += path + ": '" + value.scalar + "' is none of " + names.dump() + "\n";
    }
  }
  if (schema.contains("pattern") && value.kind != ConfigTree::Kind::null &&
      !std::regex_search(value.scalar, std::regex(schema["pattern"].get<std::string>()))) {
    out += path + ": '" + value.scalar + "' is no quantity\n";
  }
  if (value.kind == ConfigTree::Kind::mapping) out += mapping_faults(schema, value, path);
  if (value.kind == ConfigTree::Kind::sequence && schema.contains("items")) {
    for (const ConfigTree& item : value.items) out += faults(schema["items"], item, path + "[]");
  }
  return out;
}

const Json& machine_schema_json() {
  static const Json schema = [] {
    const Ran ran = run_lacuna("schema", {"schema"});
    REQUIRE(ran.code == 0);
    return Json::parse(ran.out);
  }();
  return schema;
}

/// The faults of a shipped machine after one change.
std::string changed(const std::string& assignment) {
  ConfigTree tree = ConfigTree::load(find_config("arch", "extensor-ob"));
  tree.set(assignment);
  return faults(machine_schema_json(), tree, "");
}

ConfigTree file_as_written(const std::filesystem::path& path) {
  return ConfigTree::parse(read_file(path), path.string());
}

}  // namespace

TEST_CASE("every shipped machine fits the schema, as written and with what it extends") {
  CHECK(machine_schema_json()["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  const auto names = shipped("arch");
  CHECK(names.size() >= 4);
  for (const auto& name : names) {
    const auto path = find_config("arch", name);
    const ConfigTree whole = ConfigTree::load(path);
    const Json& schema = machine_schema_json();
    CHECK(faults(schema, file_as_written(path), name) == "");
    CHECK(faults(schema, whole, name) == "");
  }
}

TEST_CASE("the schema refuses what the reader refuses") {
  for (const char* assignment :
       {"memory.bandwith=64 B/cycle", "memory.bandwidth=64", "memory.bandwidth=64 parsecs",
        "levels.llb.capacity=30 MiB/s", "levels.llb.holds.A.policy=bufet", "levels.peb.instances=0",
        "levels.peb.instances=1.5", "strict=maybe", "clock=fast", "memory.energy=8 pJ",
        "memory=64 B/cycle", "memory.latency=100", "dataflow.seed=-1"}) {
    INFO(assignment);
    CHECK(!changed(assignment).empty());
    ConfigTree tree = ConfigTree::load(find_config("arch", "extensor-ob"));
    tree.set(assignment);
    CHECK(run_lacuna("schema_reader", {"tile", "uniform:rows=64,cols=64,density=0.1", "--arch",
                                       "extensor-ob", "--set", assignment})
              .code == 2);
  }
}

TEST_CASE("the schema accepts what the reader accepts") {
  for (const char* assignment :
       {"memory.bandwidth=unbounded", "memory.bandwidth=1.5e3 GB/s", "memory.latency=40 ns",
        "memory.latency=1 cycle", "levels.llb.capacity=15MiB", "levels.peb.capacity=.5 KiB",
        "dataflow.by_workload.my-own-matrix.M1=4", "intersect.K1.per_cycle=unbounded",
        "intersect.K1.per_cycle=0.5", "bound.blocks=dram", "memory.energy=64 pJ/B"}) {
    INFO(assignment);
    CHECK(changed(assignment).empty());
    CHECK(run_lacuna("schema_reader", {"tile", "uniform:rows=64,cols=64,density=0.1", "--arch",
                                       "extensor-ob", "--set", assignment})
              .code == 0);
  }
}

TEST_CASE("a key is required unless the file extends another or a default stands for it") {
  const Json schema = machine_schema_json();
  ConfigTree tree = ConfigTree::parse("name: mine\n", "mine.yaml");
  const std::string missing = faults(schema, tree, "");
  CHECK(missing.find(".memory: missing") != std::string::npos);
  CHECK(missing.find(".clock: missing") != std::string::npos);
  CHECK(missing.find(".features: missing") == std::string::npos);
  tree.set("memory={latency: 1 cycle}");
  CHECK(faults(schema, tree, "").find(".memory.outstanding: missing") != std::string::npos);
  tree.set("extends=extensor.yaml");
  CHECK(faults(schema, tree, "").empty());
}

namespace {

/// Keys without a description, one a line; asks `words` for each.
std::string undescribed(const Json& schema, const ConfigDescriptions& words,
                        const ConfigDescriptions::Path& path) {
  std::string out;
  const auto below = [&](const std::string& key) {
    ConfigDescriptions::Path next = path;
    next.push_back(key);
    return next;
  };
  const Json ways = schema.value("anyOf", Json::array());
  for (const Json& way : ways) {
    if (way.contains("type")) out += undescribed(way, words, path);
  }
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [key, child] : properties.items()) {
    if (path.empty() && key == "extends") continue;  // of every file, described where it is read
    if (words.find(below(key)).empty()) out += fmt::format("{}\n", fmt::join(below(key), "."));
    out += undescribed(child, words, below(key));
  }
  const Json others = schema.value("additionalProperties", Json(false));
  if (others.is_object()) {
    if (words.find(below("*")).empty()) out += fmt::format("{}\n", fmt::join(below("*"), "."));
    out += undescribed(others, words, below("*"));
  }
  if (schema.contains("items") && !path.empty()) {
    ConfigDescriptions::Path item = path;
    item.back() += "[]";
    out += undescribed(schema["items"], words, item);
  }
  return out;
}

}  // namespace

TEST_CASE("every key of a machine is described, and nothing else is") {
  const ConfigDescriptions words(load_config("schema", "machine-keys"));
  CHECK(undescribed(machine_schema_json(), words, {}) == "");
  CHECK(words.unused() == std::vector<std::string>{});
}
