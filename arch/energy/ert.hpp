// SPDX-License-Identifier: Apache-2.0
// Accelergy's energy reference tables: ERT.yaml (`ERT: tables:`) and ERT_summary.yaml
// (`ERT_summary: table_summary:`), versions 0.3 and 0.4 as written by Accelergy and Timeloop.
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
/// mac_skipped, idle = leak, transfer = access. Actions that are neither needed nor in the table
/// are dropped, so that no energy of ours mixes in. Throws one InputError naming every needed
/// action that the table lacks and what it has instead, or a name that several paths end in.
[[nodiscard]] ComponentSet with_accelergy_table(const ComponentSet& base,
                                                const AccelergyTable& table,
                                                const NeededActions& needed,
                                                const ErtMapping& mapping = {});

}  // namespace lacuna
