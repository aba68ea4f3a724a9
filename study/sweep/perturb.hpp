// SPDX-License-Identifier: Apache-2.0
// What a front is worth when prices that are not published are wrong: each of them moved by itself,
// and all of them drawn at once. Nothing runs again: a price changes energy and area, not time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "study/sweep/store.hpp"
#include "study/sweep/summary.hpp"

namespace lacuna {

enum class PriceKind { access, leakage, area };

/// One price of one component, of all machines of the sweep together, times a factor.
struct PerturbedPrice {
  std::string component, standing;
  PriceKind kind = PriceKind::access;
  double factor = 1;
  std::vector<std::uint64_t> leave, enter;  // numbers of points
};

/// A point that is in the front, or in that of a draw.
struct PerturbedPoint {
  std::uint64_t point = 0;
  bool in_front = false;
  std::uint64_t draws = 0;  // in whose front it is
};

struct Perturbation {
  std::uint64_t draws = 0;
  std::vector<PerturbedPrice> prices;  // each lowered, then raised
  std::vector<PerturbedPoint> points;  // in their order
};

/// All points are held at once.
inline constexpr std::uint64_t kMostPerturbedPoints = 200'000;

/// Each price that is not published times 1 - by and 1 + by alone; then `draws` times all of them,
/// each by a factor between (uniform, independent). Throws InputError for too many points.
[[nodiscard]] Perturbation perturb(const SweepSpec& spec, SweepStore& store, double by,
                                   std::uint64_t draws, std::uint64_t seed = 1);

/// perturbed.csv and perturbed-points.csv.
void write_perturbation(const Perturbation& perturbation, const std::filesystem::path& folder);

[[nodiscard]] const char* to_text(PriceKind kind);

}  // namespace lacuna
