// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "arch/energy/node_scaling.hpp"
#include "base/quantity_text.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

constexpr double kLeastWidth = 32;  // CACTI's limits
constexpr double kLeastDepthPerBank = 64;
constexpr double kDataShare = 0.7;  // of an access; the rest is addressing
constexpr double kDepthExponent = 0.78;

/// A shape lifted to CACTI's limits, and what share of the lifted memory it is.
struct Lifted {
  double capacity;  // bytes
  double width;
  double energy_share;
  double linear_share;
};

Lifted lift(Bytes capacity, unsigned width_bits, unsigned banks) {
  const double width = width_bits;
  const double depth = 8.0 * static_cast<double>(capacity.count()) / width;
  const double legal_width = std::max(kLeastWidth, width);
  const double legal_depth = std::max(kLeastDepthPerBank * banks, depth);
  const double width_scale = width / legal_width;
  const double depth_scale = depth / legal_depth;
  return {legal_depth * legal_width / 8.0, legal_width,
          (kDataShare * width_scale + (1 - kDataShare)) * std::pow(depth_scale, kDepthExponent),
          width_scale * depth_scale};
}

enum class Figure { read, write, idle, area };
constexpr std::array kFigures{Figure::read, Figure::write, Figure::idle, Figure::area};

std::string_view name_of(Figure figure) {
  constexpr std::array<std::string_view, 4> names{"read energy", "write energy", "idle energy",
                                                  "area"};
  return names[static_cast<std::size_t>(figure)];
}

double pick(const SramFigures& figures, Figure figure) {
  switch (figure) {
    case Figure::read:
      return figures.read;
    case Figure::write:
      return figures.write;
    case Figure::idle:
      return figures.idle;
    default:
      return figures.area;
  }
}

std::optional<double> pick(const SramPoint& point, Figure figure) {
  switch (figure) {
    case Figure::read:
      return point.read_pj;
    case Figure::write:
      return point.write_pj;
    case Figure::idle:
      return point.idle_pj;
    default:
      return point.area_um2;
  }
}

double share(const Lifted& lifted, Figure figure) {
  return figure == Figure::read || figure == Figure::write ? lifted.energy_share
                                                           : lifted.linear_share;
}

/// Points of one port count and width, by capacity; figures of the lifted memories.
using Row = std::map<double, double>;
/// ports -> width -> row
using Rows = std::map<unsigned, std::map<double, Row>>;

Rows rows_of(const std::vector<SramPoint>& points, Figure figure) {
  Rows rows;
  for (const auto& point : points) {
    const auto value = pick(point, figure);
    if (!point.interpolate || !value) continue;
    const Lifted lifted = lift(point.capacity, point.width_bits, point.banks);
    rows[point.ports][lifted.width][lifted.capacity] = *value / share(lifted, figure);
  }
  return rows;
}

std::string bytes_text(double bytes) {
  return to_text(Bytes(whole_near(bytes)));
}

/// A power law through two points; a line where one of them is zero, as an idle energy may be.
double between(double x0, double y0, double x1, double y1, double x) {
  if (y0 <= 0 || y1 <= 0) return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
  return y0 * std::pow(y1 / y0, std::log(x / x0) / std::log(x1 / x0));
}

/// One figure of one lifted memory; `beyond` collects how far it leaves the points.
struct Interpolation {
  double capacity_exponent, width_exponent, ports_exponent;
  std::vector<std::string>& beyond;

  double along(const Row& row, double width, double capacity) const {
    const auto high = row.lower_bound(capacity);
    if (high != row.end() && high->first == capacity) return high->second;
    if (high == row.begin() || high == row.end()) {
      const auto& [end, value] = high == row.begin() ? *row.begin() : *row.rbegin();
      const bool above = capacity > end;
      beyond.push_back(fmt::format("capacity {:.3g}x {} the {} of the {}-bit points",
                                   above ? capacity / end : end / capacity,
                                   above ? "above" : "below", bytes_text(end), width));
      return value * std::pow(capacity / end, capacity_exponent);
    }
    const auto& [x0, y0] = *std::prev(high);
    const auto& [x1, y1] = *high;
    return between(x0, y0, x1, y1, capacity);
  }

  double across(const std::map<double, Row>& rows, double width, double capacity) const {
    const auto high = rows.lower_bound(width);
    if (high != rows.end() && high->first == width) return along(high->second, width, capacity);
    if (high == rows.begin() || high == rows.end()) {
      const auto& [end, row] = high == rows.begin() ? *rows.begin() : *rows.rbegin();
      const bool above = width > end;
      beyond.push_back(fmt::format("width {:.3g}x {} {} bits", above ? width / end : end / width,
                                   above ? "above" : "below", end));
      return along(row, end, capacity) * std::pow(width / end, width_exponent);
    }
    const auto& [w0, row0] = *std::prev(high);
    const auto& [w1, row1] = *high;
    const double y0 = along(row0, w0, capacity);
    const double y1 = along(row1, w1, capacity);
    return between(w0, y0, w1, y1, width);
  }

  double at(const Rows& all, unsigned ports, double width, double capacity) const {
    auto nearest_ports = all.begin();
    double least = std::numeric_limits<double>::infinity();
    for (auto it = all.begin(); it != all.end(); ++it) {
      const double distance = std::abs(std::log(static_cast<double>(ports) / it->first));
      if (distance < least) {
        least = distance;
        nearest_ports = it;
      }
    }
    if (least > 0) {
      beyond.push_back(fmt::format("{} ports, points have {}", ports, nearest_ports->first));
    }
    return across(nearest_ports->second, width, capacity) *
           std::pow(static_cast<double>(ports) / nearest_ports->first, ports_exponent);
  }
};

const SramPoint* find_exact(const std::vector<SramPoint>& points, const SramShape& shape) {
  for (const auto& point : points) {
    if (point.capacity == shape.capacity && point.width_bits == shape.width_bits &&
        point.banks == shape.banks && point.ports == shape.ports) {
      return &point;
    }
  }
  return nullptr;
}

/// From the points' node to the table's.
double node_factor(const EnergyTable& table, Figure figure, std::vector<std::string>& flags) {
  if (table.node_nm == table.rows_node_nm) return 1.0;
  if (table.sram.scale) {
    const double factor = pick(*table.sram.scale, figure);
    flags.push_back(fmt::format("scaled: SRAM {} from {} nm, x{}", name_of(figure),
                                table.rows_node_nm, factor));
    return factor;
  }
  const double factor = figure == Figure::area
                            ? node_area_factor(table.rows_node_nm, table.node_nm, flags)
                            : node_energy_factor(table.rows_node_nm, table.node_nm, table.vdd);
  flags.push_back(fmt::format("scaled: SRAM {} from {} nm by the logic fit, x{:.3g}",
                              name_of(figure), table.rows_node_nm, factor));
  return factor;
}

double evaluate(const EnergyTable& table, const SramShape& shape, Figure figure,
                std::vector<std::string>& flags) {
  const auto* here = find_exact(table.sram.at_node, shape);
  if (here != nullptr && pick(*here, figure)) return *pick(*here, figure);
  const double factor = node_factor(table, figure, flags);
  const auto* exact = find_exact(table.sram.points, shape);
  if (exact != nullptr && pick(*exact, figure)) return *pick(*exact, figure) * factor;

  const Lifted lifted = lift(shape.capacity, shape.width_bits, shape.banks);
  std::vector<std::string> beyond;
  const Interpolation interpolation{pick(table.sram.capacity, figure),
                                    pick(table.sram.width, figure), pick(table.sram.ports, figure),
                                    beyond};
  const double value = interpolation.at(rows_of(table.sram.points, figure), shape.ports,
                                        lifted.width, lifted.capacity);
  for (const auto& distance : beyond) {
    flags.push_back(fmt::format("extrapolated: {} of a {} x {} b SRAM: {}", name_of(figure),
                                to_text(shape.capacity), shape.width_bits, distance));
  }
  return value * share(lifted, figure) * factor;
}

}  // namespace

SramCost sram_cost(const EnergyTable& table, const SramShape& shape) {
  if (shape.capacity.count() == 0 || shape.width_bits == 0 || shape.banks == 0 ||
      shape.ports == 0) {
    throw InputError(
        fmt::format("an SRAM of {} x {} b, {} banks, {} ports", to_text(shape.capacity),
                    shape.width_bits, shape.banks, shape.ports),
        "every size must be at least 1");
  }
  if (static_cast<double>(shape.width_bits) > 8.0 * static_cast<double>(shape.capacity.count())) {
    throw InputError(fmt::format("an SRAM of {} cannot be {} bits wide", to_text(shape.capacity),
                                 shape.width_bits),
                     "the width is the bits of one access");
  }
  std::array<double, kFigures.size()> values{};
  SramCost cost;
  for (const Figure figure : kFigures) {
    std::vector<std::string> flags;
    values[static_cast<std::size_t>(figure)] = evaluate(table, shape, figure, flags);
    add_flags(cost.flags, flags);
    if (figure == Figure::idle) cost.idle_flags = std::move(flags);
    if (figure == Figure::area) cost.area_flags = std::move(flags);
  }
  cost.read = Picojoules(values[0]);
  cost.write = Picojoules(values[1]);
  cost.idle = Picojoules(values[2]);
  cost.area = SquareMicrons(values[3]);
  return cost;
}

SramCost memory_cost(const EnergyTable& table, std::uint64_t depth, unsigned width_bits,
                     unsigned banks, unsigned ports) {
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
  const UnitCost file = register_file_cost(table, depth, width_bits);
  if (width_bits <= 16) return {file.energy, file.energy, file.idle, file.area, file.flags};
  const SramCost sram = as_sram();
  SramCost cost{file.energy, file.energy, file.idle, sram.area, file.flags};
  add_flags(cost.flags, sram.area_flags);
  return cost;
}

}  // namespace lacuna
