// SPDX-License-Identifier: Apache-2.0
// Expected values of lane quantisation for operands whose nonzeros are independent: what the
// released statistical model of DSTC computes (Sparseloop, MICRO'22; its micro22 artifact, Fig.
// 15).
#pragma once

#include <cstdint>

namespace lacuna {

/// Lanes in use: E[n / (lanes * ceil(n / lanes))], n ~ Binomial(tile, density), n = 0 counting 0.
/// The released cycles divide by this, which lies 1 to 12 % below E[ceil] of expected_groups().
[[nodiscard]] double lane_utilisation(double density, std::uint64_t tile, std::uint64_t lanes);

/// E[ceil(n / lanes)], n ~ Binomial(tile, density).
[[nodiscard]] double expected_groups(double density, std::uint64_t tile, std::uint64_t lanes);

}  // namespace lacuna
