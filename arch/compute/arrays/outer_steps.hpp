// SPDX-License-Identifier: Apache-2.0
// The steps of an outer-product machine, from the nonzeros.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "arch/program/array_program.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna {

struct OuterTotals {
  double slots = 0;  // issue slots of all arrays
  double products = 0;
  double entry_reads = 0;     // of the line buffers: words of both operands, fills included
  double first_products = 0;  // of the first K step
  void add(const OuterTotals& other);
};

/// What one instruction needs beside the counts: words of bitmask that come with each K step.
struct OuterFetch {
  double a_mask_words = 0, b_mask_words = 0;  // per K step and array tile
  double spill_words = 0;                     // psums that pass per K step and array
};

class OuterSteps {
 public:
  OuterSteps(const FabricSpec& spec, const ArrayWork& work, OuterFetch fetch);

  /// Cycles of K steps k0 .. k1-1 of output tile (m, n): the slowest of its arrays.
  [[nodiscard]] double cycles(std::uint64_t m, std::uint64_t n, std::uint64_t k0, std::uint64_t k1);
  /// Operand pairs of what cycles() was asked for last.
  [[nodiscard]] double products() const { return last_products_; }
  /// Sums over everything that cycles() was asked for.
  [[nodiscard]] const OuterTotals& totals() const { return totals_; }

 private:
  struct Side {
    const TileCounts* counts;
    std::uint64_t across;
    /// The tiles of one output tile, and what they are.
    [[nodiscard]] std::vector<std::uint32_t> kinds(std::uint64_t output) const;
    [[nodiscard]] bool repeats() const {
      return counts->counts.size() < counts->tiles() * counts->k;
    }
    [[nodiscard]] const std::uint16_t* of_kind(std::uint32_t kind) const {
      return counts->counts.data() + kind * counts->k;
    }
  };
  struct Known {
    double cycles;
    OuterTotals totals;
  };
  using Key = std::tuple<std::vector<std::uint32_t>, std::vector<std::uint32_t>, std::uint64_t>;
  double slowest(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b,
                 std::uint64_t k0, std::uint64_t k1);
  double array_cycles(const std::uint16_t* a, const std::uint16_t* b, std::uint64_t k0,
                      std::uint64_t k1);

  const FabricSpec& spec_;
  OuterFetch fetch_;
  Side a_, b_;
  std::vector<std::uint16_t> a_groups_, b_groups_;  // ceil(count / lanes) by count
  std::vector<double> port_;                        // GLB cycles of each step of the tile
  OuterTotals totals_, step_;                       // of all; of what is being computed
  double last_products_ = 0;
  bool repeats_;                // some tiles are alike
  std::map<Key, Known> known_;  // output tiles that are alike are computed once
};

}  // namespace lacuna
