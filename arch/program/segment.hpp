// SPDX-License-Identifier: Apache-2.0
// What a buffer holds or a memory moves: some bytes of one tensor as it is stored.
#pragma once

#include <cstdint>

#include "arch/program/statistics.hpp"

namespace lacuna {

struct Segment {
  Tensor tensor = Tensor::a;
  std::uint64_t address = 0;  // bytes from the start of the tensor as stored
  std::uint64_t data_bytes = 0;
  std::uint64_t metadata_bytes = 0;
  [[nodiscard]] std::uint64_t bytes() const { return data_bytes + metadata_bytes; }
};

}  // namespace lacuna
