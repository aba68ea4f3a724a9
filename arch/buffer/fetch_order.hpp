// SPDX-License-Identifier: Apache-2.0
// Where the bytes of an operand lie that a program fetches, in the order of fetching: what comes
// again has the address that it had. Products of a program lie behind each other, each copy of one
// too.
#pragma once

#include <cstdint>
#include <deque>

#include "arch/buffer/residency.hpp"
#include "arch/memory/i_memory.hpp"

namespace lacuna {

class FetchOrder {
 public:
  FetchOrder(const ArrayProgram& program, const TileVisits ArrayProduct::*visits,
             const Residency& residency)
      : program_(program), visits_(visits), residency_(residency) {}

  /// False after the last.
  bool next(AddressRange& range);

 private:
  void step();

  const ArrayProgram& program_;
  const TileVisits ArrayProduct::*visits_;
  Residency residency_;
  std::deque<AddressRange> ranges_;  // of the visit at hand
  std::size_t part_ = 0, walk_ = 0, item_ = 0;
  std::uint64_t copy_ = 0, base_ = 0, offset_ = 0;
};

}  // namespace lacuna
