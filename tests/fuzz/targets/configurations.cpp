// SPDX-License-Identifier: Apache-2.0
#include "arch/description/read_spec.hpp"
#include "arch/energy/energy_table.hpp"
#include "arch/energy/ert.hpp"
#include "arch/energy/sram_grid.hpp"
#include "base/shipped_files.hpp"
#include "report/result_json.hpp"
#include "study/published/numbers.hpp"
#include "tests/fuzz/target.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/model_numbers.hpp"
#include "workloads/networks/network.hpp"

using namespace lacuna;
using fuzz::as_file;

namespace {

ConfigReader reader_of(const std::string& bytes) {
  return ConfigReader(ConfigTree::parse(bytes, "input.yaml"));
}

}  // namespace

FUZZ_TARGET(machine) {
  const ConfigReader config = machine_reader(ConfigTree::parse(bytes, "input.yaml"));
  (void)read_any_machine(config);
  config.finish();
  (void)config.resolved().to_yaml();
}

// Older keys over a shipped machine of each kind.
FUZZ_TARGET(older_keys) {
  for (const char* name : {"lacuna", "extensor-ob"}) {
    ConfigTree machine = load_config("arch", name);
    machine.merge(ConfigTree::parse(bytes, "input.yaml"));
    const ConfigReader config = machine_reader(std::move(machine));
    (void)read_any_machine(config);
    config.finish();
  }
}

FUZZ_TARGET(setting) {
  ConfigTree tree = ConfigTree::parse("buffers: {llb: {capacity: 1 KiB}}", "machine.yaml");
  tree.set(bytes);
  (void)tree.to_yaml();
}

FUZZ_TARGET(network) {
  const ConfigReader config = reader_of(bytes);
  const Network network = read_network(config, 2);
  config.finish();
  (void)network.macs();
}

FUZZ_TARGET(energy_table) {
  (void)EnergyTable::read(reader_of(bytes));
}

FUZZ_TARGET(ert) {
  (void)AccelergyTable::read(ConfigTree::parse(bytes, "ert.yaml"));
}

FUZZ_TARGET(art) {
  (void)AccelergyAreas::read(ConfigTree::parse(bytes, "art.yaml"));
}

FUZZ_TARGET(sram_grid) {
  (void)SramGrid::load(as_file(bytes));
}

FUZZ_TARGET(published_runs) {
  (void)validation::load_runs(as_file(bytes));
}

FUZZ_TARGET(published_ratios) {
  (void)validation::load_tailors(as_file(bytes));
}

FUZZ_TARGET(model) {
  const ModelSpec spec = parse_model(bytes, "config.json");
  (void)count_parameters(spec);
  (void)kv_bytes_per_token(spec);
  (void)gemm_flops_per_token(spec);
}

FUZZ_TARGET(result) {
  (void)report::parse_results_json(bytes, "result.json");
}
