// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/family_readers.hpp"

#include <algorithm>
#include <array>

namespace lacuna {
namespace {

/// Parts of the names of keys that change shapes, bits or work.
constexpr std::array<std::string_view, 37> kTelling{"expert", "moe",      "attention",
                                                    "attn",   "index",    "lora",
                                                    "latent", "quant",    "head",
                                                    "kv_",    "mlp",      "ffn",
                                                    "router", "mtp",      "nextn",
                                                    "window", "sliding",  "swa_",
                                                    "sparse", "compress", "hash",
                                                    "conv",   "ssm",      "mamba",
                                                    "linear", "groups",   "hybrid",
                                                    "layer_", "pattern",  "_rank",
                                                    "_dim",   "width",    "intermediate_size",
                                                    "dtype",  "_bias",    "qk_norm",
                                                    "sink"};

/// Keys that carry such a part, but change neither: of training, of output, of the order of
/// rotations, or what follows from other keys.
constexpr std::array<std::string_view, 44> kHarmless{"attention_dropout",
                                                     "output_attentions",
                                                     "output_router_logits",
                                                     "router_aux_loss_coef",
                                                     "router_jitter_noise",
                                                     "router_z_loss_coef",
                                                     "moe_router_dtype",
                                                     "moe_router_aux_loss_coef",
                                                     "attn_implementation",
                                                     "_attn_implementation",
                                                     "_attn_implementation_autoset",
                                                     "_attn_implementation_internal",
                                                     "attn_pdrop",
                                                     "attention_probs_dropout_prob",
                                                     "expert_parallel_size",
                                                     "moe_dropout",
                                                     "moe_router_bias_update_speed",
                                                     "e_score_correction_bias",
                                                     "use_routing_bias",
                                                     "use_flash_attention",
                                                     "use_flash_attention_2",
                                                     "indexer_rope_interleave",
                                                     "num_attention_heads",
                                                     "num_key_value_heads",
                                                     "head_dim",
                                                     "qk_head_dim",
                                                     "rotary_dim",
                                                     "intermediate_size",
                                                     "moe_intermediate_size",
                                                     "sliding_window",
                                                     "use_sliding_window",
                                                     "max_window_layers",
                                                     "initial_context_length",
                                                     "layer_norm_epsilon",
                                                     "layer_norm_eps",
                                                     "layernorm_epsilon",
                                                     "hidden_dropout",
                                                     "torch_dtype",
                                                     "dtype",
                                                     "params_dtype",
                                                     "moe_layer_freq",
                                                     "first_k_dense_replace",
                                                     "mlp_dropout",
                                                     "index_share_for_mtp_iteration"};

bool tells(std::string_view key) {
  return std::any_of(kTelling.begin(), kTelling.end(), [&](std::string_view part) {
    return key.find(part) != std::string_view::npos;
  });
}

}  // namespace

void refuse_telling_keys(const ConfigJson& config) {
  for (const std::string& key : config.unasked()) {
    const bool harmless = std::find(kHarmless.begin(), kHarmless.end(), key) != kHarmless.end();
    if (harmless || !tells(key)) continue;
    config.fail(key,
                fmt::format("{} is not understood for this family, and its name says that it may "
                            "change shapes, bytes or work",
                            config.shown(key)),
                "remove the key if it changes none of them");
  }
}

Bits WeightFormat::scale_size(std::uint64_t out, std::uint64_t in) const {
  if (scale_bits == 0) return Bits(0);
  const std::uint64_t rows = block_out == 0 ? 1 : ceil_div(out, block_out);
  const std::uint64_t cols = block_in == 0 ? 1 : ceil_div(in, block_in);
  return Bits(rows * cols * scale_bits);
}

WeightFormat fp8_blocks(std::uint32_t block_out, std::uint32_t block_in) {
  return {"fp8", 8, block_out, block_in, 32, 8, block_in};
}

void read_trunk(const ConfigJson& config, ModelSpec& spec) {
  spec.hidden = config.integer("hidden_size", 1, kMaxHidden);
  spec.vocabulary = config.integer("vocab_size", 1, kMaxVocabulary);
  spec.tied_embeddings = config.boolean("tie_word_embeddings", false);
  spec.layers.resize(config.integer("num_hidden_layers", 1, kMaxLayers));
  spec.max_positions = config.integer("max_position_embeddings", 1, std::uint64_t{1} << 40, 0);
}

std::vector<std::uint64_t> windows_by_layer_type(const ConfigJson& config, std::uint64_t layers,
                                                 std::uint64_t window) {
  std::vector<std::uint64_t> windows;
  const auto types = config.texts("layer_types");
  if (types.empty()) return windows;
  if (types.size() != layers) {
    config.fail("layer_types", fmt::format("has {} entries for {} layers (num_hidden_layers)",
                                           types.size(), layers));
  }
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "sliding_attention") {
      config.fail("layer_types", fmt::format("'{}' is not an attention understood here", type),
                  suggest(type, {"full_attention", "sliding_attention"}));
    }
    if (type == "sliding_attention" && window == 0) {
      config.fail("layer_types", "has sliding layers, but no 'sliding_window' is in force");
    }
    windows.push_back(type == "sliding_attention" ? window : 0);
  }
  return windows;
}

void check_routing(const ConfigJson& config, const RoutingRule& rule, const RoutingKeys& keys) {
  if (rule.experts_per_token > rule.experts) {
    config.fail(keys.k, fmt::format("{} experts per token of only {}", rule.experts_per_token,
                                    rule.experts));
  }
  if (rule.experts % rule.groups != 0) {
    config.fail(keys.groups,
                fmt::format("{} groups do not divide {} experts", rule.groups, rule.experts));
  }
  if (rule.kept_groups > rule.groups) {
    config.fail(keys.kept_groups,
                fmt::format("{} groups kept of only {}", rule.kept_groups, rule.groups));
  }
  const std::uint64_t group_size = rule.experts / rule.groups;
  if (rule.kept_groups * group_size < rule.experts_per_token) {
    config.fail(keys.kept_groups,
                fmt::format("{} groups of {} experts cannot give {} experts per token",
                            rule.kept_groups, group_size, rule.experts_per_token));
  }
  if (rule.group_score == RoutingRule::GroupScore::kSumOfTopTwo && group_size < 2) {
    config.fail(keys.groups,
                fmt::format("groups of one expert ({} of {}) have no two scores to sum",
                            rule.groups, rule.experts));
  }
}

}  // namespace lacuna
