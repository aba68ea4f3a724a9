// SPDX-License-Identifier: Apache-2.0
// One tensor operation as an einsum: Z[m,n] = A[m,k] * B[k,n], in one or many independent
// instances (heads, sequences, experts). Shapes, operands and precision; no values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "workloads/sparsity_tables/vertical_slash.hpp"

namespace lacuna {

struct Rank {
  std::string name;
  std::uint64_t size = 0;
  friend bool operator==(const Rank&, const Rank&) = default;
};

/// Where an operand lives between steps: weights are read, activations come from another operation,
/// the cache grows with the sequence, an index holds positions.
enum class OperandKind { kWeight, kActivation, kCache, kIndex };

struct EinsumOperand {
  std::string name;
  std::vector<std::uint32_t> ranks;  // positions in Einsum::ranks
  OperandKind kind = OperandKind::kActivation;
  std::uint32_t bits = 16;  // per element
  Bits scale_bits{0};       // quantisation scales of one instance, beside the elements
  bool shared = false;      // one tensor serves all instances
  double density = 1;       // share of nonzeros, where a table of measured ones gives it
  bool resident = false;  // already brought in by an earlier operation that this one is fused with
};

/// Which (query, key) pairs exist: query s of S sits at position context - S + s and sees the keys
/// at positions up to its own, its `limit` newest at most (0: all). Key t is position context -
/// size of the key rank + t.
struct CausalMask {
  /// Instances (heads) that keep the same lines of the triangle.
  struct Lines {
    sparsity::HeadLines kept;
    std::uint64_t instances = 0;
  };
  std::uint32_t query_rank = 0;
  std::uint32_t key_rank = 0;
  std::uint64_t context = 0;
  std::uint64_t limit = 0;
  std::vector<Lines> lines;  // of all instances, or empty: all pairs of the triangle
};

/// operands[0] is the result. The reduction runs over the ranks it does not have.
struct Einsum {
  std::string equation;  // "Z[m,n] = A[m,k] * B[k,n]"
  std::vector<Rank> ranks;
  std::vector<EinsumOperand> operands;
  std::uint64_t batch = 1;  // independent instances
  /// Uneven instances: when not empty, the size of rank 0 in each of the `batch` instances;
  /// ranks[0].size is then their maximum. An instance of size 0 touches nothing.
  std::vector<std::uint32_t> rows_per_instance;
  /// Multiply-adds over all instances that are not known to be zero beforehand (a causal mask, a
  /// window). Never more than dense_macs().
  std::uint64_t macs = 0;
  std::optional<CausalMask> mask;

  [[nodiscard]] std::uint64_t flops() const { return 2 * macs; }
};

/// A tensor of an equation with the names of its ranks.
struct EinsumTerm {
  std::string name;
  std::vector<std::string> ranks;
};

/// The result and the operands of "Z[m,n] = A[m,k] * B[k,n]", in order. Throws InputError at the
/// place on a malformed equation.
[[nodiscard]] std::vector<EinsumTerm> einsum_terms(std::string_view equation,
                                                   const Place& place = {{}, 0, "einsum"});

/// Builds an einsum from "Z[m,n] = A[m,k] * B[k,n]" and the size of each rank, in order of first
/// appearance on the right-hand side; macs becomes dense_macs(). Throws InputError (field "einsum")
/// on a malformed equation, a rank without size or a size without rank, a result rank that no
/// operand has, and more than 2^64 multiply-adds.
[[nodiscard]] Einsum make_einsum(std::string_view equation, const std::vector<Rank>& sizes,
                                 std::uint64_t batch = 1);

/// Makes the instances uneven; recomputes macs. `rows` has one entry per instance.
void set_rows_per_instance(Einsum& einsum, std::vector<std::uint32_t> rows);

/// All points of the iteration space, over all instances.
[[nodiscard]] std::uint64_t dense_macs(const Einsum& einsum);
/// Elements of an operand in one (full-sized) instance.
[[nodiscard]] std::uint64_t instance_elements(const Einsum& einsum, std::size_t operand);
/// Elements over all instances: once when shared, only instances with rows when uneven, only pairs
/// that exist when the operand has both ranks of the mask.
[[nodiscard]] std::uint64_t total_elements(const Einsum& einsum, std::size_t operand);
/// Storage of total_elements() with the scales of the instances that are touched.
[[nodiscard]] Bytes total_bytes(const Einsum& einsum, std::size_t operand);
/// Instances that do work.
[[nodiscard]] std::uint64_t touched_instances(const Einsum& einsum);

/// An einsum of two operands seen as a matrix product: m are the ranks of A and Z alone, n those of
/// B and Z alone, k the reduced ones. A rank that A, B and Z share is not a matrix product; such an
/// einsum throws ModelError.
struct GemmShape {
  std::uint64_t m = 1;
  std::uint64_t n = 1;
  std::uint64_t k = 1;
  friend bool operator==(const GemmShape&, const GemmShape&) = default;
};
[[nodiscard]] GemmShape gemm_shape(const Einsum& einsum);

}  // namespace lacuna
