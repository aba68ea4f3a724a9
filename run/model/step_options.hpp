// SPDX-License-Identifier: Apache-2.0
// What the options of a step ask for, against what the model and the step have: an option that
// would change nothing is refused, a step beyond the model is said.
#pragma once

#include <string>
#include <vector>

#include "run/model/step_arguments.hpp"

namespace lacuna {

/// Parts of a model's weights that options name.
enum class ModelPart { attention, ffn, experts };

/// Whether the layers of the step hold weights of that part; `ffn`: dense and shared.
[[nodiscard]] bool has_part(const ModelSpec& spec, const Step& step, ModelPart part);

/// Refuses `option` of a part that the step does not have. Throws InputError.
void require_part(const ModelSpec& spec, const Step& step, ModelPart part, const char* option);

/// Throws InputError for a form of attention, routing or precision without effect; returns notes on
/// what the step takes beyond the configuration.
[[nodiscard]] std::vector<std::string> check_step_options(const StepArguments& arguments,
                                                          const ModelSpec& spec, const Step& step);

}  // namespace lacuna
