// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/precision.hpp"

#include <array>
#include <utility>

#include "base/message_text.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr std::array<std::pair<std::string_view, unsigned>, 9> kFloats{{{"fp64", 64},
                                                                        {"fp32", 32},
                                                                        {"tf32", 19},
                                                                        {"fp16", 16},
                                                                        {"bf16", 16},
                                                                        {"fp8", 8},
                                                                        {"fp8_e4m3", 8},
                                                                        {"fp8_e5m2", 8},
                                                                        {"fp4", 4}}};

}  // namespace

Precision Precision::parse(std::string_view text, const Place& place) {
  std::vector<std::string> known{"int4", "int8", "int16", "int32"};
  for (const auto& [name, bits] : kFloats) {
    if (name == text) return {Kind::floating, bits, std::string(text)};
    known.emplace_back(name);
  }
  for (const std::string_view prefix : {"int", "uint"}) {
    if (text.substr(0, prefix.size()) != prefix) continue;
    const auto bits = parse_integer(text.substr(prefix.size()));
    if (bits && *bits >= 1 && *bits <= 64) {
      return {Kind::integer, static_cast<unsigned>(*bits), std::string(text)};
    }
  }
  throw InputError(place, fmt::format("'{}' is not a precision", shortened(text)),
                   suggest(text, known));
}

}  // namespace lacuna
