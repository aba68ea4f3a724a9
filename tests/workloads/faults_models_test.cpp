// SPDX-License-Identifier: Apache-2.0
// Configurations whose keys say what no reader here understands: refused, never guessed.
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/model_numbers.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::refusal;
using lacuna::test::scratch;
using lacuna::test::shared_data;
using lacuna::test::shipped_text;
using lacuna::test::source_dir;

namespace {

/// The shipped configuration with more keys at its front.
std::string with_keys(const std::string& name, const std::string& keys) {
  std::string text = shipped_text(name);
  return text.insert(text.find('{') + 1, keys + ", ");
}

/// GLM-5.2 in small: four layers, of which the last two share an index.
std::string shared_indexers() {
  return R"({"model_type": "glm_moe_dsa", "hidden_size": 6144, "vocab_size": 154880,
    "num_hidden_layers": 4, "intermediate_size": 12288, "first_k_dense_replace": 3,
    "num_attention_heads": 64, "q_lora_rank": 2048, "kv_lora_rank": 512, "qk_nope_head_dim": 192,
    "qk_rope_head_dim": 64, "v_head_dim": 256, "index_topk": 2048, "index_n_heads": 32,
    "index_head_dim": 128, "n_routed_experts": 256, "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048, "n_shared_experts": 1,
    "indexer_types": ["full", "full", "shared", "shared"]})";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A folder as NVIDIA's tool leaves it.
std::filesystem::path nvfp4_folder() {
  const auto folder = scratch("nvfp4");
  write_file(folder / "config.json", shipped_text("mixtral-8x7b"));
  write_file(folder / "hf_quant_config.json",
             "{\n\"quantization\": {\"quant_algo\": \"NVFP4\", \"group_size\": 16,\n"
             "\"exclude_modules\": [\"lm_head\"]}}");
  return folder;
}

}  // namespace

TEST_CASE("fault: layers that share an index are refused, with their number") {
  CHECK_THAT(refusal(shared_indexers()),
             contains("indexer_types: 2 of 4 layers compute no index of their own ('shared')"));
  const std::string all = replaced(shared_indexers(), R"("shared", "shared")", R"("full", "full")");
  CHECK(refusal(all).empty());
  CHECK_THAT(refusal(replaced(shared_indexers(), R"("shared", "shared")", R"("full")")),
             contains("has 3 entries for 4 layers"));
  CHECK_THAT(refusal(with_keys("deepseek-v3.2", "\"index_topk_freq\": 4")),
             contains("index_topk_freq: says that layers share an index"));
}

TEST_CASE("fault: a shared layer has no indexer weights and computes no index (later: models)",
          "[!shouldfail]") {
  const ModelSpec shared = parse_model(shared_indexers(), "m.json");
  const ModelSpec full = parse_model(
      replaced(shared_indexers(), R"("shared", "shared")", R"("full", "full")"), "m.json");
  const std::uint64_t without_norm = 4096 * 2048 + 128 * 6144 + 32 * 6144;
  const std::uint64_t fewer = count_parameters(full).total - count_parameters(shared).total;
  CHECK(fewer >= 2 * (without_norm + 128));
  CHECK(fewer <= 2 * (without_norm + 2 * 128));
}

TEST_CASE("fault: GLM-5.2 is not read as GLM-5") {
  LACUNA_NEEDS_SHARED();
  const auto file = shared_data() / "model-configs" / "zai-org--GLM-5.2_config.json";
  CHECK_THAT(error_of([&] { (void)load_model(file); }),
             contains("57 of 78 layers compute no index of their own"));
}

TEST_CASE("fault: GLM-5.2 has the parameters of 21 indexers (later: models)", "[!shouldfail]") {
  LACUNA_NEEDS_SHARED();
  const auto file = shared_data() / "model-configs" / "zai-org--GLM-5.2_config.json";
  const std::uint64_t as_glm5 = 743'911'218'432;
  const std::uint64_t each = 4096 * 2048 + 128 * 6144 + 32 * 6144;
  const std::uint64_t total = count_parameters(load_model(file)).total;
  CHECK(total <= as_glm5 - 57 * (each + 128));
  CHECK(total >= as_glm5 - 57 * (each + 2 * 128));
}

TEST_CASE("fault: a quantisation that stands beside config.json is not passed over") {
  const auto folder = nvfp4_folder();
  for (const auto& path : {folder, folder / "config.json"}) {
    CHECK_THAT(error_of([&] { (void)load_model(path); }),
               contains("hf_quant_config.json:2: quantization.quant_algo: the weights are NVFP4"));
  }
  write_file(folder / "hf_quant_config.json", "{\"quantization\": Infinity}");
  CHECK_THAT(error_of([&] { (void)load_model(folder); }), contains("'Infinity' is no JSON number"));
}

TEST_CASE("fault: experts of NVFP4 take 4 bits and a scale (later: models)", "[!shouldfail]") {
  const ModelSpec spec = load_model(nvfp4_folder());
  CHECK(spec.precision.experts.bits == 4);
  CHECK(spec.precision.experts.scale_bits == 8);
  CHECK(spec.precision.experts.block_in == 16);
}

TEST_CASE(
    "fault: the experts of a step of 8 tokens, of an NVFP4 folder, are about 82 GB (later: models)",
    "[!shouldfail]") {
  LACUNA_NEEDS_SHARED();
  const ModelSpec spec = load_model(shared_data() / "odd-files" / "nvfp4dir");
  const double touched = expected_distinct_experts(256, 8, 8) / 256;
  const double weights = touched * static_cast<double>(count_parameters(spec).routed_experts);
  const WeightFormat& format = spec.precision.experts;
  REQUIRE(format.block_in > 0);
  const double bits = format.bits + static_cast<double>(format.scale_bits) / format.block_in;
  const double gigabytes = weights * bits / 8 / 1e9;
  CHECK(gigabytes > 80);
  CHECK(gigabytes < 84);
}

TEST_CASE("fault: a key of experts, attention or quantisation that nobody read is refused") {
  for (const char* key : {"expert_dtype", "moe_expert_groups_of_two", "attention_sharing",
                          "kv_head_sharing", "num_mtp_modules", "swa_head_dim", "mlp_bias",
                          "qk_norm_type", "add_swa_attention_sink_bias", "hybrid_layer_pattern"}) {
    INFO(key);
    CHECK_THAT(refusal(with_keys("deepseek-v3", fmt::format("\"{}\": 3", key))),
               contains(fmt::format("{}: 3 is not understood for this family", key)));
    CHECK(refusal(with_keys("deepseek-v3", fmt::format("\"{}\": null", key))).empty());
    CHECK(refusal(with_keys("deepseek-v3", fmt::format("\"{}\": false", key))).empty());
  }
  for (const char* key : {"attention_dropout", "router_aux_loss_coef", "some_token_id", "rope_x"}) {
    CHECK(refusal(with_keys("qwen3-30b-a3b", fmt::format("\"{}x\": 0, \"{}\": 0.5", key, key)))
              .empty());
  }
}

TEST_CASE("fault: float8_e4m3fn is e4m3, and modules outside the quantisation are looked at") {
  const std::string text = shipped_text("deepseek-v3");
  const ModelSpec plain = parse_model(text, "m.json");
  const ModelSpec named =
      parse_model(replaced(text, "\"fmt\": \"e4m3\"", "\"fmt\": \"float8_e4m3fn\""), "m.json");
  CHECK(named.precision.experts.name == plain.precision.experts.name);
  CHECK(named.precision.experts.bits == 8);
  const auto excluding = [&](const std::string& modules) {
    return refusal(replaced(text, "\"fmt\": \"e4m3\"",
                            "\"fmt\": \"e4m3\", \"modules_to_not_convert\": [" + modules + "]"));
  };
  CHECK(excluding(R"("lm_head", "model.layers.3.mlp.gate", "model.norm")").empty());
  CHECK_THAT(excluding(R"("model.layers.3.self_attn.q_proj")"),
             contains("modules_to_not_convert: 'model.layers.3.self_attn.q_proj' keeps"));
}

TEST_CASE("fault: moe_layer_freq may be a list, which must agree with the other keys") {
  std::string list = "0, 0, 0";
  for (int layer = 3; layer < 61; ++layer) list += layer == 60 ? ", 0" : ", 1";
  const auto with = [&](const std::string& entries) {
    return replaced(shipped_text("deepseek-v3"), "\"moe_layer_freq\": 1",
                    "\"moe_layer_freq\": [" + entries + "]");
  };
  const ModelSpec spec = parse_model(with(list), "m.json");
  CHECK_FALSE(spec.layers[2].moe);
  CHECK(spec.layers[3].moe);
  CHECK_FALSE(spec.layers[60].moe);
  CHECK_THAT(refusal(with("1")), contains("moe_layer_freq: has 1 entries for 61 layers"));
  CHECK_THAT(refusal(with(replaced(list, "0, 0, 0", "0, 0, 1"))),
             contains("layer 2 has experts, but first_k_dense_replace"));
  CHECK_THAT(refusal(with(replaced(list, "0, 1", "0, 2"))), contains("holds 2"));
}

TEST_CASE("fault: a configuration that is deep, long, endless or holds Infinity is refused") {
  CHECK_THAT(refusal("{\"a\":\n" + std::string(100'000, '[')),
             contains("m.json:2: nested deeper than 64 levels"));
  CHECK_THAT(refusal("{\"a\": 1,\n\"time_step_limit\": [0.0, Infinity]}"),
             contains("m.json:2: time_step_limit: not valid JSON: 'Infinity' is no JSON number"));
  CHECK_THAT(refusal("{\"" + std::string(1000, 'k') + "\": 1}"),
             contains("a key of 1000 characters"));
  const auto folder = scratch("config");
  write_file(folder / "config.json", std::string(limits::kModelConfigBytes + 1, ' '));
  CHECK_THAT(error_of([&] { (void)load_model(folder); }),
             contains("holds more than 1,048,576 bytes; expected a config.json"));
  std::filesystem::remove(folder / "config.json");
  std::filesystem::create_symlink("/dev/zero", folder / "config.json");
  CHECK_THAT(error_of([&] { (void)load_model(folder); }), contains("holds more than 1,048,576"));
}

TEST_CASE("every configuration beside the data is read as its file says, or refused by its key") {
  LACUNA_NEEDS_SHARED();
  const std::pair<const char*, const char*> refused[] = {
      {"zai-org--GLM-5.2_config.json", "indexer_types"},
      {"nvidia--GLM-5.2-NVFP4_config.json", "quant_method"},
      {"moonshotai--Kimi-K2.5_config.json", "quant_method"},
      {"nvidia--Kimi-K2.6-NVFP4_config.json", "quant_method"},
      {"nvidia--Nemotron-H-56B-Base-8K_config.json", "'Infinity' is no JSON number"},
      {"XiaomiMiMo--MiMo-V2-Flash_config.json", "model_type"},
      {"deepseek-ai--DeepSeek-V4-Flash_config.json", "model_type"},
      {"meta-llama--Meta-Llama-3.1-8B_config.json", "model_type"}};
  for (const auto& [name, key] : refused) {
    INFO(name);
    CHECK_THAT(error_of([&] { (void)load_model(shared_data() / "model-configs" / name); }),
               contains(key));
  }
}
