// SPDX-License-Identifier: Apache-2.0
#include "arch/program/join_programs.hpp"

#include "base/error.hpp"

namespace lacuna {
namespace {

using StepOperations = std::shared_ptr<const std::vector<StepOperation>>;

/// Visits of an operand; an operation without one still has a place in the count.
std::uint64_t visits_of(const ArrayProgram& program, const TileVisits ArrayProduct::*visits) {
  std::uint64_t all = 0;
  for (const ArrayProgram::Part& part : program.parts) {
    all += part.times * ((*part.product).*visits).visits();
  }
  return std::max<std::uint64_t>(1, all);
}

/// Parts, runs and visits go on from one operation to the next.
class StepWalk {
 public:
  explicit StepWalk(StepOperations operations) : operations_(std::move(operations)) {}

  bool next(ArrayInstruction& instruction) {
    for (; at_ < operations_->size(); advance()) {
      if (!walk_) walk_ = program().walk();
      if (!walk_(instruction)) continue;
      last_run_ = instruction.run;
      instruction.part += parts_;
      instruction.run += runs_;
      instruction.a.visit += a_visits_;
      instruction.b.visit += b_visits_;
      return true;
    }
    return false;
  }

 private:
  [[nodiscard]] const ArrayProgram& program() const { return *(*operations_)[at_].program; }
  void advance() {
    parts_ += program().parts.size();
    runs_ += last_run_ + 1;
    a_visits_ += visits_of(program(), &ArrayProduct::a_visits);
    b_visits_ += visits_of(program(), &ArrayProduct::b_visits);
    walk_ = nullptr;
    ++at_;
  }

  StepOperations operations_;
  ArrayWalk walk_;
  std::size_t at_ = 0, parts_ = 0;
  std::uint64_t last_run_ = 0, runs_ = 0, a_visits_ = 0, b_visits_ = 0;
};

}  // namespace

ArrayProgram join_programs(std::vector<StepOperation> operations) {
  ArrayProgram all;
  for (const StepOperation& operation : operations) {
    const ArrayProgram& one = *operation.program;
    const std::size_t number = all.operations.size();
    LACUNA_CHECK(one.operations.size() == 1, "a program of {} operations is joined",
                 one.operations.size());
    LACUNA_CHECK(operation.a_after <= number && operation.b_after <= number,
                 "operation {} waits for {} of A and {} of B", number, operation.a_after,
                 operation.b_after);
    all.parts.insert(all.parts.end(), one.parts.begin(), one.parts.end());
    all.operations.push_back(
        {all.parts.size(), one.shares(), operation.a_after, operation.b_after});
  }
  all.walk = [shared = std::make_shared<const std::vector<StepOperation>>(
                  std::move(operations))]() -> ArrayWalk {
    return [walk = StepWalk(shared)](ArrayInstruction& instruction) mutable {
      return walk.next(instruction);
    };
  };
  return all;
}

}  // namespace lacuna
