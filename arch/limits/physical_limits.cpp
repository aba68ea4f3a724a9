// SPDX-License-Identifier: Apache-2.0
#include "arch/limits/physical_limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr double kWindowCycles = 1024;
constexpr double kTicksPerCycle = 1 << 20;
constexpr double kRounding = 1e-9;  // of sums in double precision: energies, words

template <class... Values>
[[noreturn]] void broken(const std::string& machine, fmt::format_string<Values...> text,
                         Values&&... values) {
  throw ModelError("physical limit broken: " + machine + ": " +
                   fmt::format(text, std::forward<Values>(values)...));
}

std::uint64_t share_of(const LlbSpec& llb, double share) {
  return static_cast<std::uint64_t>(share * static_cast<double>(llb.capacity.count()));
}

/// What can cross a port of this rate in so many cycles, with `transfers` in it.
double most_in(double rate, double cycles, std::uint64_t transfers) {
  const double ticks = 3 + static_cast<double>(transfers) / 2;
  return rate * (1 + rate * 0x1p-60) * (cycles + ticks / kTicksPerCycle) + 1;
}

void check_port(const std::string& machine, const PhysicalLimits::Port& port, const PortUse& use,
                Cycles cycles) {
  if (!std::isfinite(port.rate)) return;
  const double in_window = most_in(port.rate, kWindowCycles, use.fullest_transfers);
  if (static_cast<double>(use.fullest) > in_window) {
    broken(machine, "port '{}': {} {} in 1,024 cycles, at {:g} a cycle it passes {:.0f} at most",
           port.name, use.fullest, port.unit, port.rate, in_window);
  }
  const double in_all = most_in(port.rate, static_cast<double>(cycles.count()), use.transfers);
  if (static_cast<double>(use.total) > in_all) {
    broken(machine, "port '{}': {} {} in {} cycles, at {:g} a cycle it passes {:.0f} at most",
           port.name, use.total, port.unit, cycles.count(), port.rate, in_all);
  }
}

template <class Map>
const typename Map::mapped_type& meter_of(const std::string& machine, const Map& meters,
                                          const std::string& name) {
  const auto found = meters.find(name);
  if (found == meters.end()) broken(machine, "'{}' has no meter", name);
  return found->second;
}

}  // namespace

PhysicalLimits limits_of(const MachineSpec& spec) {
  PhysicalLimits limits;
  limits.machine = spec.name;
  limits.multiplies_per_cycle = static_cast<double>(spec.pes.count);
  limits.ports = {{"dram", spec.dram.bytes_per_cycle, "bytes"},
                  {"llb", spec.llb.bytes_per_cycle, "bytes"}};
  if (spec.fills_pass_a_port()) {
    limits.ports.push_back({"llb_fill", spec.llb.fill_bytes_per_cycle, "bytes"});
  }
  if (spec.waits_for_banks()) {
    limits.ports.push_back(
        {"llb_banks", static_cast<double>(spec.llb.banks * spec.llb.slices), "lines"});
  }
  limits.buffers = {{"llb", spec.llb.capacity.count()},
                    {"llb.A", share_of(spec.llb, spec.llb.shares.a)},
                    {"llb.B", share_of(spec.llb, spec.llb.shares.b)},
                    {"llb.Z", share_of(spec.llb, spec.llb.shares.z)}};
  return limits;
}

namespace {

void limit_level(const FabricSpec& spec, const FabricSharedLevel& level, PhysicalLimits& limits) {
  const double word = spec.word_bytes();
  if (level.read_words > 0) limits.ports.push_back({level.name, level.read_words * word, "bytes"});
  if (level.write_words > 0 && spec.contention) {
    limits.ports.push_back({level.name + "_write", level.write_words * word, "bytes"});
  }
  if (level.contended_banks && spec.contention) {
    limits.ports.push_back(
        {level.name + "_banks", static_cast<double>(level.banks * level.slices), "lines"});
  }
  limits.buffers.push_back({level.name, level.capacity.count()});
  const auto room = [&](const char* tensor, const FabricHolding& holding) {
    const double bytes = holding.share * static_cast<double>(level.capacity.count());
    if (bytes > 0)
      limits.buffers.push_back({level.name + tensor, static_cast<std::uint64_t>(bytes)});
  };
  room(".A", level.a);
  room(".B", level.b);
  room(".Z", level.z);
}

}  // namespace

PhysicalLimits limits_of(const FabricSpec& spec) {
  const double word = spec.word_bytes();
  PhysicalLimits limits;
  limits.machine = spec.name;
  limits.multiplies_per_cycle = static_cast<double>(spec.macs());
  limits.ports = {
      {spec.dram.shared ? "dram" : "dram_read", spec.dram.read_words * word, "bytes"},
  };
  if (!spec.dram.shared) {
    limits.ports.push_back({"dram_write", spec.dram.write_words * word, "bytes"});
  }
  for (std::uint64_t c = 0; c < spec.clusters; ++c) {
    const std::string of = spec.clusters == 1 ? "" : std::to_string(c);
    limits.ports.push_back({"glb" + of, spec.glb.words_per_cycle * word, "bytes"});
    limits.ports.push_back(
        {"mac" + of, static_cast<double>(spec.macs() / spec.clusters), "multiplies"});
    if (spec.fills_pass_a_port()) {
      limits.ports.push_back({"glb_write" + of, spec.glb.write_words_per_cycle * word, "bytes"});
    }
    if (spec.glb.contended_banks && spec.contention) {
      limits.ports.push_back(
          {"glb_banks" + of, static_cast<double>(spec.glb.banks * spec.glb.slices), "lines"});
    }
    limits.buffers.push_back({"glb" + of, spec.glb_bytes()});
  }
  if (spec.shared) limit_level(spec, *spec.shared, limits);
  return limits;
}

PhysicalLimits limits_of(const RowwiseSpec& spec) {
  PhysicalLimits limits;
  limits.machine = spec.name;
  const RowwiseElementSpec& elements = spec.elements;
  limits.multiplies_per_cycle = static_cast<double>(elements.count * elements.lanes);
  limits.ports = {{"dram", spec.dram.bytes_per_cycle, "bytes"}};
  if (spec.level) {
    limits.ports.push_back({spec.level->name, spec.level->read_bytes_per_cycle, "bytes"});
    limits.ports.push_back(
        {spec.level->name + "_write", spec.level->write_bytes_per_cycle, "bytes"});
    limits.buffers.push_back({spec.level->name, spec.level->capacity.count()});
  }
  limits.buffers.push_back(
      {elements.buffer + (spec.leader_is_b ? ".B" : ".A"), elements.leader_room.count()});
  limits.buffers.push_back({elements.buffer + ".Z", elements.output_room.count()});
  if (elements.follower_room) {
    limits.buffers.push_back(
        {elements.buffer + (spec.leader_is_b ? ".A" : ".B"), elements.follower_room->count()});
  }
  return limits;
}

void check_limits(const PhysicalLimits& limits, const Meters& meters, std::uint64_t multiplies,
                  Cycles cycles) {
  const double most = limits.multiplies_per_cycle * static_cast<double>(cycles.count());
  if (static_cast<double>(multiplies) > most) {
    broken(limits.machine, "{} multiplies in {} cycles, its {:g} multipliers make {:.0f} at most",
           multiplies, cycles.count(), limits.multiplies_per_cycle, most);
  }
  for (const PhysicalLimits::Port& port : limits.ports) {
    check_port(limits.machine, port, meter_of(limits.machine, meters.ports, port.name), cycles);
  }
  for (const PhysicalLimits::Buffer& buffer : limits.buffers) {
    const std::uint64_t held = meter_of(limits.machine, meters.high_water, buffer.name);
    if (held > buffer.bytes) {
      broken(limits.machine, "buffer '{}' held {} bytes, it has {}", buffer.name, held,
             buffer.bytes);
    }
  }
}

void check_traffic(const std::string& machine, const LeastTraffic& least,
                   const std::map<std::string, Moved>& traffic) {
  for (const auto& [tensor, bytes] : least) {
    const auto found = traffic.find(tensor);
    const Moved moved = found == traffic.end() ? Moved{} : found->second;
    const bool output = tensor == "Z";
    const auto seen = static_cast<double>(output ? moved.write_bytes : moved.read_bytes);
    if (seen >= bytes * (1 - kRounding) - 1) continue;  // bytes are whole
    broken(machine, "{:.0f} bytes of {} {} DRAM, the effectual work touches {:.0f} at least", seen,
           tensor, output ? "went to" : "came from", bytes);
  }
}

CheapestActions cheapest_actions(const ComponentSet& components, std::string_view multiplier) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  CheapestActions cheapest{kNone, kNone};
  for (const char* action : {"compute", "reused"}) {
    const auto& actions = components.at(multiplier).actions;
    const auto found = actions.find(action);
    if (found == actions.end()) continue;
    cheapest.multiply_pj = std::min(cheapest.multiply_pj, found->second.count());
  }
  const ComponentEnergy& dram = components.at("dram");
  // Without a width an action is one of a word, which is not known here: it may cost nothing.
  if (dram.width_bits == 0) {
    cheapest.dram_pj_per_byte = 0;
    return cheapest;
  }
  const double bytes = dram.width_bits / 8.0;
  for (const auto& [action, energy] : dram.actions) {
    if (action == "idle") continue;
    cheapest.dram_pj_per_byte = std::min(cheapest.dram_pj_per_byte, energy.count() / bytes);
  }
  return cheapest;
}

void check_energy(const std::string& machine, const CheapestActions& cheapest,
                  std::uint64_t multiplies, std::uint64_t dram_bytes, double picojoules) {
  const double multiply = static_cast<double>(multiplies) * cheapest.multiply_pj;
  const double dram = static_cast<double>(dram_bytes) * cheapest.dram_pj_per_byte;
  if (picojoules >= (multiply + dram) * (1 - kRounding)) return;
  broken(machine,
         "{:.6g} pJ in all, {} multiplies at {:g} pJ and {} bytes of DRAM at {:g} pJ take {:.6g}",
         picojoules, multiplies, cheapest.multiply_pj, dram_bytes, cheapest.dram_pj_per_byte,
         multiply + dram);
}

}  // namespace lacuna
