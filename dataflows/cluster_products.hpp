// SPDX-License-Identifier: Apache-2.0
// Products on clusters of arrays behind a level that they share: each cluster's rows, what the
// level holds of a product, and the program of each cluster, block after block of the level
// (docs/decisions/021).
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "dataflows/fabric_product.hpp"
#include "dataflows/shared_blocks.hpp"

namespace lacuna {

/// The machine as one of its clusters sees it: the level that it shares is its memory.
[[nodiscard]] FabricSpec as_a_cluster_sees(const FabricSpec& spec);

class ClusterProducts {
 public:
  /// Rows of every product are dealt out in turn. `inner` is the machine as a cluster sees it, and
  /// outlives this.
  ClusterProducts(const FabricSpec& machine, const FabricSpec& inner,
                  std::vector<FabricProduct> wholes);

  /// What the first cluster has of each product: as many rows as any other.
  [[nodiscard]] std::vector<FabricProduct> leads() const;
  [[nodiscard]] const FabricInstance& whole(std::size_t product) const {
    return wholes_[product].instance();
  }
  /// Raises bytes of each group of rows of the first cluster to the most that any cluster has.
  void raise_to_most(std::size_t product, const FabricMapping& mapping,
                     std::vector<double>& bytes) const;
  /// Bytes of A's groups, of all clusters, and of B's.
  [[nodiscard]] SharedGroups groups(std::size_t product, const FabricMapping& mapping) const;
  /// Cut as the level wants it; appends to the program of each cluster.
  [[nodiscard]] SharedProduct cut(std::size_t product, const FabricMapping& mapping,
                                  const SharedShape& shape,
                                  std::vector<std::vector<ScheduledProduct>>& programs) const;

 private:
  using Schedules = std::vector<std::shared_ptr<const FabricSchedule>>;
  /// Operands of blocks: of each cluster's rows, of columns.
  struct Parts {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<const Occupancy>> a;
    std::map<std::uint64_t, std::shared_ptr<const Occupancy>> b;
  };
  [[nodiscard]] Schedules block(std::size_t product, const FabricMapping& whole_mapping,
                                const SharedShape& shape, std::uint64_t m, std::uint64_t n,
                                Parts& parts) const;

  const FabricSpec& machine_;
  const FabricSpec& inner_;
  std::vector<FabricProduct> wholes_;
  std::vector<std::vector<std::unique_ptr<FabricProduct>>> of_cluster_;  // those with rows
};

}  // namespace lacuna
