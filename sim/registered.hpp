// SPDX-License-Identifier: Apache-2.0
// What one unit sets and others read, like the output of a register: visible from the next delta
// on. Processes of one delta run in an order that is the kernel's business; because none of them
// sees what another did in it, the order decides nothing.
#pragma once

#include <cstdint>
#include <systemc>

namespace lacuna::sim {

/// Names the delta whose processes run now, or have just run when its decisions are made
/// (Simulation::decide). Two moments with the same number lie in the same delta.
[[nodiscard]] inline std::uint64_t this_delta() {
  // The kernel counts on before it makes the decisions.
  const bool deciding = sc_core::sc_get_curr_simcontext()->update_phase();
  return sc_core::sc_delta_count() - (deciding ? 1 : 0);
}

template <class T>
class Registered {
 public:
  explicit Registered(T initial = T{}) : before_(initial), latest_(initial) {}

  /// What other units see.
  [[nodiscard]] const T& seen() const {
    return set_in_ == sc_core::sc_delta_count() ? before_ : latest_;
  }
  /// What its owner knows.
  [[nodiscard]] const T& latest() const { return latest_; }
  /// For processes. Before the run a value is seen at once.
  void set(T value) {
    if (!sc_core::sc_is_running()) {
      before_ = value;
    } else if (const std::uint64_t delta = sc_core::sc_delta_count(); delta != set_in_) {
      before_ = latest_;
      set_in_ = delta;
    }
    latest_ = value;
  }
  void add(T more) { set(latest_ + more); }

 private:
  T before_, latest_;
  std::uint64_t set_in_ = ~std::uint64_t{0};
};

}  // namespace lacuna::sim
