// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/build_graph.hpp"

#include <algorithm>
#include <boost/graph/topological_sort.hpp>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/graph_builder.hpp"
#include "workloads/models/load_model.hpp"

using namespace lacuna;
using lacuna::test::Approx;
using lacuna::test::op;
using lacuna::test::shipped;
using lacuna::test::source_dir;

namespace {

const std::vector<std::string> kModels{"deepseek-v2-lite", "deepseek-v2",   "deepseek-v3",
                                       "deepseek-r1",      "deepseek-v3.2", "kimi-k2",
                                       "mixtral-8x7b",     "olmoe-1b-7b",   "qwen1.5-moe-a2.7b",
                                       "qwen3-30b-a3b",    "gpt-oss-120b",  "gpt-oss-20b"};

Step decode(std::uint64_t batch, std::uint64_t context) {
  Step step;
  step.batch = batch;
  step.context = context;
  return step;
}

Step prefill(std::uint64_t batch, std::uint64_t context) {
  Step step = decode(batch, context);
  step.phase = Phase::kPrefill;
  return step;
}

OperationTotals part_totals(const OperationGraph& graph, Part part) {
  for (const auto& [of, totals] : totals_by_part(graph)) {
    if (of == part) return totals;
  }
  return {};
}

}  // namespace

TEST_CASE("a decode step of every model adds up to the closed forms") {
  for (const std::string& name : kModels) {
    INFO(name);
    const ModelSpec spec = shipped(name);
    for (const std::uint64_t batch : {1U, 7U}) {
      Step step = decode(batch, 4096);
      step.form = AttentionForm::kAbsorbed;
      CHECK(totals(build_graph(spec, step)).flops ==
            batch * (gemm_flops_per_token(spec) + attention_flops(spec, 4096)));
      step.form = AttentionForm::kNaive;
      step.expanded_cache = true;
      CHECK(totals(build_graph(spec, step)).flops ==
            batch * (gemm_flops_per_token(spec) + attention_flops(spec, 4096, LatentForm::kNaive)));
    }
  }
}

TEST_CASE("a chunk of a prefill adds up to its causal pairs, window and sparse layers included") {
  for (const std::string& name : kModels) {
    INFO(name);
    const ModelSpec spec = shipped(name);
    Step step = prefill(3, 5000);
    step.new_tokens = 300;
    step.form = AttentionForm::kAbsorbed;
    std::uint64_t core = 0;
    for (std::uint64_t t = 4701; t <= 5000; ++t) core += attention_flops(spec, t);
    CHECK(totals(build_graph(spec, step)).flops == 3 * (300 * gemm_flops_per_token(spec) + core));
  }
}

TEST_CASE("scores hold the pairs that exist, not the masked rectangle") {
  Step step = prefill(2, 1000);
  step.layers = LayerRange{0, 1};
  const OperationGraph graph = build_graph(shipped("gpt-oss-20b"), step);
  CHECK(op(graph, "scores", 0).activation_write_bytes ==
        Bytes(4 * 2 * 64 * causal_pairs(1000, 1000, 128)));
  CHECK(op(graph, "softmax", 1).activation_write_bytes ==
        Bytes(2 * 2 * 64 * causal_pairs(1000, 1000)));
  CHECK(op(graph, "context", 1).activation_read_bytes ==
        op(graph, "softmax", 1).activation_write_bytes);
}

TEST_CASE("naive attention on cached latents expands every key again") {
  const ModelSpec spec = shipped("deepseek-v3");
  Step step = decode(2, 4096);
  step.form = AttentionForm::kNaive;
  const OperationGraph graph = build_graph(spec, step);
  CHECK(op(graph, "kv_up", 0).flops() == 2ULL * 4096 * 33554432);
  CHECK(op(graph, "kv_up", 0).cache_read_bytes + op(graph, "key_concat", 0).cache_read_bytes ==
        Bytes(2ULL * 4096 * 576 * 2));
}

TEST_CASE("every step of MLA costs its published FLOPs") {
  const auto flops = [](const char* model, const char* name, AttentionForm form) {
    Step step = decode(1, 1);
    step.form = form;
    return op(build_graph(shipped(model), step), name, 0).flops();
  };
  const auto absorbed = AttentionForm::kAbsorbed;
  const auto naive = AttentionForm::kNaive;
  CHECK(flops("deepseek-v3", "q_down", absorbed) == 22020096);
  CHECK(flops("deepseek-v3", "q_up", absorbed) == 75497472);
  CHECK(flops("deepseek-v3", "kv_down", absorbed) == 8257536);
  CHECK(flops("deepseek-v3", "q_absorb", absorbed) == 16777216);
  CHECK(flops("deepseek-v3", "v_up", absorbed) == 16777216);
  CHECK(flops("deepseek-v3", "kv_up", naive) == 33554432);
  CHECK(flops("deepseek-v3", "o_proj", naive) == 234881024);
  CHECK(flops("deepseek-v2", "q_down", absorbed) == 15728640);
  CHECK(flops("deepseek-v2", "q_up", absorbed) == 75497472);
  CHECK(flops("deepseek-v2", "kv_down", absorbed) == 5898240);
  CHECK(flops("deepseek-v2", "o_proj", absorbed) == 167772160);
  CHECK(flops("deepseek-v2-lite", "q_proj", absorbed) == 12582912);
  CHECK(flops("deepseek-v2-lite", "kv_down", absorbed) == 2359296);
  CHECK(flops("deepseek-v2-lite", "q_absorb", absorbed) == 2097152);
  CHECK(flops("deepseek-v2-lite", "v_up", absorbed) == 2097152);
  CHECK(flops("deepseek-v2-lite", "kv_up", naive) == 4194304);
  CHECK(flops("deepseek-v2-lite", "o_proj", naive) == 8388608);
}

TEST_CASE("grouped-query projections and pairs cost their published FLOPs and bytes") {
  struct Row {
    const char* model;
    std::uint64_t q, kv, o, pair, cache;
    double intensity;
  };
  for (const Row& row : {Row{"mixtral-8x7b", 33554432, 16777216, 33554432, 16384, 4096, 4},
                         Row{"qwen1.5-moe-a2.7b", 8388608, 16777216, 8388608, 8192, 8192, 1},
                         Row{"gpt-oss-20b", 23592960, 5898240, 23592960, 16384, 2048, 8}}) {
    INFO(row.model);
    Step step = decode(1, 1000);
    step.layers = LayerRange{1, 1};
    const OperationGraph graph = build_graph(shipped(row.model), step);
    CHECK(op(graph, "q_proj", 1).flops() == row.q);
    CHECK(op(graph, "k_proj", 1).flops() + op(graph, "v_proj", 1).flops() == row.kv);
    CHECK(op(graph, "o_proj", 1).flops() == row.o);
    CHECK(op(graph, "scores", 1).flops() + op(graph, "context", 1).flops() == 1000 * row.pair);
    CHECK(op(graph, "cache_append", 1).cache_write_bytes == Bytes(row.cache));
    const OperationTotals core = part_totals(graph, Part::kAttentionCore);
    CHECK(core.cache_read_bytes == Bytes(1000 * row.cache));
    // Sinks are weights, but the published figure counts the cache alone.
    CHECK(static_cast<double>(core.flops) / static_cast<double>(core.cache_read_bytes.count()) ==
          Approx(row.intensity));
  }
}

TEST_CASE("absorbed decode has the published intensity on its cache") {
  for (const auto& [model, expected] :
       {std::pair{"deepseek-v3", 241.8}, {"deepseek-v2-lite", 30.2}}) {
    const auto core =
        part_totals(build_graph(shipped(model), decode(4, 4096)), Part::kAttentionCore);
    CHECK(stationary_intensity(core) == Approx(expected).margin(0.05));
  }
}

TEST_CASE("sparse attention reads the selected rows and all index keys") {
  for (const auto& [keys, bytes] : {std::pair{32768ULL, 5.67e6}, {131072ULL, 18.64e6}}) {
    Step step = decode(1, keys);
    step.layers = LayerRange{5, 5};
    step.cache = CacheFormat::kFp8;
    const OperationTotals sparse = totals(build_graph(shipped("deepseek-v3.2"), step));
    CHECK(sparse.cache_read_bytes == Bytes(656 * 2048 + 132 * keys));
    CHECK(static_cast<double>(sparse.cache_read_bytes.count()) == Approx(bytes).epsilon(1e-3));
    step.cache = CacheFormat::kPlain;
    CHECK(totals(build_graph(shipped("deepseek-v3"), step)).cache_read_bytes ==
          Bytes(keys * 576 * 2));
    const OperationGraph graph = build_graph(shipped("deepseek-v3.2"), step);
    CHECK(op(graph, "index_topk", 5).index_bytes == Bytes(2048 * 4));
  }
}

TEST_CASE("the auto form is naive above the break-even and absorbed below it") {
  const ModelSpec v3 = shipped("deepseek-v3");
  const auto form = [&](std::uint64_t queries, std::uint64_t context) {
    Step step = prefill(1, context);
    step.new_tokens = queries;
    return form_of(v3, step);
  };
  CHECK(form(170, 4000000) == LatentForm::kAbsorbed);
  CHECK(form(172, 4000000) == LatentForm::kNaive);
  CHECK(form(2048, 2048) == LatentForm::kNaive);
  CHECK(form_of(v3, decode(64, 4096)) == LatentForm::kAbsorbed);
  CHECK(form_of(shipped("deepseek-v3.2"), prefill(1, 2048)) == LatentForm::kNaive);
  CHECK(form_of(shipped("deepseek-v3.2"), decode(1, 65536)) == LatentForm::kAbsorbed);
}

TEST_CASE("the MoE layer has its published FLOPs and exchanged bytes per token") {
  struct Row {
    const char* model;
    std::uint64_t router, routed, shared, dispatch, combine;
  };
  for (const Row& row : {Row{"deepseek-v3", 3670016, 704643072, 88080384, 57344, 114688},
                         Row{"deepseek-v2", 1638400, 283115520, 94371840, 30720, 61440},
                         Row{"deepseek-v2-lite", 262144, 103809024, 34603008, 12288, 24576},
                         Row{"mixtral-8x7b", 65536, 704643072, 0, 8192, 16384},
                         Row{"qwen1.5-moe-a2.7b", 245760, 69206016, 69206016, 8192, 16384},
                         Row{"gpt-oss-20b", 184320, 199065600, 0, 11520, 23040}}) {
    INFO(row.model);
    const std::uint32_t layer = 4;
    const ModelSpec spec = shipped(row.model);
    const OperationGraph graph = build_graph(spec, decode(16, 100));
    CHECK(op(graph, "router", layer).flops() == 16 * row.router);
    CHECK(op(graph, "expert_gate", layer).flops() + op(graph, "expert_up", layer).flops() +
              op(graph, "expert_down", layer).flops() ==
          16 * row.routed);
    std::uint64_t shared = 0;
    for (const char* name : {"shared_gate", "shared_up", "shared_down"}) {
      if (const auto id = find_operation(graph, name, layer)) shared += graph[*id].flops();
    }
    CHECK(shared == 16 * row.shared);
    CHECK(find_operation(graph, "shared_gate_score", layer).has_value() == spec.moe.shared_gate);
    CHECK(op(graph, "dispatch", layer).activation_write_bytes == Bytes(16 * row.dispatch));
    CHECK(op(graph, "combine", layer).activation_read_bytes == Bytes(16 * row.combine));
  }
}

TEST_CASE("with every expert touched, a step reads every weight but the embedding table") {
  for (const std::string& name : kModels) {
    INFO(name);
    const ModelSpec spec = shipped(name);
    const std::vector<std::uint32_t> counts(spec.moe.routing.experts, 1);
    Step step = decode(spec.moe.routing.experts, 64);
    step.tokens_per_expert = [&](std::uint32_t) { return std::span<const std::uint32_t>(counts); };
    for (const AttentionForm form : {AttentionForm::kAbsorbed, AttentionForm::kNaive}) {
      step.form = form;
      const OperationTotals sum = totals(build_graph(spec, step));
      const ParameterCounts counted = count_parameters(spec);
      CHECK(sum.weight_elements == counted.total - counted.embedding + step.batch * spec.hidden);
    }
  }
}

TEST_CASE("weight bytes follow the distinct experts and carry the quantisation scales") {
  // bf16: distinct * 3hF * 2 bytes.
  const ModelSpec mixtral = shipped("mixtral-8x7b");
  const auto bytes = [](const ModelSpec& spec, const Step& step) {
    return static_cast<double>(
        part_totals(build_graph(spec, step), Part::kRoutedExperts).weight_bytes.count());
  };
  CHECK(bytes(mixtral, decode(4, 10)) ==
        Approx(32 * expected_distinct_experts(8, 2, 4) * 176160768 * 2).epsilon(1e-9));
  // fp8: one fp32 scale per 128 x 128 block, three matrices of 16 x 56 blocks.
  const ModelSpec v3 = shipped("deepseek-v3");
  std::vector<std::uint32_t> counts(256, 0);
  counts[3] = 5;
  counts[200] = 3;
  Step step = decode(5, 10);
  step.layers = LayerRange{10, 10};
  step.tokens_per_expert = [&](std::uint32_t) { return std::span<const std::uint32_t>(counts); };
  CHECK(bytes(v3, step) == 2.0 * (44040192 + 3 * 16 * 56 * 4));
  // mxfp4: 4 bits and one byte per 32 elements; biases in bf16.
  const ModelSpec oss = shipped("gpt-oss-20b");
  std::vector<std::uint32_t> all(32, 1);
  step = decode(32, 10);
  step.layers = LayerRange{0, 0};
  step.tokens_per_expert = [&](std::uint32_t) { return std::span<const std::uint32_t>(all); };
  const double one = 24883200.0 / 2 + 24883200.0 / 32 + 2 * (2 * 2880 + 2880);
  CHECK(bytes(oss, step) == 32 * one);
}

TEST_CASE("the routed experts of a layer weigh what is published") {
  const auto gigabytes = [](const char* model) {
    const ModelSpec spec = shipped(model);
    return static_cast<double>(spec.moe.routing.experts * expert_matrix_parameters(spec)) * 2e-9;
  };
  CHECK(gigabytes("deepseek-v3") == Approx(22.549).epsilon(1e-4));
  CHECK(gigabytes("deepseek-v2") == Approx(7.550).epsilon(1e-4));
  CHECK(gigabytes("deepseek-v2-lite") == Approx(1.107).epsilon(1e-3));
  CHECK(gigabytes("mixtral-8x7b") == Approx(2.819).epsilon(1e-3));
  CHECK(gigabytes("qwen1.5-moe-a2.7b") == Approx(1.038).epsilon(1e-3));
  CHECK(gigabytes("gpt-oss-20b") == Approx(1.593).epsilon(1e-3));
}

TEST_CASE("uniform counts give each assignment to one of the expected experts") {
  for (const std::uint64_t tokens : {1U, 2U, 8U, 25U, 64U, 4096U}) {
    RoutingRule rule;
    rule.experts = 60;
    rule.experts_per_token = 4;
    const auto counts = uniform_counts(rule, tokens);
    CHECK(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == 4 * tokens);
    CHECK(*std::max_element(counts.begin(), counts.end()) <= tokens);
    const auto touched = 60 - std::count(counts.begin(), counts.end(), 0U);
    CHECK(static_cast<double>(touched) ==
          Approx(expected_distinct_experts(60, 4, tokens)).margin(0.5));
  }
}

TEST_CASE("layers alike share a block, layers with counts of their own do not") {
  const ModelSpec v3 = shipped("deepseek-v3");
  const OperationGraph graph = build_graph(v3, decode(1, 4096));
  const auto& blocks = info_of(graph).blocks;
  REQUIRE(blocks.size() == 4);
  CHECK((blocks[1].layers.size() == 3 && blocks[2].layers.size() == 58));
  CHECK(find_operation(graph, "ffn_gate", 2).has_value());
  CHECK_FALSE(find_operation(graph, "ffn_gate", 3).has_value());
  CHECK(find_operation(graph, "head").has_value());

  const OperationGraph windows = build_graph(shipped("gpt-oss-20b"), decode(1, 4096));
  REQUIRE(info_of(windows).blocks.size() == 4);
  CHECK(op(windows, "scores", 0).einsum->ranks[3].size == 128);
  CHECK(op(windows, "scores", 1).einsum->ranks[3].size == 4096);

  std::vector<std::vector<std::uint32_t>> counts(16, std::vector<std::uint32_t>(64, 0));
  for (std::size_t l = 0; l < counts.size(); ++l) {
    for (std::size_t e = 0; e < 8; ++e) counts[l][(e + l / 2) % 64] = 1;
  }
  Step step = decode(1, 100);
  step.layers = LayerRange{4, 7};
  step.tokens_per_expert = [&](std::uint32_t layer) {
    return std::span<const std::uint32_t>(counts[layer]);
  };
  const OperationGraph own = build_graph(shipped("olmoe-1b-7b"), step);
  REQUIRE(info_of(own).blocks.size() == 2);
  CHECK(info_of(own).blocks[0].layers == std::vector<std::uint32_t>{4, 5});
  CHECK(op(own, "expert_up", 6).einsum->rows_per_instance == counts[6]);
}

TEST_CASE("the graph has one entry and one exit per step and no cycle") {
  for (const std::string& name : kModels) {
    INFO(name);
    for (const Step& step : {decode(2, 300), prefill(2, 300)}) {
      const OperationGraph graph = build_graph(shipped(name), step);
      std::vector<OperationId> order;
      CHECK_NOTHROW(boost::topological_sort(graph, std::back_inserter(order)));
      std::size_t entries = 0, exits = 0;
      std::set<std::pair<std::uint32_t, std::string>> names;
      for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
        if (boost::in_degree(id, graph) == 0) ++entries;
        // A cache that only later steps read ends a branch.
        const bool state = graph[id].kind == OperationKind::kCacheAppend;
        if (boost::out_degree(id, graph) == 0 && !state) ++exits;
        names.insert({graph[id].block, graph[id].name});
        CHECK((graph[id].einsum.has_value() == (graph[id].kind == OperationKind::kEinsum)));
        if (graph[id].einsum) CHECK(graph[id].einsum->macs <= dense_macs(*graph[id].einsum));
      }
      CHECK(entries == 1);
      CHECK(exits == 1);
      CHECK(names.size() == boost::num_vertices(graph));
    }
  }
}

TEST_CASE("the critical path runs from the embedding to the head through the heaviest branch") {
  const ModelSpec v3 = shipped("deepseek-v3");
  const OperationGraph graph = build_graph(v3, decode(1, 4096));
  const CriticalPath path = critical_path(graph, flop_cost());
  REQUIRE(path.operations.size() > 10);
  CHECK(graph[path.operations.front()].name == "embedding");
  CHECK(graph[path.operations.back()].name == "head");
  std::vector<std::string> names;
  for (const OperationId id : path.operations) names.push_back(graph[id].name);
  const auto on_path = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  CHECK((on_path("q_up") && on_path("scores_latent") && on_path("expert_gate")));
  CHECK_FALSE((on_path("shared_gate") || on_path("kv_down") || on_path("scores_rope")));
  // All but what runs beside it: kv_down, the RoPE scores, one of each gate and up, the shared
  // experts.
  const std::uint64_t beside = 61 * (8257536 + 2ULL * 128 * 64 * 4096) + 3 * 2ULL * 7168 * 18432 +
                               58 * (8ULL * 2 * 7168 * 2048 + 88080384);
  CHECK(path.cost == Approx(static_cast<double>(totals(graph).flops - beside)));
  // A serial step cannot be faster than its bytes at the given bandwidth.
  const CriticalPath timed = critical_path(graph, roofline_cost(1e15, 1e12));
  CHECK(timed.cost > 0);
  CHECK(timed.cost <= static_cast<double>(totals(graph).flops) / 1e15 +
                          static_cast<double>(totals(graph).moved_bytes().count()) / 1e12);
}

TEST_CASE("logits of the last token only cut the head of a prefill") {
  const ModelSpec spec = shipped("olmoe-1b-7b");
  Step step = prefill(2, 512);
  const std::uint64_t all = totals(build_graph(spec, step)).flops;
  step.last_token_logits = true;
  const std::uint64_t last = totals(build_graph(spec, step)).flops;
  CHECK(all - last == 2ULL * 511 * 2 * 2048 * 50304);
}

TEST_CASE("a step that makes no sense is refused") {
  const ModelSpec spec = shipped("mixtral-8x7b");
  CHECK_THROWS_AS(build_graph(spec, decode(0, 10)), InputError);
  CHECK_THROWS_AS(build_graph(spec, decode(1, 0)), InputError);
  CHECK_THROWS_AS(build_graph(spec, decode(1ULL << 40, 10)), InputError);
  CHECK_THROWS_AS(build_graph(spec, prefill(1ULL << 31, 1ULL << 31)), InputError);
  CHECK_THROWS_AS(build_graph(spec, decode(1ULL << 31, 1ULL << 31)), InputError);
  Step step = decode(1, 10);
  step.new_tokens = 11;
  CHECK_THROWS_AS(build_graph(spec, step), InputError);
  step = decode(1, 10);
  step.layers = LayerRange{30, 32};
  CHECK_THROWS_AS(build_graph(spec, step), InputError);
  std::vector<std::uint32_t> counts(8, 1);
  step = decode(1, 10);
  step.tokens_per_expert = [&](std::uint32_t) { return std::span<const std::uint32_t>(counts); };
  CHECK_THROWS_AS(build_graph(spec, step), InputError);  // 8 assignments of 2
  counts = {2, 0, 0, 0, 0, 0, 0, 0};
  CHECK_THROWS_AS(build_graph(spec, step), InputError);  // one expert twice
  counts = {1, 1};
  CHECK_THROWS_AS(build_graph(spec, step), InputError);
  counts = {1, 0, 0, 0, 0, 0, 0, 1};
  CHECK_NOTHROW(build_graph(spec, step));
}

TEST_CASE("the graph is drawn with every operation and edge") {
  const OperationGraph graph = build_graph(shipped("deepseek-v3.2"), decode(1, 4096));
  const std::string dot = to_dot(graph, critical_path(graph, flop_cost()).operations);
  CHECK(dot.find("digraph \"deepseek-v3.2\"") == 0);
  CHECK(dot.find("MoE layer 3-60 (x58)") != std::string::npos);
  CHECK(dot.find("index_topk") != std::string::npos);
  std::size_t arrows = 0;
  for (auto at = dot.find(" -> "); at != std::string::npos; at = dot.find(" -> ", at + 1)) ++arrows;
  CHECK(arrows == boost::num_edges(graph));
}
