// SPDX-License-Identifier: Apache-2.0
// A transformer language model with Mixture-of-Experts layers, everything resolved: what its
// configuration file says after defaults, spellings and family rules. Sizes are element counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/units.hpp"

namespace lacuna {

/// Which model class the weights belong to. It decides what a configuration does not write down:
/// where experts sit, how routing weights are formed, which biases and norms exist.
enum class Family { kDeepSeek, kMixtral, kOlmoe, kQwen2Moe, kQwen3Moe, kGptOss };

/// How the weights of one matrix class are stored. Scales: one of `scale_bits` for each block of
/// block_out x block_in elements of a matrix [out, in]; a block of 0 spans the whole extent.
struct WeightFormat {
  std::string name = "bf16";
  std::uint32_t bits = 16;
  std::uint32_t block_out = 0;
  std::uint32_t block_in = 0;
  std::uint32_t scale_bits = 0;
  /// Bits per element of the activations such a matrix is multiplied with, and their scales (one
  /// for each `activation_block` elements along the reduction; 0: none).
  std::uint32_t activation_bits = 16;
  std::uint32_t activation_block = 0;

  /// Bits of all scales of one matrix.
  [[nodiscard]] Bits scale_size(std::uint64_t out, std::uint64_t in) const;
};

/// Elements: 32-bit scales over 128 x 128 blocks (weights) and 1 x 128 (activations) in DeepSeek's
/// FP8 (published: deepseek-ai/DeepSeek-V3 inference/model.py and kernel.py); 8-bit scales over 32
/// elements in MXFP4 (published: OCP Microscaling Formats v1.0).
struct ModelPrecision {
  WeightFormat plain;      // embedding, head, router, norms, biases, index head weights
  WeightFormat attention;  // attention projections
  WeightFormat ffn;        // dense feed-forward and shared experts
  WeightFormat experts;    // routed experts
};

/// MHA (kv_heads = heads), GQA, MQA (kv_heads = 1).
struct GroupedQueryAttention {
  enum class QkNorm { kNone, kPerHead, kFullWidth };
  std::uint64_t heads = 0;
  std::uint64_t kv_heads = 0;
  std::uint64_t head_dim = 0;
  bool qkv_bias = false;
  bool output_bias = false;
  bool sinks = false;  // one learned logit per head, in the softmax denominator only
  QkNorm qk_norm = QkNorm::kNone;
};

/// DeepSeek Sparse Attention: a small MQA scores every key, the best `topk` are attended to.
struct SparseIndexer {
  std::uint64_t heads = 0;
  std::uint64_t head_dim = 0;
  std::uint64_t topk = 0;
};

/// Multi-head Latent Attention: one latent of kv_rank + rope_dim elements per token is cached.
struct LatentAttention {
  std::uint64_t heads = 0;
  std::uint64_t q_rank = 0;  // 0: the query is not compressed
  std::uint64_t kv_rank = 0;
  std::uint64_t nope_dim = 0;
  std::uint64_t rope_dim = 0;
  std::uint64_t value_dim = 0;
  bool bias = false;  // on both down-projections and the output
  std::optional<SparseIndexer> indexer;
};

using Attention = std::variant<GroupedQueryAttention, LatentAttention>;

/// How a token's experts and their weights follow from the router's logits.
struct RoutingRule {
  enum class Score { kSoftmax, kSigmoid, kSoftmaxOfSelected };
  enum class GroupScore { kNone, kMax, kSumOfTopTwo };
  std::uint64_t experts = 0;
  std::uint64_t experts_per_token = 0;
  std::uint64_t groups = 1;       // expert groups of equal size
  std::uint64_t kept_groups = 1;  // groups a token may choose from
  Score score = Score::kSoftmax;
  GroupScore group_score = GroupScore::kNone;
  bool selection_bias = false;  // added to the scores for the choice, not for the weights
  bool logit_bias = false;      // a bias of the router's matrix
  bool normalize = false;       // weights are divided by their sum
  double weight_scale = 1.0;
};

struct MoeLayer {
  RoutingRule routing;
  std::uint64_t expert_width = 0;
  bool expert_bias = false;        // on gate, up and down of every routed expert
  std::uint64_t shared_width = 0;  // all shared experts together; 0: none
  bool shared_gate = false;        // output times sigmoid(x . w)
};

struct LayerSpec {
  bool moe = false;
  std::uint64_t window = 0;  // newest keys a query sees, itself included; 0: all
  friend bool operator==(const LayerSpec&, const LayerSpec&) = default;
};

struct ModelSpec {
  std::string name;        // from the file or folder name
  std::string model_type;  // as written; "deepseek (native)" for the native spelling
  Family family = Family::kDeepSeek;
  std::uint64_t hidden = 0;
  std::uint64_t vocabulary = 0;
  bool tied_embeddings = false;
  Attention attention;
  std::uint64_t dense_width = 0;  // of layers that are not MoE; 0 when there are none
  MoeLayer moe;
  std::vector<LayerSpec> layers;
  std::uint64_t max_positions = 0;  // that it was made for; 0: the file does not say
  std::uint64_t mtp_layers = 0;     // multi-token prediction; after `layers`, in no total
  ModelPrecision precision;
  bool format_assumed = false;  // the file names no number format: bf16 is taken

  [[nodiscard]] const LatentAttention* latent() const {
    return std::get_if<LatentAttention>(&attention);
  }
  [[nodiscard]] const GroupedQueryAttention* grouped() const {
    return std::get_if<GroupedQueryAttention>(&attention);
  }
};

}  // namespace lacuna
