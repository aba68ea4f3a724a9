// SPDX-License-Identifier: Apache-2.0
// A step of a model as a workload: from the command line, a RUN.yaml or a resolved configuration.
#pragma once

#include "base/config.hpp"
#include "run/model/run.hpp"
#include "run/model/step_arguments.hpp"

namespace lacuna {

struct ModelWorkloadSpec {
  std::string model;  // empty: the workload is no model
  StepArguments step;
  // Patterns of weights by where they stand; the first serves all that are not given.
  std::string weights = "dense";
  std::string attention_weights, ffn_weights, expert_weights;
  std::string activations = "dense";              // of what weights are multiplied with
  std::string low_rank;                           // rules of workloads/models/low_rank.hpp
  std::string activation_table, attention_table;  // workloads/models/step_tables.hpp
  std::string layout;  // of routed experts (model_layout.hpp); empty: rows as routed
};

/// The mapping of a workload that has `model`; to_config() writes what it reads.
[[nodiscard]] ModelWorkloadSpec read_model_workload(const ConfigReader& config,
                                                    const std::filesystem::path& folder);
[[nodiscard]] ConfigTree to_config(const ModelWorkloadSpec& spec);

/// Loads the model and its routing and builds the graph. Throws InputError.
[[nodiscard]] ModelWorkload make_model_workload(const ModelWorkloadSpec& spec);

}  // namespace lacuna
