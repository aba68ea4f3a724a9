// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"
#include "workloads/sparsity_tables/attention_tables.hpp"

#include <set>

using namespace lacuna;
using namespace lacuna::sparsity;
using lacuna::test::Approx;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::fixture;

namespace {

const std::string kGreedy =
    "layer,target,effective,q,k,v,o,gate,up,down\n"
    "0,0.25,0.25,0.6,0.4,0.2,0.4,0.1,0.1,0.2\n0,0.5,0.5,0.7,0.5,0.3,0.6,0.4,0.4,0.5\n"
    "1,0.25,0.25,0.2,0.2,0.2,0.2,0.2,0.2,0.4\n1,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5\n";

const std::string kThresholds =
    "layer,block,tensor,n_samples,thr_25,thr_50\n"
    "0,mlp,h1,100,0.1,0.3\n0,mlp,h2,350,0.01,0.02\n0,self_attn,h1,100,1,2\n"
    "0,self_attn,h2,100,3,5\n";

std::string greedy_error(const std::string& text) {
  const auto path = fixture("greedy_bad.csv", text);
  return error_of([&] { static_cast<void>(load_activation_table(path)); });
}

std::string attention_error(const std::string& text) {
  const auto path = fixture("heads_bad.json", text);
  return error_of([&] { static_cast<void>(load_attention_table(path)); });
}

std::uint64_t count_by_hand(const VerticalSlash& lines) {
  std::uint64_t kept = 0;
  for (std::uint32_t q = 0; q < lines.length; ++q) kept += keys_of(lines, q).size();
  return kept;
}

}  // namespace

TEST_CASE("the greedy activation table gives every projection's zeros") {
  const auto table = load_activation_table(fixture("greedy.csv", kGreedy), "Llama");
  CHECK(table.targets == std::vector<double>{0.25, 0.5});
  CHECK(table.at(0, 0.5).zeros[static_cast<std::size_t>(Projection::kDown)] == 0.5);
  CHECK(table.mean_zeros(0.25, Projection::kQuery) == Approx(0.4));
  CHECK(contains(error_of([&] { static_cast<void>(table.at(0, 0.3)); }), "targets 0.25, 0.5"));
  CHECK(contains(greedy_error(kGreedy.substr(0, kGreedy.rfind("1,0.5"))), "layer 1 has no row"));
  CHECK(contains(greedy_error(kGreedy + "1,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5\n"), ":6: layer 1"));
  CHECK(
      contains(greedy_error(kGreedy + "1,0.75,0.5,1.5,0.5,0.5,0.5,0.5,0.5,0.5\n"), "not a share"));
  CHECK(contains(greedy_error(kGreedy + "99999999,0.5,0.5,0,0,0,0,0,0,0\n"), ":6: layer"));
  CHECK(contains(greedy_error("layer,target\n"), "no column 'effective'"));
}

TEST_CASE("thresholds interpolate between the table's shares") {
  const auto table = load_threshold_table(fixture("thr.csv", kThresholds));
  CHECK(table.threshold(0, Projection::kUp, 0.25) == Approx(0.1));
  CHECK(table.threshold(0, Projection::kGate, 0.375) == Approx(0.2));
  CHECK(table.threshold(0, Projection::kDown, 0.5) == Approx(0.02));
  CHECK(table.threshold(0, Projection::kValue, 0.125) == Approx(0.5));
  CHECK(table.threshold(0, Projection::kOutput, 0) == 0);
  CHECK(table.sampled_mlp_ratio() == Approx(3.5));
  CHECK_THROWS_AS(table.threshold(0, Projection::kOutput, 0.6), InputError);
  CHECK_THROWS_AS(table.threshold(1, Projection::kOutput, 0.5), InputError);
  const auto error = [](const std::string& text) {
    const auto path = fixture("thr_bad.csv", text);
    return error_of([&] { static_cast<void>(load_threshold_table(path)); });
  };
  CHECK(contains(error(kThresholds.substr(0, kThresholds.rfind("0,self"))), "fewer than four"));
  CHECK(contains(error(kThresholds + "1,mlp,h1,100,0.3,0.1\n"), ":6: thr_50"));
  CHECK(contains(error(kThresholds + "1,moe,h1,100,0.1,0.3\n"), "expected mlp"));
  CHECK(contains(error(kThresholds + "0,mlp,h1,100,0.1,0.3\n"), "twice"));
}

TEST_CASE("tables of another model need a mapping of layers") {
  const auto table = load_activation_table(fixture("greedy.csv", kGreedy), "Llama-3-8B");
  const routing::RoutedModel same{"meta/Llama-3-8B-Instruct", 0, 0, 2, 0};
  const routing::RoutedModel other{"Mixtral-8x7B", 8, 2, 4, 0};
  CHECK(routing::bind_table(table.origin(), same).layers.size() == 2);
  CHECK(contains(error_of([&] { static_cast<void>(routing::bind_table(table.origin(), other)); }),
                 "another model"));
  const auto bound = routing::bind_table(table.origin(), other, "layers:cycle");
  CHECK(bound.layers.at(3) == 1);
  CHECK(bound.other_model);
  CHECK(contains(bound.notes.back(), "mapped to Mixtral-8x7B"));
  CHECK(contains(error_of([&] {
                   static_cast<void>(
                       routing::bind_table(table.origin(), other, "layers:cycle,experts:mod"));
                 }),
                 "no experts"));
}

TEST_CASE("head patterns are read whole or refused by layer and head") {
  const std::string two =
      R"([{"0": ["vertical_and_slash", 1000, 6096, 0.9], "1": ["vertical_and_slash", 30, 800, 0.8]}])";
  const auto table = load_attention_table(fixture("heads.json", two));
  CHECK(table.heads() == 2);
  CHECK(table.layers[0][1].slash == 800);
  CHECK(contains(attention_error("[{\"0\": [\"stream_llm\", 1, 2, 0.5]}]"), "layer 0, head 0"));
  CHECK(contains(attention_error("[{\"0\": [\"vertical_and_slash\", -1, 2, 0.5]}]"), "positive"));
  CHECK(contains(attention_error("[{\"1\": [\"vertical_and_slash\", 1, 2, 0.5]}]"), "head 0 is"));
  CHECK(contains(attention_error(two.substr(0, two.size() - 9)), "not valid JSON"));
  CHECK(contains(attention_error("{}"), "list of layers"));
}

TEST_CASE("kept pairs are columns plus diagonals minus their crossings") {
  // T = 4: columns 0 and 2, diagonals 0 and 1. By hand: queries keep {0}, {0,1}, {0,1,2}, {0,2,3}.
  const VerticalSlash small{4, {0, 2}, {0, 1}};
  CHECK(keys_of(small, 3) == std::vector<std::uint32_t>{0, 2, 3});
  CHECK(kept_pairs(small) == 1 + 2 + 3 + 3);
  CHECK(kept_pairs(VerticalSlash{0, {}, {}}) == 0);
  CHECK(kept_pairs(VerticalSlash{7, {}, {0}}) == 7);
  RandomStream random(6, "lines");
  for (const std::uint32_t length : {1U, 20U, 64U, 200U, 513U}) {
    for (const HeadPattern head :
         {HeadPattern{1, 1, 0}, {40, 130, 0}, {100, 10, 0}, {9999, 9999, 0}}) {
      const auto lines = choose_lines(head, length, random);
      CHECK(kept_pairs(lines) == count_by_hand(lines));
      CHECK(lines.columns.size() == std::min(length, std::max(head.vertical, 30U)));
      CHECK(lines.diagonals.size() == std::min(length, std::max(head.slash, 50U)));
    }
    const auto full = choose_lines({9999, 9999, 0}, length, random);
    CHECK(kept_pairs(full) == causal_pairs(length));
  }
}

TEST_CASE("a block of queries gathers every key that one of them keeps") {
  RandomStream random(7, "blocks");
  for (const std::uint32_t length : {1U, 20U, 200U, 513U}) {
    for (const HeadPattern head : {HeadPattern{1, 1, 0}, {40, 130, 0}, {100, 10, 0}}) {
      const auto lines = choose_lines(head, length, random);
      for (const std::uint32_t block : {1U, 7U, 64U, 600U}) {
        for (std::uint32_t first = 0; first < length; first += block) {
          const std::uint32_t count = std::min(block, length - first);
          std::set<std::uint32_t> keys;
          for (std::uint32_t q = first; q < first + count; ++q) {
            for (const std::uint32_t key : keys_of(lines, q)) keys.insert(key);
          }
          CHECK(keys_of_block(lines, first, count) == keys.size());
        }
      }
    }
  }
}

TEST_CASE("the first columns and the nearest diagonals are always chosen") {
  RandomStream random(8, "forced");
  const auto lines = choose_lines({100, 800, 0}, 4096, random);
  CHECK(lines.columns[29] == 29);
  CHECK(lines.diagonals[99] == 99);
  CHECK(std::is_sorted(lines.columns.begin(), lines.columns.end()));
  CHECK(std::adjacent_find(lines.diagonals.begin(), lines.diagonals.end()) ==
        lines.diagonals.end());
}

TEST_CASE("sparse MLA rows keep valid indices only and refuse damage") {
  const IndexSets sets{2, 3, {5, -1, 2, 0, 9, -1}};
  const auto prefill = valid_indices(sets, 8, false, "i.npy");
  CHECK(prefill[0] == std::vector<std::uint32_t>{2, 5});
  CHECK(prefill[1] == std::vector<std::uint32_t>{0});
  CHECK(contains(error_of([&] { static_cast<void>(valid_indices(sets, 8, true, "i.npy")); }),
                 "query 1, slot 1"));
  const IndexSets negative{1, 1, {-2}};
  CHECK_THROWS_AS(valid_indices(negative, 8, false, "i"), InputError);
  const IndexSets twice{1, 2, {3, 3}};
  CHECK_THROWS_AS(valid_indices(twice, 8, false, "i"), InputError);
}
