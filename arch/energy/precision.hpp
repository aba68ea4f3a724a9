// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lacuna {

/// A number format of a datapath. For floating point `bits` = sign + exponent + stored fraction,
/// which equals exponent + significand with its hidden bit: the "exponent + mantissa" width that
/// the published scaling rule of the floating-point rows takes (so fp32 is its row exactly).
struct Precision {
  enum class Kind { integer, floating };
  Kind kind = Kind::integer;
  unsigned bits = 8;
  std::string name = "int8";

  /// "int1" to "int64" (or "uint..."), fp64, fp32, tf32, fp16, bf16, fp8 (= fp8_e4m3), fp8_e5m2,
  /// fp4. Throws InputError at the place, with the nearest name.
  static Precision parse(std::string_view text, const Place& place = {});
  friend bool operator==(const Precision&, const Precision&) = default;
};

}  // namespace lacuna
