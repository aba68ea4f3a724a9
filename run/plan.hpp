// SPDX-License-Identifier: Apache-2.0
// What one call of the simulator runs: every workload on every machine, from arguments and a
// RUN.yaml.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arch/description/read_spec.hpp"
#include "run/model/workload.hpp"
#include "run/network/run.hpp"
#include "run/product/workload.hpp"

namespace lacuna {

/// As the command line names them; what is given here is put over what the file says.
struct RunArguments {
  std::string run_file;               // RUN.yaml, or the resolved configuration of an earlier run
  std::vector<std::string> machines;  // files or shipped names
  std::string workload_file;
  std::optional<ConfigTree> workload_tree;  // instead: what such a file holds, its files beside
  std::filesystem::path workload_folder;
  WorkloadSpec workload;
  ModelWorkloadSpec model;
  NetworkWorkloadSpec network;
  std::vector<std::string> settings;  // of every machine: "levels.glb.capacity=512KiB"
  std::string fidelity;               // "tile", "element"; empty: the file's
  bool check = false;
  bool no_check = false;
  bool timeline = false;
};

/// A machine to run: its parameters and the configuration that they were read from.
struct ChosenMachine {
  AnyMachine spec;
  ConfigTree resolved;

  [[nodiscard]] const std::string& name() const {
    return std::visit([](const auto& machine) -> const std::string& { return machine.name; }, spec);
  }
};

struct RunPlan {
  std::vector<ChosenMachine> machines;
  std::vector<WorkloadSpec> workloads{1};  // products; each on every machine
  ModelWorkloadSpec model;                 // instead of products, when it names one
  NetworkWorkloadSpec network;             // likewise
  ProductOptions options;

  [[nodiscard]] bool of_model() const { return !model.model.empty(); }
  [[nodiscard]] bool of_network() const { return !network.network.empty(); }
};

/// Reads the files that the arguments name. Throws InputError, also for what these machines and
/// this workload have no use for.
[[nodiscard]] RunPlan make_plan(const RunArguments& arguments);

/// Those that run a model and record none.
[[nodiscard]] std::vector<std::string> machines_without_timeline(const RunPlan& plan);

/// Told what is being read and the share that has been; 1 at its end. May be empty.
using ReadingProgress = std::function<void(const std::string& what, double share)>;

/// Operands of the workload that ran last, for the next run if it wants the same.
struct KeptWorkload {
  std::string key;
  ProductWorkload product;
  std::vector<ProductWorkload> slices;        // of an einsum
  std::optional<FabricWorkload> occupancies;  // may refer to `product`
  std::optional<ModelWorkload> model;
  std::optional<NetworkWorkload> network;
};

/// The configuration that reproduces the plan's i-th result by itself.
[[nodiscard]] ConfigTree resolved_run(const RunPlan& plan, std::size_t i);

/// Workload by workload, on the machines in their order. Each result holds the configuration that
/// reproduces it by itself. Throws InputError, ModelError, Interrupted.
[[nodiscard]] std::vector<RunResult> run_plan(const RunPlan& plan, const ReadingProgress& progress,
                                              KeptWorkload* kept = nullptr);

}  // namespace lacuna
