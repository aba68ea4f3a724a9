// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna::sim {
namespace {

/// Activations between looks at the outside world. One can stand for a whole tile's work, so few.
constexpr std::uint64_t kActivationsPerLook = 16;

}  // namespace

/// The kernel's update phase, after all processes of a delta.
class Simulation::EndOfDelta : public sc_core::sc_prim_channel {
 public:
  explicit EndOfDelta(Simulation& simulation)
      : sc_core::sc_prim_channel("end_of_delta"), simulation_(simulation) {}
  void due() { request_update(); }

 private:
  void update() override { simulation_.end_delta(); }

  Simulation& simulation_;
};

void Decision::due() {
  if (std::exchange(due_, true)) return;
  simulation_.due_.push_back(this);
  simulation_.end_of_delta_->due();
}

Simulation::Simulation(SimulationOptions options)
    : options_(options),
      outer_(sc_core::sc_curr_simcontext),
      outer_default_(sc_core::sc_default_global_context),
      shuffle_stream_(options.shuffle.value_or(0), "order of processes") {
  // A context of its own lets one process run several simulations one after another; the first
  // context is never deleted.
  if (outer_ == nullptr) outer_ = sc_core::sc_get_curr_simcontext();
  outer_default_ = sc_core::sc_default_global_context;
  context_ = std::make_unique<sc_core::sc_simcontext>();
  sc_core::sc_curr_simcontext = context_.get();
  sc_core::sc_default_global_context = context_.get();
  // Every time of the model is a whole number of periods, so now() is exact whatever the clock.
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  period_ = whole_near(1e15 / options_.clock.count());
  LACUNA_CHECK(period_ >= 1, "clock of {} Hz", options_.clock.count());
  last_cycle_ = std::min(kMostCycles - Cycles(1),
                         Cycles(std::numeric_limits<std::uint64_t>::max() / period_ - 1));
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  last_time_ = sc_core::sc_time_stamp();
  end_of_delta_ = std::make_unique<EndOfDelta>(*this);
}

Simulation::~Simulation() {
  end_of_delta_.reset();
  context_.reset();
  sc_core::sc_curr_simcontext = outer_;
  sc_core::sc_default_global_context = outer_default_;
}

void Simulation::retire(std::uint64_t items) {
  LACUNA_CHECK(items <= outstanding_, "{} items retired, {} outstanding", items, outstanding_);
  outstanding_ -= items;
  last_retired_ = now();
  progress();
  if (ends_with_work_ && outstanding_ == 0) sc_core::sc_stop();
}

void Simulation::watch(std::string name, std::function<std::string()> blocked_on) {
  watched_.push_back({std::move(name), std::move(blocked_on)});
}

void Simulation::at(Cycles when, sc_core::sc_event& event) {
  if (when > last_cycle_) run_too_long(last_cycle_);
  LACUNA_CHECK(when >= now(), "event for cycle {} at cycle {}", when.count(), now().count());
  // From now, which lies within a cycle where somebody else's model has a clock of its own.
  const sc_core::sc_time due = time_of(when), stamp = sc_core::sc_time_stamp();
  notify(event, due > stamp ? due - stamp : sc_core::SC_ZERO_TIME);
}

bool Simulation::collect_wake(sc_core::sc_event& event, const sc_core::sc_time& delay) {
  if (!context_->is_running() || context_->update_phase()) return false;
  wakes_.emplace_back(&event, delay);
  end_of_delta_->due();
  return true;
}

void Simulation::end_delta() {
  try {
    if (options_.shuffle) shuffle_stream_.shuffle(due_);
    for (Decision* decision : due_) {
      decision->due_ = false;
      decision->body_();
    }
    due_.clear();
    shuffle_stream_.shuffle(wakes_);
    for (const auto& [event, delay] : wakes_) event->notify(delay);
    wakes_.clear();
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

void Simulation::count_activation() {
  ++activations_;
  if (context_->time_stamp() != last_time_) {
    last_time_ = context_->time_stamp();
    at_this_time_ = 0;
  }
  LACUNA_CHECK(++at_this_time_ < options_.zero_time_limit,
               "the model loops without time passing at cycle {}", now().count());
  if (++since_progress_ >= options_.no_progress_limit) {
    throw ModelError(fmt::format(
        "livelock at cycle {}: {} items outstanding, the last retired at cycle {}, and {} "
        "activations "
        "since anything moved{}",
        now().count(), outstanding_, last_retired_.count(), since_progress_, waiting_units()));
  }
  if (activations_ % kActivationsPerLook != 0) return;
  stop_if_requested();
  if (options_.interrupted != nullptr && (*options_.interrupted)()) throw Interrupted();
}

void Simulation::run() {
  try {
    sc_core::sc_start();
  } catch (...) {
    // The kernel turns what leaves a process into a report of its own; the type was kept aside.
    if (failure_) std::rethrow_exception(failure_);
    throw;
  }
  if (outstanding_ != 0) {
    throw ModelError(
        fmt::format("deadlock at cycle {}: {} items outstanding and nothing can happen{}",
                    now().count(), outstanding_, waiting_units()));
  }
}

std::string Simulation::waiting_units() const {
  std::string units;
  for (const Watched& unit : watched_) {
    if (const std::string reason = unit.blocked_on(); !reason.empty()) {
      units += fmt::format("\n  {} waits for {}", unit.name, reason);
    }
  }
  return units;
}

}  // namespace lacuna::sim
