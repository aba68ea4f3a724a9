// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"
#include "base/whole.hpp"

namespace lacuna::sim {
namespace {

/// Activations between looks at the outside world. One can stand for a whole tile's work, so few.
constexpr std::uint64_t kActivationsPerLook = 16;

}  // namespace

Simulation::Simulation(SimulationOptions options)
    : options_(options),
      outer_(sc_core::sc_curr_simcontext),
      outer_default_(sc_core::sc_default_global_context),
      stall_stream_(options.stalls.seed, "stall injection") {
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
}

Simulation::~Simulation() {
  context_.reset();
  sc_core::sc_curr_simcontext = outer_;
  sc_core::sc_default_global_context = outer_default_;
}

void Simulation::retire(std::uint64_t items) {
  LACUNA_CHECK(items <= outstanding_, "{} items retired, {} outstanding", items, outstanding_);
  outstanding_ -= items;
  last_retired_ = now();
}

void Simulation::watch(std::string name, std::function<std::string()> blocked_on) {
  watched_.push_back({std::move(name), std::move(blocked_on)});
}

Cycles Simulation::now() const {
  return Cycles(sc_core::sc_time_stamp().value() / period_);
}

void Simulation::at(Cycles when, sc_core::sc_event& event) const {
  if (when > last_cycle_) run_too_long(last_cycle_);
  LACUNA_CHECK(when >= now(), "event for cycle {} at cycle {}", when.count(), now().count());
  event.notify(time_of(when - now()));
}

Cycles Simulation::stall() {
  if (options_.stalls.probability <= 0) return Cycles(0);
  if (stall_stream_.uniform() >= options_.stalls.probability) return Cycles(0);
  return Cycles(stall_stream_.below(options_.stalls.longest + 1));
}

void Simulation::count_activation() {
  ++activations_;
  if (sc_core::sc_time_stamp() != last_time_) {
    last_time_ = sc_core::sc_time_stamp();
    at_this_time_ = 0;
  }
  LACUNA_CHECK(++at_this_time_ < options_.zero_time_limit,
               "the model loops without time passing at cycle {}", now().count());
  if (activations_ % kActivationsPerLook != 0) return;
  stop_if_requested();
  if (options_.interrupted != nullptr && (*options_.interrupted)()) throw Interrupted();
}

void Simulation::run() {
  try {
    sc_core::sc_start();
  } catch (const sc_core::sc_report&) {
    // The kernel turns what leaves a process into a report of its own; the type was kept aside.
    if (failure_) std::rethrow_exception(failure_);
    throw;
  }
  if (outstanding_ != 0) report_deadlock();
}

void Simulation::report_deadlock() {
  std::string units;
  for (const Watched& unit : watched_) {
    if (const std::string reason = unit.blocked_on(); !reason.empty()) {
      units += fmt::format("\n  {} waits for {}", unit.name, reason);
    }
  }
  throw ModelError(
      fmt::format("deadlock at cycle {}: {} items outstanding and nothing can happen{}",
                  now().count(), outstanding_, units));
}

}  // namespace lacuna::sim
