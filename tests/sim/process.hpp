// SPDX-License-Identifier: Apache-2.0
// The smallest unit a test can put into a simulation: one process that runs a function.
#pragma once

#include <functional>

#include "sim/simulation.hpp"

namespace lacuna::test {

class Process : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Process);
  /// `body` runs once at the start and again each time `wake` fires.
  Process(const sc_core::sc_module_name& name, sim::Simulation& simulation,
          std::function<void(Process&)> body)
      : sc_core::sc_module(name), simulation_(simulation), body_(std::move(body)) {
    LACUNA_METHOD(step);
    sensitive << wake;
    wake.notify(sc_core::SC_ZERO_TIME);
  }
  void sleep(std::uint64_t cycles) { simulation_.at(simulation_.now() + Cycles(cycles), wake); }

  sc_core::sc_event wake;

 private:
  LACUNA_PROCESS(step) { body_(*this); }

  sim::Simulation& simulation_;
  std::function<void(Process&)> body_;
};

}  // namespace lacuna::test
