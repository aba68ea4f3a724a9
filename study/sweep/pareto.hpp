// SPDX-License-Identifier: Apache-2.0
// The points of which none is better in everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lacuna {

/// Costs, the less the better; points that are equal in all of them stay together.
class ParetoFront {
 public:
  /// Whether it belongs to the front so far; what it beats leaves.
  bool add(std::uint64_t point, std::vector<double> costs);

  struct Member {
    std::uint64_t point;
    std::vector<double> costs;
  };
  /// In the order of their points.
  [[nodiscard]] std::vector<Member> members() const;

 private:
  std::vector<Member> members_;
};

}  // namespace lacuna
