// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "run/plan.hpp"
#include "run/product/run_slices.hpp"
#include "run/rowwise/run.hpp"

namespace lacuna {
namespace {

/// The configuration that reproduces one run by itself.
ConfigTree resolved(const ChosenMachine& machine, const RunPlan& plan,
                    const WorkloadSpec& product) {
  ConfigTree tree;
  tree.at_or_add("machine") = machine.resolved;
  tree.at_or_add("workload") = plan.of_model()     ? to_config(plan.model)
                               : plan.of_network() ? to_config(plan.network)
                                                   : to_config(product);
  tree.put("fidelity", plan.options.fidelity == Fidelity::tile ? "tile" : "element");
  tree.put("check", plan.options.check ? "true" : "false");
  return tree;
}

/// Makes the workload unless it is the one that is kept.
template <class Make>
void keep(KeptWorkload& kept, std::string key, Make&& make) {
  if (kept.key == key) return;
  kept = {};
  make();
  kept.key = std::move(key);
}

/// One einsum on every machine.
void run_kernel_on_all(const RunPlan& plan, const WorkloadSpec& spec,
                       const ReadingProgress& progress, KeptWorkload& kept,
                       std::vector<RunResult>& results) {
  ProductOptions options = plan.options;
  options.check_where_possible = true;
  const bool values = options.check || options.fidelity == Fidelity::element;
  keep(kept, fmt::format("{}{}", to_config(spec).to_yaml(), values), [&] {
    const std::string what = "reading the operands of " + name_of(spec);
    kept.slices = make_kernel(spec.kernel, name_of(spec), spec.seed, values, [&](double share) {
      stop_if_requested();
      if (progress) progress(what, share);
    });
    if (progress) progress(what, 1);
  });
  for (const ChosenMachine& machine : plan.machines) {
    stop_if_requested();
    results.push_back(run_slices(machine.spec, kept.slices, options));
  }
}

/// One product on every machine.
void run_product_on_all(const RunPlan& plan, const WorkloadSpec& spec,
                        const ReadingProgress& progress, KeptWorkload& kept,
                        std::vector<RunResult>& results) {
  const bool values = plan.options.check || plan.options.fidelity == Fidelity::element;
  const bool rows = std::any_of(
      plan.machines.begin(), plan.machines.end(),
      [](const ChosenMachine& m) { return !std::holds_alternative<FabricSpec>(m.spec); });
  for (const ChosenMachine& machine : plan.machines) {  // before operands are drawn
    const auto* arrays = std::get_if<FabricSpec>(&machine.spec);
    if (arrays != nullptr && !spec.gemm.empty()) check_instructions(*arrays, shape_of_gemm(spec));
  }
  ProductOptions options = plan.options;
  options.check_where_possible = rows;  // what takes every nonzero checks any product
  const bool as_bits = !spec.gemm.empty() && !values && !rows;
  keep(kept, fmt::format("{}{}{}", to_config(spec).to_yaml(), values, as_bits), [&] {
    if (as_bits) {
      kept.occupancies = make_gemm_occupancies(spec);  // as bits they take a thirtieth
      return;
    }
    const std::string what = "reading " + spec.matrix;
    kept.product = make_workload(spec, values, [&](double share) {
      stop_if_requested();
      if (progress) progress(what, share);
    });
    if (progress) progress(what, 1);
  });
  for (const ChosenMachine& machine : plan.machines) {
    stop_if_requested();
    if (const auto* product = std::get_if<MachineSpec>(&machine.spec)) {
      results.push_back(run_product(*product, kept.product, options));
    } else if (const auto* rowwise = std::get_if<RowwiseSpec>(&machine.spec)) {
      results.push_back(run_product(*rowwise, kept.product, options));
    } else {
      if (!kept.occupancies) kept.occupancies = fabric_workload(kept.product);
      results.push_back(run_fabric(std::get<FabricSpec>(machine.spec), *kept.occupancies, options));
    }
  }
}

std::vector<RunResult> run_products(const RunPlan& plan, const ReadingProgress& progress,
                                    KeptWorkload& kept) {
  std::vector<RunResult> results;
  for (const WorkloadSpec& spec : plan.workloads) {
    spec.kernel.empty() ? run_product_on_all(plan, spec, progress, kept, results)
                        : run_kernel_on_all(plan, spec, progress, kept, results);
  }
  return results;
}

/// A run whose operands its machine's memory cannot hold is none.
void refuse_beyond_memory(Bytes capacity, RunResult& result) {
  const Bytes needed(result.in_memory.a + result.in_memory.rest);
  if (!result.unsupported.empty() || needed <= capacity) return;
  RunResult none;
  none.name = std::move(result.name);
  none.workload = std::move(result.workload);
  none.clock = result.clock;
  none.format = result.format;
  none.provenance = std::move(result.provenance);
  none.unsupported = fmt::format(
      "its operands and outputs take at least {} bytes of memory, which holds {} "
      "(memory.capacity)",
      needed.count(), capacity.count());
  result = std::move(none);
}

/// Of several operations, on every machine.
template <class Run>
std::vector<RunResult> on_machines(const RunPlan& plan, Run&& run) {
  if (plan.options.check || plan.options.fidelity == Fidelity::element) {
    throw InputError("models and networks carry no values to check or to step through",
                     "leave --check and --fidelity element out; products take them");
  }
  std::vector<RunResult> results;
  for (const ChosenMachine& machine : plan.machines) {
    stop_if_requested();
    if (const auto* spec = std::get_if<MachineSpec>(&machine.spec)) {
      results.push_back(run(*spec));
    } else {  // the others run products alone, which make_plan() has said
      results.push_back(run(std::get<FabricSpec>(machine.spec)));
    }
  }
  return results;
}

std::vector<RunResult> run_workload(const RunPlan& plan, const ReadingProgress& progress,
                                    KeptWorkload& kept) {
  if (plan.of_model()) {
    keep(kept, to_config(plan.model).to_yaml(),
         [&] { kept.model = make_model_workload(plan.model); });
    return on_machines(
        plan, [&](const auto& spec) { return run_model(spec, *kept.model, plan.options); });
  }
  if (plan.of_network()) {
    keep(kept, to_config(plan.network).to_yaml(),
         [&] { kept.network = make_network_workload(plan.network); });
    return on_machines(
        plan, [&](const auto& spec) { return run_network(spec, *kept.network, plan.options); });
  }
  return run_products(plan, progress, kept);
}

}  // namespace

ConfigTree resolved_run(const RunPlan& plan, std::size_t i) {
  const std::size_t machines = plan.machines.size();
  return resolved(plan.machines[i % machines], plan, plan.workloads[i / machines]);
}

std::vector<RunResult> run_plan(const RunPlan& plan, const ReadingProgress& progress,
                                KeptWorkload* kept) {
  KeptWorkload own;
  std::vector<RunResult> results = run_workload(plan, progress, kept != nullptr ? *kept : own);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Bytes capacity = std::visit([](const auto& spec) { return spec.dram.capacity; },
                                      plan.machines[i % plan.machines.size()].spec);
    if (capacity > Bytes(0)) refuse_beyond_memory(capacity, results[i]);
    results[i].resolved = resolved_run(plan, i);
  }
  return results;
}

}  // namespace lacuna
