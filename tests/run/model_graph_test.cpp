// SPDX-License-Identifier: Apache-2.0
// What may not change a step's numbers: what its operations are called, and the order in which the
// tensors between them were added to the graph.
#include <functional>

#include "run/model/placement.hpp"
#include "run/model/workload.hpp"
#include "study/matrix_folder.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shuffled_graph.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/low_rank.hpp"

namespace lacuna {
namespace {

struct Case {
  const char* model;
  const char* phase;
  const char* form;
  const char* layers;
  std::uint64_t context;
};
const std::vector<Case> kCases{{"deepseek-v3", "decode", "absorbed", "2-3", 1024},
                               {"deepseek-v3.2", "prefill", "naive", "3-3", 96},
                               {"qwen1.5-moe-a2.7b", "prefill", "", "0-0", 128}};

ModelWorkload workload_of(const Case& c) {
  ModelWorkloadSpec spec;
  spec.model = c.model;
  spec.step.phase = c.phase;
  if (*c.form != '\0') spec.step.attention = c.form;
  spec.step.layers = c.layers;
  spec.step.step.batch = 2;
  spec.step.step.context = c.context;
  spec.step.routing = "power-law:1.01";
  spec.expert_weights = "C1(4:8)->C0(2:4)";
  spec.ffn_weights = "2:4";
  spec.attention_weights = "1:4";
  return make_model_workload(spec);
}

std::string text_of(const PlacedOperation& p) {
  return fmt::format("{} {} {} {}; {} {} {} {}\n", p.einsum.stationary_on_chip,
                     p.einsum.streamed_on_chip, p.einsum.result_on_chip, p.einsum.held_bytes,
                     p.dram_read, p.dram_write, p.buffer_read, p.buffer_write);
}

/// Where every tensor is and what every operation multiplies.
std::string plan_of(const ModelWorkload& workload, const FabricSpec& machine) {
  std::string out;
  const auto placed = place_operations(workload.graph, 1 << 20, {64, 64});
  for (OperationId v = 0; v < placed.size(); ++v) {
    out += text_of(placed[v]);
    if (!workload.graph[v].einsum) continue;
    out += key_of(products_of(workload.graph[v], machine, workload.sparsity, placed[v].einsum,
                              *workload.pool, true)
                      .list);
  }
  return out;
}

/// What the step takes and moves.
std::string cost_of(const ModelWorkload& workload, const FabricSpec& machine) {
  const RunResult r = run_model(machine, workload, {});
  std::string out = fmt::format("{} {} {}\n", r.statistics.cycles.count(),
                                r.energy.total_picojoules, r.macs_dense);
  for (const auto& [level, tensors] : r.statistics.traffic) {
    for (const auto& [tensor, moved] : tensors) {
      out += fmt::format("{} {} {} {}\n", level, tensor, moved.read_bytes, moved.write_bytes);
    }
  }
  for (const OperationReport& op : r.operations) {
    out += fmt::format("{} {} {}\n", op.cycles.count(), op.picojoules, op.group);
  }
  return out;
}

void hold(const std::function<OperationGraph(const OperationGraph&)>& change) {
  const FabricSpec machine = load_fabric("tc-xl");
  for (const Case& c : kCases) {
    INFO(c.model);
    ModelWorkload workload = workload_of(c);
    const std::string plan = plan_of(workload, machine), cost = cost_of(workload, machine);
    workload.graph = change(workload.graph);
    CHECK(plan_of(workload, machine) == plan);
    CHECK(cost_of(workload, machine) == cost);
  }
}

OperationGraph relabelled(const OperationGraph& graph) {
  OperationGraph out = graph;
  for (OperationId v = 0; v < boost::num_vertices(out); ++v) {
    out[v].name = fmt::format("nothing that anybody compares {}", v);
  }
  for (const auto e : boost::make_iterator_range(boost::edges(out))) out[e].name = "a tensor";
  for (GraphBlock& block : out[boost::graph_bundle].blocks) block.name = "a block";
  return out;
}

}  // namespace

TEST_CASE("other names for all operations change no placement, no product and no cost") {
  hold(relabelled);
}

TEST_CASE("tensors added in another order change no placement, no product and no cost") {
  for (const unsigned seed : {1U, 2U}) {
    hold([&](const OperationGraph& graph) { return test::with_shuffled_edges(graph, seed); });
  }
}

TEST_CASE("a factorised step knows its parts and operands by no name and no order") {
  const ModelSpec model =
      load_model(test::source_dir() / "configs" / "models" / "qwen1.5-moe-a2.7b.json");
  const OperationGraph graph = workload_of(kCases.back()).graph;
  const std::string rules = "attention:64,experts:128,shared:128";
  const auto placed = [&](const OperationGraph& g) {
    std::string out;
    const Factorized factorized = factorize(g, model, rules);
    for (const auto& p : place_operations(factorized.graph, 1 << 20, {64, 64})) out += text_of(p);
    return out + fmt::format("{}", totals(factorized.graph).moved_bytes().count());
  };
  const std::string expected = placed(graph);
  CHECK(placed(relabelled(graph)) == expected);
  CHECK(placed(test::with_shuffled_edges(graph, 3)) == expected);
}

}  // namespace lacuna
