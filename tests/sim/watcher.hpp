// SPDX-License-Identifier: Apache-2.0
// Runs a function each time an event fires, at the time at which it fires.
#pragma once

#include <functional>

#include "sim/simulation.hpp"

namespace lacuna::test {

class Watcher : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Watcher);
  Watcher(const sc_core::sc_module_name& name, sim::Simulation& simulation,
          sc_core::sc_event& event, std::function<void()> body)
      : sc_core::sc_module(name), simulation_(simulation), body_(std::move(body)) {
    LACUNA_METHOD(fired);
    sensitive << event;
  }

 private:
  LACUNA_PROCESS(fired) { body_(); }

  sim::Simulation& simulation_;
  std::function<void()> body_;
};

}  // namespace lacuna::test
