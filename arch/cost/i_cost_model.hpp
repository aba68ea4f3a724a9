// SPDX-License-Identifier: Apache-2.0
// What a mapper may ask of the machine: what a program would cost, from a summary of it that holds
// no time (Demand). Answers come from the same unit and residency functions that the blocks use.
#pragma once

#include <cstdint>
#include <string_view>

#include "arch/program/array_program.hpp"

namespace lacuna {

/// A product's loops in sums. The outer operand comes in `tiles`, each walked once for each of
/// `walks` groups of the inner one; in a walk the inner group meets the tile's `width` groups one
/// after another.
struct Demand {
  double tiles = 1, walks = 1, width = 1;
  double last_work = 1, last_bytes = 1;  // of the last tile, as shares of a whole one
  bool resident = true;                  // the tile stays for its walks
  double tile_bytes = 0;                 // of a whole tile, fetched once
  double tile_again = 0;                 // of a whole tile, fetched again over its walks
  double inner_bytes = 0;                // of the inner operand for one tile
  double first_inner_bytes = 0;          // in addition for the first: an inner operand that stays
  double outer_spare = 0;                // room beyond a tile, in which the next can come
  double inner_spare = 0;                // likewise beyond a group of the inner operand
  double inner_room = 0;                 // of the inner operand in all
  double passing = 0;                    // bytes of one instruction of an operand that only passes
  double output_words = 0;               // to memory
  double output_tiles = 1;               // in which they leave the arrays
  double unit_cycles = 0;                // ICostModel::unit_cycles() of the work

  /// Bytes of A and B from memory.
  [[nodiscard]] double fetched() const {
    return (tile_bytes + tile_again) * (tiles - 1 + last_bytes) + inner_bytes * tiles +
           first_inner_bytes;
  }
};

enum class Limiter { units, memory_reads, memory_writes };

struct Estimate {
  double cycles = 0;    // until the last output is written
  double at_least = 0;  // of the busiest block
  Limiter limiter = Limiter::units;

  /// Something that is done `times`, after this.
  void add(const Estimate& other, double times) {
    cycles += times * other.cycles;
    at_least += times * other.at_least;
  }
};

class ICostModel {
 public:
  virtual ~ICostModel() = default;
  /// Cycles that the units and the ports that they work through are busy.
  [[nodiscard]] virtual double unit_cycles(const ArrayWork& work) const = 0;
  [[nodiscard]] virtual Estimate estimate(const Demand& demand) const = 0;
  /// No program with these sums takes fewer cycles.
  [[nodiscard]] virtual double at_least(double unit_cycles, double fetched_bytes,
                                        double output_words) const = 0;
  /// Bytes of an operand's tile that stay in `room` bytes (0: no limit) while it is walked again.
  [[nodiscard]] virtual double resident(Tensor operand, double bytes, double room) const = 0;
  /// Likewise at the level that clusters share; the room is the operand's share of it.
  [[nodiscard]] virtual double resident_in_shared(Tensor operand, double bytes) const = 0;
  /// Whether a tile that overflows its room can pass in such pieces.
  [[nodiscard]] virtual bool passes(Tensor operand, double piece, double room) const = 0;
};

}  // namespace lacuna
