// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "app/workload_options.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/shipped_files.hpp"
#include "report/result_folder.hpp"
#include "report/result_json.hpp"
#include "report/terminal.hpp"
#include "report/terminal_table.hpp"
#include "run/fabric/run.hpp"
#include "run/model/workload.hpp"
#include "run/network/workload.hpp"
#include "run/product/run.hpp"
#include "run/product/workload.hpp"

namespace lacuna {
namespace {

struct RunArguments {
  std::string run_file;
  std::vector<std::string> machines;
  std::string workload_file;
  WorkloadSpec workload;
  ModelWorkloadSpec model;
  NetworkWorkloadSpec network;
  std::vector<std::string> settings;
  std::string out;
  std::string fidelity;
  bool check = false;
  bool no_check = false;
  bool json = false;
  bool timeline = false;
  bool no_plots = false;
};

/// A machine to run: its parameters and the configuration that they were read from.
struct ChosenMachine {
  std::variant<MachineSpec, FabricSpec> spec;
  ConfigTree resolved;
};

std::variant<MachineSpec, FabricSpec> read_any_machine(const ConfigReader& reader) {
  // Another kind, or none, is refused by either reader, with the names of both.
  if (is_array_machine(reader)) return read_arrays(reader);
  return read_machine(reader);
}

struct RunPlan {
  std::vector<ChosenMachine> machines;
  std::vector<WorkloadSpec> workloads{1};  // products; each on every machine
  ModelWorkloadSpec model;                 // instead of products, when it names one
  NetworkWorkloadSpec network;             // likewise
  ProductOptions options;
};

/// The resolved configuration is read from wherever it is put.
void make_ert_absolute(ConfigTree& machine) {
  if (machine.find("energy") == nullptr || machine.find("energy")->find("ert") == nullptr) return;
  std::string& file = machine.at_or_add("energy").at_or_add("ert").scalar;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) file = std::filesystem::absolute(file).string();
}

ChosenMachine choose_machine(ConfigTree tree, const std::vector<std::string>& settings) {
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader(std::move(tree));
  ChosenMachine machine{read_any_machine(reader), {}};
  reader.finish();
  machine.resolved = reader.resolved();
  make_ert_absolute(machine.resolved);
  return machine;
}

Fidelity parse_fidelity(const std::string& text) {
  if (text.empty() || text == "tile") return Fidelity::tile;
  if (text == "element") return Fidelity::element;
  throw InputError(fmt::format("--fidelity {}: not a fidelity", text),
                   suggest(text, {"tile", "element"}));
}

void read_any_workload(const ConfigReader& reader, const std::filesystem::path& folder,
                       RunPlan& plan) {
  if (reader.has("model")) {
    plan.model = read_model_workload(reader, folder);
  } else if (reader.has("network")) {
    plan.network = read_network_workload(reader, folder);
  } else {
    plan.workloads = read_workloads(reader, folder);
  }
}

void workload_from_file(const std::string& file, RunPlan& plan) {
  const auto path = find_config("workloads", file);
  const ConfigReader reader(load_config_file("workloads", path));
  read_any_workload(reader, path.parent_path(), plan);
  reader.finish();
}

/// Takes the inline machine out of a run's file: it is read by itself, once, with the settings.
std::optional<ConfigTree> take_inline_machine(ConfigTree& run) {
  const auto at = std::find_if(run.children.begin(), run.children.end(),
                               [](const auto& child) { return child.first == "machine"; });
  if (at == run.children.end()) return std::nullopt;
  ConfigTree machine = std::move(at->second);
  run.children.erase(at);
  if (machine.kind != ConfigTree::Kind::mapping) {
    throw InputError({machine.file, machine.line, "machine"},
                     "machine must be a mapping of keys to values",
                     "a machine's file or shipped name is given as arch: NAME");
  }
  return machine;
}

/// RUN.yaml: `arch` (a name or a list) or one inline `machine`, and what to `set` of them; a
/// `workload` (a name or inline).
void apply_run_file(const RunArguments& arguments, RunPlan& plan) {
  const std::filesystem::path path(arguments.run_file);
  ConfigTree tree = ConfigTree::load(path);
  const auto machine = take_inline_machine(tree);
  const ConfigReader run(std::move(tree));
  std::vector<std::string> settings = run.texts("set");
  settings.insert(settings.end(), arguments.settings.begin(), arguments.settings.end());
  if (machine) plan.machines.push_back(choose_machine(*machine, settings));
  for (const auto& name : run.texts("arch")) {
    std::error_code ignored;
    const auto near = path.parent_path() / name;
    const auto file =
        std::filesystem::is_regular_file(near, ignored) ? near : find_config("arch", name);
    plan.machines.push_back(choose_machine(load_config_file("arch", file), settings));
  }
  if (run.is_scalar("workload")) {
    workload_from_file(run.text("workload"), plan);
  } else if (run.has("workload")) {
    read_any_workload(run.mapping("workload"), path.parent_path(), plan);
  }
  plan.options.fidelity = parse_fidelity(run.text("fidelity", "tile"));
  plan.options.check = run.boolean("check", false);
  run.finish();
}

void apply_workload_arguments(const RunArguments& arguments, RunPlan& plan) {
  if (!arguments.workload_file.empty()) workload_from_file(arguments.workload_file, plan);
  if (!arguments.model.model.empty()) plan.model = arguments.model;
  if (!arguments.network.network.empty()) {
    plan.network = arguments.network;
    plan.network.weights = arguments.model.weights;
    plan.network.activations = arguments.model.activations;
    plan.network.seed = arguments.model.step.seed;
  }
  const WorkloadSpec& given = arguments.workload;
  if (!given.gemm.empty()) plan.workloads.resize(1);
  WorkloadSpec& first = plan.workloads.front();
  const bool gives_b = !given.matrix_b.empty() || given.transpose_b || given.dense_columns > 0;
  if (!given.matrix.empty()) first.matrix = given.matrix;
  if (!given.matrix_b.empty()) first.matrix_b = given.matrix_b;
  if (given.transpose_b) first.transpose_b = true;
  if (given.dense_columns > 0) first.dense_columns = given.dense_columns;
  if (!given.gemm.empty()) {
    first.gemm = given.gemm;
    first.a_pattern = given.a_pattern;
    first.b_pattern = given.b_pattern;
  }
  if (!first.gemm.empty() && !first.matrix.empty()) {
    throw InputError("both a matrix and a GEMM are given", "give either --matrix or --gemm");
  }
  if (gives_b && first.matrix.empty()) {
    throw InputError("--matrix-b, --bt and --dense-b tell what a matrix is multiplied by",
                     "add --matrix; a GEMM has --b");
  }
  const int given_kinds = int{!first.gemm.empty() || !first.matrix.empty()} +
                          int{!plan.model.model.empty()} + int{!plan.network.network.empty()};
  if (given_kinds > 1) {
    throw InputError("more than one workload is given",
                     "give one of --matrix, --gemm, --model and --network");
  }
  if (given_kinds == 0) {
    throw InputError("no workload is given",
                     "add --matrix FILE, --gemm MxNxK, --model CONFIG.json, --network NAME or "
                     "--workload FILE");
  }
}

/// Those that run a model and record none.
std::vector<std::string> machines_without_timeline(const RunPlan& plan) {
  std::vector<std::string> names;
  for (const ChosenMachine& machine : plan.machines) {
    const auto* spec = std::get_if<MachineSpec>(&machine.spec);
    if (spec != nullptr && !plan.model.model.empty()) names.push_back(spec->name);
  }
  return names;
}

/// What these machines and this workload have no use for is told, not ignored.
void refuse_idle(const RunPlan& plan, const RunArguments& arguments) {
  const bool model = !plan.model.model.empty(), network = !plan.network.network.empty();
  const bool tiled = std::any_of(plan.workloads.begin(), plan.workloads.end(),
                                 [](const WorkloadSpec& spec) { return spec.tiles.m1 != 0; });
  for (const ChosenMachine& machine : plan.machines) {
    const auto* fabric = std::get_if<FabricSpec>(&machine.spec);
    if (fabric != nullptr && !model && !network && tiled) {
      throw InputError(
          fmt::format("the workload's tiling is in microtiles, and {} has none", fabric->name),
          "leave it out, or run another machine");
    }
  }
  if (arguments.timeline && arguments.out.empty()) {
    throw InputError("--timeline writes timeline.json into the result folder, and none is given",
                     "add --out DIR");
  }
  if (arguments.timeline && network) {
    throw InputError("--timeline: the layers of a network run one by one and have none in common",
                     "leave it out, or run a layer as a product");
  }
  if (arguments.timeline && model &&
      machines_without_timeline(plan).size() == plan.machines.size()) {
    throw InputError("--timeline: a model has one on machines of the tensor-core class alone",
                     "leave it out, or add such a machine");
  }
}

RunPlan make_plan(const RunArguments& arguments) {
  RunPlan plan;
  if (!arguments.run_file.empty()) apply_run_file(arguments, plan);
  if (!arguments.machines.empty()) plan.machines.clear();
  for (const auto& name : arguments.machines) {
    plan.machines.push_back(choose_machine(load_config("arch", name), arguments.settings));
  }
  if (plan.machines.empty()) {
    throw InputError("no machine is given", "add --arch extensor-ob; `lacuna list` names all");
  }
  apply_workload_arguments(arguments, plan);
  if (!arguments.fidelity.empty()) plan.options.fidelity = parse_fidelity(arguments.fidelity);
  if (arguments.check) plan.options.check = true;
  if (arguments.no_check) plan.options.check = false;
  plan.options.timeline = arguments.timeline;
  refuse_idle(plan, arguments);
  return plan;
}

/// The configuration that reproduces one run by itself.
ConfigTree resolved_run(const ChosenMachine& machine, const RunPlan& plan,
                        const WorkloadSpec& product) {
  ConfigTree tree;
  tree.kind = ConfigTree::Kind::mapping;
  tree.at_or_add("machine") = machine.resolved;
  tree.at_or_add("workload") = !plan.model.model.empty()       ? to_config(plan.model)
                               : !plan.network.network.empty() ? to_config(plan.network)
                                                               : to_config(product);
  const auto put = [&tree](std::string_view key, std::string value) {
    ConfigTree& node = tree.at_or_add(key);
    node.kind = ConfigTree::Kind::scalar;
    node.scalar = std::move(value);
  };
  put("fidelity", plan.options.fidelity == Fidelity::tile ? "tile" : "element");
  put("check", plan.options.check ? "true" : "false");
  return tree;
}

/// One product on every machine.
void run_product_on_all(const RunPlan& plan, const WorkloadSpec& spec,
                        std::vector<RunResult>& results) {
  const bool values = plan.options.check || plan.options.fidelity == Fidelity::element;
  const bool rows = std::any_of(
      plan.machines.begin(), plan.machines.end(),
      [](const ChosenMachine& m) { return std::holds_alternative<MachineSpec>(m.spec); });
  for (const ChosenMachine& machine : plan.machines) {  // before operands are drawn
    const auto* arrays = std::get_if<FabricSpec>(&machine.spec);
    if (arrays != nullptr && !spec.gemm.empty()) check_instructions(*arrays, shape_of_gemm(spec));
  }
  ProductOptions options = plan.options;
  options.check_where_possible = rows;  // what takes every nonzero checks any product
  ProductWorkload workload;
  std::optional<FabricWorkload> occupancies;  // shared by the machines that take bits
  if (!spec.gemm.empty() && !values && !rows) {
    occupancies = make_gemm_occupancies(spec);  // as bits they take a thirtieth
  } else {
    report::ProgressBar bar("reading " + spec.matrix);
    workload = make_workload(spec, values, [draw = bar.callback()](double share) {
      stop_if_requested();
      draw(share);
    });
  }
  for (const ChosenMachine& machine : plan.machines) {
    stop_if_requested();
    if (const auto* product = std::get_if<MachineSpec>(&machine.spec)) {
      results.push_back(run_product(*product, workload, options));
    } else {
      if (!occupancies) occupancies = fabric_workload(workload);
      results.push_back(run_fabric(std::get<FabricSpec>(machine.spec), *occupancies, options));
    }
  }
}

std::vector<RunResult> run_products(const RunPlan& plan) {
  std::vector<RunResult> results;
  for (const WorkloadSpec& spec : plan.workloads) run_product_on_all(plan, spec, results);
  return results;
}

/// Of several operations, on every machine.
template <class Run>
std::vector<RunResult> on_machines(const RunPlan& plan, Run&& run) {
  if (plan.options.check || plan.options.fidelity == Fidelity::element) {
    throw InputError("models and networks carry no values to check or to step through",
                     "leave --check and --fidelity element out; products take them");
  }
  std::vector<RunResult> results;
  for (const ChosenMachine& machine : plan.machines) {
    stop_if_requested();
    std::visit([&](const auto& spec) { results.push_back(run(spec)); }, machine.spec);
  }
  return results;
}

std::vector<RunResult> run_workload(const RunPlan& plan) {
  if (!plan.model.model.empty()) {
    const ModelWorkload workload = make_model_workload(plan.model);
    return on_machines(plan,
                       [&](const auto& spec) { return run_model(spec, workload, plan.options); });
  }
  if (!plan.network.network.empty()) {
    const NetworkWorkload workload = make_network_workload(plan.network);
    return on_machines(plan,
                       [&](const auto& spec) { return run_network(spec, workload, plan.options); });
  }
  return run_products(plan);
}

/// What cannot be written is told before the work, not after it.
std::optional<StagedFolder> claim_folder(const RunPlan& plan, const RunArguments& arguments) {
  if (arguments.out.empty()) return std::nullopt;
  std::vector<RunResult> planned;
  for (const WorkloadSpec& workload : plan.workloads) {
    for (const ChosenMachine& machine : plan.machines) {
      RunResult& result = planned.emplace_back();
      result.name = std::visit([](const auto& spec) { return spec.name; }, machine.spec);
      result.workload = plan.workloads.size() > 1 ? name_of(workload) : std::string();
    }
  }
  const bool operations = !plan.model.model.empty() || !plan.network.network.empty();
  return std::optional<StagedFolder>(
      std::in_place, arguments.out, "run",
      report::result_names(planned, {.operations = operations,
                                     .timeline = plan.options.timeline,
                                     .plots = !arguments.no_plots}));
}

int execute(const RunArguments& arguments) {
  const RunPlan plan = make_plan(arguments);
  std::optional<StagedFolder> folder = claim_folder(plan, arguments);
  std::vector<RunResult> results = run_workload(plan);
  const std::size_t machines = plan.machines.size();
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].resolved =
        resolved_run(plan.machines[i % machines], plan, plan.workloads[i / machines]);
  }
  std::vector<std::string> notes;
  if (folder) notes = report::write_results(*folder, results, !arguments.no_plots);
  if (arguments.json) {
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
  report::print_folder(arguments.out, notes, arguments.json);
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
  auto arguments = std::make_shared<RunArguments>();
  app.add_option("run", arguments->run_file, "RUN.yaml, or the resolved.yaml of an earlier run");
  app.add_option("--arch", arguments->machines, "machine: a file or a shipped name; repeatable")
      .one_at_a_time();
  app.add_option("--workload", arguments->workload_file, "workload file or shipped name");
  app.add_option("--matrix", arguments->workload.matrix, "A: .mtx[.gz], .smtx[.gz] or a generator");
  app.add_option("--matrix-b", arguments->workload.matrix_b, "B, otherwise B is A");
  app.add_flag("--bt", arguments->workload.transpose_b, "multiply by the transpose of B");
  app.add_option("--dense-b", arguments->workload.dense_columns,
                 "B is dense with this many columns")
      .between(1.0, 1e9);
  const Option gemm = app.add_option("--gemm", arguments->workload.gemm, "MxNxK, with --a and --b");
  app.add_option("--a", arguments->workload.a_pattern, "pattern of A: dense, uniform:0.5, 2:4, ...")
      .needs(gemm);
  app.add_option("--b", arguments->workload.b_pattern, "pattern of B").needs(gemm);
  add_model_workload_options(app, arguments->model);
  add_network_options(app, arguments->network);
  app.add_option("--set", arguments->settings, "override a value: buffers.llb.capacity=15MiB")
      .one_at_a_time();
  add_out_option(app, arguments->out, "folder for result.json, CSV, plots");
  app.add_option("--fidelity", arguments->fidelity, "tile (default) or element");
  const Option check = app.add_flag("--check", arguments->check,
                                    "carry values and compare with a reference product");
  app.add_flag("--no-check", arguments->no_check, "do not, whatever RUN.yaml says").excludes(check);
  app.add_flag("--json", arguments->json, "print result.json instead of the table");
  app.add_flag("--timeline", arguments->timeline, "record a Chrome trace");
  app.add_flag("--no-plots", arguments->no_plots, "write scripts and data, draw no pictures");
  return [arguments, &app] {
    refuse_stray(app);
    return execute(*arguments);
  };
}

}  // namespace lacuna
