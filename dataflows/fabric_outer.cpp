// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_outer.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {
namespace {

std::vector<std::uint16_t> groups_by_count(std::uint64_t tile, std::uint64_t lanes) {
  std::vector<std::uint16_t> groups(tile + 1);
  for (std::uint64_t n = 0; n <= tile; ++n) {
    groups[n] = static_cast<std::uint16_t>(ceil_div(n, lanes));
  }
  return groups;
}

}  // namespace

OuterSteps::OuterSteps(const FabricSpec& spec, const GemmOperands& operands,
                       const FabricMapping& mapping, OuterFetch fetch)
    : spec_(spec),
      fetch_(fetch),
      a_{&operands.a_counts(mapping.array_rows), operands.k(),
         ceil_div(operands.m(), mapping.array_rows), spec.arrays.across_m, spec.arrays.rows},
      b_{&operands.b_counts(mapping.array_columns), operands.k(),
         ceil_div(operands.n(), mapping.array_columns), spec.arrays.across_n, spec.arrays.lanes},
      a_groups_(groups_by_count(mapping.array_rows, spec.arrays.rows)),
      b_groups_(groups_by_count(mapping.array_columns, spec.arrays.lanes)) {}

double OuterSteps::array_cycles(const std::uint16_t* a, const std::uint16_t* b, std::uint64_t k0,
                                std::uint64_t k1) {
  const double port = spec_.arrays.psum_words_per_cycle;
  const double per_product = port > 0 ? 1 / port : 0;
  const double spill = fetch_.spill_words * per_product;
  std::uint64_t slots = 0, products = 0, reads = 0;
  double cycles = 0;
  for (std::uint64_t k = k0; k < k1; ++k) {
    const std::uint32_t na = a[k], nb = b[k];
    const std::uint32_t ga = a_groups_[na], gb = b_groups_[nb];
    slots += ga * gb;
    products += na * nb;
    // Each value is written once and read once for every group of the other operand.
    reads += na * (gb + 1) + nb * (ga + 1);
    const double issue = std::max(static_cast<double>(ga * gb), na * nb * per_product + spill);
    cycles += std::max(issue, port_[k - k0]);
  }
  totals_.slots += static_cast<double>(slots);
  totals_.products += static_cast<double>(products);
  totals_.entry_reads += static_cast<double>(reads);
  if (k0 == 0) totals_.first_products += static_cast<double>(std::uint64_t{a[0]} * b[0]);
  return cycles;
}

double OuterSteps::cycles(std::uint64_t m, std::uint64_t n, std::uint64_t k0, std::uint64_t k1) {
  std::vector<const std::uint16_t*> a, b;
  for (std::uint64_t i = 0; i < a_.across; ++i) {
    if (const auto* tile = a_.tile(m * a_.across + i)) a.push_back(tile);
  }
  for (std::uint64_t j = 0; j < b_.across; ++j) {
    if (const auto* tile = b_.tile(n * b_.across + j)) b.push_back(tile);
  }
  LACUNA_CHECK(!a.empty() && !b.empty(), "output tile {}, {} lies outside", m, n);
  const double fixed = static_cast<double>(a.size()) * fetch_.a_mask_words +
                       static_cast<double>(b.size()) * fetch_.b_mask_words +
                       static_cast<double>(a.size() * b.size()) * fetch_.spill_words;
  port_.resize(k1 - k0);
  for (std::uint64_t k = k0; k < k1; ++k) {
    std::uint32_t words = 0;
    for (const auto* tile : a) words += tile[k];
    for (const auto* tile : b) words += tile[k];
    port_[k - k0] = (words + fixed) / spec_.glb.words_per_cycle;
  }
  double slowest = 0;
  for (const auto* x : a) {
    for (const auto* y : b) slowest = std::max(slowest, array_cycles(x, y, k0, k1));
  }
  return slowest;
}

}  // namespace lacuna
