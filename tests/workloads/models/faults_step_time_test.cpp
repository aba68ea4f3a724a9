// SPDX-License-Identifier: Apache-2.0
// The time of a step on a machine of which only the peak rates are known.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/build_graph.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/step_schedule.hpp"

namespace lacuna {
namespace {

using test::Approx;
using test::shipped;

/// Operations that read `bytes` each: first -> (left, right) -> last.
OperationGraph diamond(std::uint64_t bytes, std::uint64_t left_flops) {
  OperationGraph graph;
  graph[boost::graph_bundle].blocks.push_back({"block", {0, 1, 2}});
  for (const char* name : {"first", "left", "right", "last"}) {
    const OperationId id = boost::add_vertex(graph);
    graph[id].name = name;
    graph[id].weight_bytes = Bytes(bytes);
  }
  if (left_flops > 0) {
    graph[1].einsum =
        make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 1}, {"k", left_flops / 2}, {"n", 1}});
    graph[1].weight_bytes = Bytes(0);
  }
  for (const auto& [from, to] : {std::pair{0, 1}, {0, 2}, {1, 3}, {2, 3}}) {
    boost::add_edge(static_cast<OperationId>(from), static_cast<OperationId>(to), GraphTensor{},
                    graph);
  }
  return graph;
}

}  // namespace

TEST_CASE(
    "fault: operations that run together share the bandwidth: mixtral's bytes take their time") {
  const ModelSpec spec = shipped("mixtral-8x7b");
  for (const std::uint64_t batch : {1UL, 16UL, 64UL}) {
    for (const Phase phase : {Phase::kDecode, Phase::kPrefill}) {
      Step step;
      step.phase = phase;
      step.batch = batch;
      const OperationGraph graph = build_graph(spec, step);
      const StepSchedule s = schedule_step(graph, {1e15, 3.35e12});
      const OperationTotals all = totals(graph);
      CHECK(s.bandwidth_seconds ==
            Approx(static_cast<double>(all.moved_bytes().count()) / 3.35e12));
      CHECK(s.arithmetic_seconds == Approx(static_cast<double>(all.flops) / 1e15));
      CHECK(s.seconds >= s.bandwidth_seconds * (1 - 1e-12));
      CHECK(s.seconds >= s.arithmetic_seconds * (1 - 1e-12));
      CHECK(s.seconds >= s.chain_seconds * (1 - 1e-12));
      CHECK(s.seconds <= s.bandwidth_seconds + s.arithmetic_seconds);
    }
  }
}

TEST_CASE("fault: two reads at once take as long as one after the other") {
  const OperationGraph graph = diamond(1000, 0);
  const StepSchedule s = schedule_step(graph, {1, 100});
  CHECK(s.seconds == Approx(3 * 40.0));
  CHECK(s.chain_seconds == Approx(3 * 30.0));
  CHECK(s.limiter() == "bandwidth");
  CHECK(s.longest == std::vector<OperationId>{0, 1, 2, 3});
}

TEST_CASE("fault: reading and computing overlap where neither waits for the other") {
  // Left computes for 25 s while right reads for 10.
  const StepSchedule s = schedule_step(diamond(1000, 50), {2, 100});
  CHECK(s.seconds == Approx(3 * (10 + 25 + 10.0)));
  CHECK(s.limiter() == "dependencies");
  CHECK(s.longest == std::vector<OperationId>{0, 1, 3});
  // Of slower arithmetic all waits, and only the reads around it are beside.
  CHECK(schedule_step(diamond(1000, 50), {0.01, 100}).limiter() == "dependencies");
}

TEST_CASE("fault: more of either rate never makes a step longer, and one of both halves it") {
  for (const char* name : {"deepseek-v3.2", "gpt-oss-20b", "qwen1.5-moe-a2.7b"}) {
    INFO(name);
    Step step;
    step.phase = Phase::kPrefill;
    const OperationGraph graph = build_graph(shipped(name), step);
    const double base = schedule_step(graph, {1e14, 1e12}).seconds;
    CHECK(schedule_step(graph, {2e14, 1e12}).seconds <= base * (1 + 1e-9));
    CHECK(schedule_step(graph, {1e14, 2e12}).seconds <= base * (1 + 1e-9));
    CHECK(schedule_step(graph, {2e14, 2e12}).seconds == Approx(base / 2));
  }
}

}  // namespace lacuna
