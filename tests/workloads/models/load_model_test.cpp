// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/load_model.hpp"

#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/model_numbers.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::refusal;
using lacuna::test::shared_data;
using lacuna::test::shipped_text;
using lacuna::test::source_dir;

namespace {

/// The shipped text with one piece replaced; the piece must be there.
std::string altered(const std::string& name, const std::string& from, const std::string& to) {
  std::string text = shipped_text(name);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Substring matcher under the name it has in either Catch2.
}  // namespace

TEST_CASE("every configuration beside the data loads, or is refused by file and key") {
  LACUNA_NEEDS_SHARED();
  std::size_t files = 0, read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_data() / "model-configs")) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path());
    ++files;
    const std::string error = error_of([&] { (void)load_model(entry.path()); });
    if (error.empty()) ++read;
    if (!error.empty()) CHECK_THAT(error, contains(entry.path().filename().string()));
  }
  CHECK(files >= 17);
  CHECK(read >= 17);
}

TEST_CASE("every shipped model configuration loads and is named after its file") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "configs/models")) {
    const ModelSpec spec = load_model(entry.path());
    CHECK(spec.name == entry.path().stem().string());
    ++files;
  }
  CHECK(files >= 12);
}

TEST_CASE("each family's routing rule is read") {
  using Score = RoutingRule::Score;
  using Group = RoutingRule::GroupScore;
  const auto rule = [](const char* name) {
    return parse_model(shipped_text(name), "m.json").moe.routing;
  };
  const auto v3 = rule("deepseek-v3");
  CHECK((v3.score == Score::kSigmoid && v3.group_score == Group::kSumOfTopTwo));
  CHECK((v3.groups == 8 && v3.kept_groups == 4 && v3.selection_bias && v3.normalize));
  const auto v2 = rule("deepseek-v2");
  CHECK((v2.score == Score::kSoftmax && v2.group_score == Group::kMax && !v2.selection_bias));
  CHECK((v2.kept_groups == 3 && v2.weight_scale == 16.0 && !v2.normalize));
  CHECK(rule("kimi-k2").group_score == Group::kNone);
  CHECK(rule("kimi-k2").selection_bias);
  CHECK(rule("mixtral-8x7b").score == Score::kSoftmaxOfSelected);
  const auto oss = rule("gpt-oss-20b");
  CHECK((oss.score == Score::kSoftmaxOfSelected && oss.logit_bias && !oss.selection_bias));
  CHECK((rule("qwen3-30b-a3b").normalize && !rule("olmoe-1b-7b").normalize));
}

TEST_CASE("precision follows the quantization of the file") {
  const ModelSpec v3 = parse_model(shipped_text("deepseek-v3"), "m.json");
  CHECK((v3.precision.attention.bits == 8 && v3.precision.ffn.bits == 8));
  CHECK(v3.precision.plain.bits == 16);
  CHECK(v3.precision.experts.scale_size(2048, 7168) == Bits(16 * 56 * 32));
  CHECK(v3.precision.experts.scale_size(2049, 7169) == Bits(17 * 57 * 32));
  const ModelSpec oss = parse_model(shipped_text("gpt-oss-20b"), "m.json");
  CHECK((oss.precision.experts.bits == 4 && oss.precision.attention.bits == 16));
  CHECK(oss.precision.experts.scale_size(5760, 2880) == Bits(5760 * 90 * 8));
  const ModelSpec mixtral = parse_model(shipped_text("mixtral-8x7b"), "m.json");
  CHECK(mixtral.precision.experts.scale_size(64, 64) == Bits(0));
  const ModelSpec fp32 = parse_model(
      altered("olmoe-1b-7b", R"("torch_dtype": "bfloat16")", R"("dtype": "float32")"), "m.json");
  CHECK(fp32.precision.experts.bits == 32);
}

TEST_CASE("spellings that mean the same are read the same") {
  // Integers may arrive as floats.
  CHECK(parse_model(altered("mixtral-8x7b", "4096", "4.096e3"), "m.json").hidden == 4096);
  // A multimodal file nests the text model; precision may stand outside.
  const std::string nested =
      R"({"model_type": "some_vl", "torch_dtype": "float32", "text_config": )" +
      shipped_text("mixtral-8x7b") + "}";
  CHECK(count_parameters(parse_model(nested, "m.json")).total == 46702792704);
  // null means no query compression.
  const ModelSpec lite = parse_model(shipped_text("deepseek-v2-lite"), "m.json");
  CHECK(lite.latent()->q_rank == 0);
  // Without layer_types gpt-oss alternates, sliding first; the older aliases are read.
  const ModelSpec oss = parse_model(
      R"({"model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 4, "vocab_size": 100,
          "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "num_experts": 8,
          "experts_per_token": 4, "intermediate_size": 2880, "sliding_window": 128})",
      "m.json");
  CHECK((oss.layers[0].window == 128 && oss.layers[1].window == 0 && oss.layers[2].window == 128));
  CHECK(oss.grouped()->qkv_bias);
}

TEST_CASE("head_dim wins over the quotient in grouped-query attention and is ignored in MLA") {
  CHECK(parse_model(shipped_text("qwen3-30b-a3b"), "m.json").grouped()->head_dim == 128);
  CHECK(parse_model(shipped_text("mixtral-8x7b"), "m.json").grouped()->head_dim == 128);
  const std::string with = altered("deepseek-v3", "\"q_lora_rank\"",
                                   "\"head_dim\": 64, \"num_key_value_heads\": 7, \"q_lora_rank\"");
  CHECK(count_parameters(parse_model(with, "m.json")).total == 671026419200);
}

TEST_CASE("dense layers sit where each family's rule puts them") {
  const ModelSpec qwen = parse_model(
      altered("qwen3-30b-a3b", R"("mlp_only_layers": [])", R"("mlp_only_layers": [1, 3])"),
      "m.json");
  CHECK((qwen.layers[0].moe && !qwen.layers[1].moe && qwen.layers[2].moe && !qwen.layers[3].moe));
  CHECK(qwen.dense_width == 6144);
  const ModelSpec step = parse_model(
      altered("qwen3-30b-a3b", R"("decoder_sparse_step": 1)", R"("decoder_sparse_step": 2)"),
      "m.json");
  CHECK((!step.layers[0].moe && step.layers[1].moe));
  const ModelSpec freq = parse_model(
      altered("deepseek-v3", R"("moe_layer_freq": 1)", R"("moe_layer_freq": 2)"), "m.json");
  CHECK((!freq.layers[2].moe && !freq.layers[3].moe && freq.layers[4].moe && !freq.layers[5].moe));
}

TEST_CASE("a numeric window counts only where it is used") {
  const auto window = [](const char* use) {
    return parse_model(altered("qwen1.5-moe-a2.7b", R"("use_sliding_window": false)", use),
                       "m.json");
  };
  CHECK(window(R"("use_sliding_window": false, "sliding_window": 32768)").layers[0].window == 0);
  CHECK(window(R"("sliding_window": 32768)").layers[0].window == 32768);
  const ModelSpec part =
      window(R"("use_sliding_window": true, "sliding_window": 64, "max_window_layers": 21)");
  CHECK((part.layers[20].window == 0 && part.layers[21].window == 64));
}

TEST_CASE("a folder stands for its config.json") {
  const auto folder = lacuna::test::scratch("model-folder") / "my-model";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << shipped_text("mixtral-8x7b");
  CHECK(load_model(folder).name == "my-model");
  CHECK_THROWS_AS(load_model(folder / "absent.json"), InputError);
}

TEST_CASE("an unknown family is refused with what was not understood") {
  const std::string v4 = R"({
  "model_type": "deepseek_v4", "hidden_size": 4096, "num_hidden_layers": 43, "vocab_size": 129280,
  "num_attention_heads": 64, "head_dim": 512, "q_lora_rank": 1024, "o_lora_rank": 1024,
  "compress_ratios": [0, 4], "n_routed_experts": 256, "num_experts_per_tok": 6
})";
  CHECK_THAT(refusal(v4), contains("m.json:2: model_type: 'deepseek_v4'") &&
                              contains("no 'kv_lora_rank'") && contains("'o_lora_rank'") &&
                              contains("'compress_ratios'"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"mixtral\"", "\"mixtrall\"")),
             contains("model_type") && contains("did you mean 'mixtral'?"));
  CHECK_THAT(refusal(R"({"hidden_size": 4096})"), contains("model_type"));
  CHECK_THAT(refusal("{}"), contains("model_type"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"kv_lora_rank\": 512,", "")),
             contains("'kv_lora_rank' is required"));
  CHECK_THAT(
      refusal(altered("mixtral-8x7b", "\"vocab_size\"", "\"kv_lora_rank\": 512, \"vocab_size\"")),
      contains("m.json:5: kv_lora_rank"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"vocab_size\"",
                             "\"linear_attn_config\": {\"a\": 1}, \"vocab_size\"")),
             contains("linear_attn_config"));
  CHECK_THAT(refusal(altered("gpt-oss-20b", "\"full_attention\"", "\"linear_attention\"")),
             contains("layer_types: 'linear_attention'"));
}

TEST_CASE("missing keys and wrong types are named with their line") {
  CHECK_THAT(
      refusal(altered("mixtral-8x7b", "\"num_local_experts\": 8", "\"num_local_expert\": 8")),
      contains("'num_local_experts' is required") && contains("is 'num_local_expert' meant?"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"hidden_size\": 4096", "\"hidden_size\": \"4096\"")),
             contains("m.json:3: hidden_size: expected a whole number") && contains("\"4096\""));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"hidden_size\": 4096", "\"hidden_size\": null")),
             contains("hidden_size"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"hidden_size\": 4096", "\"hidden_size\": 4096.5")),
             contains("hidden_size"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"hidden_size\": 4096", "\"hidden_size\": -1")),
             contains("hidden_size"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"hidden_size\": 4096", "\"hidden_size\": 1e300")),
             contains("hidden_size"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"num_hidden_layers\": 32",
                             "\"num_hidden_layers\": 4000000000")),
             contains("num_hidden_layers"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"q_lora_rank\": 1536,", "")),
             contains("'q_lora_rank' is required"));
  CHECK_THAT(refusal(altered("qwen3-30b-a3b", "\"norm_topk_prob\": true", "\"norm_topk_prob\": 1")),
             contains("norm_topk_prob: expected true or false"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"scoring_func\": \"sigmoid\"",
                             "\"scoring_func\": \"sigmoit\"")),
             contains("scoring_func") && contains("did you mean 'sigmoid'?"));
  CHECK_THAT(
      refusal(altered("deepseek-v3", "\"quant_method\": \"fp8\"", "\"quant_method\": \"awq\"")),
      contains("quantization_config.quant_method: 'awq'"));
  CHECK_THAT(refusal(altered("deepseek-v3", "[128, 128]", "[128]")), contains("weight_block_size"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"bfloat16\"", "\"int3\"")),
             contains("torch_dtype: 'int3'"));
}

TEST_CASE("values at odds with each other are refused") {
  CHECK_THAT(
      refusal(altered("mixtral-8x7b", "\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 9")),
      contains("num_experts_per_tok: 9 experts per token of only 8"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"n_group\": 8", "\"n_group\": 7")),
             contains("n_group: 7 groups do not divide 256 experts"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"topk_group\": 4", "\"topk_group\": 9")),
             contains("topk_group"));
  CHECK_THAT(
      refusal(altered("deepseek-v3", "\"num_experts_per_tok\": 8", "\"num_experts_per_tok\": 200")),
      contains("cannot give 200 experts"));
  CHECK_THAT(
      refusal(altered("mixtral-8x7b", "\"num_key_value_heads\": 8", "\"num_key_value_heads\": 5")),
      contains("num_key_value_heads: 5"));
  CHECK_THAT(refusal(altered("mixtral-8x7b", "\"num_attention_heads\": 32",
                             "\"num_attention_heads\": 24")),
             contains("num_attention_heads: 24 heads do not divide"));
  CHECK_THAT(refusal(altered("deepseek-v3", "\"first_k_dense_replace\": 3",
                             "\"first_k_dense_replace\": 62")),
             contains("first_k_dense_replace"));
  CHECK_THAT(
      refusal(altered("gpt-oss-20b", "\"num_hidden_layers\": 24", "\"num_hidden_layers\": 25")),
      contains("layer_types: has 24 entries for 25 layers"));
  CHECK_THAT(refusal(altered("gpt-oss-20b", "\"num_experts_per_tok\": 4",
                             "\"num_experts_per_tok\": 4, \"experts_per_token\": 3")),
             contains("experts_per_token"));
  CHECK_THAT(refusal(altered("deepseek-v3.2", "\"index_topk\": 2048", "\"x\": 0")),
             contains("index_n_heads: is given without 'index_topk'"));
}

TEST_CASE("text that is not JSON is refused with its line") {
  CHECK_THAT(refusal("{\n  \"hidden_size\": 1,\n  oops\n}\n"),
             contains("m.json:3: hidden_size: not valid JSON"));
  CHECK_THAT(refusal("{\n\"a\": 1,\n"), contains("m.json") && contains("not valid JSON"));
  CHECK_THAT(refusal(""), contains("not valid JSON"));
  CHECK_THAT(refusal("[1]"), contains("expected a JSON object"));
  CHECK_THAT(refusal("{\"a\": 1e999}"), contains("not valid JSON"));
  CHECK_THAT(refusal("{\"a\": \"\xff\"}"), contains("not valid JSON"));
  CHECK_THAT(refusal("{\"a\": 1,\n \"a\": 2}"),
             contains("m.json:2: a: 'a' is given twice, first on line 1"));
  CHECK(refusal(std::string("{\"a\": \0}", 8)).find("not valid JSON") != std::string::npos);
}

TEST_CASE("a configuration cut off anywhere, or with any key lost, never crashes the reader") {
  for (const char* name : {"deepseek-v3.2", "gpt-oss-20b"}) {
    const std::string text = shipped_text(name);
    for (std::size_t length = 0; length + 2 < text.size(); ++length) {
      CHECK_THROWS_AS(parse_model(text.substr(0, length), "m.json"), InputError);
    }
    // Each value in turn replaced by ones of another type: an InputError or a sound model.
    for (auto at = text.find("\": "); at != std::string::npos; at = text.find("\": ", at + 1)) {
      for (const char* value : {"null", "-1", "0", "1e18", "\"x\"", "[]", "{}", "[{}]", "true"}) {
        std::string changed = text;
        changed.insert(at, "\": " + std::string(value) + ", \"was");
        try {
          const ModelSpec spec = parse_model(changed, "m.json");
          CHECK(count_parameters(spec).total >= count_parameters(spec).active);
        } catch (const InputError&) {
          SUCCEED();
        }
      }
    }
  }
}
