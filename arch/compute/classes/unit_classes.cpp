// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/classes/unit_classes.hpp"

#include <array>
#include <utility>

#include "sparse_formats/pattern.hpp"

namespace lacuna {
namespace {

constexpr Range kExtent{1, 65536};

/// Patterns whose zeros take no slot, for each operand.
void read_skips(const ConfigReader& config) {
  const ConfigReader skips = config.mapping("skips");
  for (const auto& tensor : skips.keys()) {
    for (const auto& text : skips.texts(tensor)) {
      if (text == "unstructured") continue;
      if (text.find('{') != std::string::npos) {
        (void)parse_pattern_family(text, skips.place(tensor));
      } else {
        (void)parse_pattern(text, skips.place(tensor));
      }
    }
  }
}

UnitTraits multiply_accumulate(const ConfigReader& config) {
  return {{{"lanes", config.integer("lanes", kExtent)}}, false};
}

UnitTraits mac_array(const ConfigReader& config) {
  read_skips(config);
  (void)config.texts("gates");
  return {{{"rows", config.integer("rows", kExtent)}, {"lanes", config.integer("lanes", kExtent)}},
          false};
}

UnitTraits systolic_array(const ConfigReader& config) {
  (void)config.text("stationary");
  (void)config.choice<bool>("load", {{"hidden", true}, {"exposed", false}});
  return {
      {{"rows", config.integer("rows", kExtent)}, {"columns", config.integer("columns", kExtent)}},
      false};
}

UnitTraits merger(const ConfigReader& config) {
  (void)config.integer("radix", {2, 65536});
  (void)config.number("per_cycle", {1e-3, 65536});
  return {.extents = {}, .merges = true};
}

UnitTraits variable_fetch(const ConfigReader& config) {
  (void)config.text("tensor");
  if (config.bytes("line").count() == 0) config.fail("line", "a line holds at least one byte");
  return {};
}

UnitTraits compressor(const ConfigReader& config) {
  (void)config.text("tensor");
  return {};
}

UnitTraits vector_unit(const ConfigReader& config) {
  return {{{"lanes", config.integer("lanes", kExtent)}}, false};
}

using Reader = UnitTraits (*)(const ConfigReader&);
constexpr std::array<std::pair<const char*, Reader>, 8> kClasses{{
    {"multiply-accumulate", multiply_accumulate},  // pairs of fibers, one multiply for each match
    {"mac-array", mac_array},                      // A stationary, K in space, psums in registers
    {"outer-product-array", mac_array},            // nonzeros of both operands, scattered psums
    {"systolic-array", systolic_array},
    {"merger", merger},
    {"variable-fetch", variable_fetch},
    {"compressor", compressor},
    {"vector-unit", vector_unit},
}};

}  // namespace

std::vector<std::string> unit_classes() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : kClasses) names.emplace_back(name);
  return names;
}

UnitTraits read_unit_traits(const std::string& unit_class, const ConfigReader& config) {
  for (const auto& [name, reader] : kClasses) {
    if (unit_class == name) return reader(config);
  }
  config.fail("class", fmt::format("'{}' is not a class of units", unit_class),
              suggest(unit_class, unit_classes()));
}

}  // namespace lacuna
