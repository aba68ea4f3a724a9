// SPDX-License-Identifier: Apache-2.0
// How many bytes a microtile takes in DRAM under a format, and what a whole stationary tile takes.
// The rules are those by which the published ExTensor series are counted; docs/extensor.md tells
// which one each series follows.
#pragma once

#include <cstdint>
#include <span>

#include "arch/program/tile_program.hpp"
#include "arch/spec/machine_spec.hpp"

namespace lacuna {

/// Unpadded: microtile + fiber * f + nonzero * z bytes, f counted over K or across it. Padded: the
/// payload in 64-bit lines. Rounded up to whole bursts.
[[nodiscard]] std::uint64_t stored_bytes(const Microtile& tile, const OperandFormat& format,
                                         Bytes burst);
/// Of them, values.
[[nodiscard]] std::uint64_t value_bytes(const Microtile& tile);
/// What the lists of a column cost (B): list bytes, or padded arrays of the K1 list.
[[nodiscard]] std::uint64_t list_bytes(std::size_t length, const OperandFormat& format);

}  // namespace lacuna
