// SPDX-License-Identifier: Apache-2.0
// Named components: what the machine counts actions of. A component comes from an energy table by
// its class and attributes, or with its energies given (the published sets in
// configs/energy/published, or an Accelergy table).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arch/energy/energy_table.hpp"
#include "arch/energy/precision.hpp"
#include "arch/energy/sram.hpp"
#include "base/units.hpp"

namespace lacuna {

/// One kind of component of a machine and its instances.
struct ComponentEnergy {
  std::string name;
  std::string component_class;
  std::uint64_t count = 1;  // instances, for the area
  unsigned width_bits = 0;  // what one access moves; 0: does not apply
  std::map<std::string, Picojoules> actions;
  SquareMicrons area;              // of one instance
  std::string standing;            // published, computed
  std::vector<std::string> flags;  // as in UnitCost
  std::string source = {};         // what was priced: "SRAM 256 KiB x 512 b, 2 banks, 2rw"
  double static_mw = 0;  // of one instance, all the time: leakage; DRAM: background, refresh

  [[nodiscard]] std::string_view static_action() const {
    return component_class == "dram" ? "background" : "leak";
  }

  /// Throws ModelError with the actions there are.
  [[nodiscard]] Picojoules energy(std::string_view action) const;
};

// Builders. Memories: read, write, gated (= idle), idle. DRAM: read, write (per width_bits), idle.
// MAC: compute, reused, gated (= idle), skipped (0), idle.
/// With a rate, in GB/s, as many channels as carry it, with their interface and background power;
/// without one (0) accesses alone.
[[nodiscard]] ComponentEnergy dram_component(const EnergyTable& table, std::string name,
                                             std::string_view kind, unsigned width_bits = 64,
                                             double gigabytes_per_s = 0);
[[nodiscard]] ComponentEnergy sram_component(const EnergyTable& table, std::string name,
                                             const SramShape& shape, std::uint64_t count = 1);
[[nodiscard]] ComponentEnergy memory_component(const EnergyTable& table, std::string name,
                                               std::uint64_t depth, unsigned width_bits,
                                               std::uint64_t count = 1,
                                               std::optional<double> clock_ns = {});
/// A unit of logic with one action, of `count` instances.
[[nodiscard]] ComponentEnergy unit_component(std::string name, std::string component_class,
                                             std::string_view action, const UnitCost& cost,
                                             std::string source, std::uint64_t count = 1);
[[nodiscard]] ComponentEnergy mac_component(const EnergyTable& table, std::string name,
                                            const Precision& precision, std::uint64_t count = 1,
                                            std::optional<Precision> accumulate = {},
                                            std::optional<double> clock_ns = {});

/// From a mapping with `class`, or with `actions` (then width_bits, area_um2 and actions are taken
/// as given). Classes and their keys, all with an optional `count`:
///   dram kind width_bits | sram capacity width_bits banks ports (1, 2, 1rw, 2rw, 1r1w) | memory
///   depth width_bits banks ports | register_file depth width_bits | register, counter, comparator,
///   bitwise, shifter width_bits | adder, multiplier precision | mac precision accumulate |
///   crossbar inputs outputs width_bits | wire width_bits length_um | saf unit size
/// Units other than memories, DRAM and MACs have the actions compute (wire, crossbar: transfer)
/// and idle. `clock_ns` overrides the table's clock for logic.
[[nodiscard]] ComponentEnergy read_component(const EnergyTable* table, std::string name,
                                             const ConfigReader& config);

/// The components of one machine, in order.
struct ComponentSet {
  std::string name;
  unsigned node_nm = 0;
  std::vector<ComponentEnergy> components;

  [[nodiscard]] const ComponentEnergy* find(std::string_view component) const;
  /// Throws ModelError with the components there are.
  [[nodiscard]] const ComponentEnergy& at(std::string_view component) const;
  /// Sum of count x area.
  [[nodiscard]] SquareMicrons area() const;
  /// Every component's flags, each prefixed with its component's name.
  [[nodiscard]] std::vector<std::string> flags() const;

  /// name, node_nm, components; `table` is needed only by components given by class.
  static ComponentSet read(const ConfigReader& config, const EnergyTable* table = nullptr);
  static ComponentSet load(const std::filesystem::path& file, const EnergyTable* table = nullptr);
};

/// What a machine counts: component -> actions.
using NeededActions = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// Throws one InputError that lists every needed component and action `set` lacks, with what it
/// has instead. A machine calls it once, before it runs.
void require_actions(const ComponentSet& set, const NeededActions& needed);

}  // namespace lacuna
