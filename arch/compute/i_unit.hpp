// SPDX-License-Identifier: Apache-2.0
// A unit of the machine that executes instructions: how long it is busy, what it asks of the ports
// beside it, what it counts. A new kind of unit is an implementation of this interface and its
// class in arch/compute (docs/extending.md).
#pragma once

#include "arch/program/array_program.hpp"

namespace lacuna {

/// One instruction, executed.
struct Execution {
  double cycles = 0;         // of the unit and of the ports that it works through, if nobody else
                             // wants these
  double multiplies = 0;     // positions of the arrays that hold an operand pair
  double glb_words = 0;      // that it reads through the global buffer's port
  double written_words = 0;  // that it writes into the buffer through the port of its fills
};

class IUnit {
 public:
  virtual ~IUnit() = default;
  /// Instructions come in the program's order; one that is repeated takes what it took before.
  [[nodiscard]] virtual Execution execute(const ArrayInstruction& instruction) = 0;
  /// What one run of the product counts, without memory traffic. After all of its instructions.
  [[nodiscard]] virtual FabricCounts counts() const = 0;
};

}  // namespace lacuna
