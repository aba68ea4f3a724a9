// SPDX-License-Identifier: Apache-2.0
#include "study/overbooking/points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "base/statistics.hpp"

namespace lacuna::validation {
namespace {

constexpr std::string_view kHeader =
    "matrix,capacity_bytes,contender,skipped,cycles,cycles_bound,bound,dram_A_bytes,dram_B_bytes,"
    "dram_Z_partial_bytes,dram_Z_bytes,energy_pj,dram_energy_pj,tile_m,tile_k,tile_n,tiles,"
    "overbooked_fraction,buffer_utilization,whole_tensor,one_microtile,work_nonzeros,window_"
    "bytes\n";
constexpr std::size_t kFields = 23;

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

OverbookingPoint parse_point(std::string_view line) {
  const auto f = split(line);
  if (f.size() != kFields) {
    throw InputError(fmt::format("a point with {} fields, expected {}", f.size(), kFields));
  }
  const auto integer = [&](std::size_t i) { return std::stoull(f[i]); };
  const auto number = [&](std::size_t i) { return std::stod(f[i]); };
  return {.matrix = f[0],
          .capacity_bytes = integer(1),
          .contender = f[2],
          .skipped = f[3],
          .cycles = integer(4),
          .cycles_bound = integer(5),
          .bound = f[6],
          .a_bytes = integer(7),
          .b_bytes = integer(8),
          .partial_bytes = integer(9),
          .z_bytes = integer(10),
          .energy_pj = number(11),
          .dram_energy_pj = number(12),
          .tile_m = integer(13),
          .tile_k = integer(14),
          .tile_n = integer(15),
          .tiles = integer(16),
          .overbooked = number(17),
          .utilization = number(18),
          .whole_tensor = f[19] == "1",
          .one_microtile = f[20] == "1",
          .work_nonzeros = integer(21),
          .window_bytes = integer(22)};
}

double over(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 1 : static_cast<double>(a) / static_cast<double>(b);
}

}  // namespace

std::uint64_t window_bytes(std::uint64_t capacity, double smallest_share) {
  const auto eighth =
      static_cast<std::uint64_t>(static_cast<double>(capacity) * smallest_share / 8);
  return std::max<std::uint64_t>(1, std::min<std::uint64_t>(64ULL << 10U, eighth));
}

std::string points_csv(const std::vector<OverbookingPoint>& points) {
  std::string out(kHeader);
  for (const OverbookingPoint& p : points) {
    std::string why = p.skipped;
    std::replace(why.begin(), why.end(), ',', ';');
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},", p.matrix, p.capacity_bytes,
                       p.contender, why, p.cycles, p.cycles_bound, p.bound, p.a_bytes, p.b_bytes,
                       p.partial_bytes, p.z_bytes, p.energy_pj, p.dram_energy_pj);
    out += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", p.tile_m, p.tile_k, p.tile_n, p.tiles,
                       p.overbooked, p.utilization, p.whole_tensor ? 1 : 0, p.one_microtile ? 1 : 0,
                       p.work_nonzeros, p.window_bytes);
  }
  return out;
}

std::vector<OverbookingPoint> parse_points(const std::string& csv) {
  std::vector<OverbookingPoint> out;
  for (std::size_t begin = 0; begin < csv.size();) {
    const std::size_t end = std::min(csv.find('\n', begin), csv.size());
    const std::string_view line(csv.data() + begin, end - begin);
    begin = end + 1;
    if (!line.empty() && !line.starts_with("matrix,")) out.push_back(parse_point(line));
  }
  return out;
}

const OverbookingPoint* find_point(const std::vector<OverbookingPoint>& points,
                                   std::string_view matrix, std::uint64_t capacity,
                                   std::string_view contender) {
  for (const OverbookingPoint& p : points) {
    if (p.matrix == matrix && p.capacity_bytes == capacity && p.contender == contender) return &p;
  }
  return nullptr;
}

std::vector<std::uint64_t> capacities_of(const std::vector<OverbookingPoint>& points) {
  std::set<std::uint64_t> out;
  for (const OverbookingPoint& p : points) out.insert(p.capacity_bytes);
  return {out.begin(), out.end()};
}

Improvement improvement(const OverbookingPoint& from, const OverbookingPoint& to) {
  return {1, over(from.cycles, to.cycles), over(from.dram_bytes(), to.dram_bytes()),
          to.energy_pj > 0 ? from.energy_pj / to.energy_pj : 1};
}

Improvement mean_improvement(const std::vector<OverbookingPoint>& points, std::uint64_t capacity,
                             std::string_view from, std::string_view to) {
  std::vector<double> speed, traffic, energy;
  for (const OverbookingPoint& p : points) {
    if (p.capacity_bytes != capacity || p.contender != from || !p.skipped.empty()) continue;
    const OverbookingPoint* other = find_point(points, p.matrix, capacity, to);
    if (other == nullptr || !other->skipped.empty()) continue;
    const Improvement one = improvement(p, *other);
    speed.push_back(one.speed);
    traffic.push_back(one.traffic);
    energy.push_back(one.energy);
  }
  if (speed.empty()) return {};
  return {speed.size(), geometric_mean(speed), geometric_mean(traffic), geometric_mean(energy)};
}

ShareError share_error(const std::vector<OverbookingPoint>& points, double y) {
  constexpr std::uint64_t kMany = 20;
  ShareError out;
  std::vector<double> errors, shares, many;
  for (const OverbookingPoint& p : points) {
    if (p.contender != "OB" || p.tiles == 0) continue;
    if (p.whole_tensor) {
      ++out.whole_tensor;
    } else if (p.one_microtile) {
      ++out.one_microtile;
    } else {
      errors.push_back(std::abs(p.overbooked - y));
      shares.push_back(p.overbooked);
      if (p.tiles >= kMany) many.push_back(errors.back());
    }
  }
  out.free_points = errors.size();
  out.many_points = many.size();
  if (!errors.empty()) {
    out.mean_absolute = mean(errors);
    out.mean_share = mean(shares);
  }
  if (!many.empty()) out.mean_absolute_many = mean(many);
  return out;
}

std::string improvements_csv(const std::vector<OverbookingPoint>& points) {
  std::string out = "capacity_bytes,pair,speed,traffic,energy,matrices\n";
  std::size_t pair = 0;
  for (const auto& [from, to] : {std::pair{"N", "OB"}, {"P", "OB"}, {"N", "P"}}) {
    ++pair;
    for (const std::uint64_t capacity : capacities_of(points)) {
      const Improvement mean = mean_improvement(points, capacity, from, to);
      if (mean.matrices == 0) continue;
      out += fmt::format("{},{},{:.6g},{:.6g},{:.6g},{}\n", capacity, pair, mean.speed,
                         mean.traffic, mean.energy, mean.matrices);
    }
  }
  return out;
}

}  // namespace lacuna::validation
