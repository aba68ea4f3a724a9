// SPDX-License-Identifier: Apache-2.0
#include "run/model/workload.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shipped_files.hpp"
#include "run/model/step_options.hpp"
#include "workloads/models/expert_layout.hpp"
#include "workloads/models/low_rank.hpp"
#include "workloads/models/precision_override.hpp"
#include "workloads/models/step_tables.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

Pattern pattern_of(const std::string& text, const char* field) {
  const Pattern pattern = parse_pattern(text, Place{"", 0, field});
  if (pattern.kind == PatternKind::block || pattern.kind == PatternKind::channel) {
    throw InputError(Place{"", 0, field},
                     fmt::format("'{}': operands of a model are drawn row by row", text),
                     "use dense, uniform:0.5, 2:4 or an HSS pattern");
  }
  return pattern;
}

/// A source like "counts:FILE#key=value" in its parts; `file` is empty when it names none.
struct Source {
  std::string kind, file, rest;
};
Source source_of(const std::string& text) {
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::size_t begin = text.rfind("counts:", 0) == 0 ? 7 : 0;
  return {text.substr(0, begin), text.substr(begin, hash - begin), text.substr(hash)};
}

/// A file named by a configuration is looked for beside it first.
std::string beside(const std::string& name, const fs::path& folder) {
  const Source source = source_of(name);
  std::error_code ignored;
  const fs::path candidate = folder / source.file;
  const bool here =
      !source.file.empty() && fs::path(source.file).is_relative() && fs::exists(candidate, ignored);
  return here ? source.kind + candidate.string() + source.rest : name;
}

std::string absolute(const std::string& name) {
  const Source source = source_of(name);
  std::error_code ignored;
  return !source.file.empty() && fs::exists(source.file, ignored)
             ? source.kind + fs::absolute(source.file).string() + source.rest
             : name;
}

/// Puts the tables that are given to the step; they have to outlive the graph's building only.
void apply_tables(const ModelWorkloadSpec& spec, const ModelSpec& model, Step& step,
                  ModelWorkload& out) {
  const auto take = [&out](const auto& table) {
    out.notes.insert(out.notes.end(), table->notes.begin(), table->notes.end());
    out.inputs[table->file] = sha256_of(table->file);
  };
  if (!spec.activation_table.empty()) {
    const auto table = activation_zeros(model, step, spec.activation_table);
    take(table);
    step.activation_zeros = zeros_of(table);
  }
  if (!spec.attention_table.empty()) {
    const auto table = attention_lines(model, step, spec.attention_table, spec.step.seed);
    take(table);
    step.attention_lines = lines_of(table);
  }
}

}  // namespace

ModelWorkloadSpec read_model_workload(const ConfigReader& config, const fs::path& folder) {
  ModelWorkloadSpec spec;
  spec.model = beside(config.text("model"), folder);
  StepArguments& step = spec.step;
  step.phase = config.text("phase", step.phase);
  step.step.batch = config.integer("batch", {1, 4e9}, 1);
  step.step.context = config.integer("context", {1, 4e9}, 4096);
  step.step.new_tokens = config.integer("new_tokens", {0, 4e9}, 0);
  step.attention = config.text("attention", step.attention);
  step.cache = config.text("cache", step.cache);
  step.layers = config.text("layers", "");
  step.routing = beside(config.text("routing", ""), folder);
  step.precision = config.text("precision", "");
  step.seed = config.integer("seed", {0, 1e15}, 1);
  spec.weights = config.text("weights", spec.weights);
  spec.attention_weights = config.text("attention_weights", "");
  spec.ffn_weights = config.text("ffn_weights", "");
  spec.expert_weights = config.text("expert_weights", "");
  spec.activations = config.text("activations", spec.activations);
  spec.activation_table = beside(config.text("activation_table", ""), folder);
  spec.attention_table = beside(config.text("attention_table", ""), folder);
  spec.low_rank = config.text("low_rank", "");
  spec.layout = config.text("layout", "");
  return spec;
}

ConfigTree to_config(const ModelWorkloadSpec& spec) {
  ConfigTree tree;
  const auto put = [&tree](std::string_view key, const std::string& value) {
    if (!value.empty()) tree.put(key, value);
  };
  const StepArguments& step = spec.step;
  put("model", absolute(spec.model));
  put("phase", step.phase);
  put("batch", fmt::format("{}", step.step.batch));
  put("context", fmt::format("{}", step.step.context));
  put("new_tokens", fmt::format("{}", step.step.new_tokens));
  put("attention", step.attention);
  put("cache", step.cache);
  put("layers", step.layers);
  put("routing", absolute(step.routing));
  put("precision", step.precision);
  put("seed", fmt::format("{}", step.seed));
  put("weights", spec.weights);
  put("attention_weights", spec.attention_weights);
  put("ffn_weights", spec.ffn_weights);
  put("expert_weights", spec.expert_weights);
  put("activations", spec.activations);
  put("activation_table", absolute(spec.activation_table));
  put("attention_table", absolute(spec.attention_table));
  put("low_rank", spec.low_rank);
  put("layout", spec.layout);
  return tree;
}

ModelWorkload make_model_workload(const ModelWorkloadSpec& spec) {
  ModelSpec model = load_named_model(spec.model);
  ModelWorkload out;
  if (!spec.step.precision.empty()) out.notes = override_precision(model, spec.step.precision);
  ChosenStep chosen = choose_step(spec.step, model);
  if (chosen.routing) chosen.step.tokens_per_expert = tokens_of(chosen.routing);
  out.notes.insert(out.notes.end(), chosen.notes.begin(), chosen.notes.end());
  if (!spec.ffn_weights.empty()) {
    require_part(model, chosen.step, ModelPart::ffn, "--ffn-weights");
  }
  if (!spec.expert_weights.empty()) {
    require_part(model, chosen.step, ModelPart::experts, "--expert-weights");
  }
  apply_tables(spec, model, chosen.step, out);
  const auto add_notes = [&out](const std::vector<std::string>& notes) {
    out.notes.insert(out.notes.end(), notes.begin(), notes.end());
  };
  out.graph = build_graph(model, chosen.step);
  if (!spec.low_rank.empty()) {
    Factorized factorized = factorize(out.graph, model, spec.low_rank);
    out.graph = std::move(factorized.graph);
    add_notes(factorized.notes);
  }
  if (!spec.layout.empty()) {
    add_notes(apply_layout(out.graph, model, parse_layout(spec.layout)));
  }
  out.name = fmt::format("{}-{}-{}x{}", model.name, name_of(chosen.step.phase), chosen.step.batch,
                         chosen.step.context);
  const auto pattern = [&](const std::string& own, const char* field) {
    return own.empty() ? pattern_of(spec.weights, "weights") : pattern_of(own, field);
  };
  out.sparsity.attention_weights = pattern(spec.attention_weights, "attention_weights");
  out.sparsity.ffn_weights = pattern(spec.ffn_weights, "ffn_weights");
  out.sparsity.expert_weights = pattern(spec.expert_weights, "expert_weights");
  out.sparsity.activations = pattern_of(spec.activations, "activations");
  out.sparsity.seed = spec.step.seed;
  if (chosen.routing) {
    out.notes.push_back("routing: " + chosen.routing->description);
    add_notes(chosen.routing->notes);
  } else if (has_part(model, chosen.step, ModelPart::experts)) {
    out.notes.emplace_back("routing: as uniform as whole tokens allow");
  }
  std::error_code ignored;
  for (const std::string& file : {spec.model, source_of(spec.step.routing).file}) {
    if (fs::is_regular_file(file, ignored)) out.inputs[file] = sha256_of(file);
  }
  out.pool = std::make_shared<OperandPool>(spec.step.seed);
  return out;
}

}  // namespace lacuna
