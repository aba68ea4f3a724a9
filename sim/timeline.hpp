// SPDX-License-Identifier: Apache-2.0
// What happened when, as a Chrome trace (chrome://tracing, Perfetto). One row per unit, one slice
// per fiber or tile. Off by default: a unit asks for the sink once per event, a null pointer when
// off.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace lacuna::sim {

class Timeline {
 public:
  /// Slices beyond the limit are counted, not kept.
  explicit Timeline(std::size_t limit = 1'000'000) : limit_(limit) {}

  /// The row of a unit; the same name gives the same row.
  unsigned row(const std::string& unit);
  void slice(unsigned row, const char* what, Cycles begin, Cycles end, std::uint64_t amount,
             const char* unit_of_amount);
  /// A JSON document; one cycle is shown as one microsecond.
  [[nodiscard]] std::string chrome_trace() const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Slice {
    unsigned row;
    const char* what;
    Cycles begin;
    Cycles end;
    std::uint64_t amount;
    const char* unit_of_amount;
  };
  std::size_t limit_;
  std::uint64_t dropped_ = 0;
  std::vector<std::string> rows_;
  std::vector<Slice> slices_;
};

}  // namespace lacuna::sim
