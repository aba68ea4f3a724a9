// SPDX-License-Identifier: Apache-2.0
// Tile sizes for the last-level buffer. The tile of B (K1 x N1 microtiles) is what stays and is
// walked; the tile of A (M1 x K1) streams. Strategies (Tailors, strategy table; reference 3):
//   fixed        sizes as given
//   dense-shape  as if every point were a nonzero (ExTensor-N)
//   prescient    the largest tile whose fullest instance still fits, by exact scan (ExTensor-P)
//   swiftiles    a statistical guess that lets a share y of the tiles overflow (ExTensor-OB)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/spec/machine_spec.hpp"
#include "dataflows/extensor_program.hpp"

namespace lacuna {

/// Edge lengths in microtiles.
struct TileShape {
  std::uint64_t outer = 1;  // N1 of B, M1 of A
  std::uint64_t inner = 1;  // K1
  friend bool operator==(const TileShape&, const TileShape&) = default;
};

/// One operand as the tiler sees it.
struct TiledOperand {
  const MicrotileGrid* grid;
  OperandFormat format;
  Bytes burst;
  std::uint64_t share_bytes;
  Growth growth = Growth::k_first;
  double aspect = 1;              // square growth: outer edge / inner edge, in coordinates
  std::uint64_t fixed_inner = 0;  // not zero: K1 is given and only the outer rank grows
};

/// The sequence of shapes that growth goes through: `area` microtiles, rounded and clamped.
[[nodiscard]] TileShape shape_of_area(const TiledOperand& operand, double area);

/// Occupancies in bytes of all nonempty tiles of the given shape.
[[nodiscard]] std::vector<std::uint64_t> tile_occupancies(const TiledOperand& operand,
                                                          TileShape shape);

struct TileChoice {
  TilingStrategy strategy;
  TileShape shape;
  bool clamped = false;              // the tile is the whole tensor along a rank
  std::uint64_t work_nonzeros = 0;   // touched to find the size
  std::uint64_t candidates = 0;      // sizes tried by the exact scan
  std::uint64_t samples = 0;         // tiles drawn by Swiftiles
  double initial_area = 0;           // T0 of Swiftiles, microtiles
  std::uint64_t quantile_bytes = 0;  // Q
};

[[nodiscard]] TileChoice choose_dense_shape(const TiledOperand& operand);
[[nodiscard]] TileChoice choose_prescient(const TiledOperand& operand);
/// T0 = b / density; k / y tiles sampled without replacement among the nonempty ones; Q their (1 -
/// y) quantile; T = T0 * b / Q. Formulas: Tailors via lecture slides 89-90 and reference section 2.
[[nodiscard]] TileChoice choose_swiftiles(const TiledOperand& operand, double overbooked_share,
                                          std::uint64_t tail_samples, std::uint64_t seed,
                                          const std::string& stream);

struct TilingStatistics {
  std::uint64_t tiles = 0;
  double overbooked_share = 0;
  double utilization = 0;  // mean of min(1, occupancy / share)
  std::uint64_t largest = 0;
  std::vector<std::pair<double, std::uint64_t>> quantiles;
};
[[nodiscard]] TilingStatistics summarize(std::vector<std::uint64_t> occupancies,
                                         std::uint64_t share_bytes);

/// Sizes for a run: what was chosen for B and A, clamped to the tensors.
struct ProductTiling {
  LoopTiles tiles;
  TileChoice b, a;
  std::vector<std::string> notes;  // "n1 = 128 is larger than the tensor, clamped to 65"
};
/// `strategy` overrides the machine's. Throws InputError when a fixed size is missing.
[[nodiscard]] ProductTiling tile_product(const ProductOperands& operands,
                                         const MachineSpec& machine, const std::string& workload,
                                         std::optional<TilingStrategy> strategy = {});

[[nodiscard]] TiledOperand operand_b(const ProductOperands& operands, const MachineSpec& machine);
[[nodiscard]] TiledOperand operand_a(const ProductOperands& operands, const MachineSpec& machine,
                                     std::uint64_t k1);
[[nodiscard]] const char* to_text(TilingStrategy strategy);

}  // namespace lacuna
