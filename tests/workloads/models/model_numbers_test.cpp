// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/model_numbers.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/load_model.hpp"

using namespace lacuna;
using lacuna::test::Approx;
using lacuna::test::shared_data;
using lacuna::test::shipped;
using lacuna::test::source_dir;

namespace {

struct Known {
  const char* config;     // in configs/models
  const char* published;  // in the model-configs of the shared data
  std::uint64_t total;
  std::uint64_t active;
  std::uint64_t active_without_embedding;
  std::uint64_t kv_bytes;
  std::uint64_t gemm_flops;
  std::uint64_t attention_flops_4096;
};

// Computed independently of this code, by the conventions stated in model_numbers.hpp.
const std::vector<Known> kKnown{
    {"deepseek-v3", "deepseek-ai--DeepSeek-V3_config", 671026419200, 37552297472, 36625618432,
     70272, 73249193984, 69591891968},
    {"deepseek-r1", "deepseek-ai--DeepSeek-R1_config", 671026419200, 37552297472, 36625618432,
     70272, 73249193984, 69591891968},
    {"deepseek-v2", "deepseek-ai--DeepSeek-V2.5-236B_config", 235741434880, 21375800320,
     20851512320, 69120, 41701539840, 68451041280},
    {"deepseek-v2-lite", "deepseek-ai--DeepSeek-V2-Lite_config", 15706484224, 2661150208,
     2451435008, 31104, 4902617088, 3850371072},
    {"mixtral-8x7b", "mistralai--Mixtral-8x7B-v0.1_config", 46702792704, 12879925248, 12748853248,
     131072, 25497174016, 2147483648},
    {"qwen1.5-moe-a2.7b", "Qwen--Qwen1.5-MoE-A2.7B_config", 14315784192, 2689173504, 2378008576,
     196608, 4755521536, 805306368},
    {"gpt-oss-20b", "openai--gpt-oss-20b_config", 20914757184, 4187440704, 3608307264, 49152,
     7214284800, 830472192},
};

void check_numbers(const ModelSpec& spec, const Known& known) {
  const ParameterCounts counts = count_parameters(spec);
  CHECK(counts.total == known.total);
  CHECK(counts.active == known.active);
  CHECK(counts.active_without_embedding == known.active_without_embedding);
  CHECK(kv_bytes_per_token(spec) == Bytes(known.kv_bytes));
  CHECK(gemm_flops_per_token(spec) == known.gemm_flops);
  CHECK(attention_flops(spec, 4096) == known.attention_flops_4096);
}

}  // namespace

TEST_CASE("the shipped model configurations give the known totals exactly") {
  for (const Known& known : kKnown) {
    INFO(known.config);
    check_numbers(shipped(known.config), known);
  }
}

TEST_CASE("the published configuration files give the known totals exactly") {
  LACUNA_NEEDS_SHARED();
  for (const Known& known : kKnown) {
    INFO(known.published);
    check_numbers(
        load_model(shared_data() / "model-configs" / (std::string(known.published) + ".json")),
        known);
  }
}

TEST_CASE("the check table beside the data holds these numbers and no others") {
  LACUNA_NEEDS_SHARED();
  std::ifstream table(shared_data() / ".." / "reference" / "model-check-numbers.csv");
  std::string line;
  std::getline(table, line);
  std::size_t rows = 0;
  while (std::getline(table, line)) {
    std::stringstream cells(line);
    std::string name, cell;
    std::getline(cells, name, ',');
    std::vector<std::uint64_t> numbers;
    while (std::getline(cells, cell, ',')) numbers.push_back(std::stoull(cell));
    INFO(name);
    ++rows;
    CHECK(std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& k) {
      return numbers ==
             std::vector<std::uint64_t>{k.total,    k.active,     k.active_without_embedding,
                                        k.kv_bytes, k.gemm_flops, k.attention_flops_4096};
    }));
  }
  CHECK(rows == 6);
}

TEST_CASE("shipped and published configurations describe the same shapes") {
  LACUNA_NEEDS_SHARED();
  const std::vector<std::pair<const char*, const char*>> pairs{
      {"deepseek-v3.2", "deepseek-ai--DeepSeek-V3.2_config"},
      {"kimi-k2", "moonshotai--Kimi-K2-Instruct_config"},
      {"olmoe-1b-7b", "allenai--OLMoE-1B-7B-0125_config"},
      {"qwen3-30b-a3b", "Qwen--Qwen3-30B-A3B_config"},
      {"gpt-oss-120b", "openai--gpt-oss-120b_config"},
      {"deepseek-v3.2", "deepseek-native_config_671B_v3.2"},
      {"deepseek-v3", "deepseek-native_config_671B"},
      {"deepseek-v3", "deepseek-native_config_v3.1"},
      {"deepseek-v2", "deepseek-native_config_236B"},
      {"deepseek-v2-lite", "deepseek-native_config_16B"},
  };
  for (const auto& [ours, theirs] : pairs) {
    INFO(theirs);
    const ModelSpec a = shipped(ours);
    const ModelSpec b =
        load_model(shared_data() / "model-configs" / (std::string(theirs) + ".json"));
    CHECK(count_parameters(a).total == count_parameters(b).total);
    CHECK(count_parameters(a).active == count_parameters(b).active);
    CHECK(gemm_flops_per_token(a) == gemm_flops_per_token(b));
    CHECK(attention_flops(a, 4096) == attention_flops(b, 4096));
    CHECK(kv_bytes_per_token(a) == kv_bytes_per_token(b));
    CHECK(a.layers == b.layers);
    CHECK(a.moe.routing.score == b.moe.routing.score);
    CHECK(a.moe.routing.group_score == b.moe.routing.group_score);
    CHECK(a.moe.routing.selection_bias == b.moe.routing.selection_bias);
    CHECK(a.moe.routing.normalize == b.moe.routing.normalize);
    CHECK(a.moe.routing.weight_scale == b.moe.routing.weight_scale);
    CHECK(a.precision.experts.bits *
              (theirs == std::string("allenai--OLMoE-1B-7B-0125_config") ? 2 : 1) ==
          b.precision.experts.bits);
  }
}

// Each total written out once more from the conventions, apart from the code's own grouping.
TEST_CASE("OLMoE, Qwen3, gpt-oss-120b, V3.2 and Kimi-K2 follow the same conventions") {
  const std::uint64_t v3_layer_norms = 2 * 7168;
  const ParameterCounts olmoe = count_parameters(shipped("olmoe-1b-7b"));
  CHECK(olmoe.total == 2ULL * 50304 * 2048 + 2048 +
                           16ULL * (2 * 2048 + 4ULL * 2048 * 2048 + 2 * 2048 + 64 * 2048 +
                                    64ULL * 3 * 2048 * 1024));
  const ParameterCounts qwen3 = count_parameters(shipped("qwen3-30b-a3b"));
  CHECK(qwen3.total == 2ULL * 151936 * 2048 + 2048 +
                           48ULL * (2 * 2048 + 2ULL * 2048 * 4096 + 2ULL * 2048 * 512 + 2 * 128 +
                                    128 * 2048 + 128ULL * 3 * 2048 * 768));
  const ParameterCounts oss = count_parameters(shipped("gpt-oss-120b"));
  CHECK(oss.total ==
        2ULL * 201088 * 2880 + 2880 +
            36ULL * (2 * 2880 + 2ULL * 2880 * 4096 + 2ULL * 2880 * 512 + 4096 + 2 * 512 + 2880 +
                     64 + 128 * 2880 + 128 + 128ULL * (3ULL * 2880 * 2880 + 2 * 2880 + 2880)));
  const std::uint64_t indexer = 1536ULL * 64 * 128 + 7168 * 128 + 7168 * 64 + 2 * 128;
  CHECK(count_parameters(shipped("deepseek-v3.2")).total == 671026419200 + 61 * indexer);
  CHECK(attention_flops(shipped("deepseek-v3.2"), 4096) ==
        61ULL * (278528ULL * 2048 + 16384ULL * 4096));
  const std::uint64_t kimi_mla = 7168ULL * 1536 + 1536 + 1536ULL * 64 * 192 + 7168 * 576 + 512 +
                                 512ULL * 64 * 256 + 64ULL * 128 * 7168;
  CHECK(count_parameters(shipped("kimi-k2")).total ==
        2ULL * 163840 * 7168 + 7168 + 61 * (kimi_mla + v3_layer_norms) + 3ULL * 7168 * 18432 +
            60 * (385ULL * 3 * 7168 * 2048 + 384 * 7168 + 384));
}

TEST_CASE("one attention layer has the published number of parameters and FLOPs") {
  CHECK(attention_parameters(shipped("deepseek-v3")) == 187107328);
  CHECK(attention_parameters(shipped("deepseek-v2")) == 149227520);
  CHECK(attention_parameters(shipped("deepseek-v2-lite")) == 13763072);
  CHECK(attention_gemm_flops(shipped("deepseek-v3")) == 374210560);
  CHECK(attention_gemm_flops(shipped("deepseek-v2")) == 298450944);
  CHECK(attention_gemm_flops(shipped("deepseek-v2-lite")) == 27525120);
}

TEST_CASE("the multi-token prediction layer of V3 is counted apart") {
  const ParameterCounts v3 = count_parameters(shipped("deepseek-v3"));
  CHECK(v3.mtp_layer == 11507286272);
  CHECK(v3.mtp_projection == 102760448);
  CHECK(count_parameters(shipped("kimi-k2")).mtp_layer == 0);
}

TEST_CASE("a query and key pair costs what the attention's published form says") {
  CHECK(pair_flops(shipped("deepseek-v3"), LatentForm::kNaive) == 81920);
  CHECK(pair_flops(shipped("deepseek-v3"), LatentForm::kAbsorbed) == 278528);
  CHECK(pair_flops(shipped("deepseek-v2-lite"), LatentForm::kNaive) == 10240);
  CHECK(pair_flops(shipped("deepseek-v2-lite"), LatentForm::kAbsorbed) == 34816);
  CHECK(pair_flops(shipped("mixtral-8x7b"), LatentForm::kAbsorbed) == 16384);
  CHECK(pair_flops(shipped("qwen1.5-moe-a2.7b"), LatentForm::kNaive) == 8192);
  CHECK(index_pair_flops(shipped("deepseek-v3.2")) == 16384);
  CHECK(index_pair_flops(shipped("deepseek-v3")) == 0);
}

TEST_CASE("attention grows with the context as published for V3 and gpt-oss") {
  const ModelSpec v3 = shipped("deepseek-v3");
  CHECK(static_cast<double>(attention_flops(v3, 4096, LatentForm::kNaive)) ==
        Approx(20.468e9).epsilon(1e-4));
  CHECK(static_cast<double>(attention_flops(v3, 32768)) == Approx(556.735e9).epsilon(1e-5));
  CHECK(static_cast<double>(attention_flops(v3, 131072)) == Approx(2226.941e9).epsilon(1e-5));
  CHECK(static_cast<double>(attention_flops(v3, 32768, LatentForm::kNaive)) ==
        Approx(163.746e9).epsilon(1e-5));
  CHECK(static_cast<double>(attention_flops(v3, 131072, LatentForm::kNaive)) ==
        Approx(654.983e9).epsilon(1e-5));
  ModelSpec unwindowed = shipped("gpt-oss-20b");
  for (LayerSpec& layer : unwindowed.layers) layer.window = 0;
  CHECK(static_cast<double>(attention_flops(unwindowed, 4096)) == Approx(1.611e9).epsilon(1e-3));
}

TEST_CASE("sparse attention saves what its published counts say") {
  ModelSpec one = shipped("deepseek-v3.2");
  one.layers.resize(1);
  ModelSpec dense = one;
  std::get<LatentAttention>(dense.attention).indexer.reset();
  for (const auto& [keys, full, sparse, ratio] :
       {std::tuple{32768ULL, 9.127e9, 1.107e9, 8.24}, {131072ULL, 36.507e9, 2.718e9, 13.43}}) {
    const auto a = static_cast<double>(attention_flops(dense, keys));
    const auto b = static_cast<double>(attention_flops(one, keys));
    CHECK(a == Approx(full).epsilon(1e-3));
    CHECK(b == Approx(sparse).epsilon(1e-3));
    CHECK(a / b == Approx(ratio).epsilon(1e-3));
  }
}

TEST_CASE("causal pairs equal their sum term by term") {
  for (std::uint64_t keys = 0; keys <= 12; ++keys) {
    for (std::uint64_t queries = 0; queries <= keys; ++queries) {
      for (std::uint64_t limit = 0; limit <= 14; ++limit) {
        std::uint64_t sum = 0;
        for (std::uint64_t t = keys - queries + 1; t <= keys; ++t) {
          sum += limit == 0 ? t : std::min(t, limit);
        }
        CHECK(causal_pairs(queries, keys, limit) == sum);
      }
    }
  }
  CHECK(causal_pairs(1000, 5000) == 1000ULL * 5000 - 1000ULL * 999 / 2);
}

TEST_CASE("absorbed attention breaks even at 170.7 query tokens, whatever the head count") {
  CHECK(absorbed_break_even(*shipped("deepseek-v3").latent()) == Approx(170.667).epsilon(1e-4));
  CHECK(absorbed_break_even(*shipped("deepseek-v2-lite").latent()) ==
        Approx(170.667).epsilon(1e-4));
}

TEST_CASE("the latent cache holds the published number of elements") {
  CHECK(cache_elements_per_layer(shipped("deepseek-v2-lite")) * 27 == 15552);
  CHECK(cache_elements_per_layer(shipped("deepseek-v2")) * 60 == 34560);
  ModelSpec lite = shipped("deepseek-v2-lite");
  lite.attention = GroupedQueryAttention{16, 16, 128};
  CHECK(cache_elements_per_layer(lite) * 27 == 110592);
  // 128K tokens in 62 layers, with the prediction layer: 8.72 GiB.
  ModelSpec v3 = shipped("deepseek-v3");
  v3.layers.resize(62);
  CHECK(static_cast<double>(kv_bytes_of_sequence(v3, 131072).count()) / 1073741824.0 ==
        Approx(8.72).epsilon(1e-3));
  const ModelSpec oss = shipped("gpt-oss-20b");
  CHECK(kv_bytes_of_sequence(oss, 128) == Bytes(128 * 49152));
  CHECK(kv_bytes_of_sequence(oss, 1128) == Bytes(128 * 49152 + 1000 * 24576));
}

TEST_CASE("a step touches the expected number of distinct experts") {
  for (const auto& [e, k, b, expected] :
       std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, double>>{
           {256, 8, 1, 8.0},
           {256, 8, 8, 57.4},
           {256, 8, 32, 163.3},
           {256, 8, 64, 222.4},
           {256, 8, 128, 251.6},
           {160, 6, 8, 42.2},
           {160, 6, 32, 112.9},
           {64, 6, 8, 34.9},
           {64, 6, 32, 61.3},
           {8, 2, 2, 3.5},
           {8, 2, 4, 5.47},
           {8, 2, 8, 7.2},
           {32, 4, 8, 21.0},
           {32, 4, 32, 31.6},
           {60, 4, 25, 49.31}}) {
    INFO(e << " experts, " << k << " per token, " << b << " tokens");
    CHECK(expected_distinct_experts(e, k, b) == Approx(expected).margin(0.051));
  }
  CHECK(expected_distinct_experts(4, 4, 3) == 4.0);
  CHECK(expected_distinct_experts(8, 2, 0) == 0.0);
}

TEST_CASE("training cost per token agrees with the literature") {
  // 6 N_active + causal attention forward and backward at 4,096 tokens.
  for (const auto& [name, layers, expected] :
       {std::tuple{"deepseek-v3", 61.0, 250.46e9}, {"deepseek-v2", 60.0, 155.31e9}}) {
    const ModelSpec spec = shipped(name);
    const auto active = static_cast<double>(count_parameters(spec).active_without_embedding);
    const auto pair = static_cast<double>(pair_flops(spec, LatentForm::kNaive));
    CHECK(6 * active + 3 * layers * pair * 4096 / 2 == Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("products beyond 64 bits are refused") {
  CHECK(checked_product({1ULL << 32, 1ULL << 31}) == 1ULL << 63);
  CHECK_THROWS_AS(checked_product({1ULL << 32, 1ULL << 32}), InputError);
  CHECK_THROWS_AS(checked_sum(~0ULL, 1), InputError);
}
