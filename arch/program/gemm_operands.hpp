// SPDX-License-Identifier: Apache-2.0
// The operands of one product as occupancies, with the counts that several machines share computed
// once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "sparse_formats/occupancy.hpp"

namespace lacuna {

/// Nonzeros at each k of every tile of rows; tiles that are alike share their counts.
struct TileCounts {
  std::uint64_t k = 0;
  std::vector<std::uint32_t> kind;    // of each tile
  std::vector<std::uint16_t> counts;  // [kind * k + k]
  [[nodiscard]] std::uint64_t tiles() const { return kind.size(); }
  [[nodiscard]] const std::uint16_t* tile(std::uint64_t t) const {
    return counts.data() + kind[t] * k;
  }
};

/// Z[M,N] = A[M,K] * B[K,N]. Not for concurrent use: counts are kept when first asked for.
class GemmOperands {
 public:
  /// `a` is M x K, `b_transposed` N x K. Throws InputError when K differs or a side is empty.
  GemmOperands(Occupancy a, Occupancy b_transposed);
  /// Likewise, of operands that several products have in common.
  GemmOperands(std::shared_ptr<const Occupancy> a, std::shared_ptr<const Occupancy> b_transposed);

  [[nodiscard]] std::uint64_t m() const { return a_->rows(); }
  [[nodiscard]] std::uint64_t n() const { return b_->rows(); }
  [[nodiscard]] std::uint64_t k() const { return a_->cols(); }
  [[nodiscard]] const Occupancy& a() const { return *a_; }
  [[nodiscard]] const Occupancy& b_transposed() const { return *b_; }
  [[nodiscard]] const std::shared_ptr<const Occupancy>& shared_b() const { return b_; }
  [[nodiscard]] double a_density() const { return a_density_; }
  [[nodiscard]] double b_density() const { return b_density_; }

  /// Multiplies with two nonzero operands: sum over k of column count of A x row count of B.
  [[nodiscard]] std::uint64_t effectual() const { return effectual_; }
  /// Nonzeros of A, and of B, that take part in one of them.
  [[nodiscard]] std::uint64_t a_touched() const { return a_touched_; }
  [[nodiscard]] std::uint64_t b_touched() const { return b_touched_; }
  /// Places of Z that they reach at least: those of the K step that reaches most.
  [[nodiscard]] std::uint64_t z_least() const { return z_least_; }
  /// Places of Z that at least one of them reaches.
  [[nodiscard]] std::uint64_t z_nonzeros() const;

  /// Of tiles of `tile` rows of A, or columns of B.
  [[nodiscard]] const TileCounts& a_counts(std::uint64_t tile) const;
  [[nodiscard]] const TileCounts& b_counts(std::uint64_t tile) const;
  /// The sparsest of `menu` (ordered so) that every group obeys, K padded; nothing when none does.
  [[nodiscard]] std::optional<FabricPattern> a_fit(const std::vector<FabricPattern>& menu) const;
  [[nodiscard]] std::optional<FabricPattern> b_fit(const std::vector<FabricPattern>& menu) const;

 private:
  using Counts = std::map<std::uint64_t, TileCounts>;
  using Fits = std::map<std::string, bool>;

  std::shared_ptr<const Occupancy> a_, b_;
  double a_density_, b_density_;
  std::uint64_t effectual_ = 0, a_touched_ = 0, b_touched_ = 0, z_least_ = 0;
  mutable std::optional<std::uint64_t> z_nonzeros_;
  mutable Counts a_counts_, b_counts_;
  mutable Fits a_fits_, b_fits_;
};

}  // namespace lacuna
