// SPDX-License-Identifier: Apache-2.0
// The component table of one technology, as data: what a named YAML file of configs/energy holds.
// Published rows stay as published; logic.hpp and sram.hpp turn them into the energy of a unit.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "base/units.hpp"

namespace lacuna {

/// One row of a unit's characterisation; nothing where the source gives no figure.
struct UnitRow {
  double clock_ns;
  double pj;
  std::optional<double> idle_pj;
  std::optional<double> area_um2;
};

/// A logic unit: rows by clock, ascending, for one width, and how width scales them.
struct UnitRows {
  unsigned base_width;
  unsigned power;         // 1: proportional to the width, 2: to its square
  bool scaling_inferred;  // the scaling rule is ours, not the source's
  std::vector<UnitRow> rows;
};

/// A figure published at the table's own node where the rows are another node's: exact at `bits`,
/// and the level through which other widths take the rows' shape.
struct UnitAnchor {
  unsigned bits;
  double pj, idle_pj, area_um2;
};

/// Cells that leak least, which CACTI's figures are of.
inline constexpr std::string_view kStandbyCells = "lstp";

/// Rules beside the figures of SRAM (sram.hpp), each with its standing in the table's file.
struct SramRules {
  double bank_share = 0;  // of an access, which banks divide
  std::string cells{kStandbyCells};
  /// Leakage over that of standby cells: kind of cells -> node in nm -> factor.
  std::map<std::string, std::map<unsigned, double>> cell_leakage;
};

/// One channel of a kind of DRAM and its interface on the chip.
struct DramChannelPrice {
  double gigabytes_per_s;
  double background_mw, refresh_mw;  // of the devices, whatever they do
  double interface_mm2;              // its I/O circuits on the accelerator
  std::string standing;
};

struct DramPrice {
  double pj_per_bit;  // read = write
  std::optional<DramChannelPrice> channel;
};

struct SafRow {
  double size, pj, area_um2;
};

struct EnergyTable {
  std::string name;
  std::string standing;
  unsigned node_nm;
  unsigned rows_node_nm;
  double vdd;
  double default_clock_ns;
  std::map<std::string, UnitRows> units;
  std::map<std::string, UnitAnchor> anchors;
  double multiplier_reused_factor;
  double wire_activity, wire_ff_per_um, wire_volts;
  SramRules sram;
  std::map<std::string, DramPrice> dram;
  unsigned saf_node_nm;
  std::map<std::string, std::vector<SafRow>> saf_units;

  /// Reads a table, with the tables it `extends:`. Throws InputError with file, line and field.
  static EnergyTable load(const std::filesystem::path& file);
  /// By name ("45nm") in the folders given, or by path; see find_energy_file.
  static EnergyTable load(std::string_view name_or_path,
                          std::span<const std::filesystem::path> folders);
  static EnergyTable read(const ConfigReader& config);
};

/// The file of a table or component set: `name_or_path` itself when it names a file (contains a '/'
/// or ends in .yaml), otherwise <folder>/<name>.yaml or <folder>/published/<name>.yaml, first
/// folder first. Throws InputError with the nearest name there is.
[[nodiscard]] std::filesystem::path find_energy_file(
    std::string_view name_or_path, std::span<const std::filesystem::path> folders);

}  // namespace lacuna
