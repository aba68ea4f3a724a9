// SPDX-License-Identifier: Apache-2.0
// A model and one step of it, as the command line gives them: shared by the commands that take a
// model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workloads/models/build_graph.hpp"
#include "workloads/models/routed_step.hpp"

namespace lacuna {

struct StepArguments {
  std::string phase = "decode";
  std::string attention = "auto";
  std::string cache = "bf16";
  std::string layers;
  std::string routing;
  std::string precision;  // of weights; empty: the configuration's
  std::uint64_t seed = 1;
  Step step;
};

/// A config.json, its folder, or a shipped name. Throws InputError.
[[nodiscard]] ModelSpec load_named_model(const std::string& name);

struct ChosenStep {
  Step step;
  std::shared_ptr<const StepRouting> routing;  // null: uniform
  std::vector<std::string> notes;              // what the reader of a result should know
};
/// Checked against the model. Throws InputError.
[[nodiscard]] ChosenStep choose_step(const StepArguments& arguments, const ModelSpec& spec);

}  // namespace lacuna
