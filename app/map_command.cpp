// SPDX-License-Identifier: Apache-2.0
// `lacuna map`: the mappings of a product, ranked, the best simulated, one saved.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "run/plan.hpp"
#include "study/mapping/text.hpp"

namespace lacuna {
namespace {

struct MapCommand {
  RunArguments run;
  std::string objective = "cycles", save;
  std::vector<std::string> fixed;
  std::uint64_t simulate = MapRequest{}.simulate, top = 5;
  bool json = false;
};

const FabricSpec& machine_of(const RunPlan& plan) {
  if (plan.machines.size() != 1) {
    throw InputError("mappings are those of one machine", "give one --arch");
  }
  if (plan.of_model() || plan.of_network() || plan.workloads.size() != 1) {
    throw InputError("mappings are those of one product", "give --gemm or --matrix");
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

std::string value_text(double value, MapObjective objective) {
  switch (objective) {
    case MapObjective::cycles:
      return grouped(static_cast<std::uint64_t>(value));
    case MapObjective::traffic:
      return human_bytes(value);
    default:
      return fmt::format("{:.4g}", value);
  }
}

std::string unit_of(MapObjective objective) {
  switch (objective) {
    case MapObjective::energy:
      return "energy (J)";
    case MapObjective::edp:
      return "energy x delay (J s)";
    default:
      return std::string(to_text(objective));
  }
}

void print_search(const FabricSpec& machine, const MapSearch& search, MapObjective objective,
                  std::uint64_t top) {
  const RankedMapping& best = search.ranked.front();
  fmt::print("{} mappings considered in {:.3g} s, {} fit {}'s buffer\n\n{}\n{}\n\n",
             grouped(search.considered), search.seconds, grouped(search.ranked.size()),
             machine.name, loop_nest(machine, best.mapping, search.shape),
             what_bounds(machine, search, best.mapping));
  fmt::print("{:>18} {:>18} {:>14}  mapping\n", unit_of(objective), "estimated cycles",
             "from DRAM");
  for (std::size_t i = 0; i < std::min<std::size_t>(top, search.ranked.size()); ++i) {
    const RankedMapping& one = search.ranked[i];
    fmt::print("{:>18} {:>18} {:>14}  {}{}\n",
               one.value ? value_text(*one.value, objective) : std::string("not simulated"),
               grouped(static_cast<std::uint64_t>(one.mapping.estimate.cycles)),
               human_bytes(one.mapping.bytes), in_short(one.mapping),
               one.is_mappers ? " (what a run takes)" : "");
  }
}

nlohmann::ordered_json json_of(const RankedMapping& one, const FabricShape& shape,
                               MapObjective objective) {
  nlohmann::ordered_json out;
  for (const auto& [key, value] : to_config(as_given(one.mapping, shape)).children) {
    out["mapping"][key] = value.scalar;
  }
  out["estimated_cycles"] = one.mapping.estimate.cycles;
  out["estimated_dram_bytes"] = one.mapping.bytes;
  out["a_buffer_bytes"] = one.mapping.a_need;
  out["b_buffer_bytes"] = one.mapping.b_need;
  out["mappers_choice"] = one.is_mappers;
  if (one.run) {
    out["cycles"] = one.run->statistics.cycles.count();
    out["energy_pj"] = one.run->energy.total_picojoules;
    out[std::string(to_text(objective))] = *one.value;
  }
  return out;
}

void print_json(const FabricSpec& machine, const MapSearch& search, MapObjective objective,
                std::uint64_t top) {
  nlohmann::ordered_json out;
  out["machine"] = machine.name;
  out["objective"] = to_text(objective);
  out["considered"] = search.considered;
  out["fit"] = search.ranked.size();
  out["seconds"] = search.seconds;
  out["loops"] = loop_nest(machine, search.ranked.front().mapping, search.shape);
  out["bounded_by"] = what_bounds(machine, search, search.ranked.front().mapping);
  for (std::size_t i = 0; i < std::min<std::size_t>(top, search.ranked.size()); ++i) {
    out["mappings"].push_back(json_of(search.ranked[i], search.shape, objective));
  }
  fmt::print("{}\n", out.dump(2));
}

/// A machine's file that is the machine with this mapping for this product.
void save(const MapCommand& command, const RunPlan& plan, const MapSearch& search) {
  if (std::filesystem::exists(command.save)) {
    throw InputError({command.save, 0, {}}, "the file exists", "choose another name");
  }
  ConfigTree machine = plan.machines.front().resolved;
  ConfigTree list;
  list.kind = ConfigTree::Kind::sequence;
  list.items = {to_config(as_given(search.ranked.front().mapping, search.shape))};
  machine.at_or_add("dataflow").at_or_add("mappings") = list;
  write_file(command.save,
             "# The machine with the mapping that `lacuna map` found.\n" + machine.to_yaml());
  fmt::print(stderr, "saved: {}; lacuna run --arch {} takes it\n", command.save, command.save);
}

int execute(const MapCommand& command) {
  MapRequest request;
  request.objective = parse_map_objective(command.objective);
  request.simulate = command.simulate;
  const RunPlan plan = make_plan(command.run);
  const FabricSpec& machine = machine_of(plan);
  request.constraints = parse_map_constraints(machine, command.fixed);
  const auto product = product_of(machine, plan.workloads.front());
  const MapSearch search = search_mappings(machine, product->workload, request);
  if (!search.unsupported.empty()) {
    throw InputError(
        fmt::format("{} cannot run this product: {}", machine.name, search.unsupported));
  }
  command.json ? print_json(machine, search, request.objective, command.top)
               : print_search(machine, search, request.objective, command.top);
  if (!command.save.empty()) save(command, plan, search);
  return 0;
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
