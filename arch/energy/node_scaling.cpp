// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/node_scaling.hpp"

#include <array>

#include "base/error.hpp"

namespace lacuna {
namespace {

struct Fit {
  unsigned nm;
  double a, b, c;
};

constexpr std::array<Fit, 10> kFits{{{130, 7.171, -6.709, 2.904},
                                     {90, 4.762, -4.781, 2.092},
                                     {65, 3.755, -4.398, 1.975},
                                     {45, 1.103, -.362, .2767},
                                     {32, .9559, -.7823, .471},
                                     {20, .373, -.1582, .04104},
                                     {16, .2958, -.1241, .03024},
                                     {14, .2363, -.09675, .02239},
                                     {10, .2068, -.09311, .02375},
                                     {7, .1776, -.09097, .02447}}};

double power_at(unsigned nm, double vdd) {
  for (const auto& fit : kFits) {
    if (fit.nm != nm) continue;
    const double power = (fit.a * vdd + fit.b) * vdd + fit.c;
    if (power > 0) return power;
    throw InputError(fmt::format("the {} nm energy fit is not positive at {} V", nm, vdd),
                     "choose a supply between 0.5 V and 1.2 V");
  }
  std::string known;
  for (const auto& fit : kFits) known += fmt::format("{}{}", known.empty() ? "" : ", ", fit.nm);
  throw InputError(fmt::format("no energy scaling is published for {} nm", nm),
                   "published nodes (nm): " + known);
}

}  // namespace

double node_energy_factor(unsigned from_nm, unsigned to_nm, double vdd) {
  return power_at(to_nm, vdd) / power_at(from_nm, vdd);
}

double node_area_factor(unsigned from_nm, unsigned to_nm, std::vector<std::string>& flags) {
  if (from_nm == to_nm) return 1.0;
  if (from_nm == 45 && to_nm == 65) return 1.5;
  if (from_nm == 65 && to_nm == 45) return 0.66;
  flags.push_back(
      fmt::format("inferred: area from {} to {} nm scaled by the square of the node, no published "
                  "factor",
                  from_nm, to_nm));
  const double ratio = static_cast<double>(to_nm) / static_cast<double>(from_nm);
  return ratio * ratio;
}

}  // namespace lacuna
