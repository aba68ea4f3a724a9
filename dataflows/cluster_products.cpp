// SPDX-License-Identifier: Apache-2.0
#include "dataflows/cluster_products.hpp"

#include <algorithm>
#include <utility>

#include "base/interrupt.hpp"
#include "base/whole.hpp"
#include "dataflows/row_split.hpp"

namespace lacuna {
namespace {

/// Rows that a cluster takes at a time.
std::uint64_t rows_in_a_turn(const FabricSpec& spec) {
  std::uint64_t rows = spec.arrays.rows;
  for (const auto& [of_tile, columns] : spec.arrays.tiles) rows = std::max(rows, of_tile);
  return rows * spec.arrays.across_m;
}

/// Rows of a block; of its operand, not none.
std::shared_ptr<const Occupancy> part_of(const Occupancy& whole, std::uint64_t block,
                                         std::uint64_t rows) {
  const std::uint64_t first = block * rows;
  return std::make_shared<const Occupancy>(
      rows_between(whole, first, std::min(whole.rows(), first + rows)));
}

/// A cluster without rows: what all clusters get of B passes by.
ArrayProduct idle_beside(const ArrayProduct& lead) {
  ArrayProduct idle = lead;
  idle.operands = nullptr;
  idle.a.clear();
  idle.z = {};
  idle.a_visits = idle.b_visits = {};
  return idle;
}

}  // namespace

FabricSpec as_a_cluster_sees(const FabricSpec& spec) {
  FabricSpec inner = spec;
  if (!spec.shared) return inner;
  if (spec.shared->a.share > 0 || spec.shared->b.share > 0) {
    const double ports = spec.contention ? 1 : 2;  // each operand has one for itself
    inner.dram.read_words = std::max(ports * spec.shared->read_words, spec.dram.read_words);
    inner.dram.latency = spec.shared->latency;
  }
  inner.dram.write_words /= real(spec.clusters);
  inner.shared.reset();
  inner.clusters = 1;
  return inner;
}

ClusterProducts::ClusterProducts(const FabricSpec& machine, const FabricSpec& inner,
                                 std::vector<FabricProduct> wholes)
    : machine_(machine), inner_(inner), wholes_(std::move(wholes)) {
  for (const FabricProduct& whole : wholes_) {
    auto& clusters = of_cluster_.emplace_back();
    const GemmOperands& operands = *whole.instance().operands;
    for (std::uint64_t c = 0; c < machine.clusters; ++c) {
      const RowsInTurn rows{rows_in_a_turn(inner), machine.clusters, c};
      if (rows.rows_of(operands.m()) == 0) break;
      FabricInstance part = whole.instance();
      part.operands = std::make_shared<const GemmOperands>(
          std::make_shared<const Occupancy>(rows_in_turn(operands.a(), rows)), operands.shared_b());
      clusters.push_back(std::make_unique<FabricProduct>(whole, part));
    }
  }
}

std::vector<FabricProduct> ClusterProducts::leads() const {
  std::vector<FabricProduct> leads;
  leads.reserve(wholes_.size());
  for (std::size_t i = 0; i < wholes_.size(); ++i) {
    leads.emplace_back(wholes_[i], of_cluster_[i].front()->instance());
  }
  return leads;
}

void ClusterProducts::raise_to_most(std::size_t product, const FabricMapping& mapping,
                                    std::vector<double>& bytes) const {
  for (const auto& cluster : of_cluster_[product]) {
    const std::vector<double> own = cluster->a_groups(mapping);
    for (std::size_t g = 0; g < own.size(); ++g) bytes[g] = std::max(bytes[g], own[g]);
  }
}

SharedGroups ClusterProducts::groups(std::size_t product, const FabricMapping& mapping) const {
  SharedGroups groups;
  for (const auto& cluster : of_cluster_[product]) {
    const std::vector<double> own = cluster->a_groups(mapping);
    groups.a.resize(std::max(groups.a.size(), own.size()));
    for (std::size_t g = 0; g < own.size(); ++g) groups.a[g] += own[g];
  }
  const FabricLoad load = of_cluster_[product].front()->load();
  const std::vector<double>& sums = load.b_sums(mapping);
  for (std::uint64_t at = 0; at < load.n; at += mapping.columns) {
    const double words = sums[std::min(load.n, at + mapping.columns)] - sums[at];
    groups.b.push_back(words * load.b_bytes);
  }
  return groups;
}

SharedProduct ClusterProducts::cut(std::size_t product, const FabricMapping& mapping,
                                   const SharedShape& shape,
                                   std::vector<std::vector<ScheduledProduct>>& programs) const {
  SharedProduct out;
  out.times = whole(product).times;
  for (auto& program : programs) program.push_back({{}, out.times});
  const FabricShape lead = of_cluster_[product].front()->shape();
  const std::uint64_t rows = ceil_div(ceil_div(lead.m, mapping.rows), shape.a_groups);
  const std::uint64_t columns = ceil_div(ceil_div(lead.n, mapping.columns), shape.b_groups);
  Parts parts;
  for (std::uint64_t i = 0; i < rows * columns; ++i) {
    stop_if_requested();
    const bool a_outside = machine_.shared->a_outside;
    const std::uint64_t m = a_outside ? i / columns : i % rows;
    const std::uint64_t n = a_outside ? i % columns : i / rows;
    SharedBlock one{m, n, {}};
    const Schedules schedules = block(product, mapping, shape, m, n, parts);
    for (std::size_t c = 0; c < schedules.size(); ++c) {
      one.of_cluster.push_back(schedules[c]->product());
      programs[c].back().blocks.push_back(schedules[c]);
    }
    out.blocks.push_back(std::move(one));
  }
  return out;
}

/// What each cluster does in block (m, n). The first says how tiles are walked.
ClusterProducts::Schedules ClusterProducts::block(std::size_t product,
                                                  const FabricMapping& whole_mapping,
                                                  const SharedShape& shape, std::uint64_t m,
                                                  std::uint64_t n, Parts& parts) const {
  const std::uint64_t rows = shape.a_groups * whole_mapping.rows;
  const std::uint64_t columns = shape.b_groups * whole_mapping.columns;
  const auto& clusters = of_cluster_[product];
  Schedules schedules;
  FabricMapping mapping;
  std::uint64_t groups = 0;
  for (std::uint64_t c = 0; c < machine_.clusters; ++c) {
    if (c >= clusters.size() || m * rows >= clusters[c]->shape().m) {
      schedules.push_back(std::make_shared<FabricSchedule>(
          idle_beside(*schedules.front()->product()), mapping, inner_.word_bytes(), groups));
      continue;
    }
    FabricInstance part = clusters[c]->instance();
    // Blocks beside and below each other have an operand in common.
    auto& a = parts.a[{c, m}];
    auto& b = parts.b[n];
    if (!a) a = part_of(part.operands->a(), m, rows);
    if (!b) b = part_of(part.operands->b_transposed(), n, columns);
    part.operands = std::make_shared<const GemmOperands>(a, b);
    const FabricProduct own(*clusters[c], part);
    if (c == 0) {
      mapping = for_product(whole_mapping, own.shape());
      groups = ceil_div(own.shape().m, mapping.rows);
    }
    schedules.push_back(own.finish(mapping, groups).schedule);
  }
  return schedules;
}

}  // namespace lacuna
