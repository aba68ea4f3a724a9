// SPDX-License-Identifier: Apache-2.0
#include "base/config_shape.hpp"
#include "base/config_descriptions.hpp"

#include <nlohmann/json.hpp>

#include "base/config.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using Json = nlohmann::json;

namespace {

ConfigReader reader_of(const std::string& yaml) {
  return ConfigReader(ConfigTree::parse(yaml, "test.yaml"));
}

Json schema_of(const ConfigShape& shape) {
  return Json::parse(json_schema(shape, "Test", "urn:test", {}));
}

}  // namespace

TEST_CASE("a reader remembers what it was asked for, given or not") {
  const ConfigReader config = reader_of("size: 1 KiB\nlist: [{deep: 1}]\n");
  (void)config.bytes("size");
  (void)config.integer("count", {1, 9}, 4);
  (void)config.choice<int>("mode", {{"slow", 0}, {"fast", 1}}, 1);
  for (const auto& item : config.mappings("list")) (void)item.number("deep", {0, 2});
  const Json schema = schema_of(config.shape());
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["properties"]["size"]["type"][0] == "string");
  CHECK(schema["properties"]["count"] ==
        Json({{"type", "integer"}, {"minimum", 1.0}, {"maximum", 9.0}, {"default", 4}}));
  CHECK(schema["properties"]["mode"] == Json({{"enum", {"slow", "fast"}}, {"default", "fast"}}));
  CHECK(schema["properties"]["list"]["items"]["properties"]["deep"]["type"] == "number");
  CHECK(schema["anyOf"][1]["required"] == Json::array({"size"}));
}

TEST_CASE("names of the user's own are told from keys") {
  const ConfigReader config = reader_of("tiles: {mine: {m: 1}, yours: {m: 2}}\n");
  const ConfigReader tiles = config.mapping("tiles");
  for (const auto& name : tiles.keys()) (void)tiles.mapping(name).integer("m", {1, 9});
  const Json found = schema_of(config.shape())["properties"]["tiles"];
  CHECK(found["properties"].empty());
  CHECK(found["additionalProperties"]["properties"]["m"]["type"] == "integer");
}

TEST_CASE("merged shapes accept what either does and require what both require") {
  const ConfigReader one = reader_of("kind: a\nboth: 1\nonly: 2\n");
  (void)one.choice<int>("kind", {{"a", 0}});
  (void)one.integer("both", {1, 4});
  (void)one.integer("only", {1, 4});
  const ConfigReader two = reader_of("kind: b\nboth: 7\n");
  (void)two.choice<int>("kind", {{"b", 0}});
  (void)two.integer("both", {3, 9});
  if (two.has("maybe")) (void)two.text("maybe");
  ConfigShape shape = one.shape();
  shape.merge(two.shape());
  const Json schema = schema_of(shape);
  CHECK(schema["properties"]["kind"]["enum"] == Json::array({"a", "b"}));
  CHECK(schema["properties"]["both"]["minimum"] == 1.0);
  CHECK(schema["properties"]["both"]["maximum"] == 9.0);
  CHECK(schema["properties"]["maybe"] == Json::object());
  CHECK(schema["anyOf"][1]["required"] == Json::array({"kind", "both"}));
}

TEST_CASE("a schema says of each key what the nearest description of its path says") {
  const auto reader = reader_of("{a: {x: 1, y: 2 KiB}, list: [{x: 3}]}");
  (void)reader.mapping("a").integer("x", {0, 9});
  (void)reader.mapping("a").bytes("y");
  for (const auto& entry : reader.mappings("list")) (void)entry.integer("x", {0, 9});
  const ConfigDescriptions words(
      ConfigTree::parse("{a: both, a.*: any of them, a.x: the first, \"list[].*\": of an entry, "
                        "b: nothing}",
                        "words.yaml"));
  const Json schema = Json::parse(json_schema(reader.shape(), "Test", "urn:test", words));
  const Json& keys = schema["properties"];
  CHECK(keys["a"]["description"] == "both");
  CHECK(keys["a"]["properties"]["x"]["description"] == "the first");
  CHECK(keys["a"]["properties"]["y"]["description"] == "any of them (a size in whole bytes)");
  CHECK(keys["list"]["items"]["properties"]["x"]["description"] == "of an entry");
  CHECK_FALSE(keys["list"].contains("description"));
  CHECK(words.unused() == std::vector<std::string>{"b"});
}
