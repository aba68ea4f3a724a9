// SPDX-License-Identifier: Apache-2.0
// `lacuna map`: the mappings of a product, or of all products of a model, ranked, the best
// simulated, one saved.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <tuple>

#include "app/commands.hpp"
#include "app/map_text.hpp"
#include "app/workload_options.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/message_text.hpp"
#include "run/plan.hpp"
#include "study/mapping/text.hpp"

namespace lacuna {
namespace {

struct MapCommand {
  RunArguments run;
  std::string objective = "cycles", save;
  std::vector<std::string> fixed;
  std::string operation;  // of a model or network: this one alone
  std::uint64_t simulate = MapRequest{}.simulate, top = 5;
  bool json = false;
};

const FabricSpec& machine_of(const RunPlan& plan) {
  if (plan.machines.size() != 1) {
    throw InputError("mappings are those of one machine", "give one --arch");
  }
  if (plan.workloads.size() != 1) {
    throw InputError("mappings are those of one workload", "give one pattern for each operand");
  }
  const auto* machine = std::get_if<FabricSpec>(&plan.machines.front().spec);
  if (machine == nullptr) {
    throw InputError(fmt::format("{} cuts matrices into tiles of coordinates, whose sizes its "
                                 "strategies choose",
                                 plan.machines.front().name()),
                     "lacuna tile compares these");
  }
  return *machine;
}

/// The product as a run of the plan would make it.
struct MappedProduct {
  ProductWorkload product;
  FabricWorkload workload;
};

std::unique_ptr<MappedProduct> product_of(const FabricSpec& machine, const WorkloadSpec& spec) {
  auto out = std::make_unique<MappedProduct>();
  if (!spec.gemm.empty()) {
    check_instructions(machine, shape_of_gemm(spec));
    out->workload = make_gemm_occupancies(spec);
  } else {
    out->product = make_workload(spec, false, {});
    out->workload = fabric_workload(out->product);
  }
  return out;
}

ConfigTree entry_of(const MapSearch& search) {
  return to_config(as_given(search.ranked.front().mapping, search.shape));
}

/// A machine's file that is the machine with these mappings.
void save(const MapCommand& command, const RunPlan& plan, std::vector<ConfigTree> entries) {
  ConfigTree machine = plan.machines.front().resolved;
  ConfigTree list;
  list.kind = ConfigTree::Kind::sequence;
  list.items = std::move(entries);
  machine.at_or_add("dataflow").at_or_add("mappings") = list;
  write_file(command.save,
             "# The machine with the mapping that `lacuna map` found.\n" + machine.to_yaml());
  fmt::print(stderr, "saved: {}; lacuna run --arch {} takes it\n", command.save, command.save);
}

int map_product(const MapCommand& command, const RunPlan& plan, const FabricSpec& machine,
                const MapRequest& request) {
  const auto product = product_of(machine, plan.workloads.front());
  const MapSearch search = search_mappings(machine, product->workload, request);
  if (!search.unsupported.empty()) {
    throw InputError(
        fmt::format("{} cannot run this product: {}", machine.name, search.unsupported));
  }
  fmt::print("{}", command.json ? map_json(machine, search, request.objective, command.top)
                                : map_text(machine, search, request.objective, command.top));
  if (!command.save.empty()) save(command, plan, {entry_of(search)});
  return 0;
}

/// Of each product the first operation's mapping, where it is not what a run takes anyway.
std::vector<ConfigTree> entries_of(const std::vector<MappedOperation>& operations) {
  std::vector<ConfigTree> entries;
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> seen;
  for (const MappedOperation& one : operations) {
    const FabricShape& shape = one.search.shape;
    if (!seen.emplace(shape.m, shape.n, shape.k).second) continue;
    if (!one.search.ranked.front().is_mappers) entries.push_back(entry_of(one.search));
  }
  return entries;
}

int map_step(const MapCommand& command, const RunPlan& plan, const FabricSpec& machine,
             const MapRequest& request) {
  std::vector<MappedOperation> operations =
      plan.of_model() ? map_operations(machine, make_model_workload(plan.model), request)
                      : map_operations(machine, make_network_workload(plan.network), request);
  if (!command.operation.empty()) {
    for (const MappedOperation& one : operations) {
      if (std::count(one.names.begin(), one.names.end(), command.operation) == 0) continue;
      fmt::print("{}", command.json
                           ? map_json(machine, one.search, request.objective, command.top)
                           : map_text(machine, one.search, request.objective, command.top));
      return 0;
    }
    std::vector<std::string> names;
    for (const MappedOperation& one : operations) {
      names.insert(names.end(), one.names.begin(), one.names.end());
    }
    throw InputError(fmt::format("--operation {}: no product of the step has this name",
                                 shortened(command.operation)),
                     suggest(command.operation, names));
  }
  fmt::print("{}", command.json ? map_json(machine, operations, request.objective, command.top)
                                : map_text(operations, request.objective));
  if (!command.save.empty()) save(command, plan, entries_of(operations));
  return 0;
}

int execute(const MapCommand& command) {
  if (!command.save.empty() && std::filesystem::exists(command.save)) {
    throw InputError({command.save, 0, {}}, "the file exists", "choose another name");
  }
  MapRequest request;
  request.objective = parse_map_objective(command.objective);
  request.simulate = command.simulate;
  const RunPlan plan = make_plan(command.run);
  const FabricSpec& machine = machine_of(plan);
  request.constraints = parse_map_constraints(machine, command.fixed);
  if (plan.of_model() || plan.of_network()) return map_step(command, plan, machine, request);
  if (!command.operation.empty()) {
    throw InputError("--operation is of a model or a network, and neither is given",
                     "add --model or --network");
  }
  return map_product(command, plan, machine, request);
}

}  // namespace

Command add_map(Options& app) {
  auto command = std::make_shared<MapCommand>();
  RunArguments& run = command->run;
  app.add_option("--arch", run.machines, "machine of arrays: a file or a shipped name").required();
  app.add_option("--workload", run.workload_file, "workload file or shipped name");
  app.add_option("--matrix", run.workload.matrix, "A, as lacuna run takes it");
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
  app.add_option("--operation", command->operation,
                 "of a model or a network: this one, as of a single product");
  app.add_option("--set", run.settings, "override a value: levels.glb.capacity=512KiB")
      .one_at_a_time();
  app.add_option("--objective", command->objective, "cycles (default), traffic, energy or edp");
  app.add_option("--fix", command->fixed,
                 "what every mapping must be: outer=B, tile_columns=64, stays=both")
      .one_at_a_time();
  app.add_option("--simulate", command->simulate, "how many of the best by estimate, 5 by default")
      .between(std::uint64_t{1}, std::uint64_t{1000});
  app.add_option("--top", command->top, "how many are shown, 5 by default")
      .between(std::uint64_t{1}, std::uint64_t{100000});
  app.add_option("--save", command->save, "a machine's file with the best mapping in it");
  app.add_flag("--json", command->json, "as JSON");
  return [command] { return execute(*command); };
}

}  // namespace lacuna
