// SPDX-License-Identifier: Apache-2.0
// Accelergy's reference tables of energy and area: ERT.yaml (`ERT: tables:`), ERT_summary.yaml
// (`ERT_summary: table_summary:`), ART.yaml and ART_summary.yaml likewise, versions 0.3 and 0.4 as
// written by Accelergy and Timeloop.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "arch/energy/component.hpp"

namespace lacuna {

struct AccelergyTable {
  struct Action {
    double pj;         // the mean where an action is listed with several arguments
    double low, high;  // their range
  };
  struct Component {
    std::string path;  // "system.llb[1..1]"
    std::string last;  // "llb"
    std::map<std::string, Action> actions;
  };
  std::string file;
  std::string version;
  std::vector<Component> components;

  /// Throws InputError with file, line and field.
  static AccelergyTable load(const std::filesystem::path& file);
  static AccelergyTable read(const ConfigTree& tree);
};

struct AccelergyAreas {
  struct Component {
    std::string path, last;
    double um2;  // of one instance
  };
  std::string file;
  std::vector<Component> components;

  /// Throws InputError with file, line and field.
  static AccelergyAreas load(const std::filesystem::path& file);
  static AccelergyAreas read(const ConfigTree& tree);
};

/// Names that differ between a machine and a table.
struct ErtMapping {
  std::map<std::string, std::string> components;  // "llb" -> "system.GLB[1..1]", or "GLB"
  std::map<std::string, std::string> actions;     // "llb.read" -> "vector_read"
};

/// `base` with the energies of `table`; widths, counts and areas stay. A component's name is met by
/// the mapping, else by the last element of a path without its [..], letter case aside;
/// "x_metadata" without a component of its own takes the metadata_* actions of "x". An action is
/// met by the mapping, else by its name, else by Accelergy's other spellings: compute = mac_random
/// or multiply_accumulate, reused = mac_reused, gated = mac_gated or gated_read, skipped =
/// mac_skipped, idle = leak, transfer = access. Leakage is the table's idle energy in each cycle of
/// `clock_ns`; a component without one has none and says so. Actions that are neither needed nor in
/// the table are dropped, so that no energy of ours mixes in. Throws one InputError naming every
/// needed action that the table lacks and what it has instead, with a name map to paste and
/// complete, or a name that several paths end in.
[[nodiscard]] ComponentSet with_accelergy_table(const ComponentSet& base,
                                                const AccelergyTable& table,
                                                const NeededActions& needed,
                                                const ErtMapping& mapping = {},
                                                double clock_ns = 1);

/// `base` with the areas of `areas`, names met likewise. A component that nobody needs and the
/// table lacks has no area and says so; a needed one that it lacks throws InputError with a map.
[[nodiscard]] ComponentSet with_accelergy_areas(const ComponentSet& base,
                                                const AccelergyAreas& areas,
                                                const NeededActions& needed,
                                                const ErtMapping& mapping = {});

/// Files that replace a machine's own prices; empty: they do not.
struct AccelergyFiles {
  std::string ert, art;
  std::map<std::string, std::string> names;  // "smem" -> "GLB", "smem.read" -> "vector_read"
};

/// Loads and applies them. Throws InputError, of a name that is neither a component of the machine
/// nor an action of one too.
[[nodiscard]] ComponentSet with_accelergy_files(const ComponentSet& base,
                                                const AccelergyFiles& files,
                                                const NeededActions& needed, double clock_ns);

}  // namespace lacuna
