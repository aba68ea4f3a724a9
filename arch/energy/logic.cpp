// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/logic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "arch/energy/node_scaling.hpp"

namespace lacuna {
namespace {

template <class Map>
const auto& look_up(const Map& map, std::string_view name, std::string_view what,
                    const EnergyTable& table) {
  const auto found = map.find(std::string(name));
  if (found != map.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : map) known.push_back(key);
  throw InputError(fmt::format("the {} energy table has no {} named '{}'", table.name, what, name),
                   suggest(name, known));
}

double blend(double low, double high, double at) {
  return low + (high - low) * at;
}

std::optional<double> blend(std::optional<double> low, std::optional<double> high, double at) {
  if (!low || !high) return std::nullopt;
  return blend(*low, *high, at);
}

UnitRow row_at(std::string_view name, const UnitRows& unit, double clock_ns,
               std::vector<std::string>& flags) {
  const auto& rows = unit.rows;
  if (clock_ns < rows.front().clock_ns || clock_ns > rows.back().clock_ns) {
    const auto& end = clock_ns < rows.front().clock_ns ? rows.front() : rows.back();
    flags.push_back(fmt::format("extrapolated: {} at a {} ns clock, {} ns row taken", name,
                                clock_ns, end.clock_ns));
    return end;
  }
  std::size_t i = 0;
  while (rows[i].clock_ns < clock_ns) ++i;
  if (rows[i].clock_ns == clock_ns) return rows[i];
  const auto& low = rows[i - 1];
  const auto& high = rows[i];
  const double at = (clock_ns - low.clock_ns) / (high.clock_ns - low.clock_ns);
  return {clock_ns, blend(low.pj, high.pj, at), blend(low.idle_pj, high.idle_pj, at),
          blend(low.area_um2, high.area_um2, at)};
}

/// From the rows alone, at their node. Missing idle energy or area reads as nothing.
struct RowCost {
  double pj;
  std::optional<double> idle_pj, area_um2;
  double clock_ns = 1;  // in which the idle energy is spent
};

RowCost from_rows(const EnergyTable& table, std::string_view name, unsigned width,
                  std::optional<double> clock_ns, std::vector<std::string>& flags) {
  if (width == 0) throw InputError(fmt::format("a {} of 0 bits", name), "expected at least 1 bit");
  const UnitRows& unit = look_up(table.units, name, "unit", table);
  const auto row = row_at(name, unit, clock_ns.value_or(table.default_clock_ns), flags);
  const double ratio = static_cast<double>(width) / static_cast<double>(unit.base_width);
  const double factor = unit.power == 2 ? ratio * ratio : ratio;
  if (unit.base_width > 1 && width > unit.base_width) {
    flags.push_back(
        fmt::format("extrapolated: {}-bit {} from its {}-bit row", width, name, unit.base_width));
  }
  if (unit.scaling_inferred && width != unit.base_width) {
    flags.push_back(fmt::format("inferred: {}-bit {} scaled from its {}-bit row", width, name,
                                unit.base_width));
  }
  RowCost cost{row.pj * factor, row.idle_pj, row.area_um2, row.clock_ns};
  if (cost.idle_pj) *cost.idle_pj *= factor;
  if (cost.area_um2) *cost.area_um2 *= factor;
  return cost;
}

UnitCost plain(const RowCost& cost) {
  return {Picojoules(cost.pj),
          Picojoules(cost.idle_pj.value_or(0)),
          SquareMicrons(cost.area_um2.value_or(0)),
          {},
          cost.idle_pj.value_or(0) / cost.clock_ns};
}

/// From the rows' node to the table's.
UnitCost to_node(const EnergyTable& table, UnitCost cost, std::string_view name) {
  if (table.node_nm == table.rows_node_nm) return cost;
  const double energy = node_energy_factor(table.rows_node_nm, table.node_nm, table.vdd);
  const double area = node_area_factor(table.rows_node_nm, table.node_nm, cost.flags);
  cost.energy = cost.energy * energy;
  cost.idle = cost.idle * energy;
  cost.leakage_mw = 0;  // never carried from one node to another
  cost.area = cost.area * area;
  add_flags(cost.flags, {fmt::format("scaled: {} from {} to {} nm by the fit at {} V", name,
                                     table.rows_node_nm, table.node_nm, table.vdd),
                         fmt::format("not priced: leakage of {} at {} nm", name, table.node_nm)});
  return cost;
}

/// The rows' shape through the node's published figure: exactly the figure where `cost` is
/// `reference`, the cost of what was published.
UnitCost through_anchor(const EnergyTable& table, const UnitAnchor& anchor, UnitCost cost,
                        const UnitCost& reference, std::string_view name, bool exact) {
  const auto ratio = [](double target, double base) { return base > 0 ? target / base : 0.0; };
  if (exact) {
    return {Picojoules(anchor.pj),
            Picojoules(anchor.idle_pj),
            SquareMicrons(anchor.area_um2),
            {},
            anchor.idle_pj / table.default_clock_ns};
  }
  cost.energy = cost.energy * ratio(anchor.pj, reference.energy.count());
  const double idle = ratio(anchor.idle_pj, reference.idle.count());
  cost.idle = cost.idle * idle;
  cost.leakage_mw *= idle;
  cost.area = cost.area * ratio(anchor.area_um2, reference.area.count());
  add_flags(cost.flags,
            {fmt::format("scaled: {} through the {}-bit one published at {} nm, with the {} nm "
                         "set's shape",
                         name, anchor.bits, table.node_nm, table.rows_node_nm)});
  return cost;
}

UnitCost rows_cost(const EnergyTable& table, std::string_view name, unsigned width,
                   std::optional<double> clock_ns) {
  std::vector<std::string> flags;
  UnitCost cost = plain(from_rows(table, name, width, clock_ns, flags));
  cost.flags = flags;
  return cost;
}

UnitCost rows_cost(const EnergyTable& table, std::string_view operation, const Precision& precision,
                   std::optional<double> clock_ns) {
  if (precision.kind == Precision::Kind::integer) {
    return rows_cost(table, operation, precision.bits, clock_ns);
  }
  const unsigned base = precision.bits <= 32 ? 32 : 64;
  const std::string unit = fmt::format("fp{}_{}", base, operation);
  std::vector<std::string> flags;
  RowCost row = from_rows(table, unit, precision.bits, clock_ns, flags);
  if (precision.bits != base) {
    flags.push_back(
        fmt::format("extrapolated: {} {} from the fp{} row", precision.name, operation, base));
  }
  if (!row.area_um2) {
    // Only fp32 lists an area; its rule carries on to wider formats.
    std::vector<std::string> ignored;
    const std::string fp32 = fmt::format("fp32_{}", operation);
    row.area_um2 = from_rows(table, fp32, precision.bits, clock_ns, ignored).area_um2;
    flags.push_back(
        fmt::format("extrapolated: area of the {} {} from fp32", precision.name, operation));
  }
  if (!row.idle_pj) {
    std::vector<std::string> ignored;
    row.idle_pj = from_rows(table, operation, precision.bits, clock_ns, ignored).idle_pj;
    flags.push_back(fmt::format("inferred: idle energy of the {} {} from the integer one",
                                precision.name, operation));
  }
  UnitCost cost = plain(row);
  cost.flags = flags;
  return cost;
}

UnitCost rows_mac(const EnergyTable& table, const Precision& precision, const Precision& accumulate,
                  bool reused, std::optional<double> clock_ns) {
  UnitCost cost = rows_cost(table, "multiplier", precision, clock_ns);
  if (reused) cost.energy = cost.energy * table.multiplier_reused_factor;
  return cost += rows_cost(table, "adder", accumulate, clock_ns);
}

/// The straight line through two points in log-log, at x.
double power_law(double x0, double y0, double x1, double y1, double x) {
  return y0 * std::pow(x / x0, std::log(y1 / y0) / std::log(x1 / x0));
}

}  // namespace

UnitCost& UnitCost::operator+=(const UnitCost& other) {
  energy += other.energy;
  idle += other.idle;
  area += other.area;
  leakage_mw += other.leakage_mw;
  add_flags(flags, other.flags);
  return *this;
}

UnitCost UnitCost::times(double factor) const {
  return {energy * factor, idle * factor, area * factor, flags, leakage_mw * factor};
}

bool UnitCost::flagged(std::string_view start) const {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const std::string& flag) { return flag.starts_with(start); });
}

void add_flags(std::vector<std::string>& flags, const std::vector<std::string>& more) {
  for (const auto& flag : more) {
    if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
  }
}

UnitCost unit_cost(const EnergyTable& table, std::string_view unit, unsigned width,
                   std::optional<double> clock_ns) {
  const UnitCost cost = rows_cost(table, unit, width, clock_ns);
  const auto anchor = unit == "mac" ? table.anchors.end() : table.anchors.find(std::string(unit));
  if (anchor == table.anchors.end()) return to_node(table, cost, unit);
  const bool exact = width == anchor->second.bits && !clock_ns;
  return through_anchor(table, anchor->second, cost,
                        rows_cost(table, unit, anchor->second.bits, {}), unit, exact);
}

UnitCost adder_cost(const EnergyTable& table, const Precision& precision,
                    std::optional<double> clock_ns) {
  return to_node(table, rows_cost(table, "adder", precision, clock_ns), precision.name + " adder");
}

UnitCost multiplier_cost(const EnergyTable& table, const Precision& precision,
                         std::optional<double> clock_ns) {
  return to_node(table, rows_cost(table, "multiplier", precision, clock_ns),
                 precision.name + " multiplier");
}

UnitCost mac_cost(const EnergyTable& table, const Precision& precision,
                  std::optional<Precision> accumulate, bool reused,
                  std::optional<double> clock_ns) {
  const Precision sum = accumulate.value_or(precision);
  const UnitCost cost = rows_mac(table, precision, sum, reused, clock_ns);
  const auto anchor = table.anchors.find("mac");
  if (anchor == table.anchors.end()) return to_node(table, cost, precision.name + " MAC");
  const Precision published{Precision::Kind::integer, anchor->second.bits,
                            fmt::format("int{}", anchor->second.bits)};
  const bool same = precision.kind == published.kind && precision.bits == published.bits &&
                    sum.kind == published.kind && sum.bits == published.bits;
  return through_anchor(table, anchor->second, cost,
                        rows_mac(table, published, published, false, {}), precision.name + " MAC",
                        same && !reused && !clock_ns);
}

UnitCost register_file_cost(const EnergyTable& table, std::uint64_t depth, unsigned width,
                            std::optional<double> clock_ns) {
  if (depth == 0) throw InputError("a register file of depth 0", "expected at least one word");
  UnitCost cost = unit_cost(table, "register", width, clock_ns);
  const auto address_bits = static_cast<unsigned>(std::bit_width(depth - 1));
  if (address_bits == 0) return cost;
  return cost +=
         unit_cost(table, "comparator", address_bits, clock_ns).times(static_cast<double>(depth));
}

UnitCost crossbar_cost(const EnergyTable& table, unsigned inputs, unsigned outputs, unsigned width,
                       std::optional<double> clock_ns) {
  if (inputs == 0 || outputs == 0) throw InputError("a crossbar without inputs or outputs");
  return unit_cost(table, "crossbar", width, clock_ns)
      .times(static_cast<double>(inputs) * static_cast<double>(outputs) / 4.0);
}

UnitCost wire_cost(const EnergyTable& table, unsigned width, double length_um) {
  if (!(length_um >= 0)) throw InputError("a wire of negative length");
  const double femtojoules = static_cast<double>(width) * table.wire_activity *
                             table.wire_ff_per_um * length_um * table.wire_volts * table.wire_volts;
  return {Picojoules(femtojoules * 1e-3), {}, {}, {}, 0};
}

UnitCost saf_cost(const EnergyTable& table, std::string_view unit, double size) {
  const auto& rows = look_up(table.saf_units, unit, "sparse-acceleration unit", table);
  if (!(size > 0)) throw InputError(fmt::format("a {} of size {}", unit, size));
  UnitCost cost;
  if (table.node_nm != table.saf_node_nm) {
    cost.flags.push_back(
        fmt::format("inferred: {} as characterised at {} nm", unit, table.saf_node_nm));
  }
  if (size < rows.front().size || size > rows.back().size) {
    const double end = size < rows.front().size ? rows.front().size : rows.back().size;
    cost.flags.push_back(
        fmt::format("extrapolated: {} of size {}, characterised to {}", unit, size, end));
  }
  std::size_t high = 0;
  while (high < rows.size() - 1 && rows[high].size < size) ++high;
  if (rows[high].size == size || rows.size() == 1) {
    cost.energy = Picojoules(rows[high].pj);
    cost.area = SquareMicrons(rows[high].area_um2);
    return cost;
  }
  high = std::max<std::size_t>(high, 1);
  const auto& [x0, e0, a0] = rows[high - 1];
  const auto& [x1, e1, a1] = rows[high];
  cost.energy = Picojoules(power_law(x0, e0, x1, e1, size));
  cost.area = SquareMicrons(power_law(x0, a0, x1, a1, size));
  return cost;
}

Picojoules dram_energy_per_bit(const EnergyTable& table, std::string_view kind) {
  return Picojoules(look_up(table.dram, kind, "DRAM", table).pj_per_bit);
}

}  // namespace lacuna
