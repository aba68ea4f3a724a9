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
  if (schema.contains("pattern") &&
      !std::regex_search(value.scalar, std::regex(schema["pattern"].get<std::string>()))) {
    out += path + ": '" + value.scalar + "' is no quantity\n";
  }
  if (value.kind == ConfigTree::Kind::mapping) out += mapping_faults(schema, value, path);
  if (value.kind == ConfigTree::Kind::sequence && schema.contains("items")) {
    for (const ConfigTree& item : value.items) out += faults(schema["items"], item, path + "[]");
  }
  return out;
}

Json machine_schema_json(const std::string& kind = "extensor") {
  static std::map<std::string, Json> schemas;
  if (!schemas.contains(kind)) {
    const Ran ran = run_lacuna("schema", {"schema", "--kind", kind});
    REQUIRE(ran.code == 0);
    schemas[kind] = Json::parse(ran.out);
  }
  return schemas[kind];
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
    const bool described = whole.find("levels") != nullptr;
    REQUIRE((described || whole.find("kind") != nullptr));
    const Json schema = machine_schema_json(described ? "described" : whole.find("kind")->scalar);
    CHECK(faults(schema, file_as_written(path), name).empty());
    CHECK(faults(schema, whole, name).empty());
  }
}

TEST_CASE("the schema refuses what the reader refuses") {
  for (const char* assignment :
       {"dram.bandwith=64 B/cycle", "dram.bandwidth=64", "dram.bandwidth=64 parsecs",
        "buffers.llb.capacity=30 MiB/s", "buffers.llb.policy=bufet", "pes.count=0", "pes.count=1.5",
        "tiling.by_workload.mine.m2=3", "buffers.peb.strict=maybe", "clock=fast",
        "dram.energy=8 pJ", "dram=64 B/cycle", "dram.latency=100"}) {
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
       {"dram.bandwidth=unbounded", "dram.bandwidth=1.5e3 GB/s", "dram.latency=40 ns",
        "dram.latency=1 cycle", "buffers.llb.capacity=15MiB", "buffers.peb.capacity=.5 KiB",
        "tiling.by_workload.my-own-matrix.m1=4", "intersect.k1.tries_per_cycle=unbounded",
        "intersect.k1.tries_per_cycle=0.5", "bound.blocks=dram", "dram.energy=64 pJ/B"}) {
    INFO(assignment);
    CHECK(changed(assignment).empty());
    CHECK(run_lacuna("schema_reader", {"tile", "uniform:rows=64,cols=64,density=0.1", "--arch",
                                       "extensor-ob", "--set", assignment})
              .code == 0);
  }
}

TEST_CASE("a key is required unless the file extends another or a default stands for it") {
  const Json schema = machine_schema_json();
  ConfigTree tree = ConfigTree::parse("name: mine\nkind: extensor\n", "mine.yaml");
  const std::string missing = faults(schema, tree, "");
  CHECK(missing.find(".dram: missing") != std::string::npos);
  CHECK(missing.find(".clock: missing") != std::string::npos);
  CHECK(missing.find(".network: missing") == std::string::npos);
  tree.set("dram={latency: 1 cycle}");
  CHECK(faults(schema, tree, "").find(".dram.bandwidth: missing") != std::string::npos);
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

TEST_CASE("every key of every kind of machine is described, and nothing else is") {
  const ConfigDescriptions words(load_config("schema", "machine-keys"));
  for (const char* kind : {"extensor", "mac-array", "described"}) {
    INFO(kind);
    const Ran ran = run_lacuna("schema", {"schema", "--kind", kind});
    REQUIRE(ran.code == 0);
    CHECK(undescribed(Json::parse(ran.out), words, {}) == "");
  }
  CHECK(words.unused() == std::vector<std::string>{});
}
