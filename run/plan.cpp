// SPDX-License-Identifier: Apache-2.0
#include "run/plan.hpp"

#include <algorithm>
#include <optional>

#include "arch/description/read_spec.hpp"
#include "base/error.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

/// The resolved configuration is read from wherever it is put.
void make_ert_absolute(ConfigTree& machine) {
  if (machine.find("prices") == nullptr || machine.find("prices")->find("ert") == nullptr) return;
  std::string& file = machine.at_or_add("prices").at_or_add("ert").scalar;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) file = std::filesystem::absolute(file).string();
}

ChosenMachine choose_machine(ConfigTree tree, const std::vector<std::string>& settings) {
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader = machine_reader(std::move(tree));
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
  if (arguments.workload_tree) {
    const ConfigReader reader(*arguments.workload_tree);
    read_any_workload(reader, arguments.workload_folder, plan);
    reader.finish();
  }
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
  const bool kernel = !first.kernel.empty();
  if (kernel && (gives_b || !first.gemm.empty() || !first.matrix.empty())) {
    throw InputError("the workload's file has an einsum, which says what its operands are",
                     "give a matrix or a GEMM without it, or change its `operands`");
  }
  if (!first.gemm.empty() && !first.matrix.empty()) {
    throw InputError("both a matrix and a GEMM are given", "give either --matrix or --gemm");
  }
  if (gives_b && first.matrix.empty()) {
    throw InputError("--matrix-b, --bt and --dense-b tell what a matrix is multiplied by",
                     "add --matrix; a GEMM has --b");
  }
  const int given_kinds = int{kernel || !first.gemm.empty() || !first.matrix.empty()} +
                          int{plan.of_model()} + int{plan.of_network()};
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

/// What these machines and this workload have no use for is told, not ignored.
void refuse_idle(const RunPlan& plan, const RunArguments& arguments) {
  const bool model = plan.of_model(), network = plan.of_network();
  const bool tiled = std::any_of(plan.workloads.begin(), plan.workloads.end(),
                                 [](const WorkloadSpec& spec) { return spec.tiles.m1 != 0; });
  for (const ChosenMachine& machine : plan.machines) {
    const bool microtiles = std::holds_alternative<MachineSpec>(machine.spec);
    if (!microtiles && !model && !network && tiled) {
      throw InputError(
          fmt::format("the workload's tiling is in microtiles, and {} has none", machine.name()),
          "leave it out, or run another machine");
    }
    if (std::holds_alternative<RowwiseSpec>(machine.spec) && (model || network)) {
      throw InputError(fmt::format("{} runs single products, no {}", machine.name(),
                                   model ? "models" : "networks"),
                       "--matrix, --gemm or a workload that has one");
    }
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

}  // namespace

std::vector<std::string> machines_without_timeline(const RunPlan& plan) {
  std::vector<std::string> names;
  for (const ChosenMachine& machine : plan.machines) {
    const auto* spec = std::get_if<MachineSpec>(&machine.spec);
    if (spec != nullptr && plan.of_model()) names.push_back(spec->name);
  }
  return names;
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

}  // namespace lacuna
