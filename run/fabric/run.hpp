// SPDX-License-Identifier: Apache-2.0
// One product on one machine of the tensor-core class, from operands to a complete result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "arch/energy/component.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "arch/system/array_system.hpp"
#include "dataflows/fabric_compile.hpp"
#include "run/product/run.hpp"
#include "run/result.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

/// One operation: a product, or the products of experts, heads or sequences that run together.
struct FabricWorkload {
  std::string name;
  std::vector<FabricInstance> instances;
  std::map<std::string, std::string> inputs;  // file -> sha256
  std::uint64_t seed = 1;
  /// Values of both operands (B as N x K), for runs of one product that carry them.
  const ProductWorkload* values = nullptr;

  /// Of the first product.
  [[nodiscard]] const GemmOperands& operands() const { return *instances.front().operands; }
};

struct FabricOptions : ProductOptions {
  FabricOptions() = default;
  explicit(false) FabricOptions(const ProductOptions& options) : ProductOptions(options) {}
  FabricMode mode = FabricMode::data;
  ArrayTime time = ArrayTime::simulated;
  const ComponentSet* components = nullptr;  // null: the machine's, loaded for the run
  std::vector<double>* outputs = nullptr;    // of a checked run: Z, M x N, row-major
  /// Gets the program that ran, on a machine without clusters.
  std::shared_ptr<const ArrayProgram>* program = nullptr;
};

/// A machine that cannot run the product answers with RunResult::unsupported. Throws InputError for
/// an energy table that lacks actions, ModelError when a count does not balance.
[[nodiscard]] RunResult run_fabric(const FabricSpec& machine, const FabricWorkload& workload,
                                   const FabricOptions& options = {});

[[nodiscard]] FabricInstance single(GemmOperands operands);

/// The occupancies of a product, which must outlive it.
[[nodiscard]] FabricWorkload fabric_workload(const ProductWorkload& workload);

/// A product of patterns (see sparse_formats/pattern.hpp).
[[nodiscard]] FabricWorkload pattern_workload(std::uint64_t m, std::uint64_t n, std::uint64_t k,
                                              const std::string& a, const std::string& b,
                                              std::uint64_t seed = 1);

/// A shipped machine by name ("highlight", "published/dstc").
[[nodiscard]] FabricSpec load_fabric(const std::string& name,
                                     const std::vector<std::string>& settings = {});

}  // namespace lacuna
