// SPDX-License-Identifier: Apache-2.0
// The readers behind load_model(): one for each spelling, over what all of them share. A reader
// fills a ModelSpec from the keys of its family and refuses what it does not understand.
#pragma once

#include "workloads/models/config_json.hpp"
#include "workloads/models/model_spec.hpp"

namespace lacuna {

// Ranges that keep every total of section 8's kind below 2^64.
inline constexpr std::uint64_t kMaxHidden = 1U << 17;
inline constexpr std::uint64_t kMaxWidth = 1U << 20;
inline constexpr std::uint64_t kMaxHeads = 1U << 12;
inline constexpr std::uint64_t kMaxHeadDim = 1U << 13;
inline constexpr std::uint64_t kMaxExperts = 1U << 14;
inline constexpr std::uint64_t kMaxLayers = 1U << 10;
inline constexpr std::uint64_t kMaxVocabulary = 1U << 24;

/// Hugging Face spelling with `kv_lora_rank`: DeepSeek V2, V3, V3.2 and models built like them.
void read_deepseek(const ConfigJson& config, ModelSpec& spec);
/// DeepSeek's inference spelling (`dim`, `n_layers`, ...), which omits defaults.
void read_deepseek_native(const ConfigJson& config, ModelSpec& spec);
/// Mixtral, OLMoE, Qwen2/3-MoE, gpt-oss; `spec.family` says which.
void read_grouped_query(const ConfigJson& config, ModelSpec& spec);

/// hidden_size, vocab_size, tie_word_embeddings: the same in every Hugging Face family.
void read_trunk(const ConfigJson& config, ModelSpec& spec);
/// `layer_types` when given: one entry per layer. Returns the window of each layer, `window` where
/// it says "sliding_attention"; an empty list when the key is absent.
[[nodiscard]] std::vector<std::uint64_t> windows_by_layer_type(const ConfigJson& config,
                                                               std::uint64_t layers,
                                                               std::uint64_t window);
/// Refuses a key that no reader asked for and whose name says that it may change the bytes or the
/// FLOP of experts, attention or quantisation: what is not understood is never guessed.
void refuse_telling_keys(const ConfigJson& config);
/// k <= E, groups divide E and can feed k experts; `k_key` and friends name the keys to blame.
struct RoutingKeys {
  const char* k;
  const char* groups;
  const char* kept_groups;
};
void check_routing(const ConfigJson& config, const RoutingRule& rule, const RoutingKeys& keys);

/// DeepSeek's FP8: attention and feed-forward matrices in blocks of block_out x block_in.
[[nodiscard]] WeightFormat fp8_blocks(std::uint32_t block_out, std::uint32_t block_in);

}  // namespace lacuna
