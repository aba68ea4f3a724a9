// SPDX-License-Identifier: Apache-2.0
#include "study/dial_cost.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "run/model/run.hpp"
#include "workloads/models/graph_builder.hpp"

namespace lacuna {
namespace {

/// The operations of a decode step: layers of experts, nothing between them.
class ExpertStack {
 public:
  ExpertStack(const DialOptions& options, const DialPoint& point, const DialShape& shape,
              std::uint64_t width)
      : shape_(shape), width_(width), bits_(options.weight_bits) {
    RoutingRule rule;
    rule.experts = point.experts;
    rule.experts_per_token = options.experts_per_token;
    rows_ = uniform_counts(rule, options.batch);
    GraphInfo& info = graph_[boost::graph_bundle];
    info.name = fmt::format("dial-{}-experts", point.experts);
    info.sequences = info.tokens = options.batch;
    std::vector<std::uint32_t> layers(shape.layers);
    std::iota(layers.begin(), layers.end(), 0U);
    info.blocks.push_back({"experts", std::move(layers)});
    build();
  }

  [[nodiscard]] OperationGraph take() { return std::move(graph_); }

 private:
  void build() {
    const OperationId gate = product("expert_gate", Role::kExpertGate, shape_.hidden, width_);
    const OperationId up = product("expert_up", Role::kExpertUp, shape_.hidden, width_);
    Operation activation;
    activation.name = "expert_activation";
    activation.role = Role::kExpertVector;
    activation.kind = OperationKind::kActivation;
    activation.activation_read_bytes =
        graph_[gate].activation_write_bytes + graph_[up].activation_write_bytes;
    activation.activation_write_bytes = graph_[gate].activation_write_bytes;
    const OperationId act = add(std::move(activation));
    connect(graph_, gate, act, 1);
    connect(graph_, up, act, 2);
    const OperationId down = product("expert_down", Role::kExpertDown, width_, shape_.hidden);
    connect(graph_, act, down, 1);
    check_operations(graph_);
  }

  OperationId product(const char* name, Role role, std::uint64_t in, std::uint64_t out) {
    Einsum grouped =
        make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 1}, {"k", in}, {"n", out}}, rows_.size());
    set_rows_per_instance(grouped, rows_);
    grouped.operands[2].kind = OperandKind::kWeight;
    grouped.operands[2].bits = bits_;
    Operation op;
    op.name = name;
    op.role = role;
    op.kind = OperationKind::kEinsum;
    op.weight_elements = total_elements(grouped, 2);
    op.weight_bytes = total_bytes(grouped, 2);
    op.activation_read_bytes = total_bytes(grouped, 1);
    op.activation_write_bytes = total_bytes(grouped, 0);
    op.einsum = std::move(grouped);
    return add(std::move(op));
  }

  OperationId add(Operation op) {
    const OperationId id = boost::add_vertex(graph_);
    graph_[id] = std::move(op);
    return id;
  }

  DialShape shape_;
  std::uint64_t width_;
  std::uint32_t bits_;
  std::vector<std::uint32_t> rows_;
  OperationGraph graph_;
};

void check(const DialShape& shape) {
  if (shape.layers == 0 || shape.layers > 10'000) {
    throw InputError(Place{"", 0, "layers"}, fmt::format("{} layers", shape.layers),
                     "expected 1 to 10000");
  }
  if (shape.hidden == 0 || shape.hidden > (1U << 20)) {
    throw InputError(Place{"", 0, "hidden"}, fmt::format("a hidden size of {}", shape.hidden),
                     "expected 1 to 1048576");
  }
}

std::uint64_t width_of(const DialPoint& point, const DialShape& shape) {
  const double width = point.parameters / (3.0 * static_cast<double>(point.experts) *
                                           static_cast<double>(shape.layers * shape.hidden));
  if (width < 1 || width > 1e9) {
    throw InputError(Place{"", 0, "hidden"},
                     fmt::format("{} experts of {} layers and hidden size {} would be {:.3g} wide",
                                 point.experts, shape.layers, shape.hidden, width),
                     "choose --layers and --hidden that leave an expert 1 to 1e9 columns");
  }
  return static_cast<std::uint64_t>(std::llround(width));
}

}  // namespace

std::vector<DialCost> dial_costs(const FabricSpec& machine, const DialOptions& options,
                                 const std::vector<DialPoint>& points, const DialShape& shape) {
  check(shape);
  std::vector<DialCost> costs;
  for (const DialPoint& point : points) {
    DialCost cost;
    cost.width = width_of(point, shape);
    cost.size_error = 3.0 * static_cast<double>(point.experts * shape.layers) *
                          static_cast<double>(shape.hidden * cost.width) / point.parameters -
                      1;
    ModelWorkload workload;
    workload.graph = ExpertStack(options, point, shape, cost.width).take();
    workload.name = info_of(workload.graph).name;
    workload.pool = std::make_shared<OperandPool>(1);
    const RunResult result = run_model(machine, workload, {});
    if (!result.unsupported.empty()) {
      throw InputError(fmt::format("{}: {}", machine.name, result.unsupported));
    }
    const auto tokens = static_cast<double>(options.batch);
    cost.step_cycles = static_cast<double>(result.statistics.cycles.count());
    cost.cycles = cost.step_cycles / tokens;
    cost.picojoules = result.energy.total_picojoules / tokens;
    for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
      cost.dram_bytes += static_cast<double>(moved.read_bytes + moved.write_bytes) / tokens;
    }
    costs.push_back(cost);
  }
  return costs;
}

}  // namespace lacuna
