// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_tiling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dataflows/swiftiles.hpp"

namespace lacuna {
namespace {

std::uint64_t widest(const std::vector<ColumnGroups>& products) {
  std::uint64_t most = 1;
  for (const auto& product : products) most = std::max(most, std::uint64_t{product.bytes.size()});
  return most;
}

std::vector<double> sums_of(const std::vector<double>& bytes) {
  std::vector<double> sums(bytes.size() + 1, 0.0);
  std::partial_sum(bytes.begin(), bytes.end(), sums.begin() + 1);
  return sums;
}

double total_of(const std::vector<ColumnGroups>& products) {
  double total = 0;
  for (const auto& product : products) {
    total += static_cast<double>(product.times) *
             std::accumulate(product.bytes.begin(), product.bytes.end(), 0.0);
  }
  return total;
}

}  // namespace

std::vector<double> tile_bytes(const std::vector<ColumnGroups>& products, std::uint64_t groups) {
  std::vector<double> out;
  for (const auto& product : products) {
    for (std::size_t at = 0; at < product.bytes.size(); at += groups) {
      const std::size_t end = std::min<std::size_t>(product.bytes.size(), at + groups);
      out.push_back(std::accumulate(product.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                    product.bytes.begin() + static_cast<std::ptrdiff_t>(end), 0.0));
    }
  }
  return out;
}

ColumnTile prescient_columns(const std::vector<ColumnGroups>& products, double room) {
  ColumnTile tile;
  std::vector<std::vector<double>> sums;
  for (const auto& product : products) sums.push_back(sums_of(product.bytes));
  const double total = total_of(products);
  for (std::uint64_t width = widest(products); width > 0; --width) {
    tile.work_bytes += total;
    double most = 0;
    for (const auto& s : sums) {
      const std::uint64_t groups = s.size() - 1;
      for (std::uint64_t at = 0; at < groups && most <= room; at += width) {
        most = std::max(most, s[std::min(groups, at + width)] - s[at]);
      }
    }
    if (most > room) continue;
    tile.groups = width;
    tile.seen = tile_bytes(products, width);
    break;
  }
  return tile;
}

ColumnTile swiftiles_columns(const std::vector<ColumnGroups>& products, double room,
                             const FabricSpec::Tiling& tiling) {
  ColumnTile tile;
  const double total = total_of(products);
  std::uint64_t groups = 0;
  for (const auto& product : products) groups += product.bytes.size() * product.times;
  const auto most = static_cast<double>(widest(products));
  if (total <= 0) {
    tile.groups = widest(products);
    return tile;
  }
  const double initial =
      std::clamp(std::floor(room * static_cast<double>(groups) / total), 1., most);
  const auto w0 = static_cast<std::uint64_t>(initial);
  // Tiles of the initial width that hold something: an empty one never enters the buffer
  // (docs/decisions/012). Products that are alike come one after another.
  std::vector<std::vector<double>> tiles;
  std::vector<std::uint64_t> first{0};
  for (const auto& product : products) {
    tiles.push_back(tile_bytes({product}, w0));
    std::erase_if(tiles.back(), [](double bytes) { return bytes <= 0; });
    first.push_back(first.back() + tiles.back().size() * product.times);
  }
  const Swiftiles swiftiles{tiling.overbooked_share, tiling.tail_samples, tiling.seed,
                            "swiftiles columns"};
  for (const std::uint64_t position : swiftiles.draw(first.back())) {
    const auto p = static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), position) -
                                            first.begin() - 1);
    const double bytes = tiles[p][(position - first[p]) % tiles[p].size()];
    tile.work_bytes += bytes;
    tile.seen.push_back(bytes);
  }
  const double q = swiftiles.bound(tile.seen);
  const double scaled = q > 0 ? std::floor(Swiftiles::scaled(initial, room, q)) : most;
  tile.groups = static_cast<std::uint64_t>(std::clamp(scaled, 1.0, most));
  for (double& bytes : tile.seen) bytes *= static_cast<double>(tile.groups) / initial;
  return tile;
}

}  // namespace lacuna
