// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/precision_override.hpp"

#include <limits>
#include <map>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

const std::map<std::string, WeightFormat>& formats() {
  constexpr std::uint32_t kToken = std::numeric_limits<std::uint32_t>::max();
  static const std::map<std::string, WeightFormat> kFormats{
      {"bf16", {"bf16", 16, 0, 0, 0, 16, 0}},     {"fp8", {"fp8", 8, 128, 128, 32, 8, 128}},
      {"int8", {"int8", 8, 1, 0, 32, 8, kToken}}, {"int4", {"int4", 4, 1, 128, 16, 16, 0}},
      {"mxfp4", {"mxfp4", 4, 1, 32, 8, 16, 0}},
  };
  return kFormats;
}

[[noreturn]] void bad_precision(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{"", 0, "precision"}, problem, suggestion);
}

const WeightFormat& format_of(const std::string& name) {
  const auto found = formats().find(name);
  if (found != formats().end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, format] : formats()) names.push_back(known);
  bad_precision(fmt::format("'{}' is no format of weights", name), suggest(name, names));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    items.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return items;
}

}  // namespace

std::vector<std::string> override_precision(ModelSpec& spec, const std::string& text) {
  const std::map<std::string, WeightFormat*> parts{{"attention", &spec.precision.attention},
                                                   {"ffn", &spec.precision.ffn},
                                                   {"experts", &spec.precision.experts}};
  if (text.find('=') == std::string::npos) {
    for (const auto& [name, part] : parts) *part = format_of(text);
    return {fmt::format("precision: weights as {}, not as the configuration says", text)};
  }
  std::map<std::string, std::string> given;
  for (const std::string& item : split(text)) {
    const auto equals = item.find('=');
    const std::string part = item.substr(0, equals);
    if (equals == std::string::npos || parts.count(part) == 0) {
      bad_precision(fmt::format("'{}' names no part of a model's weights", item),
                    equals == std::string::npos ? "write attention=fp8,experts=mxfp4"
                                                : suggest(part, {"attention", "ffn", "experts"}));
    }
    const std::string format = item.substr(equals + 1);
    if (!given.emplace(part, format).second) {
      bad_precision(fmt::format("'{}' is given twice", part), "give each part once");
    }
    *parts.at(part) = format_of(format);
  }
  return {fmt::format("precision: weights as {}, otherwise as the configuration says", text)};
}

}  // namespace lacuna
