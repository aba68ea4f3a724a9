// SPDX-License-Identifier: Apache-2.0
// One MLA layer and one MoE layer with all tensors explicit, small enough to be computed in full.
// Every matrix product goes through a function of the caller's, so that a simulator that carries
// values computes the layer; what is no product (norms, rotation, softmax, the choice of experts)
// is done here. The *_reference() functions compute the same layer element by element from its
// definition, without those products. (DeepSeek-V3 inference/model.py, classes MLA, Gate, MoE.)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lacuna {

/// Row-major.
struct DenseMatrix {
  std::uint64_t rows = 0, cols = 0;
  std::vector<double> values;

  DenseMatrix() = default;
  DenseMatrix(std::uint64_t rows_, std::uint64_t cols_)
      : rows(rows_), cols(cols_), values(rows_ * cols_, 0.0) {}
  [[nodiscard]] double& at(std::uint64_t r, std::uint64_t c) { return values[r * cols + c]; }
  [[nodiscard]] double at(std::uint64_t r, std::uint64_t c) const { return values[r * cols + c]; }
  /// Columns first .. first+count-1.
  [[nodiscard]] DenseMatrix columns(std::uint64_t first, std::uint64_t count) const;
  /// Rows likewise.
  [[nodiscard]] DenseMatrix row_range(std::uint64_t first, std::uint64_t count) const;
  [[nodiscard]] DenseMatrix transposed() const;
};

/// Z[M,N] = A[M,K] * B[K,N]: `a` is M x K, the stationary operand (weights, keys, values);
/// `b_transposed` N x K. The name is that of the operation in the model's graph.
using Product = std::function<DenseMatrix(const std::string& name, const DenseMatrix& a,
                                          const DenseMatrix& b_transposed)>;

struct SmallAttention {
  std::uint64_t hidden = 32, heads = 4, q_rank = 16, kv_rank = 16;  // q_rank 0: no compression
  std::uint64_t nope_dim = 8, rope_dim = 4, value_dim = 8;
  DenseMatrix q_down, q_up, kv_down, kv_up, output;  // [out, in]; q_up is q_proj without q_rank

  [[nodiscard]] static SmallAttention random(std::uint64_t q_rank, std::uint64_t seed);
};

/// Latents (normalised) and rotated keys of the tokens so far.
struct SmallCache {
  DenseMatrix latent, rope;  // T x kv_rank, T x rope_dim
  [[nodiscard]] static SmallCache random(const SmallAttention& layer, std::uint64_t tokens,
                                         std::uint64_t seed);
};

/// New tokens x (S x hidden) behind the cached ones, causally: their outputs, S x hidden.
[[nodiscard]] DenseMatrix run_attention(const SmallAttention& layer, const SmallCache& cache,
                                        const DenseMatrix& x, bool absorbed,
                                        const Product& product);
[[nodiscard]] DenseMatrix attention_reference(const SmallAttention& layer, const SmallCache& cache,
                                              const DenseMatrix& x);

struct SmallMoe {
  std::uint64_t hidden = 32, width = 16, experts = 6, top_k = 2;
  DenseMatrix router;                       // experts x hidden
  std::vector<DenseMatrix> gate, up, down;  // of each expert
  DenseMatrix shared_gate, shared_up, shared_down;

  [[nodiscard]] static SmallMoe random(std::uint64_t seed);
};

/// Softmax over the experts, the best k of each token, weights not renormalised; SwiGLU experts.
[[nodiscard]] DenseMatrix run_moe(const SmallMoe& layer, const DenseMatrix& x,
                                  const Product& product);
[[nodiscard]] DenseMatrix moe_reference(const SmallMoe& layer, const DenseMatrix& x);

/// Seeded standard normal values.
[[nodiscard]] DenseMatrix random_matrix(std::uint64_t rows, std::uint64_t cols, std::uint64_t seed,
                                        const std::string& name);

}  // namespace lacuna
