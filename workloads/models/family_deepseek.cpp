// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "workloads/models/family_readers.hpp"

namespace lacuna {
namespace {

using Score = RoutingRule::Score;
using GroupScore = RoutingRule::GroupScore;

/// Every layer must have an index of its own: those that take over another layer's have neither its
/// weights nor its work.
void refuse_shared_indexers(const ConfigJson& config) {
  if (config.given("indexer_types")) {
    const auto types = config.texts("indexer_types");
    const auto own = std::count(types.begin(), types.end(), "full");
    if (own != std::ssize(types)) {
      config.fail("indexer_types",
                  fmt::format("{} of {} layers compute no index of their own ('{}'), which is not "
                              "understood yet",
                              std::ssize(types) - own, types.size(),
                              *std::find_if(types.begin(), types.end(),
                                            [](const auto& type) { return type != "full"; })),
                  "only models whose layers are all 'full' are read");
    }
    const auto layers = config.integer("num_hidden_layers", 1, kMaxLayers);
    if (types.size() != layers) {
      config.fail("indexer_types",
                  fmt::format("has {} entries for {} layers", types.size(), layers));
    }
  } else {
    for (const char* key : {"index_topk_freq", "index_topk_pattern"}) {
      if (config.given(key) && config.shown(key) != "1") {
        config.fail(key, "says that layers share an index, but 'indexer_types' does not say which");
      }
    }
  }
  for (const char* key : {"index_topk_freq", "index_topk_pattern", "index_skip_topk_offset"}) {
    (void)config.given(key);  // indexer_types is the source of truth
  }
}

std::optional<SparseIndexer> read_indexer(const ConfigJson& config, std::uint64_t q_rank) {
  if (!config.given("index_topk")) {
    for (const char* key : {"index_n_heads", "index_head_dim"}) {
      if (config.given(key)) config.fail(key, "is given without 'index_topk'");
    }
    return std::nullopt;
  }
  if (q_rank == 0) {
    config.fail("index_topk",
                "sparse attention scores keys from the compressed query, but "
                "'q_lora_rank' gives none");
  }
  refuse_shared_indexers(config);
  SparseIndexer indexer;
  indexer.topk = config.integer("index_topk", 1, std::uint64_t{1} << 31);
  indexer.heads = config.integer("index_n_heads", 1, kMaxHeads);
  indexer.head_dim = config.integer("index_head_dim", 1, kMaxHeadDim);
  return indexer;
}

/// Head shapes are spelt alike in both; head_dim, qk_head_dim and num_key_value_heads of the
/// Hugging Face files do not describe MLA and are not read.
LatentAttention read_latent(const ConfigJson& config, const char* heads_key, std::uint64_t q_rank) {
  LatentAttention out;
  out.heads = config.integer(heads_key, 1, kMaxHeads);
  out.q_rank = q_rank;
  out.kv_rank = config.integer("kv_lora_rank", 1, kMaxWidth);
  out.nope_dim = config.integer("qk_nope_head_dim", 1, kMaxHeadDim);
  out.rope_dim = config.integer("qk_rope_head_dim", 1, kMaxHeadDim);
  out.value_dim = config.integer("v_head_dim", 1, kMaxHeadDim);
  out.indexer = read_indexer(config, q_rank);
  return out;
}

/// V2 ranks groups by their best score, V3 by the sum of their two best biased scores.
void apply_topk_method(const ConfigJson& config, RoutingRule& rule, bool second_generation) {
  const std::string method = config.text("topk_method", second_generation ? "greedy" : "noaux_tc");
  if (method == "noaux_tc") {
    rule.selection_bias = true;
    if (rule.groups > 1) rule.group_score = GroupScore::kSumOfTopTwo;
  } else if (method == "group_limited_greedy") {
    if (rule.groups > 1) rule.group_score = GroupScore::kMax;
  } else if (method == "greedy") {
    rule.groups = rule.kept_groups = 1;
  } else {
    config.fail("topk_method", fmt::format("'{}' is not understood", method),
                suggest(method, {"greedy", "group_limited_greedy", "noaux_tc"}));
  }
}

Score read_score(const ConfigJson& config, const char* key, const char* def) {
  const std::string score = config.text(key, def);
  if (score == "softmax") return Score::kSoftmax;
  if (score == "sigmoid") return Score::kSigmoid;
  config.fail(key, fmt::format("'{}' is not understood", score),
              suggest(score, {"softmax", "sigmoid"}));
}

void read_experts(const ConfigJson& config, ModelSpec& spec) {
  const bool second_generation = spec.model_type == "deepseek_v2";
  RoutingRule& rule = spec.moe.routing;
  rule.experts = config.integer("n_routed_experts", 1, kMaxExperts);
  rule.experts_per_token = config.integer("num_experts_per_tok", 1, kMaxExperts);
  rule.groups = config.integer("n_group", 1, kMaxExperts, 1);
  rule.kept_groups = config.integer("topk_group", 1, kMaxExperts, 1);
  rule.score = read_score(config, "scoring_func", second_generation ? "softmax" : "sigmoid");
  rule.normalize = config.boolean("norm_topk_prob", !second_generation);
  rule.weight_scale = config.number("routed_scaling_factor", 1.0);
  apply_topk_method(config, rule, second_generation);
  check_routing(config, rule, {"num_experts_per_tok", "n_group", "topk_group"});
  spec.moe.expert_width = config.integer("moe_intermediate_size", 1, kMaxWidth);
  spec.moe.shared_width =
      config.integer("n_shared_experts", 0, kMaxExperts, 0) * spec.moe.expert_width;
}

/// moe_layer_freq as a list: 1 where the layer is MoE. The dense layers at the front must be those
/// that first_k_dense_replace counts.
void place_listed_layers(const ConfigJson& config, std::uint64_t first, ModelSpec& spec) {
  const auto listed = config.integers("moe_layer_freq");
  if (listed.size() != spec.layers.size()) {
    config.fail("moe_layer_freq",
                fmt::format("has {} entries for {} layers", listed.size(), spec.layers.size()));
  }
  for (std::size_t l = 0; l < listed.size(); ++l) {
    if (listed[l] > 1) {
      config.fail("moe_layer_freq", fmt::format("holds {}", listed[l]),
                  "a list has 1 for a layer with experts and 0 for a dense one");
    }
    spec.layers[l].moe = listed[l] == 1;
    if (spec.layers[l].moe && l < first) {
      config.fail("moe_layer_freq", fmt::format("layer {} has experts, but first_k_dense_replace "
                                                "makes the first {} layers dense",
                                                l, first));
    }
  }
}

/// Layer l is MoE iff l >= first_k_dense_replace and l mod moe_layer_freq = 0 (published:
/// modeling_deepseek.py); newer files may list `mlp_layer_types` instead.
void place_experts(const ConfigJson& config, ModelSpec& spec) {
  if (const auto types = config.texts("mlp_layer_types"); !types.empty()) {
    if (types.size() != spec.layers.size()) {
      config.fail("mlp_layer_types",
                  fmt::format("has {} entries for {} layers", types.size(), spec.layers.size()));
    }
    for (std::size_t l = 0; l < types.size(); ++l) {
      if (types[l] != "sparse" && types[l] != "dense") {
        config.fail("mlp_layer_types", fmt::format("'{}' is not understood", types[l]),
                    suggest(types[l], {"dense", "sparse"}));
      }
      spec.layers[l].moe = types[l] == "sparse";
    }
    return;
  }
  const std::uint64_t first = config.integer("first_k_dense_replace", 0, spec.layers.size());
  if (config.is_list("moe_layer_freq")) return place_listed_layers(config, first, spec);
  const std::uint64_t every = config.integer("moe_layer_freq", 1, kMaxLayers, 1);
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    spec.layers[l].moe = l >= first && l % every == 0;
  }
}

bool has_dense_layers(const ModelSpec& spec) {
  for (const LayerSpec& layer : spec.layers) {
    if (!layer.moe) return true;
  }
  return false;
}

}  // namespace

void read_deepseek(const ConfigJson& config, ModelSpec& spec) {
  if (!config.has("q_lora_rank")) {
    throw InputError(config.place({}), "'q_lora_rank' is required: expected a whole number",
                     "null says that the query is not compressed");
  }
  LatentAttention attention =
      read_latent(config, "num_attention_heads", config.integer("q_lora_rank", 0, kMaxWidth, 0));
  attention.bias = config.boolean("attention_bias", false);
  spec.attention = attention;
  if (config.given("sliding_window") && config.boolean("use_sliding_window", true)) {
    config.fail("sliding_window", "is not understood together with latent attention");
  }
  (void)windows_by_layer_type(config, spec.layers.size(), 0);  // every layer must be full
  read_experts(config, spec);
  place_experts(config, spec);
  if (has_dense_layers(spec)) spec.dense_width = config.integer("intermediate_size", 1, kMaxWidth);
  spec.mtp_layers = config.integer("num_nextn_predict_layers", 0, kMaxLayers, 0);
}

void read_deepseek_native(const ConfigJson& config, ModelSpec& spec) {
  spec.family = Family::kDeepSeek;
  spec.hidden = config.integer("dim", 1, kMaxHidden);
  spec.vocabulary = config.integer("vocab_size", 1, kMaxVocabulary);
  spec.layers.resize(config.integer("n_layers", 1, kMaxLayers));
  spec.attention = read_latent(config, "n_heads", config.integer("q_lora_rank", 0, kMaxWidth, 0));

  const std::uint64_t dense = config.integer("n_dense_layers", 0, spec.layers.size());
  for (std::size_t l = dense; l < spec.layers.size(); ++l) spec.layers[l].moe = true;
  if (dense > 0) spec.dense_width = config.integer("inter_dim", 1, kMaxWidth);

  RoutingRule& rule = spec.moe.routing;
  rule.experts = config.integer("n_routed_experts", 1, kMaxExperts);
  rule.experts_per_token = config.integer("n_activated_experts", 1, kMaxExperts);
  rule.groups = config.integer("n_expert_groups", 1, kMaxExperts, 1);
  rule.kept_groups = config.integer("n_limited_groups", 1, kMaxExperts, 1);
  rule.score = read_score(config, "score_func", "softmax");
  // Published, DeepSeek-V3 inference/model.py, class Gate: the bias hangs on the width alone, the
  // group score on the bias, the division by the sum on the score function.
  rule.selection_bias = spec.hidden == 7168;
  rule.normalize = rule.score == Score::kSigmoid;
  if (rule.groups > 1) {
    rule.group_score = rule.selection_bias ? GroupScore::kSumOfTopTwo : GroupScore::kMax;
  }
  rule.weight_scale = config.number("route_scale", 1.0);
  check_routing(config, rule, {"n_activated_experts", "n_expert_groups", "n_limited_groups"});
  spec.moe.expert_width = config.integer("moe_inter_dim", 1, kMaxWidth);
  spec.moe.shared_width =
      config.integer("n_shared_experts", 0, kMaxExperts) * spec.moe.expert_width;

  spec.format_assumed = !config.given("dtype");
  const std::string dtype = config.text("dtype", "bf16");
  if (dtype == "fp8") {
    const WeightFormat fp8 = fp8_blocks(128, 128);
    spec.precision = {WeightFormat{}, fp8, fp8, fp8};
  } else if (dtype != "bf16") {
    config.fail("dtype", fmt::format("'{}' is not understood", dtype),
                suggest(dtype, {"bf16", "fp8"}));
  }
}

}  // namespace lacuna
