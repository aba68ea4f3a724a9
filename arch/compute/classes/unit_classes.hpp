// SPDX-License-Identifier: Apache-2.0
// The classes of units that a machine file may name, with the parameters of each. This is the only
// place that tells classes apart while a file is read: a new class is one entry of the table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "arch/spec/fabric_spec.hpp"
#include "arch/spec/rowwise_spec.hpp"
#include "base/config.hpp"

namespace lacuna {

/// What a machine as a whole needs to know of a unit.
struct UnitTraits {
  std::map<std::string, std::uint64_t> extents = {};  // what loops may be spread over: rows, lanes
  bool merges = false;                                // it can put partial outputs together
  bool multiplies = false;  // it is the unit that the instructions are for
  /// Writes the unit's parameters into the machine that runs it, arrays behind buffers, processing
  /// elements that intersect fibers or elements of row-wise products; all empty: no run takes such
  /// units yet.
  std::function<void(FabricSpec&)> install = {};
  std::function<void(MachineSpec&)> install_elements = {};
  std::function<void(RowwiseSpec&)> install_rowwise = {};
};

/// Reads the parameters of a unit of this class. Throws InputError at `class` for an unknown one.
[[nodiscard]] UnitTraits read_unit_traits(const std::string& unit_class,
                                          const ConfigReader& config);

[[nodiscard]] std::vector<std::string> unit_classes();

}  // namespace lacuna
