// SPDX-License-Identifier: Apache-2.0
// Programs written by hand for the array system: what each instruction needs of the operands, what
// it gives back, how long the unit takes and what passes its ports.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "arch/system/array_system.hpp"

namespace lacuna::test {

struct Step {
  std::uint64_t a_needed = 0;
  double cycles = 0;
  std::uint64_t z_bytes = 0;
  std::uint64_t a_release = 0;
  std::uint64_t b_needed = 0, b_release = 0;
  double multiplies = 0, glb_words = 0, written_words = 0;
};

/// Takes as long as the script says.
class ScriptedUnit final : public IUnit {
 public:
  explicit ScriptedUnit(std::vector<Step> steps) : steps_(std::move(steps)) {}
  Execution execute(const ArrayInstruction& at) override {
    const Step& step = steps_[at.chunk];
    return {step.cycles, step.multiplies, step.glb_words, step.written_words};
  }
  [[nodiscard]] FabricCounts counts() const override { return {}; }

 private:
  std::vector<Step> steps_;
};

/// Bytes of both operands, and the shares of the buffer that they have.
struct Script {
  std::vector<Step> steps;
  std::uint64_t a_bytes = 0, b_bytes = 0;
  std::uint64_t a_capacity = 1 << 20, b_capacity = 1 << 20, z_backlog = 1 << 20;
};

inline TileUse scripted_use(std::uint64_t bytes, std::uint64_t needed, std::uint64_t release) {
  TileUse use;
  use.tile.data_bytes = bytes;
  use.begin = needed - release;
  use.end = needed;
  return use;
}

inline ArrayProgram program_of(const Script& script) {
  auto product = std::make_shared<ArrayProduct>();
  product->a_visits = {{script.a_bytes}, {1}};
  product->b_visits = {{script.b_bytes}, {1}};
  ArrayProgram program;
  program.parts.push_back({product, 1, VectorWork{}});
  program.operations.push_back({1, {script.a_capacity, script.b_capacity, script.z_backlog}});
  program.walk = [script]() -> ArrayWalk {
    return [script, at = std::size_t{0}](ArrayInstruction& next) mutable {
      if (at == script.steps.size()) return false;
      const Step& step = script.steps[at];
      next = {};
      next.chunk = at++;
      next.a = scripted_use(script.a_bytes, step.a_needed, step.a_release);
      next.b = scripted_use(script.b_bytes, step.b_needed, step.b_release);
      next.z_bytes = step.z_bytes;
      return true;
    };
  };
  return program;
}

inline ArrayRun run_script(const FabricSpec& spec, const Script& script,
                           ArrayRunOptions options = {}) {
  options.unit_of = [&](const ArrayProgram::Part& /*part*/) {
    return std::make_shared<ScriptedUnit>(script.steps);
  };
  return run_array_program(spec, program_of(script), options);
}

}  // namespace lacuna::test
