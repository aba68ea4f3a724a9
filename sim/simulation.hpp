// SPDX-License-Identifier: Apache-2.0
// One simulation: a SystemC context of its own, the clock, the ledger that knows when the work is
// done, and the watchdog that says who is blocked when it is not.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/units.hpp"
#include "sim/port.hpp"
#include "sim/timeline.hpp"

namespace lacuna::sim {

/// Delays that test benches inject to show that results do not depend on timing.
struct StallInjection {
  double probability = 0;     // that a channel's item is held back
  std::uint64_t longest = 0;  // cycles
  std::uint64_t seed = 1;
};

struct SimulationOptions {
  Hertz clock{1e9};
  StallInjection stalls;
  Timeline* timeline = nullptr;
  /// Activations without time passing after which the model is taken to loop.
  std::uint64_t zero_time_limit = 10'000'000;
  /// Polled every few activations beside the user's wish to end; true ends the run with
  /// Interrupted.
  const std::function<bool()>* interrupted = nullptr;
};

/// One at a time. Modules are made between construction and run(), and die before the Simulation.
class Simulation {
 public:
  explicit Simulation(SimulationOptions options = {});
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Work that must retire before the run is over.
  void issue(std::uint64_t items = 1) { outstanding_ += items; }
  void retire(std::uint64_t items = 1);
  /// A unit that can say what it waits for; an empty text means it is idle.
  void watch(std::string name, std::function<std::string()> blocked_on);

  /// Runs until nothing is left to do. Throws ModelError naming the blocked units when work is
  /// outstanding but nothing can happen any more, and rethrows what a process threw.
  void run();

  [[nodiscard]] Cycles now() const;
  [[nodiscard]] Ticks now_ticks() const { return to_ticks(now()); }
  [[nodiscard]] sc_core::sc_time time_of(Cycles cycles) const {
    if (cycles > last_cycle_) [[unlikely]]
      run_too_long(last_cycle_);
    return sc_core::sc_time::from_value(cycles.count() * period_);
  }
  /// Whole cycles that a delay of another model (a TLM target) takes, rounded up.
  [[nodiscard]] Cycles cycles_of(const sc_core::sc_time& delay) const {
    return Cycles(ceil_div(delay.value(), period_));
  }
  /// Notifies `event` at `when` (not before now).
  void at(Cycles when, sc_core::sc_event& event) const;
  [[nodiscard]] std::uint64_t activations() const { return activations_; }
  [[nodiscard]] Timeline* timeline() const { return options_.timeline; }
  /// Extra cycles for the next item of a channel under stall injection, usually zero.
  [[nodiscard]] Cycles stall();

  /// Runs a process body; its exception keeps its type across the kernel.
  template <class Body>
  void guarded(Body&& body) {
    try {
      count_activation();
      body();
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
  }

 private:
  void count_activation();
  [[noreturn]] void report_deadlock();

  SimulationOptions options_;
  std::unique_ptr<sc_core::sc_simcontext> context_;
  sc_core::sc_simcontext* outer_;
  sc_core::sc_simcontext* outer_default_;
  std::uint64_t period_;  // of the clock, in units of the kernel's resolution (1 fs)
  Cycles last_cycle_;     // that the kernel's 64 bits and ours reach
  RandomStream stall_stream_;
  std::uint64_t outstanding_ = 0;
  Cycles last_retired_;
  std::uint64_t activations_ = 0;
  std::uint64_t at_this_time_ = 0;
  sc_core::sc_time last_time_;
  std::exception_ptr failure_;
  struct Watched {
    std::string name;
    std::function<std::string()> blocked_on;
  };
  std::vector<Watched> watched_;
};

}  // namespace lacuna::sim

/// Registers `method` of the enclosing module as a method process whose exceptions keep their type.
/// The class needs a member `simulation_` and LACUNA_MODULE(Class) in its body.
#define LACUNA_METHOD(name)  \
  SC_METHOD(name##_process); \
  dont_initialize()

#define LACUNA_PROCESS(name)                 \
  void name##_process() {                    \
    simulation_.guarded([this] { name(); }); \
  }                                          \
  void name()
