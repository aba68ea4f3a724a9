// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/routing/routing_plots.hpp"
#include "workloads/routing/routing_source.hpp"
#include "workloads/routing/statistics.hpp"
#include "workloads/routing/trace_binding.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::fixture;

namespace {

TraceOrigin origin(std::vector<std::uint32_t> layers) {
  TraceOrigin out;
  out.source = "t.jsonl";
  out.model = "org/Tiny-MoE-Chat";
  out.experts = 4;
  out.top_k = 2;
  out.layers = std::move(layers);
  return out;
}

std::string bind_error(const TraceOrigin& from, const RoutedModel& model,
                       const std::string& mapping = {}) {
  return error_of([&] { static_cast<void>(bind_trace(from, model, mapping)); });
}

std::string open_error(const std::string& text, const RoutedModel& model) {
  return error_of([&] { static_cast<void>(open_routing(text, model, 1)); });
}

const RoutedModel kTiny{"Tiny-MoE", 4, 2, 2, 0};

}  // namespace

TEST_CASE("names of one model's variants agree, other models' do not") {
  CHECK(same_model("Qwen/Qwen1.5-MoE-A2.7B-Chat", "qwen1.5_moe_a2.7b"));
  CHECK(same_model("allenai/OLMoE-1B-7B-0924", "OLMoE-1B-7B-0125"));
  CHECK(same_model("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B"));
  CHECK_FALSE(same_model("Mixtral-8x7B", "Mixtral-8x22B"));
  CHECK_FALSE(same_model("DeepSeek-V2", "DeepSeek-V2-Lite"));
  CHECK_FALSE(same_model("DeepSeek-V2", "DeepSeek-V3"));
  CHECK_FALSE(same_model("Qwen3-30B-A3B", "Qwen1.5-MoE-A2.7B"));
}

TEST_CASE("a trace of the model itself binds by identity") {
  const auto binding = bind_trace(origin({0, 1}), kTiny);
  CHECK(binding.layers == std::map<std::uint32_t, std::uint32_t>{{0, 0}, {1, 1}});
  CHECK_FALSE(binding.other_model);
  REQUIRE(binding.notes.size() == 1);
  CHECK(contains(binding.notes[0], "variants of one model"));
}

TEST_CASE("another model needs a mapping, and the refusal says what differs") {
  const RoutedModel other{"Big-MoE", 8, 2, 6, 2};
  const auto error = bind_error(origin({0, 1}), other);
  CHECK(contains(error, "another model"));
  CHECK(contains(error, "4 experts, top-2, layers 0-1"));
  CHECK(contains(error, "Big-MoE (8 experts, top-2, MoE layers 2-5)"));
  CHECK(contains(error, "map="));
  const auto binding = bind_trace(origin({0, 1}), other, "layers:0-1=2-3,layers:1=5");
  CHECK(binding.other_model);
  CHECK(binding.layers == std::map<std::uint32_t, std::uint32_t>{{2, 0}, {3, 1}, {5, 1}});
  CHECK(contains(binding.notes.back(), "mapped to Big-MoE"));
  CHECK(contains(error_of([&] { static_cast<void>(binding.trace_layer(4, "t")); }),
                 "covers layers 2-3, 5"));
}

TEST_CASE("unequal shapes are refused even under one name") {
  auto from = origin({0, 1});
  CHECK(contains(bind_error(from, {"Tiny-MoE", 3, 2, 2, 0}), "more experts"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 5, 2, 2, 0}), "fewer experts"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 4, 1, 2, 0}), "topk:first"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 4, 3, 2, 0}), "fewer experts per token"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 4, 2, 1, 0}), "layer 1 is beyond"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 4, 2, 4, 1}), "layer 0 is dense"));
  from.physical_ids = true;
  CHECK(contains(bind_error(from, kTiny), "physical"));
}

TEST_CASE("an unnamed trace passes as the model's own only when the shapes agree") {
  auto from = origin({0, 1});
  from.model.clear();
  from.experts_stated = false;
  CHECK(contains(bind_trace(from, kTiny).notes[0], "names no model"));
  CHECK(contains(bind_error(from, {"Tiny-MoE", 5, 2, 2, 0}), "fewer experts"));
  from.model = "Tiny-MoE";  // a short trace of the model itself may miss an expert
  CHECK(bind_error(from, {"Tiny-MoE", 5, 2, 2, 0}).empty());
}

TEST_CASE("an array's layers are all layers or the MoE layers, by their number") {
  auto from = origin({0, 1, 2});
  from.numbering = LayerNumbering::kArray;
  CHECK(bind_trace(from, {"Tiny-MoE", 4, 2, 5, 2}).layers ==
        std::map<std::uint32_t, std::uint32_t>{{2, 0}, {3, 1}, {4, 2}});
  CHECK(bind_trace(from, {"Tiny-MoE", 4, 2, 3, 1}).layers ==
        std::map<std::uint32_t, std::uint32_t>{{1, 1}, {2, 2}});
  CHECK(contains(bind_error(from, {"Tiny-MoE", 4, 2, 6, 2}), "fits neither the 4 MoE layers"));
}

TEST_CASE("experts fold modulo the model's, without repeating one in a token") {
  auto from = origin({0, 1});
  from.experts = 8;
  const auto binding = bind_trace(from, kTiny, "layers:same,experts:mod");
  const std::vector<ExpertId> ids{1, 5, 6, 3, 7, 3};
  CHECK(binding.map_ids(ids, 2) == std::vector<ExpertId>{1, 2, 2, 3, 3, 0});
  const std::vector<std::uint64_t> loads{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(binding.map_loads(loads) == std::vector<std::uint64_t>{6, 8, 10, 12});
  from.top_k = 3;
  const auto first = bind_trace(from, kTiny, "experts:mod,topk:first");
  CHECK(first.map_ids(ids, 3) == std::vector<ExpertId>{1, 2, 3, 0});
}

TEST_CASE("mapping texts are checked word by word") {
  const auto from = origin({0, 1});
  CHECK(contains(bind_error(from, kTiny, "layer:0=1"), "no mapping item"));
  CHECK(contains(bind_error(from, kTiny, "layers:a=1"), "not a layer"));
  CHECK(contains(bind_error(from, kTiny, "layers:3-1=0-2"), "backwards"));
  CHECK(contains(bind_error(from, kTiny, "layers:0-1=0"), "maps 2 layers to 1"));
  CHECK(contains(bind_error(from, kTiny, "layers:7=0"), "no layer 7"));
  CHECK(contains(bind_error(from, kTiny, "layers:0=9"), "layer 9 of the model"));
  CHECK(contains(bind_error(from, kTiny, "experts:half"), "no mapping item"));
  CHECK(bind_trace(origin({0, 4}), {"Tiny-MoE", 4, 2, 6, 1}, "layers:nearest").layers ==
        std::map<std::uint32_t, std::uint32_t>{{1, 0}, {2, 0}, {3, 4}, {4, 4}, {5, 4}});
  CHECK(bind_trace(origin({0, 4}), {"Tiny-MoE", 4, 2, 4, 1}, "layers:cycle").layers ==
        std::map<std::uint32_t, std::uint32_t>{{1, 0}, {2, 4}, {3, 0}});
}

TEST_CASE("every kind of routing text opens and gives its requests the right size") {
  const RoutedModel model{"M", 16, 4, 3, 1};
  for (const std::string text :
       {"uniform", "balanced", "power-law:1.01", "power-law:1.2:4", "correlated:0.2"}) {
    const auto source = open_routing(text, model, 9);
    const RouteRequest request{1, 0, Phase::kPrefill, 64, 2, 0};
    const auto routed = source.route(request);
    CHECK(routed.tokens() == 64);
    CHECK(routed.ids == open_routing(text, model, 9).route(request).ids);
    CHECK(routed.ids != open_routing(text, model, 10).route(request).ids);
    std::uint64_t sum = 0;
    for (const auto n : routed.tokens_per_expert()) sum += n;
    CHECK(sum == 64 * 4);
    RouteRequest other = request;
    other.layer = 2;
    CHECK(source.route(other).ids != routed.ids);
    other.tokens = 0;
    CHECK_THROWS_AS(source.route(other), InputError);
    other.tokens = 3;
    CHECK_THROWS_AS(source.route(other), InputError);
  }
}

TEST_CASE("the power law keeps a layer's hot experts over the steps") {
  const auto source = open_routing("power-law:1.2", {"M", 16, 2, 1, 0}, 3);
  const auto a = source.route({0, 0, Phase::kDecode, 64, 64, 0});
  const auto b = source.route({0, 1, Phase::kDecode, 64, 64, 0});
  CHECK(a.tokens_per_expert() == b.tokens_per_expert());
  CHECK(a.ids != b.ids);
}

TEST_CASE("misspelt routing texts get a suggestion") {
  CHECK(contains(open_error("unifrom", kTiny), "did you mean 'uniform'"));
  CHECK(contains(open_error("power-law", kTiny), "power-law:ALPHA"));
  CHECK(contains(open_error("power-law:x", kTiny), "'x'"));
  CHECK(contains(open_error("power-law:1.01:3", kTiny), "do not divide"));
  CHECK(contains(open_error("correlated:1.5", kTiny), "expected a number"));
  CHECK(contains(open_error("", kTiny), "empty"));
  const auto path = fixture("spec.csv", test::kCompactCsv).string();
  CHECK(contains(open_error(path + "#modl=x", kTiny), "did you mean 'model'"));
  CHECK(contains(open_error(path + "#experts=-1", kTiny), "expected an integer"));
  CHECK(contains(open_error("counts:" + path, kTiny), "not counts"));
}

TEST_CASE("a trace replays its own steps and says when it has to repeat itself") {
  const auto path = fixture("replay.csv", test::kCompactCsv).string();
  const RoutedModel model{"", 4, 2, 6, 0};
  const auto source = open_routing(path, model, 1);
  CHECK(source.recorded_steps(Phase::kPrefill) == 1);
  CHECK(source.recorded_steps(Phase::kDecode) == 2);
  const auto own = source.route({5, 1, Phase::kDecode, 0, 1, 0});
  CHECK(own.ids == std::vector<ExpertId>{1, 2, 0, 3});
  CHECK(own.note.empty());
  CHECK(own.weights.size() == 4);
  const auto wrapped = source.route({5, 2, Phase::kDecode, 3, 3, 0});
  CHECK(wrapped.ids == std::vector<ExpertId>{2, 1, 2, 0, 1, 2});
  CHECK(contains(wrapped.note, "step 2 replays recorded step 1"));
  CHECK(contains(wrapped.note, "3 tokens put together from 2 recorded steps"));
  CHECK(contains(error_of([&] {
                   static_cast<void>(source.route({3, 0, Phase::kDecode, 2, 2, 0}));
                 }),
                 "covers layers 0, 5"));
  const auto mapped = open_routing(path + "#map=layers:nearest", model, 1);
  CHECK(mapped.route({3, 0, Phase::kPrefill, 0, 1, 0}).ids ==
        mapped.route({5, 0, Phase::kPrefill, 0, 1, 0}).ids);
}

TEST_CASE("counts are chosen by model, k and domain and their sampling is stated") {
  const auto path = fixture("choose.csv", test::kCountCsv).string();
  const RoutedModel model{"Tiny-MoE", 4, 2, 2, 0};
  CHECK(contains(open_error("counts:" + path, model), "2 sets of counts fit"));
  CHECK(contains(open_error("counts:" + path + "#domain=poems", model), "domain=poems"));
  const auto source = open_routing("counts:" + path + "#domain=code", model, 4);
  CHECK(contains(source.notes().back(), "counts-sampled"));
  const auto loads = source.route({0, 0, Phase::kPrefill, 1000, 1, 0}).tokens_per_expert();
  CHECK(loads[0] == 1000);  // 5 of 10 assignments at top-2: every token
  CHECK(loads[3] == 0);
  CHECK(contains(open_error(path, model), "counts:FILE"));
}

TEST_CASE("statistics and plots speak of every layer of a trace") {
  const auto trace = load_trace(fixture("stats.csv", test::kCompactCsv));
  const auto rows = trace_statistics(trace);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].tokens == 7);
  CHECK(rows[0].distinct.steps == 3);
  CHECK(rows[0].distinct.mean == lacuna::test::Approx((4 + 3 + 3) / 3.0));
  // Prefill rows 3,1 -> 3,0 -> 2,1: one equal first expert, one common expert in two pairs.
  CHECK(rows[0].repeat.pairs == 2);
  CHECK(rows[0].repeat.top1 == 0.5);
  CHECK(rows[0].repeat.any_slot == 0.25);
  CHECK(rows[0].repeat.whole_set == 0);
  DistinctFilter decode{Phase::kDecode, 2};
  CHECK(distinct_per_step(trace, 0, decode).steps == 2);
  const auto files = routing_plots(trace);
  REQUIRE(files.size() == 6);
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines(files[0].content) == 1 + 2);
  CHECK(lines(files[1].content) == 1 + 2 * 4);
  CHECK(lines(files[2].content) == 1 + 6);
  CHECK(contains(files[3].content, files[1].name));
  CHECK(contains(files[4].content, files[0].name));
  CHECK(contains(files[5].content, files[2].name));
  CHECK(lines(statistics_table(rows)) == 3);
  CHECK(routing_plots(load_counts(fixture("pc.csv", test::kCountCsv))[0]).size() == 4);
}
