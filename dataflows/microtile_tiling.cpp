// SPDX-License-Identifier: Apache-2.0
#include "dataflows/microtile_tiling.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "dataflows/swiftiles.hpp"
#include "sparse_formats/microtiles.hpp"

namespace lacuna {
namespace {

constexpr std::uint32_t kStep = 8;

std::uint64_t dense_payload(std::uint64_t edge) {
  return 16 * ceil_div(edge, 2) + edge * (8 * ceil_div(edge, 2) + 8 * edge);
}

std::uint64_t largest_payload(const MicrotileGrid& grid) {
  std::uint64_t largest = 0;
  for (const Microtile& tile : grid.all())
    largest = std::max<std::uint64_t>(largest, tile.padded_payload);
  return largest;
}

/// The (1 - y) quantile of the payload of microtiles drawn without replacement.
std::uint64_t sampled_payload(const MicrotileGrid& grid, const TilingSpec& tiling,
                              const std::string& stream, std::uint64_t& work) {
  const Swiftiles swiftiles{tiling.overbooked_share, tiling.tail_samples, tiling.seed,
                            "microtile " + stream};
  std::vector<std::uint64_t> payloads;
  for (const std::uint64_t at : swiftiles.draw(grid.all().size())) {
    const Microtile& tile = grid.all()[static_cast<std::size_t>(at)];
    payloads.push_back(tile.padded_payload);
    work += tile.nnz;
  }
  return payloads.empty() ? 0 : swiftiles.bound(payloads);
}

std::uint32_t round_edge(double edge, std::uint32_t limit) {
  const auto steps = static_cast<std::uint32_t>(std::clamp(edge, 0.0, 1e6)) / kStep;
  return std::clamp(steps * kStep, std::min(kStep, limit), limit);
}

/// Edge at which an average pair of microtiles, nonempty or not, fills the budget.
double initial_edge(const CsrMatrix& a, const CsrMatrix& b, std::uint64_t budget) {
  // A stored nonzero takes about 12 bytes: coordinate and value.
  const double per_area = 12.0 * (a.density() + b.density());
  return per_area > 0 ? std::sqrt(static_cast<double>(budget) / per_area) : 1e6;
}

}  // namespace

MicrotileChoice choose_microtile(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                 const MachineSpec& machine) {
  MicrotileChoice choice{machine.microtile, 0};
  if (machine.microtile.strategy == TilingStrategy::fixed) return choice;
  const std::uint32_t limit =
      std::min({machine.microtile.m0, machine.microtile.k0, machine.microtile.n0});
  const auto budget = static_cast<std::uint64_t>(machine.peb.operand_share *
                                                 static_cast<double>(machine.peb.capacity.count()));
  std::uint32_t edge = limit;
  switch (machine.microtile.strategy) {
    case TilingStrategy::dense_shape:
      while (edge > kStep && 2 * dense_payload(edge) > budget) edge -= kStep;
      break;
    case TilingStrategy::prescient:
      for (;; edge -= kStep) {
        choice.work_nonzeros += a.nnz() + b_transposed.nnz();
        const MicrotileShape shape{edge, edge};
        if (largest_payload({a, shape}) + largest_payload({b_transposed, shape}) <= budget ||
            edge <= kStep) {
          break;
        }
      }
      break;
    case TilingStrategy::swiftiles: {
      const std::uint32_t first = round_edge(initial_edge(a, b_transposed, budget), limit);
      const MicrotileShape shape{first, first};
      const std::uint64_t q =
          sampled_payload({a, shape}, machine.tiling, "A", choice.work_nonzeros) +
          sampled_payload({b_transposed, shape}, machine.tiling, "B", choice.work_nonzeros);
      const double area_ratio = q > 0 ? static_cast<double>(budget) / static_cast<double>(q) : 1e9;
      edge = round_edge(first * std::sqrt(area_ratio) + 1e-9, limit);
      break;
    }
    case TilingStrategy::fixed:
      break;
  }
  choice.shape.m0 = choice.shape.k0 = choice.shape.n0 = edge;
  return choice;
}

}  // namespace lacuna
