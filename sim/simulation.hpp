// SPDX-License-Identifier: Apache-2.0
// One simulation: a SystemC context of its own, the clock, the ledger that knows when the work is
// done, and the watchdog that says who is blocked when it is not.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/units.hpp"
#include "sim/decision.hpp"
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
  /// Activations without progress(), whatever time passes, after which units are taken to wake each
  /// other for nothing. A wait is one activation however long it lasts, and work of many
  /// activations reports its progress: no legitimate run comes near.
  std::uint64_t no_progress_limit = 10'000'000;
  /// Test benches: units that wake in one delta are woken in a random order instead of the
  /// kernel's, which must change nothing.
  std::optional<std::uint64_t> shuffle;
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
  /// Of them, these are done.
  void retire(std::uint64_t items = 1);
  /// The run is over when all of them have, whatever else still goes on: somebody else's model has
  /// a clock or a refresh of its own and never rests.
  void end_with_work() { ends_with_work_ = true; }
  /// Something moved that brings the end nearer: bytes, an instruction of a long list. Retirement
  /// is progress by itself.
  void progress() { since_progress_ = 0; }
  /// A unit that can say what it waits for; an empty text means it is idle.
  void watch(std::string name, std::function<std::string()> blocked_on);

  /// Runs until nothing is left to do. Throws ModelError naming the waiting units when work is
  /// outstanding but nothing can happen any more (deadlock) or nothing that does is progress
  /// (livelock), and rethrows what a process threw.
  void run();

  [[nodiscard]] Cycles now() const {
    // A division for each time, not for each look.
    if (const auto stamp = context_->time_stamp().value(); stamp != stamp_) {
      stamp_ = stamp;
      now_ = Cycles(stamp / period_);
    }
    return now_;
  }
  [[nodiscard]] Ticks now_ticks() const { return to_ticks(now()); }
  [[nodiscard]] sc_core::sc_time time_of(Cycles cycles) const {
    if (cycles > last_cycle_) [[unlikely]]
      run_too_long(last_cycle_);
    return sc_core::sc_time::from_value(cycles.count() * period_);
  }
  /// Notifies `event` at `when` (not before now): in the next delta when that is now.
  void at(Cycles when, sc_core::sc_event& event);
  /// Notifies `event` in the next delta. All that wakes a unit goes through here or at().
  void wake(sc_core::sc_event& event) { notify(event, sc_core::SC_ZERO_TIME); }
  [[nodiscard]] std::uint64_t activations() const { return activations_; }
  [[nodiscard]] Timeline* timeline() const { return options_.timeline; }
  [[nodiscard]] const StallInjection& stalls() const { return options_.stalls; }

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
  friend class Decision;
  class EndOfDelta;

  void count_activation();
  void notify(sc_core::sc_event& event, const sc_core::sc_time& delay) {
    if (options_.shuffle) [[unlikely]] {
      if (collect_wake(event, delay)) return;
    }
    event.notify(delay);
  }
  /// False when it is to be woken at once: decisions are being made.
  bool collect_wake(sc_core::sc_event& event, const sc_core::sc_time& delay);
  void end_delta();
  [[nodiscard]] std::string waiting_units() const;

  SimulationOptions options_;
  std::unique_ptr<sc_core::sc_simcontext> context_;
  sc_core::sc_simcontext* outer_;
  sc_core::sc_simcontext* outer_default_;
  std::uint64_t period_;  // of the clock, in units of the kernel's resolution (1 fs)
  Cycles last_cycle_;     // that the kernel's 64 bits and ours reach
  std::uint64_t outstanding_ = 0;
  bool ends_with_work_ = false;
  Cycles last_retired_;
  std::uint64_t activations_ = 0;
  std::uint64_t at_this_time_ = 0;
  std::uint64_t since_progress_ = 0;
  sc_core::sc_time last_time_;
  mutable std::uint64_t stamp_ = 0;  // of the kernel, at cycle now_
  mutable Cycles now_;
  std::exception_ptr failure_;
  struct Watched {
    std::string name;
    std::function<std::string()> blocked_on;
  };
  std::vector<Watched> watched_;

  std::unique_ptr<EndOfDelta> end_of_delta_;
  std::vector<Decision*> due_;
  std::vector<std::pair<sc_core::sc_event*, sc_core::sc_time>> wakes_;  // shuffled: of this delta
  RandomStream shuffle_stream_;
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
