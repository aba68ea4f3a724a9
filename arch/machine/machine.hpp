// SPDX-License-Identifier: Apache-2.0
// A whole machine, put together for one run: a program goes in, statistics come out.
#pragma once

#include <functional>
#include <optional>

#include "arch/memory/factory.hpp"
#include "arch/program/statistics.hpp"
#include "arch/program/tile_program.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

struct RunOptions {
  Fidelity fidelity = Fidelity::tile;
  /// Carry values and return the product, whatever the fidelity.
  bool carry_values = false;
  sim::StallInjection stalls;
  sim::Timeline* timeline = nullptr;
  const std::function<bool()>* interrupted = nullptr;
  MemoryFactory memory;  // empty: a fixed bandwidth and latency
  /// See sim::SimulationOptions: for tests.
  std::optional<std::uint64_t> shuffle;
};

struct RunOutcome {
  MachineStatistics statistics;
  std::optional<CsrMatrix> product;  // when values were carried
};

/// Runs `program` on the machine. Throws ModelError when an invariant breaks (utilisation above 1,
/// traffic that does not balance, counts that differ between model and data, a deadlock).
[[nodiscard]] RunOutcome run_machine(const MachineSpec& spec, TileProgram& program,
                                     const RunOptions& options);

}  // namespace lacuna
