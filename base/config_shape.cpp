// SPDX-License-Identifier: Apache-2.0
#include "base/config_shape.hpp"

#include <algorithm>

namespace lacuna {
namespace {

template <class Shape>
auto* find_key(Shape& shape, std::string_view key) {
  const auto at = std::find_if(shape.keys.begin(), shape.keys.end(),
                               [key](const auto& entry) { return entry.first == key; });
  return at == shape.keys.end() ? nullptr : &at->second;
}

void merge_value(std::vector<ConfigValue>& values, const ConfigValue& value) {
  const auto same = std::find_if(values.begin(), values.end(),
                                 [&](const ConfigValue& v) { return v.kind == value.kind; });
  if (same == values.end()) {
    values.push_back(value);
    return;
  }
  for (const auto& choice : value.choices) {
    if (std::find(same->choices.begin(), same->choices.end(), choice) == same->choices.end()) {
      same->choices.push_back(choice);
    }
  }
  if (same->range && value.range) {
    same->range = Range{std::min(same->range->low, value.range->low),
                        std::max(same->range->high, value.range->high)};
  } else {
    same->range.reset();
  }
  // Where readers disagree there is no one default to show.
  if (same->default_text != value.default_text) same->default_text.reset();
}

void merge_only(std::list<ConfigShape>& own, const std::list<ConfigShape>& others) {
  if (others.empty()) return;
  if (own.empty()) {
    own.push_back(others.front());
  } else {
    own.front().merge(others.front());
  }
}

}  // namespace

const ConfigShape* ConfigShape::find(std::string_view key) const {
  return find_key(*this, key);
}

ConfigShape& ConfigShape::at_or_add(std::string_view key) {
  mapping = true;
  if (ConfigShape* found = find_key(*this, key)) return *found;
  return keys.emplace_back(std::string(key), ConfigShape{}).second;
}

void ConfigShape::add(ConfigValue value, bool with_default) {
  const bool first = values.empty();
  merge_value(values, value);
  required = !with_default && !looked_for && (first || required);
}

void ConfigShape::merge(const ConfigShape& other) {
  for (const auto& value : other.values) merge_value(values, value);
  // A key that only one of two readers of this mapping asks for cannot be required.
  const bool both = mapping && other.mapping;
  for (auto& [key, shape] : keys) {
    if (both && other.find(key) == nullptr) shape.required = false;
  }
  for (const auto& [key, shape] : other.keys) {
    if (ConfigShape* own = find_key(*this, key)) {
      own->merge(shape);
    } else {
      ConfigShape& added = at_or_add(key);
      added = shape;
      if (both) added.required = false;
    }
  }
  mapping = mapping || other.mapping;
  merge_only(named, other.named);
  merge_only(items, other.items);
  required = required && other.required;
  looked_for = looked_for || other.looked_for;
}

}  // namespace lacuna
