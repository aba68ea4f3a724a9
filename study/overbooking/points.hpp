// SPDX-License-Identifier: Apache-2.0
// The overbooking study: ExTensor with tiles sized as if dense (N), with the largest tile that
// always fits (P) and with overbooked tiles (OB), over buffer capacities. Recipe and evaluation.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "study/published/numbers.hpp"

namespace lacuna::validation {

struct Contender {
  std::string_view label;  // N, P, OB
  std::string_view machine;
};
inline constexpr std::array<Contender, 3> kContenders{
    {{"N", "extensor-n"}, {"P", "extensor-p"}, {"OB", "extensor-ob"}}};

/// 64 KiB to 4 MiB: where real matrices of a few hundred thousand nonzeros overbook.
inline constexpr std::array<std::uint64_t, 7> kSweptCapacities{
    64ULL << 10U,   128ULL << 10U,  256ULL << 10U, 512ULL << 10U,
    1024ULL << 10U, 2048ULL << 10U, 4096ULL << 10U};

/// Matrices larger than B's share of the published 30 MiB.
inline constexpr std::uint64_t kPublishedCapacity = 30ULL << 20U;
inline constexpr std::array<std::string_view, 2> kLargeWorkloads{
    "lattice:m=1024", "rmat:rows=32768,edges=3e6,seed=1"};

/// Streaming window at a capacity: the shipped 64 KiB, but at most an eighth of the smallest share
/// that an operand has, so that seven eighths of an overbooked tile's share stay resident.
[[nodiscard]] std::uint64_t window_bytes(std::uint64_t capacity, double smallest_share);

/// One run.
struct OverbookingPoint {
  std::string matrix;
  std::uint64_t capacity_bytes = 0;
  std::string contender;  // label
  std::string skipped;    // why it was not run to its end; empty when it was
  std::uint64_t cycles = 0;
  std::uint64_t cycles_bound = 0;
  std::string bound;  // what limits the simulated run
  std::uint64_t a_bytes = 0, b_bytes = 0, partial_bytes = 0, z_bytes = 0;  // DRAM
  double energy_pj = 0;
  double dram_energy_pj = 0;
  std::uint64_t tile_m = 0, tile_k = 0, tile_n = 0;  // coordinates
  std::uint64_t tiles = 0;                           // of B, nonempty
  double overbooked = 0;                             // share of B's tiles
  double utilization = 0;                            // of B's share
  bool whole_tensor = false;                         // B's tile is the whole tensor
  bool one_microtile = false;                        // B's tile cannot be smaller
  std::uint64_t work_nonzeros = 0;                   // touched to find B's tile
  std::uint64_t window_bytes = 0;

  [[nodiscard]] std::uint64_t dram_bytes() const {
    return a_bytes + b_bytes + partial_bytes + z_bytes;
  }
};

[[nodiscard]] std::string points_csv(const std::vector<OverbookingPoint>& points);
/// What points_csv() wrote.
[[nodiscard]] std::vector<OverbookingPoint> parse_points(const std::string& csv);

/// How the second contender improves on the first: values of the first over the second's, so more
/// than 1 is better. Geometric means over matrices.
struct Improvement {
  std::size_t matrices = 0;
  double speed = 0, traffic = 0, energy = 0;
};
[[nodiscard]] Improvement improvement(const OverbookingPoint& from, const OverbookingPoint& to);
/// Over the matrices that ran on both at this capacity.
[[nodiscard]] Improvement mean_improvement(const std::vector<OverbookingPoint>& points,
                                           std::uint64_t capacity, std::string_view from,
                                           std::string_view to);

/// Achieved overbooked share of OB's tiles against the requested y. Tiles that are the whole tensor
/// or a single microtile could not be chosen otherwise and are counted apart.
struct ShareError {
  std::size_t free_points = 0, whole_tensor = 0, one_microtile = 0;
  double mean_absolute = 0;  // of the free points
  double mean_share = 0;
  double mean_absolute_many = 0;  // of the free points with 20 tiles or more
  std::size_t many_points = 0;
};
[[nodiscard]] ShareError share_error(const std::vector<OverbookingPoint>& points, double y);

/// Everything as text for people; bars are those of the matrices that were run.
[[nodiscard]] std::string overbooking_summary(const std::vector<OverbookingPoint>& points, double y,
                                              const std::vector<TailorsBars>& bars);

/// capacity_bytes, pair, speed, traffic, energy, matrices: what the plot draws.
[[nodiscard]] std::string improvements_csv(const std::vector<OverbookingPoint>& points);

[[nodiscard]] const OverbookingPoint* find_point(const std::vector<OverbookingPoint>& points,
                                                 std::string_view matrix, std::uint64_t capacity,
                                                 std::string_view contender);
[[nodiscard]] std::vector<std::uint64_t> capacities_of(const std::vector<OverbookingPoint>& points);

}  // namespace lacuna::validation
