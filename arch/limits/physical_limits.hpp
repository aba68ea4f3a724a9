// SPDX-License-Identifier: Apache-2.0
// What no run of a machine can do, whoever planned it: more multiplies than it has multipliers,
// more bytes at a port than its rate, more in a buffer than it holds, less from DRAM than the work
// touches, less energy than its multiplies and its DRAM take. Known here are the machine's
// parameters and what a finished run counted and metered; not how it was mapped, tiled or timed.
//
// Every run of every machine is compared, in release builds too. What breaks a limit is a defect of
// the model, so it ends the run: ModelError "physical limit broken: ...".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arch/energy/component.hpp"
#include "arch/program/statistics.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "arch/spec/machine_spec.hpp"
#include "arch/spec/rowwise_spec.hpp"
#include "base/units.hpp"

namespace lacuna {

struct PhysicalLimits {
  struct Port {
    std::string name;    // of its meter
    double rate = 0;     // per cycle; infinity: unbounded
    const char* unit{};  // what crosses it: bytes, multiplies
  };
  struct Buffer {
    std::string name;  // of its meter
    std::uint64_t bytes = 0;
  };

  std::string machine;
  double multiplies_per_cycle = 0;
  std::vector<Port> ports;
  std::vector<Buffer> buffers;
};

[[nodiscard]] PhysicalLimits limits_of(const MachineSpec& spec);
[[nodiscard]] PhysicalLimits limits_of(const FabricSpec& spec);
[[nodiscard]] PhysicalLimits limits_of(const RowwiseSpec& spec);

/// Each port over the run and in its fullest window, each buffer at its fullest moment, multiplies
/// over the run. A limit whose meter is missing is broken too.
///
/// Tolerance of a port, with its rate r: transfers begin and end at whole ticks (2^-20 cycles).
/// A port that keeps the rest of a tick owes less than a tick at each edge of a window and in it,
/// arrays round every instruction to the nearest tick; a rate of r bytes is kept to r 2^-60 of
/// itself; parts of a transfer are whole, so a window may have one too many. Together: r (3 + n /
/// 2) ticks for n transfers, r 2^-60 and 1.
void check_limits(const PhysicalLimits& limits, const Meters& meters, std::uint64_t multiplies,
                  Cycles cycles);

/// Bytes of each tensor that come from DRAM (A, B) or go there (Z) at least: those of what starts
/// or ends off chip and takes part in an effectual multiply, once.
using LeastTraffic = std::map<std::string, double>;

/// `traffic` of the level that is off chip.
void check_traffic(const std::string& machine, const LeastTraffic& least,
                   const std::map<std::string, Moved>& traffic);

/// The cheapest that a component set has to offer.
struct CheapestActions {
  double multiply_pj = 0;
  double dram_pj_per_byte = 0;
};
/// `multiplier` names the component that multiplies.
[[nodiscard]] CheapestActions cheapest_actions(const ComponentSet& components,
                                               std::string_view multiplier);

void check_energy(const std::string& machine, const CheapestActions& cheapest,
                  std::uint64_t multiplies, std::uint64_t dram_bytes, double picojoules);

}  // namespace lacuna
