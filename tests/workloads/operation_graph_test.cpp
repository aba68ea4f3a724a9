// SPDX-License-Identifier: Apache-2.0
// What a graph of operations must be, whoever builds it.
#include "workloads/operation_graph.hpp"

#include <set>
#include <string_view>

#include "base/error.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shuffled_graph.hpp"
#include "workloads/models/build_graph.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/step_schedule.hpp"

namespace lacuna {
namespace {

Einsum product() {
  return make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 4}, {"k", 8}, {"n", 2}});
}

/// Two sources of rows and one product of both: operations 0 and 1, and 2.
OperationGraph pair_and_product() {
  OperationGraph graph;
  graph[boost::graph_bundle].blocks.push_back({"block", {}});
  for (const char* name : {"left", "right", "product"}) {
    const OperationId id = boost::add_vertex(graph);
    graph[id].name = name;
    graph[id].role = Role::kAttentionVector;
    graph[id].activation_write_bytes = Bytes(64);
  }
  graph[2].role = Role::kScores;
  graph[2].kind = OperationKind::kEinsum;
  graph[2].einsum = product();
  return graph;
}

std::string fault_of(const OperationGraph& graph) {
  try {
    check_operations(graph);
  } catch (const ModelError& e) {
    return e.what();
  }
  return "";
}

bool says(const OperationGraph& graph, const std::string& what) {
  const std::string fault = fault_of(graph);
  INFO(fault);
  return fault.find(what) != std::string::npos;
}

Step step_of(Phase phase) {
  Step step;
  step.phase = phase;
  step.batch = 2;
  step.context = 512;
  return step;
}

}  // namespace

TEST_CASE("an operand of a product has its producer, whatever was added first") {
  OperationGraph graph = pair_and_product();
  connect(graph, 1, 2, 2);
  connect(graph, 0, 2, 1);
  CHECK(fault_of(graph) == "");
  CHECK(producer_of(graph, 2, 1) == OperationId{0});
  CHECK(producer_of(graph, 2, 2) == OperationId{1});
  CHECK_FALSE(producer_of(graph, 2, 3));
  CHECK_FALSE(producer_of(graph, 0, 1));
}

TEST_CASE("a tensor carries what its producer writes: rows, cache or positions") {
  OperationGraph graph = pair_and_product();
  graph[0].kind = OperationKind::kCacheAppend;
  graph[0].cache_write_bytes = Bytes(32);
  graph[1].kind = OperationKind::kTopK;
  graph[1].index_bytes = Bytes(16);
  connect(graph, 0, 2, 2);
  connect(graph, 1, 2, std::nullopt);
  CHECK(fault_of(graph) == "");
  std::vector<std::uint64_t> bytes;
  for (const auto e : boost::make_iterator_range(boost::in_edges(2, graph))) {
    bytes.push_back(graph[e].bytes.count());
  }
  CHECK(bytes == std::vector<std::uint64_t>{32, 16});
}

TEST_CASE("an operand with two producers is refused") {
  OperationGraph graph = pair_and_product();
  connect(graph, 0, 2, 1);
  connect(graph, 1, 2, 1);
  CHECK(says(graph, "operand 1 of product comes from right as well"));
}

TEST_CASE("a tensor that the product has no place for is refused") {
  OperationGraph beyond = pair_and_product();
  connect(beyond, 0, 2, 3);
  CHECK(says(beyond, "left is operand 3 of product, which reads 2"));
  OperationGraph result = pair_and_product();
  connect(result, 0, 2, 0);
  CHECK(says(result, "left would write the result of product"));
  OperationGraph weight = pair_and_product();
  weight[2].einsum->operands[2].kind = OperandKind::kWeight;
  connect(weight, 0, 2, 2);
  CHECK(says(weight, "left is a weight of product"));
}

TEST_CASE("only positions are no operand of what reads them") {
  OperationGraph graph = pair_and_product();
  connect(graph, 0, 2, std::nullopt);
  CHECK(says(graph, "left of product is no operand of it"));
}

TEST_CASE("an operation without a role, or before what it reads, is refused") {
  OperationGraph unset = pair_and_product();
  unset[1].role = Role::kUnset;
  CHECK(says(unset, "right has no role"));
  CHECK_THROWS_AS(totals_by_part(unset), ModelError);
  OperationGraph backwards = pair_and_product();
  connect(backwards, 2, 1, 1);
  CHECK(says(backwards, "right comes before product, which it reads"));
  CHECK_THROWS_AS(critical_path(backwards, flop_cost()), ModelError);
}

TEST_CASE("every part has a label of its own") {
  std::set<std::string_view> labels;
  for (int part = 0; part <= static_cast<int>(Part::kHead); ++part) {
    labels.insert(label_of(static_cast<Part>(part)));
  }
  CHECK(labels.size() == static_cast<std::size_t>(Part::kHead) + 1);
}

TEST_CASE("the order in which tensors are added sets no path and no time") {
  for (const char* name : {"deepseek-v3.2", "qwen1.5-moe-a2.7b", "gpt-oss-20b"}) {
    const ModelSpec spec =
        load_model(test::source_dir() / "configs" / "models" / (std::string(name) + ".json"));
    for (const Phase phase : {Phase::kDecode, Phase::kPrefill}) {
      const OperationGraph graph = build_graph(spec, step_of(phase));
      const PeakRates rates{1e15, 3e12};
      const StepSchedule schedule = schedule_step(graph, rates);
      for (const unsigned seed : {1U, 2U, 3U}) {
        const OperationGraph other = test::with_shuffled_edges(graph, seed);
        CHECK(fault_of(other) == "");
        for (const OperationCost& cost : {flop_cost(), roofline_cost(1e15, 3e12)}) {
          CHECK(critical_path(other, cost).operations == critical_path(graph, cost).operations);
        }
        CHECK(schedule_step(other, rates).longest == schedule.longest);
        CHECK(schedule_step(other, rates).seconds == schedule.seconds);
      }
    }
  }
}

}  // namespace lacuna
