// SPDX-License-Identifier: Apache-2.0
// One simulation for a step of a model: do its operations keep what they count, take no longer than
// one after another, and wait for what they read?
#include "run/model/reads.hpp"
#include "run/model/workload.hpp"
#include "run/network/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

ModelWorkload step(const char* model, const char* phase, std::uint64_t layers) {
  ModelWorkloadSpec spec;
  spec.model = model;
  spec.step.phase = phase;
  spec.step.layers = layers == 0 ? "" : "0-" + std::to_string(layers - 1);
  spec.step.step.batch = 4;
  spec.step.step.context = 256;
  return make_model_workload(spec);
}

void check_same_but_time(const RunResult& step, const RunResult& sum) {
  CHECK(step.statistics.traffic == sum.statistics.traffic);
  CHECK(step.statistics.actions == sum.statistics.actions);
  const auto dynamic = [](const RunResult& r) {
    return r.energy.total_picojoules - r.energy.static_picojoules;
  };
  CHECK(dynamic(step) == test::Approx(dynamic(sum)));
  // Leakage is of the step's time, not of the operations' alone; operations share it.
  CHECK(step.energy.static_picojoules < sum.energy.static_picojoules);
  double operations = 0;
  for (const OperationReport& op : step.operations) {
    operations += op.picojoules * static_cast<double>(op.times);
  }
  CHECK(operations == test::Approx(step.energy.total_picojoules).epsilon(1e-6));
  CHECK(step.macs_dense == sum.macs_dense);
  CHECK(step.statistics.cycles >= step.statistics.cycles_bound);
  CHECK(step.statistics.cycles < sum.statistics.cycles);
  std::uint64_t cycles = 0;
  for (const OperationReport& op : step.operations) cycles += op.in_step.count();
  CHECK(cycles == step.statistics.cycles.count());
}

}  // namespace

TEST_CASE("operations that overlap count what they count alone, in less time") {
  for (const char* name : {"tc-xl", "highlight-xl", "lacuna-xl"}) {
    INFO(name);
    const ModelWorkload decode = step("qwen3-30b-a3b", "decode", 2);
    check_same_but_time(run_model(load_fabric(name), decode, {}),
                        run_model(load_fabric(name, {"overlap=false"}), decode, {}));
  }
  NetworkWorkloadSpec network;
  network.network = "transformer-big";
  const NetworkWorkload layers = make_network_workload(network);
  check_same_but_time(run_network(load_fabric("highlight"), layers, {}),
                      run_network(load_fabric("highlight", {"overlap=false"}), layers, {}));
}

TEST_CASE("layers behind the second take what the second takes") {
  const FabricSpec machine = load_fabric("tc-xl");
  const auto cycles = [&](std::uint64_t layers) {
    return run_model(machine, step("qwen3-30b-a3b", "decode", layers), {})
        .statistics.cycles.count();
  };
  const std::uint64_t two = cycles(2), three = cycles(3), twenty = cycles(20);
  CHECK(twenty - three == 17 * (three - two));
}

TEST_CASE("weights are there from the start, those of chosen experts after the choice") {
  const ModelWorkload workload = step("qwen3-30b-a3b", "decode", 1);
  const OperationGraph& graph = workload.graph;
  const auto all = reads_of(graph);
  std::optional<OperationId> choice;
  std::size_t experts = 0, weights = 0;
  for (OperationId v = 0; v < all.size(); ++v) {
    if (graph[v].kind == OperationKind::kTopK) choice = v;
    if (!graph[v].einsum || graph[v].einsum->operands[2].kind != OperandKind::kWeight) continue;
    INFO(graph[v].name);
    if (part_of(graph[v].role) == Part::kRoutedExperts) {
      CHECK_FALSE(all[v].stationary.from_start);
      REQUIRE(choice);
      CHECK(all[v].stationary.last == choice);
      ++experts;
    } else {
      CHECK(all[v].stationary.from_start);
      ++weights;
    }
    CHECK_FALSE(all[v].streamed.from_start);
  }
  CHECK(experts > 0);
  CHECK(weights > 0);
}

TEST_CASE("no operation reads before what it reads is written") {
  for (const char* model : {"qwen3-30b-a3b", "deepseek-v2-lite", "gpt-oss-20b", "mixtral-8x7b"}) {
    const ModelWorkload workload = step(model, "decode", 2);
    const OperationGraph& graph = workload.graph;
    const auto all = reads_of(graph);
    for (OperationId v = 0; v < all.size(); ++v) {
      INFO(model << " " << graph[v].name);
      for (const auto e : boost::make_iterator_range(boost::in_edges(v, graph))) {
        const OperationId producer = boost::source(e, graph);
        if (graph[producer].block != graph[v].block) continue;
        const auto operand = graph[e].operand;
        const bool streamed = !operand || *operand == 1 || !graph[v].einsum;
        const bool stationary = !operand || *operand == 2 || !graph[v].einsum;
        if (streamed) CHECK(all[v].streamed.last.value_or(0) >= producer);
        const bool weight =
            graph[v].einsum && graph[v].einsum->operands[2].kind == OperandKind::kWeight;
        if (stationary && !weight) CHECK(all[v].stationary.last.value_or(0) >= producer);
      }
    }
  }
}
