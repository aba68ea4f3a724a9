// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "app/commands.hpp"
#include "app/paths.hpp"
#include "app/report/result_folder.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/model_report.hpp"

namespace lacuna {
namespace {

struct ModelArguments {
  std::string model;
  std::string phase = "decode";
  std::string attention = "auto";
  std::string cache = "bf16";
  std::string layers;
  std::string routing;
  std::uint64_t seed = 1;
  Step step;
  bool per_layer = false;
  bool json = false;
  std::string out;
  double flops = 0;
  std::string bandwidth;
};

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

/// "3.35 TB/s", or a plain number of bytes per second.
double parse_bandwidth(const std::string& text) {
  const auto rate = parse_bytes_per_cycle(text, Hertz(1));  // of one cycle a second
  const auto value = rate && text.find("cycle") == std::string::npos ? rate : parse_number(text);
  if (!value || *value <= 0) {
    throw InputError(fmt::format("--bandwidth {}: not a bandwidth", text),
                     "expected bytes per second: 3.35e12, 3.35 TB/s");
  }
  return *value;
}

std::optional<Roofline> roofline_of(const ModelArguments& arguments) {
  if (arguments.bandwidth.empty()) return std::nullopt;
  if (!(arguments.flops > 0) || !std::isfinite(arguments.flops)) {
    throw InputError(fmt::format("--flops {}: not a peak rate", arguments.flops),
                     "expected FLOP per second: 990e12");
  }
  return Roofline{arguments.flops, parse_bandwidth(arguments.bandwidth)};
}

ReportOptions options_of(const ModelArguments& arguments, const ModelSpec& spec) {
  ReportOptions options;
  options.step = arguments.step;
  Step& step = options.step;
  step.phase = chosen<Phase>("--phase", arguments.phase,
                             {{"decode", Phase::kDecode}, {"prefill", Phase::kPrefill}});
  step.form = chosen<AttentionForm>("--attention", arguments.attention,
                                    {{"auto", AttentionForm::kAuto},
                                     {"naive", AttentionForm::kNaive},
                                     {"absorbed", AttentionForm::kAbsorbed}});
  step.cache = chosen<CacheFormat>("--cache", arguments.cache,
                                   {{"bf16", CacheFormat::kPlain}, {"fp8", CacheFormat::kFp8}});
  if (!arguments.layers.empty()) step.layers = parse_layers(arguments.layers);
  options.roofline = roofline_of(arguments);
  options.per_layer = arguments.per_layer;
  (void)checked_new_tokens(spec, step);
  if (!arguments.routing.empty()) {
    options.routing = route_step(spec, step, arguments.routing, arguments.seed);
  }
  return options;
}

/// Routing makes a block of every layer: a picture of all of them takes Graphviz minutes and shows
/// the same operations over and over.
std::string readable_dot(const ModelReport& report, ReportOptions options,
                         std::vector<std::string>& notes) {
  constexpr std::size_t kMostBlocks = 8;
  if (!report.routing || info_of(report.graph).blocks.size() <= kMostBlocks) {
    return model_dot(report);
  }
  options.routing = nullptr;
  notes.emplace_back(
      "the graph's picture shows layers that differ in routing alone as one, routed uniformly; "
      "model.json has each");
  return model_dot(make_report(report.spec, options));
}

/// Returns what the user should know about the pictures.
std::vector<std::string> write_folder(const ModelReport& report, const ReportOptions& options,
                                      const std::string& out) {
  StagedFolder folder(out, "model.json");
  write_file(folder.path() / "model.json", model_json(report));
  write_file(folder.path() / "operations.csv", operations_csv(report));
  std::vector<std::string> notes;
  write_file(folder.path() / "graph.dot", readable_dot(report, options, notes));
  const bool drawn = render_dot(folder.path() / "graph.dot").has_value();
  folder.commit();
  if (!drawn) {
    notes.emplace_back(
        "Graphviz did not draw graph.svg; draw it later: dot -Tsvg graph.dot -o graph.svg");
  }
  return notes;
}

int execute(const ModelArguments& arguments) {
  // A folder with a config.json in it is a model as well.
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::is_directory(arguments.model, ignored)
                                         ? std::filesystem::path(arguments.model)
                                         : find_config("models", arguments.model);
  const ModelSpec spec = load_model(path);
  const ReportOptions options = options_of(arguments, spec);
  const ModelReport report = make_report(spec, options);
  std::vector<std::string> notes;
  if (!arguments.out.empty()) notes = write_folder(report, options, arguments.out);
  fmt::print("{}", arguments.json ? model_json(report) : model_table(report));
  report::print_folder(arguments.out, notes, arguments.json);
  return 0;
}

}  // namespace

Command add_model(CLI::App& app) {
  auto a = std::make_shared<ModelArguments>();
  app.add_option("model", a->model, "config.json, its folder, or a shipped name")->required();
  app.add_option("--phase", a->phase, "decode (default) or prefill");
  app.add_option("--batch", a->step.batch, "sequences, 1 by default");
  app.add_option("--context", a->step.context,
                 "keys the last new token sees, itself included; 4096 by default");
  app.add_option("--new-tokens", a->step.new_tokens,
                 "per sequence: 1 in decode, the whole context in prefill by default");
  app.add_option("--layers", a->layers, "only these, like 3-5, without embedding and head");
  app.add_option("--attention", a->attention,
                 "MLA's form: auto (default, the cheaper), naive or absorbed");
  app.add_option("--cache", a->cache, "KV cache: bf16 (default) or fp8");
  app.add_option("--routing", a->routing,
                 "uniform, balanced, power-law:1.01, correlated:0.3, counts:FILE or a trace, "
                 "with #map=... where it is another model's");
  app.add_option("--seed", a->seed, "of synthetic routing, 1 by default");
  app.add_flag("--per-layer", a->per_layer, "list every layer's operations");
  app.add_flag("--json", a->json, "print JSON instead of the table");
  app.add_option("--out", a->out, "folder for model.json, operations.csv and the graph");
  auto* flops = app.add_option("--flops", a->flops, "peak FLOP/s, to time the critical path");
  auto* bandwidth = app.add_option("--bandwidth", a->bandwidth, "with it: 3.35e12 or 3.35 TB/s");
  flops->needs(bandwidth);
  bandwidth->needs(flops);
  return [a] { return execute(*a); };
}

}  // namespace lacuna
