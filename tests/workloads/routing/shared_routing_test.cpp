// SPDX-License-Identifier: Apache-2.0
// Real traces: what the reference measured on them, measured again by this code.
#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/routing/execution_layouts.hpp"
#include "workloads/routing/routing_plots.hpp"
#include "workloads/routing/routing_source.hpp"
#include "workloads/routing/statistics.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"
#include "workloads/sparsity_tables/attention_tables.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::Approx;
using lacuna::test::contains;

namespace {

std::filesystem::path trace_file(const std::string& name) {
  return test::shared_data() / "traces" / name;
}

const std::string kQwen = "qwen1.5_moe_a2.7b_gsm8k25_5layers.csv";
const std::string kMixtral = "mixtral8x7b_instruct_fp8_gsm8k2.jsonl";
const std::string kFlame = "flame_moe_290m_prefill_2048tok_layers2-9.csv";
const std::string kFlameRaw = "flame_moe_290m_prefill_layer2_raw.csv";
const std::string kCounts = "olmoe_mixtral_expert_counts_by_domain.csv";
const std::string kCross = "olmoe_crosslayer_counts.csv";

// Names by value: GCC 13 takes a reference that comes out for one of those that go in.
const ExpertCounts& set_of(const std::vector<ExpertCounts>& sets, std::string_view model,
                           std::uint32_t k, std::string_view domain) {
  return *std::find_if(sets.begin(), sets.end(), [&](const ExpertCounts& s) {
    return s.top_k == k && s.domain == domain && s.model.find(model) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("the Mixtral dump has the records and the imbalance that the reference measured") {
  LACUNA_NEEDS_SHARED();
  const auto trace = load_trace(trace_file(kMixtral));
  CHECK(trace.header.rows_read == 7889);
  CHECK(trace.header.rows_dropped == 0);
  CHECK(trace.header.layers.size() == 32);
  CHECK(trace.header.experts == 8);
  CHECK(trace.header.top_k == 2);
  const auto rows = trace_statistics(trace);
  double sum = 0;
  double least = 9;
  double most = 0;
  for (const auto& row : rows) {
    sum += row.load.max_over_mean;
    least = std::min(least, row.load.max_over_mean);
    most = std::max(most, row.load.max_over_mean);
  }
  CHECK(sum / 32 == Approx(1.5175).margin(5e-5));
  CHECK(least == Approx(1.257).margin(5e-4));
  CHECK(most == Approx(1.879).margin(5e-4));
  CHECK(rows[0].repeat.top1 == Approx(0.139).margin(5e-4));
  CHECK(rows[7].repeat.top1 == Approx(0.241).margin(5e-4));
  CHECK(rows[15].repeat.top1 == Approx(0.205).margin(5e-4));
  CHECK(rows[31].repeat.top1 == Approx(0.217).margin(5e-4));
}

TEST_CASE("the Qwen dump has the steps, loads and distinct experts that the reference measured") {
  LACUNA_NEEDS_SHARED();
  const auto trace = load_trace(trace_file(kQwen));
  CHECK(trace.header.rows_read == 21785);
  CHECK(trace.header.rows_dropped == 0);
  CHECK(trace.header.experts == 60);
  CHECK(trace.steps().size() == 129);
  const double imbalance[] = {1.408, 1.601, 1.449, 1.356, 1.591};
  const double cv[] = {.164, .191, .162, .160, .234};
  const double entropy[] = {.9964, .9957, .9968, .9969, .9933};
  const double distinct[] = {45.43, 45.33, 44.72, 45.51, 44.80};
  const auto rows = trace_statistics(trace);
  REQUIRE(rows.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(rows[i].tokens == 4357);
    CHECK(rows[i].load.max_over_mean == Approx(imbalance[i]).margin(5e-4));
    CHECK(rows[i].load.cv == Approx(cv[i]).margin(5e-4));
    CHECK(rows[i].load.normalised_entropy == Approx(entropy[i]).margin(5e-5));
    const auto decode = distinct_per_step(trace, rows[i].layer, {Phase::kDecode, 25});
    CHECK(decode.steps == 82);
    CHECK(decode.mean == Approx(distinct[i]).margin(5e-3));
    CHECK(decode.mean_expected_uniform == Approx(49.31).margin(5e-3));
  }
  CHECK(rows[0].load.least == 98);
  CHECK(rows[0].load.most == 409);
}

TEST_CASE("dummy rows put into the real Qwen dump are dropped and change no statistic") {
  LACUNA_NEEDS_SHARED();
  const std::string text = read_file(trace_file(kQwen));
  const auto clean = trace_statistics(load_trace(trace_file(kQwen)));
  for (const std::size_t at : {std::size_t{40}, text.size() / 3, text.size() / 2}) {
    const auto line = text.find('\n', at) + 1;
    // The step, phase and layer of the row that follows.
    const auto columns = text.substr(line, text.find('\n', line) - line);
    std::vector<std::string> fields(1);
    for (const char c : columns) {
      if (c == ',') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    std::string dummies;
    for (int d = 0; d < 2048; ++d) {
      dummies += fmt::format("{},{},{},{},43,5,7,58,0.1,0.1,0.1,0.1\n", fields[0], fields[1], d,
                             fields[3]);
    }
    const auto trace = load_trace(
        test::fixture("qwen_dummies.csv", text.substr(0, line) + dummies + text.substr(line)));
    CHECK(trace.header.rows_dropped == 2048);
    REQUIRE(trace.header.notes.size() == 1);
    CHECK(contains(trace.header.notes[0], "2,048 of 23,833 rows dropped"));
    const auto rows = trace_statistics(trace);
    for (std::size_t i = 0; i < clean.size(); ++i) {
      CHECK(rows[i].tokens == clean[i].tokens);
      CHECK(rows[i].load.cv == clean[i].load.cv);
      CHECK(rows[i].distinct.mean == clean[i].distinct.mean);
      CHECK(rows[i].repeat.top1 == clean[i].repeat.top1);
    }
  }
}

TEST_CASE("the FLAME prefill reproduces the table of capacity and block-sparse execution") {
  LACUNA_NEEDS_SHARED();
  struct Row {
    std::uint32_t layer;
    std::uint64_t least, most;
    double cv;
    std::uint64_t padded;
    double useful;
    std::uint64_t dropped[3];
    double imbalance;
  };
  const Row table[] = {{2, 101, 358, .2803, 16256, .7559, {1320, 468, 132}, 1.865},
                       {3, 113, 319, .1866, 16384, .7500, {867, 111, 31}, 1.661},
                       {4, 97, 264, .1715, 16000, .7680, {828, 29, 0}, 1.375},
                       {5, 92, 274, .1741, 16384, .7500, {774, 65, 0}, 1.427},
                       {6, 126, 267, .1802, 16640, .7385, {933, 76, 0}, 1.391},
                       {7, 55, 280, .2129, 16256, .7559, {928, 112, 0}, 1.458},
                       {8, 55, 275, .2299, 16128, .7619, {1046, 159, 0}, 1.432},
                       {9, 65, 306, .2418, 16256, .7559, {1172, 202, 18}, 1.594}};
  const auto trace = load_trace(trace_file(kFlame));
  CHECK(trace.header.rows_read == 16384);
  CHECK(trace.header.rows_dropped == 0);
  CHECK(trace.header.experts == 64);
  const ExpertShape shape{1024, 1408};
  for (const Row& row : table) {
    const auto loads = tokens_per_expert(trace.find(0, row.layer)->ids, 64);
    const auto s = load_statistics(std::span(loads));
    CHECK(s.least == row.least);
    CHECK(s.most == row.most);
    CHECK(s.cv == Approx(row.cv).margin(5e-5));
    CHECK(s.max_over_mean == Approx(row.imbalance).margin(5e-4));
    CHECK(s.normalised_entropy > 0.9908 - 5e-5);
    CHECK(s.normalised_entropy < 0.9963 + 5e-5);
    const auto sparse = block_sparse(loads, shape, 128);
    CHECK(sparse.padded_rows == row.padded);
    CHECK(sparse.cost.useful_share() == Approx(row.useful).margin(5e-5));
    CHECK(block_topology(loads, shape).bytes() == sparse.metadata + sparse.metadata_transposed);
    const double factors[] = {1, 1.25, 1.5};
    const std::uint64_t capacities[] = {192, 240, 288};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto capacity =
          expert_capacity({CapacityRule::Flavour::kMegaBlocks, factors[i], 1}, 2048, 6, 64, s.most);
      CHECK(capacity == capacities[i]);
      const auto layout = capacity_layout(loads, capacity, shape);
      CHECK(layout.dropped == row.dropped[i]);
      if (i == 0) CHECK(layout.dropped_share == Approx(layout.padding_share));
    }
    const auto twice = capacity_layout(loads, 384, shape);
    CHECK(twice.dropped == 0);
    CHECK(twice.padding_share == Approx(0.5));
  }
  const auto loads = tokens_per_expert(trace.find(0, 2)->ids, 64);
  CHECK(capacity_layout(loads, 192, shape).dropped_share == Approx(0.10742).margin(5e-6));
  CHECK(capacity_layout(loads, 240, shape).padding_share == Approx(0.23047).margin(5e-6));
}

TEST_CASE("the dense-score file decodes to the compact file's layer 2") {
  LACUNA_NEEDS_SHARED();
  const auto raw = load_trace(trace_file(kFlameRaw));
  const auto compact = load_trace(trace_file(kFlame));
  CHECK(raw.header.layers == std::vector<std::uint32_t>{2});
  const auto& a = raw.blocks.front();
  const auto& b = *compact.find(0, 2);
  REQUIRE(a.ids.size() == b.ids.size());
  for (std::size_t t = 0; t < 2048; ++t) {
    const auto x = raw.ids_of(a, t);
    const auto y = compact.ids_of(b, t);
    std::vector<ExpertId> left(x.begin(), x.end());
    std::vector<ExpertId> right(y.begin(), y.end());
    std::sort(left.begin(), left.end());
    std::sort(right.begin(), right.end());
    REQUIRE(left == right);
  }
}

TEST_CASE("OLMoE's and Mixtral's counts by domain give the reference's imbalance and drops") {
  LACUNA_NEEDS_SHARED();
  const auto sets = load_counts(trace_file(kCounts));
  std::size_t cells = 0;
  for (const auto& set : sets) {
    cells += set.counts.size();
    const std::uint64_t tokens = set.domain == "tulu" ? 205243 : 208896;
    for (const auto layer : set.layers) {
      CHECK(load_statistics(set.layer_loads(layer)).assignments == set.top_k * tokens);
    }
  }
  CHECK(cells == 2352);
  const std::pair<const char*, std::array<double, 3>> olmoe[] = {
      {"c4", {3.02, 2.66, 2.50}},        {"book", {3.63, 4.06, 2.93}},
      {"github", {5.01, 6.16, 4.51}},    {"arxiv", {7.81, 6.28, 7.49}},
      {"wikipedia", {6.18, 6.78, 4.65}}, {"tulu", {3.23, 4.45, 4.14}}};
  for (const auto& [domain, values] : olmoe) {
    const auto rows = count_statistics(set_of(sets, "OLMoE", 8, domain));
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(rows[i].load.max_over_mean == Approx(values[i]).margin(6e-3));
    }
  }
  CHECK(count_statistics(set_of(sets, "OLMoE", 8, "c4"))[1].load.max_over_mean ==
        Approx(2.6579).margin(5e-5));
  const auto drops = [&](const std::string& model, std::uint32_t k, const std::string& domain,
                         std::uint32_t layer, std::array<double, 3> percent) {
    const auto& set = set_of(sets, model, k, domain);
    const auto loads = set.layer_loads(layer);
    const double factors[] = {1, 1.25, 2};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto capacity = expert_capacity({CapacityRule::Flavour::kMegaBlocks, factors[i], 1},
                                            208896, k, set.experts, 0);
      CHECK(100 * capacity_layout(loads, capacity, {1, 1}).dropped_share ==
            Approx(percent[i]).margin(6e-4));
    }
  };
  drops("OLMoE", 8, "c4", 7, {14.957, 6.508, 1.250});
  drops("OLMoE", 8, "github", 7, {44.242, 37.543, 25.865});
  drops("Mixtral", 2, "c4", 15, {5.874, 0, 0});
  drops("Mixtral", 2, "github", 15, {8.057, 0.980, 0});
}

TEST_CASE("the cross-layer counts sum to the tokens of every pair") {
  LACUNA_NEEDS_SHARED();
  const auto tables = load_cross_layer_counts(trace_file(kCross));
  CHECK(tables.size() == 6);
  for (const auto& table : tables) CHECK(table.total() == 208896);
  const auto sets = load_counts(trace_file(kCross));
  REQUIRE(sets.size() == 3);
  // The margins are the top-1 counts that the other file holds of the same run.
  const auto domains = load_counts(trace_file(kCounts));
  for (const auto& set : sets) {
    const auto& whole = set_of(domains, "OLMoE", 1, set.domain);
    for (const auto layer : {0U, 7U, 15U})
      CHECK(set.layer_loads(layer) == whole.layer_loads(layer));
  }
}

TEST_CASE("every file of the trace folder is read or refused with its reason") {
  LACUNA_NEEDS_SHARED();
  const std::map<std::string, std::string> refused = {
      {"MANIFEST.tsv", "columns"},
      {"minference_llama3.1_8b_instruct_128k_head_patterns.json", "attention"},
      {"minference_qwen2.5_32b_instruct_128k_head_patterns.json", "attention"},
      {"mixtral8x7b_expert_popularity_rank.csv", "no counts"},
      {"teal_llama2_7b_abs_thresholds.csv", "activation"},
      {"teal_llama3_8b_abs_thresholds.csv", "activation"},
      {"teal_llama3_8b_greedy_sparsity.csv", "activation"}};
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / "traces")) {
    const auto name = entry.path().filename().string();
    const auto error = test::error_of([&] { static_cast<void>(load_routing(entry.path())); });
    INFO(name << ": " << error);
    const auto at = refused.find(name);
    CHECK(error.empty() == (at == refused.end()));
    if (at != refused.end()) CHECK(contains(error, at->second));
  }
  CHECK(load_popularity_ranks(trace_file("mixtral8x7b_expert_popularity_rank.csv")).order.size() ==
        256);
}

TEST_CASE("real traces run with their own models and are refused by others") {
  LACUNA_NEEDS_SHARED();
  const RoutedModel qwen{"Qwen/Qwen1.5-MoE-A2.7B-Chat", 60, 4, 24, 0};
  const RoutedModel v3{"DeepSeek-V3", 256, 8, 61, 3};
  const auto path = trace_file(kQwen).string();
  const auto source = open_routing(path + "#model=Qwen1.5-MoE-A2.7B", qwen, 1);
  CHECK(source.recorded_steps(Phase::kDecode) == 127);
  CHECK(source.route({8, 0, Phase::kDecode, 0, 1, 0}).tokens() == 25);
  CHECK(source.route({8, 1, Phase::kPrefill, 0, 1, 0}).tokens() == 1406);
  CHECK(contains(test::error_of([&] { static_cast<void>(open_routing(path, v3, 1)); }),
                 "fewer experts"));
  const RoutedModel olmoe{"OLMoE-1B-7B-0125", 64, 8, 16, 0};
  const auto counts = "counts:" + trace_file(kCounts).string() + "#domain=c4";
  const auto sampled = open_routing(counts, olmoe, 1).route({7, 0, Phase::kPrefill, 20000, 1, 0});
  const auto loads = sampled.tokens_per_expert();
  CHECK(load_statistics(std::span(loads)).max_over_mean == Approx(2.6579).margin(0.05));
}

TEST_CASE("TEAL's tables give the reference's means and tell the two models apart") {
  LACUNA_NEEDS_SHARED();
  using namespace lacuna::sparsity;
  const auto table = load_activation_table(trace_file("teal_llama3_8b_greedy_sparsity.csv"));
  CHECK(table.rows.size() == 160);
  const std::pair<double, std::array<double, 7>> means[] = {
      {0.25, {.330, .231, .188, .361, .238, .168, .296}},
      {0.40, {.495, .394, .219, .531, .403, .302, .443}},
      {0.50, {.591, .431, .363, .622, .509, .404, .541}},
      {0.65, {.706, .569, .456, .748, .661, .578, .686}}};
  for (const auto& [target, values] : means) {
    for (std::size_t p = 0; p < kProjections; ++p) {
      CHECK(table.mean_zeros(target, static_cast<Projection>(p)) == Approx(values[p]).margin(6e-4));
    }
  }
  // 14336/4096 and 11008/4096.
  CHECK(load_threshold_table(trace_file("teal_llama3_8b_abs_thresholds.csv")).sampled_mlp_ratio() ==
        Approx(3.5).margin(0.01));
  CHECK(load_threshold_table(trace_file("teal_llama2_7b_abs_thresholds.csv")).sampled_mlp_ratio() ==
        Approx(2.6875).margin(0.01));
}

TEST_CASE("MInference's tables have the reference's numbers of heads per pattern") {
  LACUNA_NEEDS_SHARED();
  using namespace lacuna::sparsity;
  using Counts = std::map<std::pair<std::uint32_t, std::uint32_t>, int>;
  const auto count = [](const std::string& name) {
    Counts out;
    for (const auto& layer : load_attention_table(trace_file(name)).layers) {
      for (const auto& head : layer) ++out[{head.vertical, head.slash}];
    }
    return out;
  };
  CHECK(count("minference_llama3.1_8b_instruct_128k_head_patterns.json") ==
        Counts{{{100, 800}, 297},
               {{1000, 6096}, 279},
               {{30, 800}, 175},
               {{3500, 100}, 149},
               {{500, 700}, 120},
               {{100, 750}, 4}});
  CHECK(count("minference_qwen2.5_32b_instruct_128k_head_patterns.json") ==
        Counts{{{1000, 6096}, 1789},
               {{3500, 100}, 439},
               {{30, 800}, 224},
               {{500, 700}, 63},
               {{100, 800}, 29},
               {{100, 750}, 16}});
}

TEST_CASE("the plots of a real trace are drawn by gnuplot without complaint") {
  LACUNA_NEEDS_SHARED();
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) {
    WARN("skipped: gnuplot is not installed");
    return;
  }
  const auto folder = test::scratch("routing_plots");
  for (const auto& file : routing_plots(load_trace(trace_file(kQwen)))) {
    write_file(folder / file.name, file.content);
  }
  for (const std::string name : {"routing_loads", "routing_imbalance", "routing_distinct"}) {
    const std::string command =
        "cd '" + folder.string() + "' && gnuplot " + name + ".gp 2> messages.txt";
    CHECK(std::system(command.c_str()) == 0);
    CHECK(read_file(folder / "messages.txt").empty());
    CHECK(contains(read_file(folder / (name + ".svg")), "</svg>"));
    CHECK(contains(read_file(folder / (name + ".png")), "IEND"));
  }
}
