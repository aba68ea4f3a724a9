// SPDX-License-Identifier: Apache-2.0
// Everything one run reports: what result.json holds, what the terminal table and the plots are
// made of. Filled by the run command, rendered by report.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arch/program/statistics.hpp"
#include "base/config.hpp"
#include "base/units.hpp"
#include "workloads/operation_role.hpp"

namespace lacuna {

/// Energy of one component: the sum over its actions of count x picojoules.
struct ComponentReport {
  double picojoules = 0;
  std::map<std::string, double> by_action;
};

/// Where the price of one component comes from.
struct PriceReport {
  std::string component;
  std::uint64_t count = 1;                // instances
  std::map<std::string, double> actions;  // pJ of one
  double area_um2 = 0;                    // of one instance
  double static_mw = 0;                   // of one instance, all the time
  std::string static_action;              // what the energy of that is called
  std::string source, standing;
  std::vector<std::string> flags;
};

struct EnergyReport {
  double total_picojoules = 0;
  double static_picojoules = 0;  // of it, by the time: leakage, background and refresh of memory
  std::map<std::string, ComponentReport> components;
  std::vector<PriceReport> prices;  // in the order of the machine
  double area_um2 = 0;
  std::string table;               // name of the component table and its node
  std::vector<std::string> flags;  // "llb: extrapolated beyond 512 KiB", ...
};

/// How one operand was tiled.
struct TilingReport {
  std::string strategy;
  std::vector<std::uint64_t> shape;  // coordinates per rank
  std::vector<std::string> ranks;    // their names
  std::uint64_t tiles = 0;           // nonempty
  double overbooked_fraction = 0;
  double buffer_utilization = 0;    // mean over tiles of min(1, occupancy / share)
  bool clamped = false;             // the tile is the whole tensor along a rank
  std::uint64_t share_bytes = 0;    // of the buffer
  std::uint64_t work_nonzeros = 0;  // touched to find the size
  /// (quantile, bytes), for the printed table and the plot; sorted by quantile.
  std::vector<std::pair<double, std::uint64_t>> occupancy;
};

struct CheckReport {
  bool performed = false;
  bool passed = false;
  double max_relative_error = 0;
  std::string reference;  // which library's product
  std::string problem;    // of one that did not pass: where, and how
};

struct Provenance {
  std::string version;
  std::uint64_t seed = 0;
  std::string fidelity;
  std::map<std::string, std::string> inputs;  // file -> sha256:...
  std::vector<std::string> warnings;
  /// Operands that are a sample of rows repeated: the standard error of their density; of several
  /// products the largest.
  std::map<std::string, double> sampling_error;
};

struct HostReport {
  double wall_s = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t events = 0;  // SystemC process activations
};

/// One operation of a model's step: one execution, and how often it runs.
struct OperationReport {
  std::string name, group, block;  // for people
  Role role = Role::kUnset;        // of a model's operation; a layer of a network has none
  std::uint64_t times = 1;         // executions: layers that are alike
  std::uint64_t products = 0;      // matrix products of one execution; 0: no product
  Cycles cycles, cycles_bound;     // of one execution; the mean of those that overlap
  Cycles in_step;                  // of all executions
  std::string bound;
  std::uint64_t macs = 0;              // dense, as executed
  std::uint64_t weight_bytes = 0;      // from DRAM
  std::uint64_t cache_bytes = 0;       // from and to DRAM
  std::uint64_t activation_bytes = 0;  // from and to DRAM
  double picojoules = 0;
  std::uint64_t tile_columns = 0;  // of the streamed operand's resident tile, the widest
  std::uint64_t tiles = 0;
  double overbooked_fraction = 0;
};

/// The step of a model that was run: who waits for what. `phase` is empty unless the whole model
/// ran; tokens are counted all the same.
struct StepReport {
  std::string phase;            // "decode" or "prefill"
  std::uint64_t sequences = 0;  // at once
  std::uint64_t tokens = 0;     // of all sequences; 0: no step of a model
};

/// Bytes that memory must hold at least for a run: A (of several operations all weights, and a
/// model's cache) and what else an operation needs beside it (of several the largest).
struct InMemory {
  std::uint64_t a = 0, rest = 0;

  /// Another operation, whose A is weights.
  void add(const InMemory& one, std::uint64_t times) {
    a += one.a * times;
    rest = std::max(rest, one.rest);
  }
};

/// Values as a machine takes them. Machines that differ here do not move the same data.
struct NumberFormat {
  std::string name;        // "int8", "fp64"
  std::uint32_t bits = 0;  // 0: not told
};

struct RunResult {
  std::string name;  // the machine
  std::string workload;
  Hertz clock{1e9};
  NumberFormat format;  // of the machine's operands
  MachineStatistics statistics;
  std::uint64_t macs_dense = 0;  // = effectual + gated + skipped
  std::uint64_t macs_gated = 0;
  std::uint64_t macs_skipped = 0;
  EnergyReport energy;
  std::map<std::string, TilingReport> tiling;
  CheckReport check;
  Provenance provenance;
  HostReport host;
  /// Counts that stand beside the main ones, by name. add_result() (result_sum.hpp) knows every
  /// name and how it adds up.
  std::map<std::string, std::uint64_t> beside;
  std::vector<OperationReport> operations;  // of a model's step, in order; otherwise empty
  StepReport step;
  InMemory in_memory;
  ConfigTree resolved;   // the configuration that reproduces the run
  std::string timeline;  // Chrome trace JSON; empty when off
  /// Set when the machine cannot run the workload: why. Everything else is then empty.
  std::string unsupported;

  [[nodiscard]] double seconds() const {
    return static_cast<double>(statistics.cycles.count()) / clock.count();
  }
  /// A sequence waits for the whole step, whatever else is in the batch: the time until its first
  /// token in a prefill, and of its next token in a decode that gives each sequence one.
  [[nodiscard]] bool is_first_token() const { return step.phase == "prefill"; }
  [[nodiscard]] bool is_output_token() const {
    return step.phase == "decode" && step.tokens == step.sequences;
  }
  /// Throughput, of all sequences together.
  [[nodiscard]] double tokens_per_second() const {
    return seconds() > 0 ? static_cast<double>(step.tokens) / seconds() : 0;
  }
};

}  // namespace lacuna
