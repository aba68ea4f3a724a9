// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_operands.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "sparse_formats/pattern_check.hpp"

namespace lacuna {
namespace {

std::vector<std::uint16_t> counts_by_k(const BitMatrix& occupancy, std::uint64_t tile) {
  const std::uint64_t k = occupancy.cols();
  const std::uint64_t tiles = ceil_div(occupancy.rows(), tile);
  LACUNA_CHECK(tile <= 65535, "tiles of {} overflow their counters", tile);
  std::vector<std::uint16_t> counts(tiles * k);
  for (std::uint64_t r = 0; r < occupancy.rows(); ++r) {
    std::uint16_t* const at = counts.data() + r / tile * k;
    const auto words = occupancy.row(r);
    for (std::uint64_t w = 0; w < words.size(); ++w) {
      const std::uint64_t word = words[w];
      if (word == 0) continue;
      const std::uint64_t last = std::min<std::uint64_t>(64, k - w * 64);
      for (std::uint64_t bit = 0; bit < last; ++bit) {
        at[w * 64 + bit] = static_cast<std::uint16_t>(at[w * 64 + bit] + (word >> bit & 1U));
      }
    }
  }
  return counts;
}

bool overlap(std::span<const std::uint64_t> x, std::span<const std::uint64_t> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if ((x[i] & y[i]) != 0) return true;
  }
  return false;
}

std::optional<FabricPattern> fit(const std::vector<FabricPattern>& menu, const BitMatrix& operand,
                                 std::map<std::string, bool>& known) {
  for (const FabricPattern& entry : menu) {
    if (entry.pattern.density() == Ratio{1, 1}) return entry;
    const auto [found, is_new] = known.try_emplace(entry.pattern.text(), false);
    if (is_new) found->second = !first_violation(entry.pattern, operand).has_value();
    if (found->second) return entry;
  }
  return {};
}

}  // namespace

GemmOperands::GemmOperands(BitMatrix a, BitMatrix b_transposed)
    : a_(std::move(a)), b_(std::move(b_transposed)) {
  if (a_.cols() != b_.cols()) {
    throw InputError(
        fmt::format("A has {} columns and B {} rows: they must be equal", a_.cols(), b_.cols()));
  }
  if (a_.rows() == 0 || a_.cols() == 0 || b_.rows() == 0) {
    throw InputError(fmt::format("a product of {} x {} x {} has no work", m(), n(), k()));
  }
  a_density_ = a_.density();
  b_density_ = b_.density();
  const auto of_a = a_.col_counts();
  const auto of_b = b_.col_counts();
  effectual_ = std::inner_product(of_a.begin(), of_a.end(), of_b.begin(), std::uint64_t{0});
}

std::uint64_t GemmOperands::z_nonzeros() const {
  if (!z_nonzeros_) {
    std::uint64_t count = 0;
    for (std::uint64_t r = 0; r < m(); ++r) {
      const auto row = a_.row(r);
      for (std::uint64_t c = 0; c < n(); ++c) count += overlap(row, b_.row(c)) ? 1U : 0U;
    }
    z_nonzeros_ = count;
  }
  return *z_nonzeros_;
}

const std::vector<std::uint16_t>& GemmOperands::a_counts(std::uint64_t tile) const {
  const auto [found, is_new] = a_counts_.try_emplace(tile);
  if (is_new) found->second = counts_by_k(a_, tile);
  return found->second;
}

const std::vector<std::uint16_t>& GemmOperands::b_counts(std::uint64_t tile) const {
  const auto [found, is_new] = b_counts_.try_emplace(tile);
  if (is_new) found->second = counts_by_k(b_, tile);
  return found->second;
}

std::optional<FabricPattern> GemmOperands::a_fit(const std::vector<FabricPattern>& menu) const {
  return fit(menu, a_, a_fits_);
}

std::optional<FabricPattern> GemmOperands::b_fit(const std::vector<FabricPattern>& menu) const {
  return fit(menu, b_, b_fits_);
}

}  // namespace lacuna
