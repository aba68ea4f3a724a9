// SPDX-License-Identifier: Apache-2.0
// SRAM as CACTI 7 computes it, one node at a time: configs/energy/sram/<node>nm.csv. Rows of equal
// ports, banks and width run over the size; what CACTI refuses is not there.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

namespace lacuna {

/// Ports of each bank: one or two that read and write, or one for each.
enum class SramPorts { rw1, r1w1, rw2 };
[[nodiscard]] std::string_view to_text(SramPorts ports);  // "1rw", "1r1w", "2rw"
[[nodiscard]] std::optional<SramPorts> parse_sram_ports(std::string_view text);

enum class SramFigure { read_pj, write_pj, leakage_uw, area_um2, access_ns, cycle_ns };
constexpr std::size_t kSramFigures = 6;
/// By SramFigure; energies of one access, leakage and area of the whole memory.
using SramFigures = std::array<double, kSramFigures>;

/// Memories of one width, bank count and kind of ports, by their bytes.
using SramRow = std::map<std::uint64_t, SramFigures>;

class SramGrid {
 public:
  /// Nodes that ship, ascending, in nm.
  static const std::vector<unsigned>& nodes();
  /// Read once for each process, when it is asked for. Throws InputError for a node that does not
  /// ship.
  static const SramGrid& of_node(unsigned nm);
  static SramGrid load(const std::filesystem::path& file);

  [[nodiscard]] bool has(SramPorts ports) const;
  /// The most banks not above `banks` that rows of these ports have.
  [[nodiscard]] unsigned banks_within(SramPorts ports, unsigned banks) const;
  /// Widths of the rows, ascending, in bits.
  [[nodiscard]] std::vector<unsigned> widths(SramPorts ports, unsigned banks) const;
  [[nodiscard]] const SramRow& row(SramPorts ports, unsigned banks, unsigned width) const;
  using Key = std::tuple<SramPorts, unsigned, unsigned>;  // ports, banks, width
  [[nodiscard]] const std::map<Key, SramRow>& rows() const { return rows_; }

 private:
  std::map<Key, SramRow> rows_;
};

}  // namespace lacuna
