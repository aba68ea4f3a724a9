// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "tests/catch.hpp"
#include "workloads/routing/execution_layouts.hpp"
#include "workloads/routing/statistics.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::Approx;

namespace {
const std::vector<std::uint32_t> kLoads{5, 0, 8, 3};  // 8 tokens, top-2, 4 experts
const ExpertShape kShape{16, 8};
}  // namespace

TEST_CASE("a grouped GEMM executes exactly the routed rows, aligned to its block") {
  const auto plain = grouped_gemm(kLoads, kShape);
  CHECK(plain.rows == std::vector<std::uint64_t>{5, 0, 8, 3});
  CHECK(plain.cost.flop_executed == 16 * 6 * 16 * 8);
  CHECK(plain.cost.useful_share() == 1.0);
  const auto aligned = grouped_gemm(kLoads, kShape, 4);
  CHECK(aligned.rows == std::vector<std::uint64_t>{8, 0, 8, 4});
  CHECK(aligned.cost.rows_executed == 20);
  CHECK(aligned.cost.rows_useful == 16);
  CHECK_THROWS_AS(grouped_gemm(kLoads, kShape, 0), InputError);
}

TEST_CASE("capacity follows the two published formulas") {
  using Flavour = CapacityRule::Flavour;
  CHECK(expert_capacity({Flavour::kMegaBlocks, 1.25, 1}, 2048, 6, 64, 358) == 240);
  CHECK(expert_capacity({Flavour::kMegaBlocks, 1, 4}, 2048, 6, 64, 358) == 768);
  CHECK(expert_capacity({Flavour::kMegaBlocks, 0, 1}, 2048, 6, 64, 358) == 358);
  // 7 tokens * 2 / 4 experts = 3.5: one rounds down, the other up.
  CHECK(expert_capacity({Flavour::kMegaBlocks, 1, 1}, 7, 2, 4, 5) == 3);
  CHECK(expert_capacity({Flavour::kMegatron, 1, 1}, 7, 2, 4, 5) == 4);
  CHECK_THROWS_AS(expert_capacity({Flavour::kMegaBlocks, -1, 1}, 7, 2, 4, 5), InputError);
}

TEST_CASE("a capacity drops what is above and pads what is below") {
  const auto layout = capacity_layout(kLoads, 4, kShape);
  CHECK(layout.dropped == 1 + 4);
  CHECK(layout.padding == 4 + 1);
  CHECK(layout.dropped_share == Approx(5.0 / 16));
  CHECK(layout.padding_share == Approx(5.0 / 16));  // equal at capacity factor 1
  CHECK(layout.cost.rows_executed == 16);
  CHECK(layout.cost.rows_useful == 11);
  CHECK(layout.cost.flop_executed == 6 * 4 * 4 * 16 * 8);
  CHECK(capacity_layout(kLoads, 8, kShape).dropped == 0);
}

TEST_CASE("overflow is dropped from the end or by the smallest weight") {
  const std::vector<ExpertId> ids{0, 1, 0, 1, 0, 1};
  const std::vector<float> weights{0.1F, 0.5F, 0.9F, 0.4F, 0.5F, 0.6F};
  const ExpertId none = kNoExpert;
  CHECK(drop_overflow(ids, {}, 2, 2, DropOrder::kPosition) ==
        std::vector<ExpertId>{0, 1, 0, 1, none, none});
  CHECK(drop_overflow(ids, weights, 2, 2, DropOrder::kWeight) ==
        std::vector<ExpertId>{none, 1, 0, none, 0, 1});
  CHECK_THROWS_AS(drop_overflow(ids, {}, 2, 2, DropOrder::kWeight), InputError);
  // What is dropped is what the counts say.
  const auto kept = tokens_per_expert(drop_overflow(ids, {}, 2, 1, DropOrder::kPosition), 2);
  CHECK(kept == std::vector<std::uint32_t>{1, 1});
}

TEST_CASE("block-sparse execution pads rows to blocks and counts its metadata") {
  const auto sparse = block_sparse(kLoads, kShape, 4);
  CHECK(sparse.padded_rows == 20);
  CHECK(sparse.block_rows == 5);
  CHECK(sparse.block_columns == 8);
  CHECK(sparse.blocks == 10);
  CHECK(sparse.block_density == 0.25);
  CHECK(sparse.cost.useful_share() == Approx(0.8));
  CHECK(sparse.flop_per_product == 2 * 20 * 16 * 8);
  CHECK(sparse.cost.flop_executed == 3 * sparse.flop_per_product);
  CHECK((sparse.metadata + sparse.metadata_transposed).count() == 10 * 10 + 4 * (5 + 8 + 2));
  CHECK_THROWS_AS(block_sparse(kLoads, kShape, 3), InputError);
  CHECK_THROWS_AS(block_sparse(kLoads, ExpertShape{16, 8 * 40000}, 8), InputError);
}

TEST_CASE("the topology's arrays take the bytes of the formula and transpose each other") {
  const auto topology = block_topology(kLoads, kShape, 4);
  const auto sizes = block_sparse(kLoads, kShape, 4);
  CHECK(topology.bytes() == sizes.metadata + sizes.metadata_transposed);
  const CsrMatrix pattern = topology.pattern();
  pattern.validate();
  CHECK(pattern.nnz() == 10);
  const CsrMatrix t = transpose(pattern);
  CHECK(std::vector<std::int32_t>(t.offsets.begin(), t.offsets.end()) == topology.offsets_t);
  CHECK(std::vector<std::int16_t>(t.columns.begin(), t.columns.end()) == topology.column_indices_t);
  for (std::size_t i = 0; i < topology.block_offsets_t.size(); ++i) {
    const auto value = static_cast<std::size_t>(topology.block_offsets_t[i]);
    CHECK(topology.row_indices[value] == topology.column_indices_t[i]);
  }
  for (Coordinate r = 0; r < pattern.rows; ++r) CHECK(pattern.cols_of(r).size() == 2);
}

TEST_CASE("statistics of loads by hand") {
  const auto s = load_statistics(std::span(kLoads));
  CHECK(s.assignments == 16);
  CHECK(s.least == 0);
  CHECK(s.most == 8);
  CHECK(s.used == 3);
  CHECK(s.max_over_mean == 2.0);
  CHECK(s.cv == Approx(std::sqrt((1.0 + 16 + 16 + 1) / 4) / 4));
  const double entropy =
      -(5.0 / 16 * std::log(5.0 / 16) + 0.5 * std::log(0.5) + 3.0 / 16 * std::log(3.0 / 16));
  CHECK(s.normalised_entropy == Approx(entropy / std::log(4.0)));
  CHECK(rank_imbalance(std::span(kLoads), 2) == Approx((11.0 - 8) / 8));
  CHECK_THROWS_AS(rank_imbalance(std::span(kLoads), 3), InputError);
  const std::vector<std::uint32_t> even{2, 2};
  CHECK(load_statistics(std::span(even)).normalised_entropy == Approx(1));
  const std::vector<std::uint32_t> zero{0, 0};
  CHECK(load_statistics(std::span(zero)).max_over_mean == 0);
}
