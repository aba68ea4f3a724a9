// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/routing/statistics.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::contains;
using lacuna::test::fixture;

namespace {

std::vector<ExpertId> ids(std::initializer_list<int> list) {
  std::vector<ExpertId> out;
  for (const int id : list) out.push_back(static_cast<ExpertId>(id));
  return out;
}

bool any_note(const std::vector<std::string>& notes, const std::string& part) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const auto& note) { return contains(note, part); });
}

}  // namespace

TEST_CASE("a compact CSV becomes one block per step and layer") {
  const auto trace = load_trace(fixture("compact.csv", test::kCompactCsv));
  CHECK(trace.header.format == "compact CSV");
  CHECK(trace.header.layers == std::vector<std::uint32_t>{0, 5});
  CHECK(trace.header.experts == 4);
  CHECK_FALSE(trace.header.experts_stated);
  CHECK(trace.header.top_k == 2);
  CHECK(trace.header.phase_known);
  CHECK(trace.header.steps_known);
  CHECK(trace.header.rows_dropped == 0);
  REQUIRE(trace.blocks.size() == 6);
  const auto* block = trace.find(1, 5);
  REQUIRE(block != nullptr);
  CHECK(block->phase == Phase::kDecode);
  CHECK(block->ids == ids({2, 1, 2, 0}));
  CHECK(block->weights.size() == 4);
  CHECK(trace.find(3, 0) == nullptr);
  CHECK(trace.layer_loads(0) == std::vector<std::uint64_t>{3, 4, 3, 4});
  CHECK(trace.layer_tokens(5) == 7);
  CHECK(tokens_per_expert(block->ids, 4) == std::vector<std::uint32_t>{1, 1, 2, 0});
}

TEST_CASE("a community JSONL starts a step where the token count restarts") {
  const auto trace = load_trace(fixture("community.jsonl", test::community_jsonl()));
  CHECK(trace.header.model == "org/Tiny-MoE-Chat");
  CHECK(trace.header.steps_known);
  CHECK_FALSE(trace.header.sequences_known);
  REQUIRE(trace.blocks.size() == 6);
  CHECK(trace.find(0, 0)->ids == ids({1, 2, 2, 3, 0, 2}));
  CHECK(trace.find(1, 1)->ids == ids({1, 3}));
  CHECK(trace.find(2, 0)->ids == ids({2, 1}));
}

TEST_CASE("a community JSONL whose count never restarts is one step and says so") {
  std::string text = test::kCommunityMeta;
  for (int t = 0; t < 5; ++t) {
    text += test::route_line(t, 0, t % 3, 3) + test::route_line(t, 1, 3, t % 3);
  }
  const auto trace = load_trace(fixture("onestep.jsonl", text));
  CHECK_FALSE(trace.header.steps_known);
  CHECK(trace.blocks.size() == 2);
  CHECK(any_note(trace.header.notes, "never restarts"));
}

TEST_CASE("the collector's JSONL takes a problem as a step with known sequences") {
  const auto trace = load_trace(fixture("mixtral.jsonl", test::kMixtralJsonl));
  CHECK(trace.header.sequences_known);
  CHECK(trace.header.weights == WeightKind::kRenormalised);
  CHECK(trace.blocks.size() == 4);
  CHECK(trace.find(0, 1)->ids == ids({3, 2, 0, 2}));
  CHECK(trace.find(0, 0)->position == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a dense-score CSV takes its layer from the name and its order from the scores") {
  const auto trace = load_trace(fixture("run_Layer_7_dense.csv", test::kDenseCsv));
  CHECK(trace.header.layers == std::vector<std::uint32_t>{7});
  CHECK(trace.header.experts == 4);
  CHECK(trace.header.experts_stated);
  CHECK(trace.blocks.front().ids == ids({3, 1, 0, 2}));
  CHECK(any_note(trace.header.notes, "layer 7"));
  LoadOptions options;
  options.layer = 2;
  CHECK(load_trace(fixture("plain.csv", test::kDenseCsv), options).header.layers.front() == 2);
}

TEST_CASE("AI2's nested ids are read token by slot by layer") {
  const auto trace = load_trace(fixture("ai2.jsonl", test::kAi2Jsonl));
  CHECK(trace.header.numbering == LayerNumbering::kArray);
  CHECK(trace.header.layers.size() == 3);
  CHECK(trace.find(0, 0)->ids == ids({0, 3, 1, 2}));
  CHECK(trace.find(0, 2)->ids == ids({2, 1, 1, 0}));
  CHECK(trace.find(1, 1)->ids == ids({2, 1}));
  CHECK(trace.find(1, 1)->phase == Phase::kPrefill);
}

TEST_CASE("moe-balance records keep the rank a token came from") {
  const auto trace = load_trace(fixture("balance.jsonl", test::kBalanceJsonl));
  CHECK(trace.find(0, 1)->ids == ids({3, 1, 0, 2}));
  CHECK(trace.find(0, 0)->origin_rank == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a count CSV holds one set per model, k and domain") {
  const auto sets = load_counts(fixture("counts.csv", test::kCountCsv));
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].label() == "Tiny-MoE, top-2, code");
  CHECK(sets[0].layer_loads(1) == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(contains(test::error_of([&] { static_cast<void>(sets[1].layer_loads(1)); }),
                 "no counts of layer 1"));
  CHECK(contains(test::load_error("sum.csv", "layer,expert,count\n0,0,5\n0,1,3\n1,0,5\n1,1,4\n"),
                 "sum to 9"));
  CHECK(contains(test::load_error("odd.csv", "topk_counted,layer,expert,count\n2,0,0,5\n2,0,1,4\n"),
                 "not a multiple of top-2"));
}

TEST_CASE("SGLang's counts are read from CSV and JSON, unused steps left out") {
  const auto csv =
      load_counts(fixture("sglang.csv", "layer_id,expert_id,count\n0,0,4\n0,1,2\n1,0,3\n1,1,3\n"));
  CHECK(csv.front().format == "SGLang count CSV");
  CHECK(csv.front().layer_loads(0) == std::vector<std::uint64_t>{4, 2});
  const auto flat = load_counts(fixture("flat.json", R"({"logical_count": [[1,2,3],[3,2,1]]})"));
  CHECK(flat.front().layer_loads(1) == std::vector<std::uint64_t>{3, 2, 1});
  const auto steps = load_counts(fixture(
      "steps.json", R"({"rank":0,"logical_count":[[[1,2],[2,1]],[[0,0],[0,0]],[[4,0],[0,4]]]})"));
  CHECK(steps.front().steps == 2);
  CHECK(steps.front().layer_loads(0) == std::vector<std::uint64_t>{5, 2});
  CHECK(any_note(steps.front().notes, "1 all-zero steps"));
  CHECK(contains(test::load_error("map.json", R"({"physical_to_logical_map": [[0,1]]})"),
                 "without counts"));
  CHECK(contains(test::load_error("width.json", R"({"logical_count": [[1,2],[3]]})"),
                 "layer 1 has 1 experts"));
}

TEST_CASE("cross-layer counts give top-1 margins that must agree") {
  const std::string text =
      "domain,layer_a,layer_b,expert_a,expert_b,count\n"
      "c4,0,7,0,1,3\nc4,0,7,1,0,2\nc4,7,15,0,0,2\nc4,7,15,1,1,3\n";
  const auto sets = load_counts(fixture("cross.csv", text));
  REQUIRE(sets.size() == 1);
  CHECK(sets[0].layers == std::vector<std::uint32_t>{0, 7, 15});
  CHECK(sets[0].layer_loads(7) == std::vector<std::uint64_t>{2, 3});
  CHECK(load_cross_layer_counts(fixture("cross.csv", text))[0].total() == 5);
  CHECK(contains(test::load_error("cross_bad.csv", text.substr(0, text.rfind("c4"))),
                 "different counts"));
}

TEST_CASE("popularity ranks are refused as counts and read as ranks") {
  const std::string text = "rank,layer,expert\n0,3,1\n1,0,2\n";
  CHECK(contains(test::load_error("ranks.csv", text), "no counts"));
  const auto ranks = load_popularity_ranks(fixture("ranks.csv", text));
  CHECK(ranks.order.size() == 2);
  CHECK(ranks.order[1].expert == 2);
  CHECK(contains(test::error_of([&] {
                   static_cast<void>(
                       load_popularity_ranks(fixture("gap.csv", "rank,layer,expert\n1,3,1\n")));
                 }),
                 "gap.csv:2"));
}

TEST_CASE("dummy batches are dropped wherever they stand and change nothing") {
  const auto clean = load_trace(fixture("clean.csv", test::kCompactCsv));
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < test::kCompactCsv.size();) {
    const auto end = test::kCompactCsv.find('\n', from) + 1;
    lines.push_back(test::kCompactCsv.substr(from, end - from));
    from = end;
  }
  for (std::size_t at = 1; at <= lines.size(); ++at) {
    std::string text;
    for (std::size_t i = 0; i <= lines.size(); ++i) {
      if (i == at) {
        for (int d = 0; d < 2048; ++d) {
          text +=
              fmt::format("{},prefill,{},{},2,3,0.5,0.5\n", at < 8 ? 77 : 99, d, at < 8 ? 0 : 5);
        }
      }
      if (i < lines.size()) text += lines[i];
    }
    const auto trace = load_trace(fixture("dummy.csv", text));
    CHECK(trace.header.rows_dropped == 2048);
    CHECK(any_note(trace.header.notes, "2,048 of 2,062 rows dropped"));
    CHECK(trace.header.experts == clean.header.experts);
    REQUIRE(trace.blocks.size() == clean.blocks.size());
    for (std::size_t b = 0; b < trace.blocks.size(); ++b) {
      CHECK(trace.blocks[b].step == clean.blocks[b].step);
      CHECK(trace.blocks[b].ids == clean.blocks[b].ids);
      CHECK(trace.blocks[b].weights == clean.blocks[b].weights);
    }
  }
}

TEST_CASE("runs below the limit stay, and a file of dummies alone is refused") {
  std::string text = "layer,tok,e0,e1\n";
  for (int t = 0; t < 31; ++t) text += fmt::format("0,{},1,2\n", t);
  CHECK(load_trace(fixture("run31.csv", text)).header.rows_dropped == 0);
  CHECK(contains(test::load_error("run32.csv", text + "0,31,1,2\n"), "all 32 rows are dummy"));
  LoadOptions keep;
  keep.dummy_run = 0;
  CHECK(load_trace(fixture("run32.csv", text + "0,31,1,2\n"), keep).layer_tokens(0) == 32);
}

TEST_CASE("dummies before and between the steps of a JSONL dump leave its steps alone") {
  const auto clean = load_trace(fixture("c.jsonl", test::community_jsonl()));
  std::string text = test::kCommunityMeta;
  std::string dummies;
  for (int t = 0; t < 40; ++t)
    dummies += test::route_line(t, 0, 0, 3) + test::route_line(t, 1, 0, 3);
  const std::string body = test::community_jsonl().substr(test::kCommunityMeta.size());
  const auto middle = body.find(R"("token_idx":0)", body.find(R"("token_idx":1)"));
  const auto line = body.rfind('\n', middle) + 1;
  const auto trace = load_trace(
      fixture("d.jsonl", text + dummies + body.substr(0, line) + dummies + body.substr(line)));
  CHECK(trace.header.rows_dropped == 160);
  REQUIRE(trace.blocks.size() == clean.blocks.size());
  for (std::size_t b = 0; b < trace.blocks.size(); ++b) {
    CHECK(trace.blocks[b].step == clean.blocks[b].step);
    CHECK(trace.blocks[b].ids == clean.blocks[b].ids);
  }
}
