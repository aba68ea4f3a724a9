// SPDX-License-Identifier: Apache-2.0
#include "run/step/step_time.hpp"

#include <algorithm>

namespace lacuna {
namespace {

std::uint64_t simulated(const StepBlock& block) {
  return std::min(block.times, kSimulatedRepetitions);
}

std::vector<StepOperation> in_order(const std::vector<StepBlock>& blocks) {
  std::vector<StepOperation> all;
  for (const StepBlock& block : blocks) {
    for (std::uint64_t r = 0; r < simulated(block); ++r) {
      const std::size_t before = all.size();
      const auto after = [&](FetchedAfter wanted) { return wanted ? before + *wanted : 0; };
      for (const StepPart& part : block.parts) {
        all.push_back({part.program, after(part.a), after(part.b)});
      }
    }
  }
  return all;
}

void add(OperationTime& sum, const OperationTime& one, std::uint64_t times) {
  sum.cycles += one.cycles * times;
  sum.busy += one.busy * static_cast<double>(times);
  for (const auto count : {&OperationTime::wait_a, &OperationTime::wait_b, &OperationTime::wait_z,
                           &OperationTime::wait_port, &OperationTime::idle}) {
    sum.*count += one.*count * times;
  }
}

}  // namespace

StepTime time_of_step(const FabricSpec& machine, const std::vector<StepBlock>& blocks,
                      const ArrayRunOptions& options) {
  StepTime out;
  out.run = run_array_program(machine, join_programs(in_order(blocks)), options);
  auto time = out.run.operations.begin();
  for (const StepBlock& block : blocks) {
    auto& parts = out.parts.emplace_back(block.parts.size());
    for (std::uint64_t r = 0; r < simulated(block); ++r) {
      const bool last = r + 1 == simulated(block);
      for (OperationTime& part : parts) add(part, *time++, last ? block.times - r : 1);
    }
    for (const OperationTime& part : parts) out.cycles += part.cycles;
  }
  return out;
}

}  // namespace lacuna
