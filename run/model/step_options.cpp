// SPDX-License-Identifier: Apache-2.0
#include "run/model/step_options.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {
namespace {

std::string kind_of_attention(const GroupedQueryAttention& a) {
  const char* kind = a.kv_heads == a.heads ? "multi-head (MHA)"
                     : a.kv_heads == 1     ? "multi-query (MQA)"
                                           : "grouped-query (GQA)";
  return fmt::format("{} attention, {} query and {} key/value heads", kind, a.heads, a.kv_heads);
}

const char* name_of(ModelPart part) {
  return part == ModelPart::attention ? "attention"
         : part == ModelPart::ffn     ? "dense or shared feed-forward"
                                      : "routed experts";
}

LayerRange layers_of(const ModelSpec& spec, const Step& step) {
  return step.layers.value_or(LayerRange{0, static_cast<std::uint32_t>(spec.layers.size() - 1)});
}

}  // namespace

bool has_part(const ModelSpec& spec, const Step& step, ModelPart part) {
  if (part == ModelPart::attention) return true;
  const LayerRange range = layers_of(spec, step);
  for (std::uint32_t layer = range.first; layer <= range.last; ++layer) {
    const bool moe = spec.layers[layer].moe;
    if (part == ModelPart::experts ? moe : !moe || spec.moe.shared_width > 0) return true;
  }
  return false;
}

void require_part(const ModelSpec& spec, const Step& step, ModelPart part, const char* option) {
  if (has_part(spec, step, part)) return;
  const LayerRange range = layers_of(spec, step);
  throw InputError(fmt::format("{}: layers {}-{} of {} have no {}", option, range.first, range.last,
                               spec.name, name_of(part)),
                   step.layers ? "leave it out, or choose other --layers" : "leave it out");
}

std::vector<std::string> check_step_options(const StepArguments& arguments, const ModelSpec& spec,
                                            const Step& step) {
  std::vector<std::string> notes;
  if (step.form != AttentionForm::kAuto && spec.latent() == nullptr) {
    throw InputError(
        fmt::format("--attention {}: {} has {}, which runs in one form", arguments.attention,
                    spec.name, kind_of_attention(*spec.grouped())),
        "leave --attention out: naive and absorbed are forms of latent attention "
        "(MLA)");
  }
  if (!arguments.routing.empty()) require_part(spec, step, ModelPart::experts, "--routing");
  if (arguments.precision.find("ffn=") != std::string::npos) {
    require_part(spec, step, ModelPart::ffn, "--precision ffn=");
  }
  if (arguments.precision.find("experts=") != std::string::npos) {
    require_part(spec, step, ModelPart::experts, "--precision experts=");
  }
  if (spec.max_positions > 0 && step.context > spec.max_positions) {
    notes.push_back(fmt::format(
        "context: {} keys are beyond the {} positions of {} (max_position_embeddings); its costs "
        "are those of the shapes, and nothing says that it works there",
        step.context, spec.max_positions, spec.name));
  }
  if (step.layers) {
    notes.push_back(fmt::format(
        "layers {}-{} of {} alone, without embedding and head: no token is made by them",
        step.layers->first, step.layers->last, spec.layers.size()));
  }
  return notes;
}

}  // namespace lacuna
