// SPDX-License-Identifier: Apache-2.0
// Strong types for the quantities that cross interfaces. A quantity adds, subtracts, compares and
// scales with its own kind only; the raw number is taken out with count(), at the program's edge.
#pragma once

#include <compare>
#include <cstdint>

namespace lacuna {

template <class Tag, class Rep>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep count() const { return value_; }

  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, Rep factor) {
    return Quantity(a.value_ * factor);
  }
  friend constexpr Quantity operator*(Rep factor, Quantity a) { return a * factor; }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  Rep value_{};
};

using Cycles = Quantity<struct CyclesTag, std::uint64_t>;
using Bytes = Quantity<struct BytesTag, std::uint64_t>;
using Bits = Quantity<struct BitsTag, std::uint64_t>;
using Picojoules = Quantity<struct PicojoulesTag, double>;
using SquareMicrons = Quantity<struct SquareMicronsTag, double>;
using Hertz = Quantity<struct HertzTag, double>;

/// Whole bytes that hold `bits`.
[[nodiscard]] constexpr Bytes bytes_for(Bits bits) {
  return Bytes((bits.count() + 7) / 8);
}

/// Smallest integer not below a / b; b must not be zero.
[[nodiscard]] constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace lacuna
