// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "app/workload_options.hpp"
#include "base/error.hpp"
#include "report/result_folder.hpp"
#include "report/result_json.hpp"
#include "report/terminal.hpp"
#include "report/terminal_table.hpp"
#include "run/plan.hpp"

namespace lacuna {
namespace {

struct RunCommand {
  RunArguments run;
  std::string out;
  bool json = false;
  bool no_plots = false;
};

/// What would change nothing is told, not ignored.
void refuse_idle(const RunCommand& command) {
  if (command.run.timeline && command.out.empty()) {
    throw InputError("--timeline writes timeline.json into the result folder, and none is given",
                     "add --out DIR");
  }
}

/// What cannot be written is told before the work, not after it.
std::optional<StagedFolder> claim_folder(const RunPlan& plan, const RunCommand& command) {
  if (command.out.empty()) return std::nullopt;
  std::vector<RunResult> planned;
  for (const WorkloadSpec& workload : plan.workloads) {
    for (const ChosenMachine& machine : plan.machines) {
      RunResult& result = planned.emplace_back();
      result.name = machine.name();
      result.workload = plan.workloads.size() > 1 ? name_of(workload) : std::string();
    }
  }
  const bool operations = plan.of_model() || plan.of_network();
  return std::optional<StagedFolder>(
      std::in_place, command.out, "run",
      report::result_names(planned, {.operations = operations,
                                     .timeline = plan.options.timeline,
                                     .plots = !command.no_plots}));
}

/// Draws what is being read while it is.
std::vector<RunResult> run_with_progress(const RunPlan& plan) {
  std::optional<report::ProgressBar> bar;
  return run_plan(plan, [&bar](const std::string& what, double share) {
    if (share >= 1) {
      bar.reset();
      return;
    }
    if (!bar) bar.emplace(what);
    (*bar)(share);
  });
}

int execute(const RunCommand& command) {
  refuse_idle(command);
  const RunPlan plan = make_plan(command.run);
  std::optional<StagedFolder> folder = claim_folder(plan, command);
  const std::vector<RunResult> results = run_with_progress(plan);
  std::vector<std::string> notes;
  if (folder) notes = report::write_results(*folder, results, !command.no_plots);
  if (command.json) {
    fmt::print("{}\n", report::results_json(results));
  } else {
    fmt::print("{}", report::terminal_table(results, report::wants_color(stdout),
                                            report::terminal_width(stdout)));
  }
  if (plan.options.timeline) {
    for (const std::string& name : machines_without_timeline(plan)) {
      notes.push_back(name + " records no timeline of a model");
    }
  }
  report::print_folder(command.out, notes, command.json);
  for (const RunResult& result : results) {
    if (result.check.performed && !result.check.passed) {
      fmt::print(stderr, "lacuna: {}: the product differs from the reference: {}\n", result.name,
                 result.check.problem);
      return 3;
    }
  }
  return 0;
}

/// What several kinds of workloads take, given with none of them, would be lost without a word.
void refuse_stray(const Options& app) {
  for (const char* name : {"--weights", "--activations", "--seed"}) {
    if (app.count(name) > 0 && app.count("--model") + app.count("--network") == 0) {
      throw InputError(fmt::format("{} is of a model or a network, and neither is given", name),
                       "add --model or --network, or write it into the workload's file");
    }
  }
  for (const char* name : {"--matrix-b", "--bt", "--dense-b"}) {
    for (const char* other : {"--gemm", "--model", "--network"}) {
      if (app.count(name) == 0 || app.count(other) == 0) continue;
      throw InputError(fmt::format("{} is of a matrix, and {} says what B is", name, other),
                       "leave it out");
    }
  }
}

}  // namespace

Command add_run(Options& app) {
  auto command = std::make_shared<RunCommand>();
  RunArguments& run = command->run;
  app.add_option("run", run.run_file, "RUN.yaml, or the resolved.yaml of an earlier run");
  app.add_option("--arch", run.machines, "machine: a file or a shipped name; repeatable")
      .one_at_a_time();
  app.add_option("--workload", run.workload_file, "workload file or shipped name");
  app.add_option("--matrix", run.workload.matrix,
                 "A: .mtx[.gz], .smtx[.gz], mask:file=F,columns=C or a generator");
  app.add_option("--matrix-b", run.workload.matrix_b, "B, otherwise B is A");
  app.add_flag("--bt", run.workload.transpose_b, "multiply by the transpose of B");
  app.add_option("--dense-b", run.workload.dense_columns, "B is dense with this many columns")
      .between(1.0, 1e9);
  const Option gemm = app.add_option("--gemm", run.workload.gemm, "MxNxK, with --a and --b");
  app.add_option("--a", run.workload.a_pattern, "pattern of A: dense, uniform:0.5, 2:4, ...")
      .needs(gemm);
  app.add_option("--b", run.workload.b_pattern, "pattern of B").needs(gemm);
  add_model_workload_options(app, run.model);
  add_network_options(app, run.network);
  app.add_option("--set", run.settings, "override a value: levels.glb.capacity=512KiB")
      .one_at_a_time();
  add_out_option(app, command->out, "folder for result.json, CSV, plots");
  app.add_option("--fidelity", run.fidelity, "tile (default) or element");
  const Option check =
      app.add_flag("--check", run.check, "carry values and compare with a reference product");
  app.add_flag("--no-check", run.no_check, "do not, whatever RUN.yaml says").excludes(check);
  app.add_flag("--json", command->json, "print result.json instead of the table");
  app.add_flag("--timeline", run.timeline, "record a Chrome trace");
  app.add_flag("--no-plots", command->no_plots, "write scripts and data, draw no pictures");
  return [command, &app] {
    refuse_stray(app);
    return execute(*command);
  };
}

}  // namespace lacuna
