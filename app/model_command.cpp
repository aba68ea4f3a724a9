// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "app/workload_options.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "report/result_folder.hpp"
#include "run/model/step_arguments.hpp"
#include "workloads/models/model_report.hpp"
#include "workloads/models/precision_override.hpp"

namespace lacuna {
namespace {

struct ModelArguments {
  std::string model;
  StepArguments step;
  bool per_layer = false;
  bool json = false;
  std::string out;
  double flops = 0;
  std::string bandwidth;
};

/// "3.35 TB/s", or a plain number of bytes per second.
double parse_bandwidth(const std::string& text) {
  const auto rate = parse_bytes_per_cycle(text, Hertz(1));  // of one cycle a second
  const auto value = rate && text.find("cycle") == std::string::npos ? rate : parse_number(text);
  if (!value || !(*value > 0) || !std::isfinite(*value)) {
    throw InputError(fmt::format("--bandwidth {}: not a bandwidth", text),
                     "expected bytes per second: 3.35e12, 3.35 TB/s");
  }
  return *value;
}

std::optional<PeakRates> rates_of(const ModelArguments& arguments) {
  if (arguments.bandwidth.empty()) return std::nullopt;
  if (!(arguments.flops > 0) || !std::isfinite(arguments.flops)) {
    throw InputError(fmt::format("--flops {}: not a peak rate", arguments.flops),
                     "expected FLOP per second: 990e12");
  }
  return PeakRates{arguments.flops, parse_bandwidth(arguments.bandwidth)};
}

ReportOptions options_of(const ModelArguments& arguments, const ModelSpec& spec) {
  ReportOptions options;
  const ChosenStep chosen = choose_step(arguments.step, spec);
  options.notes = chosen.notes;
  options.step = chosen.step;
  options.routing = chosen.routing;
  options.rates = rates_of(arguments);
  options.per_layer = arguments.per_layer;
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
std::vector<std::string> write_folder(StagedFolder& folder, const ModelReport& report,
                                      const ReportOptions& options) {
  write_file(folder.path() / "model.json", model_json(report));
  write_file(folder.path() / "operations.csv", operations_csv(report));
  std::vector<std::string> notes;
  write_file(folder.path() / "graph.dot", readable_dot(report, options, notes));
  const bool drawn = render_dot(folder.path() / "graph.dot").has_value();
  if (!drawn) {
    notes.emplace_back(
        "Graphviz did not draw graph.svg; draw it later: dot -Tsvg graph.dot -o graph.svg");
  }
  const auto kept = folder.commit();
  notes.insert(notes.end(), kept.begin(), kept.end());
  return notes;
}

int execute(const ModelArguments& arguments) {
  std::optional<StagedFolder> folder;  // what cannot be written is told before the work
  if (!arguments.out.empty()) {
    folder.emplace(
        arguments.out, "model",
        std::vector<std::string>{"model.json", "operations.csv", "graph.dot", "graph.svg"});
  }
  ModelSpec spec = load_named_model(arguments.model);
  std::vector<std::string> notes;  // of the folder
  std::vector<std::string> changed;
  if (!arguments.step.precision.empty()) {
    changed = override_precision(spec, arguments.step.precision);
  }
  ReportOptions options = options_of(arguments, spec);
  options.notes.insert(options.notes.begin(), changed.begin(), changed.end());
  const ModelReport report = make_report(spec, options);
  if (folder) {
    const auto pictures = write_folder(*folder, report, options);
    notes.insert(notes.end(), pictures.begin(), pictures.end());
  }
  fmt::print("{}", arguments.json ? model_json(report) : model_table(report));
  report::print_folder(arguments.out, notes, arguments.json);
  return 0;
}

}  // namespace

Command add_model(Options& app) {
  auto a = std::make_shared<ModelArguments>();
  app.add_option("model", a->model, "config.json, its folder, or a shipped name").required();
  add_step_options(app, a->step);
  app.add_flag("--per-layer", a->per_layer, "list every layer's operations");
  app.add_flag("--json", a->json, "print JSON instead of the table");
  add_out_option(app, a->out, "folder for model.json, operations.csv and the graph");
  const Option flops =
      app.add_option("--flops", a->flops, "peak FLOP/s, to time the critical path");
  const Option bandwidth =
      app.add_option("--bandwidth", a->bandwidth, "with it: 3.35e12 or 3.35 TB/s");
  flops.needs(bandwidth);
  bandwidth.needs(flops);
  return [a, &app] {
    if (app.count("--seed") > 0 && a->step.routing.empty()) {
      throw InputError("--seed is of synthetic routing, and none is given", "add --routing");
    }
    return execute(*a);
  };
}

}  // namespace lacuna
