// SPDX-License-Identifier: Apache-2.0
// A processing element of row-wise products: takes tasks in turn, has the next one's bytes brought
// while one is at work, merges or sums up, and gives outputs away. Work on a task starts when the
// first byte of every fiber that it merges is there (of a tile, its first byte) and ends no sooner
// than the last; outputs leave as they are made, as far as their buffer has room.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "arch/buffer/drain_module.hpp"
#include "arch/compute/fiber_intake_module.hpp"
#include "arch/compute/row_steps.hpp"
#include "arch/compute/task_source.hpp"

namespace lacuna {

/// Where an element's time goes, in ticks.
struct RowElementTimes {
  sim::Ticks busy = 0, wait_a = 0, wait_b = 0, wait_output = 0, imbalance = 0;
  sim::Ticks last_end = 0;  // of its last task
};

/// Who an element is to the memories that it asks.
struct RowElementWiring {
  MemoryClient leader, followers, partials, z, partial_outputs;
  std::optional<MemoryClient> samples;                         // of a sampled product: memory
  bool followers_by_level = false, partials_by_level = false;  // otherwise by memory
};

class RowElementModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(RowElementModule);
  /// `steps` may be null: then nothing is stepped. `exact`: the stepped time is taken instead of
  /// the even one.
  RowElementModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                   const RowwiseSpec& spec, std::size_t number, TaskSource& source,
                   const RowElementWiring& wiring, RowSteps* steps, bool exact);

  [[nodiscard]] const RowElementTimes& times() const { return times_; }
  [[nodiscard]] const RowCounts& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t tasks() const { return tasks_; }
  /// Outputs multiplied by S.
  [[nodiscard]] std::uint64_t scaled() const { return scaled_; }
  [[nodiscard]] std::uint64_t leader_high_water() const {
    return leader_.stream().meter().high_water();
  }
  [[nodiscard]] std::uint64_t samples_high_water() const {
    return samples_ != nullptr ? samples_->stream().meter().high_water() : 0;
  }
  /// Nothing, where it does not hold the follower.
  [[nodiscard]] std::uint64_t follower_high_water() const {
    return buffer_ != nullptr ? buffer_->stream().meter().high_water() : 0;
  }
  [[nodiscard]] std::uint64_t output_high_water() const { return output_high_water_; }
  [[nodiscard]] std::uint64_t high_water() const { return whole_.high_water(); }

 private:
  struct Held {
    RowwiseTask task;
    sim::Ticks taken_at = 0, asked_at = 0;
    std::uint64_t leader_begin = 0, leader_end = 0;
    std::uint64_t samples_begin = 0, samples_end = 0;
    bool asked = false;  // for its fibers
    bool given = false;  // some of its outputs
    std::uint64_t follower_begin = 0, follower_end = 0, partial_begin = 0;
    bool begun = false;
    std::vector<Milestone> milestones;
    std::size_t next = 0;
    sim::Ticks begin = 0, due = 0;  // of the work; the next milestone
  };
  enum class Cause { leader, followers, output };

  LACUNA_PROCESS(step);
  void take_tasks();
  void ask_for_fibers();
  bool work();
  bool can_begin(Held& held);
  [[nodiscard]] bool samples_are_there(const Held& held, bool all);
  void begin(Held& held);
  bool fibers_are_there(const Held& held, const Milestone& milestone);
  bool give_away(Held& held, Milestone& milestone);
  void finish(Held& held);
  void report_written();
  void waited(Cause cause, sim::Ticks ticks);
  [[nodiscard]] DrainModule& drain_of(const Held& held) {
    return held.task.is_final || !partial_drain_ ? z_drain_ : *partial_drain_;
  }
  [[nodiscard]] std::uint64_t pending() const;
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  std::size_t number_;
  TaskSource& source_;
  ElementPace pace_;
  bool merges_;
  std::size_t most_held_;
  std::uint64_t room_;  // of outputs
  sim::BufferMeter whole_;
  BufferIntake leader_;
  std::unique_ptr<BufferIntake> samples_;  // S, where the product is sampled
  BufferIntake* buffer_ = nullptr;         // the followers', where they have one
  std::unique_ptr<IFiberIntake> followers_, partials_;
  DrainModule z_drain_;
  std::unique_ptr<DrainModule> partial_drain_;
  RowSteps* steps_;
  bool exact_;

  std::deque<Held> held_;
  bool asking_ = false;
  sim::Ticks clock_ = 0;  // the work on the last task was over
  Cause cause_ = Cause::followers;
  std::uint64_t given_ = 0;  // partial outputs, bytes given to their drain
  struct Unwritten {
    RowwiseTask task;
    std::uint64_t end;
  };
  std::deque<Unwritten> unwritten_;
  RowElementTimes times_;
  RowCounts counts_;
  std::uint64_t tasks_ = 0, scaled_ = 0, output_high_water_ = 0;
  sc_core::sc_event start_, timer_;
};

}  // namespace lacuna
