// SPDX-License-Identifier: Apache-2.0
// The options of workloads that several commands take.
#pragma once

#include "app/options.hpp"
#include "run/model/workload.hpp"
#include "run/network/workload.hpp"

namespace lacuna {

/// Declares --phase, --batch, --context, --new-tokens, --layers, --attention, --cache, --routing,
/// --precision and --seed.
void add_step_options(Options& app, StepArguments& arguments);
void add_model_workload_options(Options& app, ModelWorkloadSpec& spec);
void add_network_options(Options& app, NetworkWorkloadSpec& spec);

}  // namespace lacuna
