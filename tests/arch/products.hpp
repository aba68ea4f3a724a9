// SPDX-License-Identifier: Apache-2.0
// Machines, random operands and runs for the tests of the product path.
#pragma once

#include <string>
#include <vector>

#include "arch/description/read_spec.hpp"
#include "arch/machine/machine.hpp"
#include "base/random.hpp"
#include "dataflows/extensor_program.hpp"
#include "tests/catch.hpp"

namespace lacuna::test {

/// A shipped machine with values overridden ("buffers.llb.capacity=64KiB").
inline MachineSpec machine(const std::string& name, const std::vector<std::string>& settings = {}) {
  ConfigTree tree = ConfigTree::load(source_dir() / "configs" / "arch" / (name + ".yaml"));
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader = machine_reader(std::move(tree));
  MachineSpec spec = read_machine(reader);
  reader.finish();
  return spec;
}

/// Every place holds a nonzero with probability `density`.
inline CsrMatrix random_matrix(Coordinate rows, Coordinate cols, double density,
                               std::uint64_t seed) {
  RandomStream random(seed, "test matrix");
  std::vector<Entry> entries;
  for (Coordinate row = 0; row < rows; ++row) {
    for (Coordinate col = 0; col < cols; ++col) {
      if (random.uniform() < density) entries.push_back({row, col, 2 * random.uniform() - 1});
    }
  }
  return from_entries(rows, cols, std::move(entries), false);
}

inline RunOutcome simulate(const MachineSpec& spec, const ProductOperands& operands,
                           LoopTiles tiles, const RunOptions& options = {}) {
  ExtensorProgram program(operands, spec, tiles);
  return run_machine(spec, program, options);
}

inline RunOptions at(Fidelity fidelity, bool carry_values = false) {
  RunOptions options;
  options.fidelity = fidelity;
  options.carry_values = carry_values;
  return options;
}

inline std::uint64_t dram_reads(const MachineStatistics& statistics, const char* tensor) {
  return statistics.traffic.at("dram").at(tensor).read_bytes;
}
inline std::uint64_t dram_writes(const MachineStatistics& statistics, const char* tensor) {
  return statistics.traffic.at("dram").at(tensor).write_bytes;
}

}  // namespace lacuna::test
