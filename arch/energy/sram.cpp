// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram.hpp"

#include <algorithm>
#include <cmath>

#include "base/quantity_text.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

/// How well a power law meets figures that it has not seen: read energy, median and nine of ten.
constexpr std::string_view kSizeError = "such sizes are met within 1.7 %, nine of ten 10.7 %";
constexpr std::string_view kWidthError =
    "widths left out are met within 6.5 %, nine of ten 19.8 %, and these are half as far apart";

double along_power(double x0, double y0, double x1, double y1, double x) {
  return y0 * std::pow(y1 / y0, std::log(x / x0) / std::log(x1 / x0));
}

SramFigures along_power(double x0, const SramFigures& y0, double x1, const SramFigures& y1,
                        double x) {
  SramFigures out{};
  for (std::size_t i = 0; i < kSramFigures; ++i) out[i] = along_power(x0, y0[i], x1, y1[i], x);
  return out;
}

double& of(SramFigures& figures, SramFigure figure) {
  return figures[static_cast<std::size_t>(figure)];
}

std::string whole_bytes_text(double bytes) {
  return to_text(Bytes(whole_near(bytes)));
}

SramFigures along_row(const SramRow& row, double bytes, std::vector<std::string>& flags) {
  auto high = row.lower_bound(static_cast<std::uint64_t>(std::ceil(bytes)));
  if (high != row.end() && static_cast<double>(high->first) == bytes) return high->second;
  const bool outside = high == row.begin() || high == row.end();
  if (high == row.begin()) ++high;
  if (high == row.end()) --high;
  const auto low = std::prev(high);
  const auto at = [](const SramRow::const_iterator& it) { return static_cast<double>(it->first); };
  if (outside) {
    const double end = bytes < at(low) ? at(low) : at(high);
    flags.push_back(fmt::format("extrapolated: {} from the rows' {}, x{:.3g}",
                                whole_bytes_text(bytes), whole_bytes_text(end), bytes / end));
  } else {
    flags.push_back(fmt::format("interpolated: {} between {} and {} ({})", whole_bytes_text(bytes),
                                whole_bytes_text(at(low)), whole_bytes_text(at(high)), kSizeError));
  }
  return along_power(at(low), low->second, at(high), high->second, bytes);
}

/// At a node that ships, with ports that it has; whole bytes, no wider than the rows.
SramFigures in_grid(const SramGrid& grid, SramPorts ports, unsigned banks, double width,
                    double bytes, std::vector<std::string>& flags) {
  const std::vector<unsigned> widths = grid.widths(ports, banks);
  const auto high = std::lower_bound(widths.begin(), widths.end(), width);
  if (high == widths.begin() || *high == width) {
    return along_row(grid.row(ports, banks, *high), bytes, flags);
  }
  const double below = *std::prev(high), above = *high;
  flags.push_back(fmt::format("interpolated: {} bits between {} and {} ({})", width, below, above,
                              kWidthError));
  return along_power(below, along_row(grid.row(ports, banks, *std::prev(high)), bytes, flags),
                     above, along_row(grid.row(ports, banks, *high), bytes, flags), width);
}

/// One memory as the grid's nodes have it.
struct WantedSram {
  SramPorts ports;
  unsigned banks;
  double width, bytes;
};

SramFigures at_shipped_node(unsigned node, const WantedSram& wanted,
                            std::vector<std::string>& flags) {
  const SramGrid& grid = SramGrid::of_node(node);
  if (grid.has(wanted.ports)) {
    const unsigned banks = grid.banks_within(wanted.ports, wanted.banks);
    if (banks != wanted.banks) {
      flags.push_back(fmt::format("inferred: {} banks as {}", wanted.banks, banks));
    }
    return in_grid(grid, wanted.ports, banks, wanted.width, wanted.bytes, flags);
  }
  constexpr unsigned kFullNode = 45;
  std::vector<std::string> same;
  WantedSram one = wanted;
  one.ports = SramPorts::rw1;
  SramFigures out = at_shipped_node(node, one, flags);
  const SramFigures here = at_shipped_node(kFullNode, wanted, same),
                    plain = at_shipped_node(kFullNode, one, same);
  for (std::size_t i = 0; i < kSramFigures; ++i) out[i] *= here[i] / plain[i];
  flags.push_back(fmt::format("inferred: {} ports by their ratio to 1rw at {} nm",
                              to_text(wanted.ports), kFullNode));
  return out;
}

/// Between two nodes energy, area and time follow a power law through both, beyond the ends a rule
/// that is published. Leakage does neither: it is not monotonic over the nodes.
SramFigures at_node(const EnergyTable& table, const WantedSram& wanted,
                    std::vector<std::string>& flags) {
  const auto& nodes = SramGrid::nodes();
  const auto high = std::lower_bound(nodes.begin(), nodes.end(), table.node_nm);
  if (high != nodes.end() && *high == table.node_nm) {
    return at_shipped_node(table.node_nm, wanted, flags);
  }
  SramFigures out{};
  if (high == nodes.begin() || high == nodes.end()) {
    const unsigned end = high == nodes.begin() ? nodes.front() : nodes.back();
    out = at_shipped_node(end, wanted, flags);
    // The plug-in's rules (accelergy-cacti-plug-in@291018b, cacti_wrapper.py).
    const double ratio = static_cast<double>(table.node_nm) / end;
    const double energy = ratio < 1 ? std::sqrt(ratio) : ratio * ratio;
    of(out, SramFigure::read_pj) *= energy;
    of(out, SramFigure::write_pj) *= energy;
    of(out, SramFigure::area_um2) *= ratio < 1 ? ratio : ratio * ratio;
    flags.push_back(
        fmt::format("scaled: SRAM energy x{:.3g} and area from {} nm; times stay", energy, end));
  } else {
    const unsigned below = *std::prev(high), above = *high;
    out = along_power(below, at_shipped_node(below, wanted, flags), above,
                      at_shipped_node(above, wanted, flags), table.node_nm);
    flags.push_back(fmt::format("interpolated: SRAM between {} and {} nm", below, above));
  }
  of(out, SramFigure::leakage_uw) = 0;
  flags.push_back(
      fmt::format("not priced: leakage of SRAM at {} nm, which is not known and never "
                  "interpolated across nodes",
                  table.node_nm));
  return out;
}

double cell_factor(const EnergyTable& table, std::vector<std::string>& flags) {
  const std::string& cells = table.sram.cells;
  if (cells == kStandbyCells) return 1;
  const auto kind = table.sram.cell_leakage.find(cells);
  const auto factor = kind == table.sram.cell_leakage.end()
                          ? std::map<unsigned, double>::const_iterator{}
                          : kind->second.find(table.node_nm);
  if (kind == table.sram.cell_leakage.end() || factor == kind->second.end()) {
    std::vector<std::string> known{std::string(kStandbyCells)};
    for (const auto& [name, by_node] : table.sram.cell_leakage) {
      if (by_node.contains(table.node_nm)) known.push_back(name);
    }
    throw InputError(
        fmt::format("the {} energy table has no leakage of '{}' cells (prices.cells) at {} nm",
                    table.name, shortened(cells), table.node_nm),
        fmt::format("it has {}", fmt::join(known, ", ")));
  }
  flags.push_back(fmt::format(
      "inferred: leakage of {} cells x{} of lstp's, as in 30 MiB; energy and time stay lstp's",
      cells, factor->second));
  return factor->second;
}

void check_shape(const SramShape& shape) {
  if (shape.capacity.count() == 0 || shape.width_bits == 0 || shape.banks == 0) {
    throw InputError(fmt::format("an SRAM of {}", shape.text()), "every size must be at least 1");
  }
  if (static_cast<double>(shape.width_bits) > 8.0 * static_cast<double>(shape.capacity.count())) {
    throw InputError(fmt::format("an SRAM of {} cannot be {} bits wide", to_text(shape.capacity),
                                 shape.width_bits),
                     "the width is the bits of one access");
  }
}

/// Memories side by side that give one word together, each a whole number of bytes wide.
std::uint64_t split(const SramShape& shape, WantedSram& one, std::vector<std::string>& flags) {
  constexpr unsigned kWidest = 4096;
  const unsigned bits = std::max(8U, shape.width_bits / 8 * 8);
  const std::uint64_t parts = ceil_div(std::uint64_t{bits}, std::uint64_t{kWidest});
  const double depth = 8.0 * static_cast<double>(shape.capacity.count()) / shape.width_bits;
  one = {shape.ports, shape.banks,
         static_cast<double>(ceil_div(std::uint64_t{bits}, 8 * parts) * 8), 0};
  one.bytes = depth * one.width / 8;
  if (parts > 1) {
    flags.push_back(fmt::format("inferred: {} bits as {} memories side by side", bits, parts));
  }
  if (bits != shape.width_bits) {
    flags.push_back(fmt::format("inferred: {} bits as {}", shape.width_bits, bits));
  }
  return parts;
}

}  // namespace

std::string SramShape::text() const {
  return fmt::format("{} x {} b, {} {}, {}", to_text(capacity), width_bits, banks,
                     banks == 1 ? "bank" : "banks", lacuna::to_text(ports));
}

SramCost sram_cost(const EnergyTable& table, const SramShape& shape) {
  check_shape(shape);
  SramCost cost;
  WantedSram one{};
  const auto parts = static_cast<double>(split(shape, one, cost.flags));
  SramFigures figures = at_node(table, one, cost.flags);
  const double by_banks = 1 - table.sram.bank_share + table.sram.bank_share / shape.banks;
  cost.read = Picojoules(of(figures, SramFigure::read_pj) * by_banks * parts);
  cost.write = Picojoules(of(figures, SramFigure::write_pj) * by_banks * parts);
  cost.area = SquareMicrons(of(figures, SramFigure::area_um2) * parts);
  cost.leakage_mw = of(figures, SramFigure::leakage_uw) * 1e-3 * parts;
  cost.leakage_mw *= cell_factor(table, cost.flags);
  cost.access_ns = of(figures, SramFigure::access_ns);
  cost.cycle_ns = of(figures, SramFigure::cycle_ns);
  cost.idle = Picojoules(cost.leakage_mw * cost.cycle_ns);
  std::vector<std::string> once;
  add_flags(once, cost.flags);
  cost.flags = std::move(once);
  return cost;
}

SramCost memory_cost(const EnergyTable& table, std::uint64_t depth, unsigned width_bits,
                     unsigned banks, SramPorts ports, std::optional<double> clock_ns) {
  constexpr std::uint64_t kMostDepth = std::uint64_t{1} << 40;  // depth x width stays in 64 bits
  constexpr unsigned kMostWidth = 1U << 20;
  if (depth == 0 || depth > kMostDepth || width_bits == 0 || width_bits > kMostWidth) {
    throw InputError(fmt::format("a memory of {} words of {} bits", depth, width_bits),
                     "expected 1 to 2^40 words of 1 to 2^20 bits");
  }
  const auto as_sram = [&] {
    return sram_cost(table, {bytes_for(Bits(depth * width_bits)), width_bits, banks, ports});
  };
  if (depth > 128 || width_bits > 32) return as_sram();
  const UnitCost file = register_file_cost(table, depth, width_bits, clock_ns);
  SramCost cost{file.energy, file.energy, file.idle, file.area, file.leakage_mw, 0, 0, file.flags};
  if (width_bits <= 16) return cost;
  const SramCost sram = as_sram();
  cost.area = sram.area;
  add_flags(cost.flags, sram.flags);
  return cost;
}

std::uint64_t memories_for(const SramShape& shape, double read_bytes, double write_bytes) {
  const auto rate = [](double bytes) { return std::isfinite(bytes) ? bytes : 0.0; };
  const double accesses = shape.width_bits / 8.0 * shape.banks;
  double needed = (rate(read_bytes) + rate(write_bytes)) / accesses;
  if (shape.ports == SramPorts::rw2) needed /= 2;
  if (shape.ports == SramPorts::r1w1) {
    needed = std::max(rate(read_bytes), rate(write_bytes)) / accesses;
  }
  return std::max<std::uint64_t>(1, whole_up(needed - 1e-9));
}

void add_time_flags(const SramCost& cost, std::uint64_t banks, double clock_ns,
                    std::vector<std::string>& flags) {
  const double between = cost.cycle_ns / static_cast<double>(banks);
  if (between <= clock_ns) return;
  flags.push_back(
      fmt::format("time: a bank takes {:.3g} ns, {} of them {:.3g} ns an access, the clock is "
                  "{:.3g} ns: random "
                  "accesses would wait, and do not",
                  cost.cycle_ns, banks, between, clock_ns));
}

}  // namespace lacuna
