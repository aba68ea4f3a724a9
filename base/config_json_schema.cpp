// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/config_descriptions.hpp"
#include "base/config_shape.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

using OrderedJson = nlohmann::ordered_json;
using Kind = ConfigValue::Kind;

// The number of std::from_chars, then a unit of quantity_text.cpp.
constexpr const char* kNumber = R"(\s*([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*)";
constexpr const char* kByteUnit = "([kKMGT]?B|[KMGT]iB)";

/// Null takes away what an extended file says.
OrderedJson quantity(const std::string& unit, const char* about, const char* example) {
  return {{"type", OrderedJson::array({"string", "null"})},
          {"description", about},
          {"pattern", std::string("^") + kNumber + unit + "\\s*$"},
          {"examples", OrderedJson::array({example})}};
}

/// As a number of JSON where it is one.
OrderedJson default_json(const ConfigValue& value) {
  const std::string& text = *value.default_text;
  if (value.kind == Kind::boolean) return text == "true";
  if (value.kind == Kind::integer) {
    if (const auto number = parse_integer(text)) return *number;
  }
  if (value.kind == Kind::number) {
    if (const auto number = parse_number(text)) return *number;
  }
  return text;
}

OrderedJson number_json(const char* type, const std::optional<Range>& range) {
  OrderedJson out{{"type", type}};
  if (range) {
    out["minimum"] = range->low;
    out["maximum"] = range->high;
  }
  return out;
}

OrderedJson one_or_list(const OrderedJson& item) {
  OrderedJson list{{"type", "array"}};
  list["items"] = item;
  OrderedJson out = OrderedJson::object();
  out["anyOf"] = OrderedJson::array({item, list});
  return out;
}

OrderedJson value_json(const ConfigValue& value) {
  switch (value.kind) {
    case Kind::text:
      return {{"type", "string"}};
    case Kind::choice:
      return {{"enum", value.choices}};
    case Kind::integer:
      return number_json("integer", value.range);
    case Kind::number:
      return number_json("number", value.range);
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::bytes:
      return quantity(kByteUnit, "a size in whole bytes", "64 KiB");
    case Kind::hertz:
      return quantity("[kMG]?Hz", "a frequency", "1 GHz");
    case Kind::bandwidth: {
      OrderedJson out = quantity("", "bytes per cycle or second, or unbounded", "64 B/cycle");
      out["pattern"] =
          std::string("^(unbounded|") + kNumber + kByteUnit + R"(\s*/\s*(cycle|s)\s*)$)";
      return out;
    }
    case Kind::cycles:
      return quantity("(cycles?|ns)", "a time in cycles or ns", "100 cycles");
    case Kind::picojoules_per_bit:
      return quantity("pJ/(bit|B)", "an energy per bit or byte", "8 pJ/bit");
    case Kind::texts: {
      const OrderedJson scalar{{"type", OrderedJson::array({"string", "number", "boolean"})}};
      return one_or_list(scalar);
    }
  }
  return OrderedJson::object();
}

using Path = ConfigDescriptions::Path;

Path below(Path path, const std::string& key) {
  path.push_back(key);
  return path;
}

/// Prints a shape with what its keys mean.
class Printer {
 public:
  explicit Printer(const ConfigDescriptions& descriptions) : descriptions_(descriptions) {}

  [[nodiscard]] OrderedJson mapping_json(const ConfigShape& shape, const Path& path) const {
    OrderedJson out{{"type", "object"}};
    OrderedJson properties = OrderedJson::object();
    for (const auto& [key, child] : shape.keys) {
      properties[key] = described(child, below(path, key));
    }
    out["properties"] = std::move(properties);
    out["additionalProperties"] =
        shape.named.empty() ? OrderedJson(false) : described(shape.named.front(), below(path, "*"));
    return out;
  }

 private:
  /// What the key means, then in which form it is written, where that has words too.
  [[nodiscard]] OrderedJson described(const ConfigShape& shape, const Path& path) const {
    OrderedJson out = shape_json(shape, path);
    std::string words = descriptions_.find(path);
    if (words.empty()) return out;
    if (out.contains("description")) {
      words += " (" + out["description"].get<std::string>() + ')';
    }
    out["description"] = words;
    return out;
  }

  [[nodiscard]] OrderedJson shape_json(const ConfigShape& shape, const Path& path) const;

  const ConfigDescriptions& descriptions_;
};

OrderedJson Printer::shape_json(const ConfigShape& shape, const Path& path) const {
  OrderedJson ways = OrderedJson::array();
  for (const auto& value : shape.values) {
    ways.push_back(value_json(value));
    if (value.default_text) ways.back()["default"] = default_json(value);
  }
  if (shape.mapping) ways.push_back(mapping_json(shape, path));
  if (!shape.items.empty()) {
    OrderedJson list{{"type", "array"}};
    Path item = path;
    item.back() += "[]";
    list["items"] = shape_json(shape.items.front(), item);
    ways.push_back(std::move(list));
  }
  if (ways.empty()) return OrderedJson::object();  // only looked for: anything goes
  if (ways.size() == 1) return ways.front();
  OrderedJson out = OrderedJson::object();
  out["anyOf"] = std::move(ways);
  return out;
}

/// The required keys at every depth, apart from the types; null when there are none.
OrderedJson required_json(const ConfigShape& shape) {
  OrderedJson required = OrderedJson::array();
  OrderedJson properties = OrderedJson::object();
  for (const auto& [key, child] : shape.keys) {
    const OrderedJson inner = child.mapping ? required_json(child) : OrderedJson();
    if (!inner.is_null()) properties[key] = inner;
    // An absent mapping reads as an empty one.
    if (child.required || (!inner.is_null() && !child.looked_for)) required.push_back(key);
  }
  if (required.empty() && properties.empty()) return nullptr;
  OrderedJson out = OrderedJson::object();
  if (!required.empty()) out["required"] = std::move(required);
  if (!properties.empty()) out["properties"] = std::move(properties);
  return out;
}

}  // namespace

std::string json_schema(const ConfigShape& shape, const std::string& title, const std::string& id,
                        const ConfigDescriptions& descriptions) {
  OrderedJson out{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", id}, {"title", title}};
  out.update(Printer(descriptions).mapping_json(shape, {}));
  OrderedJson extends{
      {"description", "files whose values stand where this one gives none; later and nearer win"}};
  extends.update(one_or_list({{"type", "string"}}));
  out["properties"]["extends"] = std::move(extends);
  if (const OrderedJson required = required_json(shape); !required.is_null()) {
    OrderedJson derived = OrderedJson::object();
    derived["required"] = OrderedJson::array({"extends"});
    out["anyOf"] = OrderedJson::array({derived, required});
  }
  return out.dump(2) + "\n";
}

}  // namespace lacuna
