// SPDX-License-Identifier: Apache-2.0
#include "run/model/step_arguments.hpp"

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "run/model/step_options.hpp"
#include "workloads/models/load_model.hpp"

namespace lacuna {
namespace {

template <class Value>
Value chosen(const std::string& option, const std::string& given,
             const std::vector<std::pair<std::string, Value>>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) {
    if (name == given) return value;
    names.push_back(name);
  }
  throw InputError(fmt::format("{} {}: not one of its values", option, given),
                   suggest(given, names));
}

/// "3-5", or "3" for one layer.
LayerRange parse_layers(const std::string& text) {
  const auto dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash));
  const auto last = dash == std::string::npos ? first : parse_integer(text.substr(dash + 1));
  constexpr std::uint64_t kMost = 1U << 20;
  if (!first || !last || *first > *last || *last > kMost) {
    throw InputError(fmt::format("--layers {}: expected a range of layers", text),
                     "write FIRST-LAST counted from 0, like 3-5");
  }
  return {static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last)};
}

}  // namespace

ModelSpec load_named_model(const std::string& name) {
  // A folder with a config.json in it is a model as well.
  std::error_code ignored;
  return load_model(std::filesystem::is_directory(name, ignored) ? std::filesystem::path(name)
                                                                 : find_config("models", name));
}

ChosenStep choose_step(const StepArguments& arguments, const ModelSpec& spec) {
  ChosenStep out;
  out.step = arguments.step;
  Step& step = out.step;
  step.phase = chosen<Phase>("--phase", arguments.phase,
                             {{"decode", Phase::kDecode}, {"prefill", Phase::kPrefill}});
  step.form = chosen<AttentionForm>("--attention", arguments.attention,
                                    {{"auto", AttentionForm::kAuto},
                                     {"naive", AttentionForm::kNaive},
                                     {"absorbed", AttentionForm::kAbsorbed}});
  step.cache = chosen<CacheFormat>("--cache", arguments.cache,
                                   {{"bf16", CacheFormat::kPlain}, {"fp8", CacheFormat::kFp8}});
  if (!arguments.layers.empty()) step.layers = parse_layers(arguments.layers);
  (void)checked_new_tokens(spec, step);
  out.notes = check_step_options(arguments, spec, step);
  if (spec.format_assumed) {
    out.notes.emplace_back(
        "the model's file names no number format (dtype, torch_dtype): bf16 is assumed");
  }
  if (!arguments.routing.empty()) {
    out.routing = route_step(spec, step, arguments.routing, arguments.seed);
  }
  return out;
}

}  // namespace lacuna
