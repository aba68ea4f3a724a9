// SPDX-License-Identifier: Apache-2.0
// Where in the address space the tensors of a product begin. Programs say where in a tensor a
// segment lies; the sum of both is what a memory is asked for.
#pragma once

#include <array>
#include <cstdint>

#include "arch/program/statistics.hpp"

namespace lacuna {

/// The first address of each tensor.
struct TensorRegions {
  std::array<std::uint64_t, kTensorNames.size()> base{};
  [[nodiscard]] constexpr std::uint64_t of(Tensor tensor) const {
    return base[static_cast<std::size_t>(tensor)];
  }
};

/// 1 TiB for each tensor, whatever its size, which for outputs nobody knows before they are there.
/// Partial outputs lie in their output's place.
inline constexpr std::uint64_t kRegionBytes = std::uint64_t{1} << 40;
inline constexpr TensorRegions kFixedRegions{
    {0, kRegionBytes, 2 * kRegionBytes, 2 * kRegionBytes, 3 * kRegionBytes}};

}  // namespace lacuna
