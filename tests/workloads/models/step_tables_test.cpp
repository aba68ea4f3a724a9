// SPDX-License-Identifier: Apache-2.0
// Measured tables put to a model's step.
#include "workloads/models/step_tables.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/model_numbers.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"

using namespace lacuna;
using lacuna::test::Approx;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::shipped;
using lacuna::test::source_dir;

namespace {

/// A file that goes when the test does.
class Table {
 public:
  Table(const std::string& name, const std::string& text)
      : path_((std::filesystem::temp_directory_path() / ("lacuna-" + name)).string()) {
    write_file(path_, text);
  }
  ~Table() { std::filesystem::remove(path_); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string greedy(std::uint32_t layers) {
  std::string text = "layer,target,effective,q,k,v,o,gate,up,down\n";
  for (std::uint32_t l = 0; l < layers; ++l) {
    text += fmt::format("{},0.5,0.5,0.1,0.2,0.3,0.4,{},0.6,0.7\n", l, l < 3 ? 0.5 : 0.55);
  }
  return text;
}

std::string heads(std::uint32_t layers, std::uint32_t count) {
  std::string text = "[";
  for (std::uint32_t l = 0; l < layers; ++l) {
    text += l == 0 ? "{" : ",{";
    for (std::uint32_t h = 0; h < count; ++h) {
      text += fmt::format("{}\"{}\":[\"vertical_and_slash\",{},{},0.9]", h == 0 ? "" : ",", h,
                          h % 2 == 0 ? 100 : 40, h % 2 == 0 ? 60 : 300);
    }
    text += "}";
  }
  return text + "]";
}

Step prefill(std::uint64_t context) {
  Step step;
  step.phase = Phase::kPrefill;
  step.context = context;
  return step;
}

}  // namespace

TEST_CASE("measured zeros reach the inputs of the projections of their layer") {
  const Table table("greedy.csv", greedy(32));
  const ModelSpec spec = shipped("mixtral-8x7b");  // 32 layers
  Step step = prefill(64);
  const auto zeros = activation_zeros(spec, step, table.path() + "#target=0.5#model=Mixtral-8x7B");
  step.activation_zeros = zeros_of(zeros);
  const OperationGraph graph = build_graph(spec, step);
  const auto density = [&](const char* name, std::uint32_t layer) {
    return graph[*find_operation(graph, name, layer)].einsum->operands[1].density;
  };
  CHECK(density("q_proj", 0) == Approx(0.9));
  CHECK(density("k_proj", 0) == Approx(0.8));
  CHECK(density("v_proj", 0) == Approx(0.7));
  CHECK(density("o_proj", 0) == Approx(0.6));
  CHECK(density("expert_gate", 0) == Approx(0.5));
  CHECK(density("expert_gate", 3) == Approx(0.45));
  CHECK(density("expert_down", 31) == Approx(0.3));
  CHECK(density("router", 0) == 1);
  CHECK(density("scores", 0) == 1);
  // Layers with other zeros are other blocks; those alike share one: embedding, 0-2, 3-31, head.
  CHECK(info_of(graph).blocks.size() == 4);
}

TEST_CASE("a table is used with its model, or with a mapping that says how") {
  const Table table("greedy61.csv", greedy(4));
  const ModelSpec spec = shipped("deepseek-v3");
  const Step step = prefill(64);
  const auto error = [&](const std::string& items) {
    return error_of([&] { (void)activation_zeros(spec, step, table.path() + items); });
  };
  CHECK_THAT(error("#target=0.5"), contains("does not say which model"));
  CHECK_THAT(error("#target=0.5#model=Llama-3-8B"), contains("another model"));
  CHECK_THAT(error("#target=0.5#map=layers:0-3=0-3"), contains("nothing recorded for layer 4"));
  CHECK_THAT(error("#target=0.4#map=layers:nearest"), contains("targets 0.5"));
  CHECK_THAT(error("#map=layers:nearest"), contains("no target") && contains("0.5"));
  CHECK_THAT(error("#tarlget=0.5"), contains("did you mean 'target'"));
  CHECK_THAT(error("#target="), contains("has no value"));
  const auto bound = activation_zeros(
      spec, step, table.path() + "#target=0.5#model=Llama-3-8B#map=layers:nearest");
  CHECK(bound->of_layer.size() == 61);
  bool said = false;
  for (const std::string& note : bound->notes)
    said = said || note.find("mapped") != std::string::npos;
  CHECK(said);
  const Table thresholds("thr.csv", "layer,block,tensor,n_samples,thr_25\n0,mlp,h1,1,0.1\n");
  CHECK_THAT(error_of([&] {
               (void)activation_zeros(spec, step, thresholds.path() + "#target=0.25#model=x");
             }),
             contains("table of thresholds"));
}

TEST_CASE("lines of heads leave exactly the pairs they keep") {
  const Table table("heads.json", heads(48, 32));
  const ModelSpec spec = shipped("qwen3-30b-a3b");  // 48 layers of 32 heads
  Step step = prefill(1000);
  step.batch = 2;
  const auto lines = attention_lines(spec, step, table.path() + "#model=Qwen3-30B-A3B", 5);
  step.attention_lines = lines_of(lines);
  const OperationGraph graph = build_graph(spec, step);
  std::uint64_t kept = 0;
  for (const auto& head : lines->of_layer.at(0)) kept += sparsity::kept_pairs(*head);
  const Operation& scores = graph[*find_operation(graph, "scores", 7)];
  CHECK(scores.einsum->macs == 2 * kept * 128);
  CHECK(scores.einsum->batch == 2 * 32);
  REQUIRE(scores.einsum->mask->lines.size() == 2);  // two kinds of heads
  CHECK(scores.einsum->mask->lines[0].instances == 2 * 16);
  CHECK(total_elements(*scores.einsum, 0) == 2 * kept);
  CHECK(kept < 32 * sparsity::causal_pairs(1000) / 2);
  CHECK(info_of(graph).blocks.size() == 3);  // all layers are alike
}

TEST_CASE("all columns kept are causal attention") {
  const Table table("all.json",
                    "[" + std::string(1, '{') + "\"0\":[\"vertical_and_slash\",500,500,1]}]");
  const ModelSpec spec = shipped("deepseek-v2-lite");
  Step step = prefill(300);
  step.layers = LayerRange{1, 1};
  step.form = AttentionForm::kNaive;
  const OperationGraph dense = build_graph(spec, step);
  step.attention_lines =
      lines_of(attention_lines(spec, step, table.path() + "#map=layers:0=0-26#heads=mod", 1));
  const OperationGraph lined = build_graph(spec, step);
  CHECK(totals(lined).flops == totals(dense).flops);
  CHECK(totals(lined).moved_bytes() == totals(dense).moved_bytes());
}

TEST_CASE("lines are refused where attention has none") {
  const Table table("heads16.json", heads(27, 16));
  const auto error = [&](const char* model, const Step& step, const std::string& items) {
    return error_of([&] { (void)attention_lines(shipped(model), step, table.path() + items, 1); });
  };
  Step naive = prefill(64);
  naive.form = AttentionForm::kNaive;
  const std::string mine = "#model=DeepSeek-V2-Lite";
  CHECK(error("deepseek-v2-lite", naive, mine).empty());
  Step decode;
  CHECK_THAT(error("deepseek-v2-lite", decode, mine), contains("prefill of all its keys"));
  Step absorbed = prefill(64);
  absorbed.form = AttentionForm::kAbsorbed;
  CHECK_THAT(error("deepseek-v2-lite", absorbed, mine), contains("--attention naive"));
  CHECK_THAT(error("deepseek-v3.2", naive, "#map=layers:nearest#heads=mod"), contains("its index"));
  CHECK_THAT(error("deepseek-v3", naive, "#map=layers:nearest"), contains("heads=mod"));
}
