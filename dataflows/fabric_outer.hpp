// SPDX-License-Identifier: Apache-2.0
// The steps of an outer-product machine, from the nonzeros.
#pragma once

#include <vector>

#include "dataflows/fabric_mapping.hpp"
#include "dataflows/fabric_operands.hpp"

namespace lacuna {

struct OuterTotals {
  double slots = 0;  // issue slots of all arrays
  double products = 0;
  double entry_reads = 0;     // of the line buffers: words of both operands, fills included
  double first_products = 0;  // of the first K step
};

/// What one instruction needs beside the counts: words of bitmask that come with each K step.
struct OuterFetch {
  double a_mask_words = 0, b_mask_words = 0;  // per K step and array tile
  double spill_words = 0;                     // psums that pass per K step and array
};

class OuterSteps {
 public:
  OuterSteps(const FabricSpec& spec, const GemmOperands& operands, const FabricMapping& mapping,
             OuterFetch fetch);

  /// Cycles of K steps k0 .. k1-1 of output tile (m, n): the slowest of its arrays.
  [[nodiscard]] double cycles(std::uint64_t m, std::uint64_t n, std::uint64_t k0, std::uint64_t k1);
  /// Sums over everything that cycles() was asked for.
  [[nodiscard]] const OuterTotals& totals() const { return totals_; }

 private:
  struct Side {
    const std::vector<std::uint16_t>* counts;
    std::uint64_t k, tiles, across, lanes;
    [[nodiscard]] const std::uint16_t* tile(std::uint64_t t) const {
      return t < tiles ? counts->data() + t * k : nullptr;
    }
  };
  double array_cycles(const std::uint16_t* a, const std::uint16_t* b, std::uint64_t k0,
                      std::uint64_t k1);

  const FabricSpec& spec_;
  OuterFetch fetch_;
  Side a_, b_;
  std::vector<std::uint16_t> a_groups_, b_groups_;  // ceil(count / lanes) by count
  std::vector<double> port_;                        // GLB cycles of each step of the tile
  OuterTotals totals_;
};

}  // namespace lacuna
