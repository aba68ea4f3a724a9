// SPDX-License-Identifier: Apache-2.0
#include "study/mapping/operations.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// A machine that notes what it is asked to run: the products as a run makes them.
class NotingOperations final : public IOperations {
 public:
  explicit NotingOperations(const FabricSpec& machine) : one_by_one_(machine), machine_(nullptr) {
    one_by_one_.overlap = false;  // each has a time of its own
    machine_ = make_operations(one_by_one_, FabricOptions());
  }

  [[nodiscard]] RunResult nothing() const override { return machine_->nothing(); }
  [[nodiscard]] double room_on_chip() const override { return machine_->room_on_chip(); }
  [[nodiscard]] QueryBlocks query_blocks() const override { return machine_->query_blocks(); }
  [[nodiscard]] OperationProducts products(const Operation& operation,
                                           const ModelSparsity& sparsity,
                                           const OperationPlacement& placement,
                                           OperandPool& pool) const override {
    OperationProducts out = machine_->products(operation, sparsity, placement, pool);
    std::vector<std::string>& alike = names_[key_of(out.list)];
    if (std::count(alike.begin(), alike.end(), operation.name) == 0) {
      alike.push_back(operation.name);
    }
    return out;
  }
  [[nodiscard]] bool has_limit() const override { return machine_->has_limit(); }
  void check(const std::string& name, const FabricInstance& product) const override {
    machine_->check(name, product);
  }
  [[nodiscard]] FabricInstance prune_again(const std::string& layer, const FabricInstance& product,
                                           std::uint64_t seed, double& kept) const override {
    return machine_->prune_again(layer, product, seed, kept);
  }
  [[nodiscard]] OperationRun run(const std::string& name,
                                 const std::vector<FabricInstance>& products,
                                 std::uint64_t seed) override {
    FabricWorkload& noted = noted_.emplace_back();
    noted.name = name;
    noted.instances = products;
    noted.seed = seed;
    return machine_->run(name, products, seed);
  }
  [[nodiscard]] OperationRun move(const PlacedOperation& placed) override {
    return machine_->move(placed);
  }
  void overlap(const std::vector<StepBlock>&, std::uint64_t, RunResult&) const override {}
  void finish(RunResult&) const override {}  // the sum is not wanted

  [[nodiscard]] const std::vector<FabricWorkload>& noted() const { return noted_; }
  /// Of operations with the same products; one that is run without being asked for them is alone.
  [[nodiscard]] std::vector<std::string> names_of(const FabricWorkload& noted) const {
    const auto alike = names_.find(key_of(noted.instances));
    return alike == names_.end() ? std::vector<std::string>{noted.name} : alike->second;
  }

 private:
  FabricSpec one_by_one_;
  std::unique_ptr<IOperations> machine_;
  std::vector<FabricWorkload> noted_;
  mutable std::map<std::string, std::vector<std::string>> names_;
};

std::uint64_t outputs_of(const FabricInstance& product) {
  return product.operands->m() * product.operands->n();
}

MappedOperation map_one(const FabricSpec& machine, const FabricWorkload& workload,
                        MapRequest request) {
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> shapes;
  for (const FabricInstance& one : workload.instances) {
    shapes.emplace(one.operands->m(), one.operands->n(), one.operands->k());
  }
  const auto largest =
      std::max_element(workload.instances.begin(), workload.instances.end(),
                       [](const auto& x, const auto& y) { return outputs_of(x) < outputs_of(y); });
  request.product = static_cast<std::size_t>(largest - workload.instances.begin());
  MappedOperation out;
  out.shapes = shapes.size();
  out.search = search_mappings(machine, workload, request);
  return out;
}

template <class Run>
std::vector<MappedOperation> map_noted(const FabricSpec& machine, const MapRequest& request,
                                       const Run& run) {
  if (machine.shared) return {map_one(machine, {}, request)};  // which says why not
  NotingOperations noting(machine);
  const RunResult result = run(noting);
  if (!result.unsupported.empty()) {
    throw InputError(fmt::format("{} cannot run {}", machine.name, result.unsupported));
  }
  std::vector<MappedOperation> out;
  for (const FabricWorkload& workload : noting.noted()) {
    out.push_back(map_one(machine, workload, request));
    out.back().names = noting.names_of(workload);
  }
  return out;
}

}  // namespace

std::vector<MappedOperation> map_operations(const FabricSpec& machine,
                                            const ModelWorkload& workload,
                                            const MapRequest& request) {
  return map_noted(machine, request,
                   [&](IOperations& noting) { return run_model(noting, workload, false); });
}

std::vector<MappedOperation> map_operations(const FabricSpec& machine,
                                            const NetworkWorkload& workload,
                                            const MapRequest& request) {
  return map_noted(machine, request,
                   [&](IOperations& noting) { return run_network(noting, workload, false); });
}

}  // namespace lacuna
