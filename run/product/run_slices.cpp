// SPDX-License-Identifier: Apache-2.0
#include "run/product/run_slices.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "run/fabric/run.hpp"
#include "run/host_meter.hpp"
#include "run/limits.hpp"
#include "run/result_sum.hpp"
#include "run/rowwise/run.hpp"

namespace lacuna {
namespace {

/// Arrays reduce tile by tile: a step makes an output of every row and column that is in it.
RunResult refused(const FabricSpec& machine, const ProductWorkload& slice) {
  RunResult result;
  result.name = machine.name;
  result.workload = slice.name;
  result.clock = machine.clock;
  result.unsupported = samples_refused(
      "its arrays make all outputs of a tile of rows and columns at once; ExTensor's class and "
      "machines that merge rows can leave some out");
  return result;
}

RunResult run_one(const AnyMachine& machine, const ProductWorkload& slice,
                  const ProductOptions& options) {
  if (const auto* product = std::get_if<MachineSpec>(&machine)) {
    return run_product(*product, slice, options);
  }
  if (const auto* rowwise = std::get_if<RowwiseSpec>(&machine)) {
    return run_product(*rowwise, slice, options);
  }
  if (slice.samples) return refused(std::get<FabricSpec>(machine), slice);
  return run_fabric(std::get<FabricSpec>(machine), fabric_workload(slice), options);
}

void add_check(CheckReport& all, const CheckReport& one, bool first) {
  if (first) {
    all = one;
    return;
  }
  all.performed = all.performed && one.performed;
  if (all.passed && !one.passed) all.problem = one.problem;
  all.passed = all.passed && one.passed;
  all.max_relative_error = std::max(all.max_relative_error, one.max_relative_error);
}

void add_warnings(RunResult& total, const RunResult& one) {
  auto& all = total.provenance.warnings;
  for (const std::string& warning : one.provenance.warnings) {
    if (std::find(all.begin(), all.end(), warning) == all.end()) all.push_back(warning);
  }
}

}  // namespace

RunResult run_slices(const AnyMachine& machine, const std::vector<ProductWorkload>& slices,
                     const ProductOptions& options) {
  if (slices.size() == 1) return run_one(machine, slices.front(), options);
  if (options.timeline) {
    throw InputError("--timeline: the products of a batch run one by one and have none in common",
                     "leave it out, or run one of them");
  }
  const HostMeter meter;
  RunResult total;
  for (const ProductWorkload& slice : slices) {
    stop_if_requested();
    RunResult one = run_one(machine, slice, options);
    if (!one.unsupported.empty()) return one;
    const bool first = total.name.empty();
    if (first) {
      total.name = one.name;
      total.workload = one.workload;
      total.clock = one.clock;
      total.format = one.format;
      total.provenance = one.provenance;
    }
    add_result(total, one, 1);
    total.in_memory.a += one.in_memory.a;
    total.in_memory.rest += one.in_memory.rest;
    add_check(total.check, one.check, first);
    add_warnings(total, one);
  }
  total.beside["products_executed"] = slices.size();
  finish_total(total);
  if (const auto* product = std::get_if<MachineSpec>(&machine)) check_sum_limits(*product, total);
  if (const auto* arrays = std::get_if<FabricSpec>(&machine)) check_sum_limits(*arrays, total);
  meter.read(total);
  return total;
}

}  // namespace lacuna
