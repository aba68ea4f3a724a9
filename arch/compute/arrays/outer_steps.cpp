// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/outer_steps.hpp"

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

OuterSteps::OuterSteps(const FabricSpec& spec, const ArrayWork& work, OuterFetch fetch)
    : spec_(spec),
      fetch_(fetch),
      a_{&work.operands->a_counts(work.array_rows), spec.arrays.across_m},
      b_{&work.operands->b_counts(work.array_columns), spec.arrays.across_n},
      a_groups_(groups_by_count(work.array_rows, spec.arrays.rows)),
      b_groups_(groups_by_count(work.array_columns, spec.arrays.lanes)),
      repeats_(a_.repeats() || b_.repeats()) {}

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
  step_.slots += static_cast<double>(slots);
  step_.products += static_cast<double>(products);
  step_.entry_reads += static_cast<double>(reads);
  if (k0 == 0) step_.first_products += static_cast<double>(std::uint64_t{a[0]} * b[0]);
  return cycles;
}

void OuterTotals::add(const OuterTotals& other) {
  slots += other.slots;
  products += other.products;
  entry_reads += other.entry_reads;
  first_products += other.first_products;
}

std::vector<std::uint32_t> OuterSteps::Side::kinds(std::uint64_t output) const {
  std::vector<std::uint32_t> out;
  const std::uint64_t first = output * across;
  for (std::uint64_t t = first; t < std::min(first + across, counts->tiles()); ++t) {
    out.push_back(counts->kind[t]);
  }
  return out;
}

double OuterSteps::cycles(std::uint64_t m, std::uint64_t n, std::uint64_t k0, std::uint64_t k1) {
  if (!repeats_) {
    step_ = {};
    const double cycles = slowest(a_.kinds(m), b_.kinds(n), k0, k1);
    totals_.add(step_);
    last_products_ = step_.products;
    return cycles;
  }
  Key key{a_.kinds(m), b_.kinds(n), k0};
  auto found = known_.find(key);
  if (found == known_.end()) {
    const auto& [a, b, at] = key;
    LACUNA_CHECK(!a.empty() && !b.empty(), "output tile {}, {} lies outside", m, n);
    step_ = {};
    const double cycles = slowest(a, b, k0, k1);
    found = known_.emplace(std::move(key), Known{cycles, step_}).first;
  }
  totals_.add(found->second.totals);
  last_products_ = found->second.totals.products;
  return found->second.cycles;
}

double OuterSteps::slowest(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b,
                           std::uint64_t k0, std::uint64_t k1) {
  const double fixed = static_cast<double>(a.size()) * fetch_.a_mask_words +
                       static_cast<double>(b.size()) * fetch_.b_mask_words +
                       static_cast<double>(a.size() * b.size()) * fetch_.spill_words;
  port_.resize(k1 - k0);
  for (std::uint64_t k = k0; k < k1; ++k) {
    std::uint32_t words = 0;
    for (const std::uint32_t kind : a) words += a_.of_kind(kind)[k];
    for (const std::uint32_t kind : b) words += b_.of_kind(kind)[k];
    port_[k - k0] = (words + fixed) / spec_.glb.words_per_cycle;
  }
  double most = 0;
  for (const std::uint32_t x : a) {
    for (const std::uint32_t y : b) {
      most = std::max(most, array_cycles(a_.of_kind(x), b_.of_kind(y), k0, k1));
    }
  }
  return most;
}

}  // namespace lacuna
