// SPDX-License-Identifier: Apache-2.0
#include "arch/program/gemm_operands.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "sparse_formats/pattern_check.hpp"

namespace lacuna {
namespace {

/// Adds the rows r0 .. r1-1 to the counts of each column.
void add_rows(const BitMatrix& bits, std::uint64_t r0, std::uint64_t r1, std::uint16_t* counts) {
  const std::uint64_t k = bits.cols();
  for (std::uint64_t r = r0; r < r1; ++r) {
    const auto words = bits.row(r);
    for (std::uint64_t w = 0; w < words.size(); ++w) {
      const std::uint64_t word = words[w];
      if (word == 0) continue;
      const std::uint64_t last = std::min<std::uint64_t>(64, k - w * 64);
      for (std::uint64_t bit = 0; bit < last; ++bit) {
        counts[w * 64 + bit] =
            static_cast<std::uint16_t>(counts[w * 64 + bit] + (word >> bit & 1U));
      }
    }
  }
}

TileCounts counts_by_k(const Occupancy& occupancy, std::uint64_t tile) {
  LACUNA_CHECK(tile <= 65535, "tiles of {} overflow their counters", tile);
  const BitMatrix& sample = occupancy.sample();
  const std::uint64_t period = sample.rows();
  TileCounts out;
  out.k = occupancy.cols();
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> known;  // first row, rows
  for (std::uint64_t r0 = 0; r0 < occupancy.rows(); r0 += tile) {
    const std::uint64_t rows = std::min(tile, occupancy.rows() - r0);
    const auto [found, is_new] = known.try_emplace(std::make_pair(r0 % period, rows),
                                                   static_cast<std::uint32_t>(known.size()));
    out.kind.push_back(found->second);
    if (!is_new) continue;
    out.counts.resize(out.counts.size() + out.k);
    std::uint16_t* const counts = &out.counts[out.counts.size() - out.k];
    for (std::uint64_t r = r0; r < r0 + rows;) {
      const std::uint64_t first = r % period, last = std::min(period, first + r0 + rows - r);
      add_rows(sample, first, last, counts);
      r += last - first;
    }
  }
  return out;
}

bool overlap(std::span<const std::uint64_t> x, std::span<const std::uint64_t> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if ((x[i] & y[i]) != 0) return true;
  }
  return false;
}

std::optional<FabricPattern> fit(const std::vector<FabricPattern>& menu, const Occupancy& operand,
                                 std::map<std::string, bool>& known) {
  for (const FabricPattern& entry : menu) {
    if (entry.pattern.is_dense()) return entry;
    const auto [found, is_new] = known.try_emplace(entry.pattern.text(), false);
    if (is_new) found->second = !first_violation(entry.pattern, operand.sample()).has_value();
    if (found->second) return entry;
  }
  return {};
}

}  // namespace

GemmOperands::GemmOperands(Occupancy a, Occupancy b_transposed)
    : GemmOperands(std::make_shared<const Occupancy>(std::move(a)),
                   std::make_shared<const Occupancy>(std::move(b_transposed))) {}

GemmOperands::GemmOperands(std::shared_ptr<const Occupancy> a,
                           std::shared_ptr<const Occupancy> b_transposed)
    : a_(std::move(a)), b_(std::move(b_transposed)) {
  if (a_->cols() != b_->cols()) {
    throw InputError(
        fmt::format("A has {} columns and B {} rows: they must be equal", a_->cols(), b_->cols()));
  }
  if (a_->rows() == 0 || a_->cols() == 0 || b_->rows() == 0) {
    throw InputError(fmt::format("a product of {} x {} x {} has no work", m(), n(), k()));
  }
  a_density_ = a_->density();
  b_density_ = b_->density();
  const auto of_a = a_->col_counts();
  const auto of_b = b_->col_counts();
  for (std::size_t k = 0; k < of_a.size(); ++k) {
    const std::uint64_t pairs = of_a[k] * of_b[k];
    effectual_ += pairs;
    if (pairs == 0) continue;
    a_touched_ += of_a[k];
    b_touched_ += of_b[k];
    z_least_ = std::max(z_least_, pairs);
  }
}

std::uint64_t GemmOperands::z_nonzeros() const {
  if (!z_nonzeros_) {
    std::uint64_t count = 0;
    for (std::uint64_t r = 0; r < a_->sample().rows(); ++r) {
      stop_if_requested();
      const auto row = a_->sample().row(r);
      std::uint64_t columns = 0;
      for (std::uint64_t c = 0; c < b_->sample().rows(); ++c) {
        if (overlap(row, b_->sample().row(c))) columns += b_->times(c);
      }
      count += columns * a_->times(r);
    }
    z_nonzeros_ = count;
  }
  return *z_nonzeros_;
}

const TileCounts& GemmOperands::a_counts(std::uint64_t tile) const {
  const auto [found, is_new] = a_counts_.try_emplace(tile);
  if (is_new) found->second = counts_by_k(*a_, tile);
  return found->second;
}

const TileCounts& GemmOperands::b_counts(std::uint64_t tile) const {
  const auto [found, is_new] = b_counts_.try_emplace(tile);
  if (is_new) found->second = counts_by_k(*b_, tile);
  return found->second;
}

std::optional<FabricPattern> GemmOperands::a_fit(const std::vector<FabricPattern>& menu) const {
  return fit(menu, *a_, a_fits_);
}

std::optional<FabricPattern> GemmOperands::b_fit(const std::vector<FabricPattern>& menu) const {
  return fit(menu, *b_, b_fits_);
}

}  // namespace lacuna
