// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "workloads/models/family_readers.hpp"

namespace lacuna {
namespace {

using QkNorm = GroupedQueryAttention::QkNorm;
using Score = RoutingRule::Score;

/// The one of two spellings that is there; both are legal only when they agree.
const char* one_of(const ConfigJson& config, const char* key, const char* alias) {
  if (config.given(key) && config.given(alias) &&
      config.integer(key, 0, kMaxWidth) != config.integer(alias, 0, kMaxWidth)) {
    config.fail(alias, fmt::format("differs from '{}', which means the same", key));
  }
  return !config.given(key) && config.given(alias) ? alias : key;
}

GroupedQueryAttention read_attention(const ConfigJson& config, const ModelSpec& spec) {
  GroupedQueryAttention out;
  out.heads = config.integer("num_attention_heads", 1, kMaxHeads);
  out.kv_heads = config.integer("num_key_value_heads", 1, kMaxHeads);
  if (out.heads % out.kv_heads != 0) {
    config.fail(
        "num_key_value_heads",
        fmt::format("{} key/value heads do not divide {} query heads", out.kv_heads, out.heads));
  }
  if (config.given("head_dim")) {
    out.head_dim = config.integer("head_dim", 1, kMaxHeadDim);
  } else if (spec.hidden % out.heads == 0) {
    out.head_dim = spec.hidden / out.heads;
  } else {
    config.fail("num_attention_heads",
                fmt::format("{} heads do not divide hidden_size {}, and there is no 'head_dim'",
                            out.heads, spec.hidden));
  }
  // Qwen2-MoE's q, k, v biases are a default of the class, gpt-oss's (o too) one of its
  // configuration (published: transformers, modeling_qwen2_moe.py; gpt_oss/torch/model.py).
  const bool gpt_oss = spec.family == Family::kGptOss;
  if (spec.family == Family::kQwen2Moe) {
    out.qkv_bias = config.boolean("qkv_bias", true);
  } else if (spec.family != Family::kMixtral) {
    out.qkv_bias = out.output_bias = config.boolean("attention_bias", gpt_oss);
  }
  out.sinks = gpt_oss;
  if (spec.family == Family::kQwen3Moe) out.qk_norm = QkNorm::kPerHead;
  if (spec.family == Family::kOlmoe) out.qk_norm = QkNorm::kFullWidth;
  return out;
}

void place_windows(const ConfigJson& config, ModelSpec& spec) {
  const bool used = config.boolean("use_sliding_window", true);
  std::uint64_t window = 0;
  if (used && config.given("sliding_window")) {
    window = config.integer("sliding_window", 1, std::uint64_t{1} << 31);
  }
  auto windows = windows_by_layer_type(config, spec.layers.size(), window);
  if (windows.empty()) {
    windows.assign(spec.layers.size(), window);
    // gpt-oss: even layers slide (published: gpt_oss/torch/model.py). Qwen2: the first
    // max_window_layers layers see all keys (recalled, unverified).
    const std::uint64_t full = spec.family == Family::kQwen2Moe
                                   ? config.integer("max_window_layers", 0, kMaxLayers, 0)
                                   : 0;
    for (std::size_t l = 0; l < windows.size(); ++l) {
      if ((spec.family == Family::kGptOss && l % 2 == 1) || l < full) windows[l] = 0;
    }
  }
  for (std::size_t l = 0; l < windows.size(); ++l) spec.layers[l].window = windows[l];
}

/// Qwen: layer l is MoE iff it is not in mlp_only_layers and (l + 1) mod decoder_sparse_step = 0
/// (published: transformers, modeling_qwen3_moe.py). The other families are MoE throughout.
void place_moe_layers(const ConfigJson& config, ModelSpec& spec) {
  const bool qwen = spec.family == Family::kQwen2Moe || spec.family == Family::kQwen3Moe;
  const std::uint64_t step = qwen ? config.integer("decoder_sparse_step", 1, kMaxLayers, 1) : 1;
  const auto dense = qwen ? config.integers("mlp_only_layers") : std::vector<std::uint64_t>{};
  for (const std::uint64_t layer : dense) {
    if (layer >= spec.layers.size()) {
      config.fail("mlp_only_layers",
                  fmt::format("names layer {} of {} layers", layer, spec.layers.size()));
    }
  }
  bool any_dense = false;
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    const bool listed = std::find(dense.begin(), dense.end(), l) != dense.end();
    spec.layers[l].moe = !listed && (l + 1) % step == 0;
    any_dense = any_dense || !spec.layers[l].moe;
  }
  if (any_dense) spec.dense_width = config.integer("intermediate_size", 1, kMaxWidth);
}

void read_moe(const ConfigJson& config, ModelSpec& spec) {
  const bool qwen = spec.family == Family::kQwen2Moe || spec.family == Family::kQwen3Moe;
  const bool gpt_oss = spec.family == Family::kGptOss;
  const char* experts = "num_experts";
  const char* k = "num_experts_per_tok";
  if (spec.family == Family::kMixtral) experts = "num_local_experts";
  if (gpt_oss) {
    experts = one_of(config, "num_local_experts", "num_experts");
    k = one_of(config, "num_experts_per_tok", "experts_per_token");
  }
  RoutingRule& rule = spec.moe.routing;
  rule.experts = config.integer(experts, 1, kMaxExperts);
  rule.experts_per_token = config.integer(k, 1, kMaxExperts);
  const bool of_selected = gpt_oss || spec.family == Family::kMixtral;
  rule.score = of_selected ? Score::kSoftmaxOfSelected : Score::kSoftmax;
  rule.normalize = !of_selected && config.boolean("norm_topk_prob", false);
  rule.logit_bias = gpt_oss;
  check_routing(config, rule, {k, experts, experts});

  // `intermediate_size` is the expert width only where there is no `moe_intermediate_size`.
  const bool has_own_width = qwen || config.given("moe_intermediate_size");
  spec.moe.expert_width =
      config.integer(has_own_width ? "moe_intermediate_size" : "intermediate_size", 1, kMaxWidth);
  spec.moe.expert_bias = gpt_oss;
  if (spec.family == Family::kQwen2Moe) {
    spec.moe.shared_width = config.integer("shared_expert_intermediate_size", 0, kMaxWidth);
    spec.moe.shared_gate = spec.moe.shared_width > 0;
  } else if (config.given("shared_expert_intermediate_size") || config.given("n_shared_experts")) {
    const char* key =
        config.given("n_shared_experts") ? "n_shared_experts" : "shared_expert_intermediate_size";
    if (config.integer(key, 0, kMaxWidth) != 0) {
      config.fail(key, fmt::format("model_type '{}' has no shared experts", spec.model_type));
    }
  }
}

}  // namespace

void read_grouped_query(const ConfigJson& config, ModelSpec& spec) {
  spec.attention = read_attention(config, spec);
  place_windows(config, spec);
  read_moe(config, spec);
  place_moe_layers(config, spec);
  spec.mtp_layers = config.integer("num_nextn_predict_layers", 0, kMaxLayers, 0);
}

}  // namespace lacuna
