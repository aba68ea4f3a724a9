// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/row_element_module.hpp"

#include <algorithm>

namespace lacuna {

RowElementModule::RowElementModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                                   const RowwiseSpec& spec, std::size_t number, TaskSource& source,
                                   const RowElementWiring& wiring, RowSteps* steps, bool exact)
    : sc_core::sc_module(name),
      simulation_(simulation),
      number_(number),
      source_(source),
      pace_(spec),
      merges_(spec.merges()),
      most_held_(spec.elements.tasks_held),
      room_(spec.elements.output_room.count()),
      leader_("leader", simulation, spec.leader_is_b ? Tensor::b : Tensor::a,
              wiring.samples ? spec.elements.room_beside_samples() : spec.elements.leader_room,
              wiring.leader, &whole_),
      z_drain_("z_drain", simulation, wiring.z),
      steps_(steps),
      exact_(exact),
      start_("start"),
      timer_("timer") {
  const Tensor follower = spec.leader_is_b ? Tensor::a : Tensor::b;
  LACUNA_METHOD(step);
  sensitive << start_ << timer_ << source.given(number) << leader_.arrival() << z_drain_.progress();
  if (spec.elements.follower_room) {
    auto buffer = std::make_unique<BufferIntake>(
        "followers", simulation, follower, *spec.elements.follower_room, wiring.followers, &whole_);
    buffer_ = buffer.get();
    followers_ = std::move(buffer);
  } else {
    followers_ = std::make_unique<FiberIntake>("followers", simulation, follower, wiring.followers,
                                               !wiring.followers_by_level);
  }
  sensitive << followers_->arrival();
  if (wiring.samples) {
    samples_ = std::make_unique<BufferIntake>("samples", simulation, Tensor::s,
                                              spec.elements.room_beside_samples(), *wiring.samples,
                                              &whole_);
    sensitive << samples_->arrival();
  }
  if (merges_) {
    partials_ = std::make_unique<FiberIntake>("partials", simulation, Tensor::z_partial,
                                              wiring.partials, !wiring.partials_by_level);
    partial_drain_ =
        std::make_unique<DrainModule>("partial_drain", simulation, wiring.partial_outputs);
    sensitive << partials_->arrival() << partial_drain_->progress();
  }
  simulation.watch(this->name(), [this] { return blocked_on(); });
  simulation.wake(start_);
}

void RowElementModule::step() {
  report_written();
  take_tasks();
  ask_for_fibers();
  while (work()) ask_for_fibers();
}

void RowElementModule::take_tasks() {
  if (auto task = source_.take(number_)) {
    Held& held = held_.emplace_back();
    held.task = std::move(*task);
    held.taken_at = simulation_.now_ticks();
    held.leader_begin = leader_.requested();
    held.leader_end = leader_.request({held.task.leader}, 1);
    if (samples_) {
      held.samples_begin = samples_->requested();
      held.samples_end = samples_->request({held.task.samples}, 1);
    }
    asking_ = false;
    ++tasks_;
  }
  if (!asking_ && held_.size() < most_held_) {
    asking_ = true;
    source_.ask(number_, held_.size());
  }
}

/// The leader's nonzeros name the fibers; what room was not enough for is read as it comes.
void RowElementModule::ask_for_fibers() {
  const std::uint64_t arrived = leader_.arrived();
  for (Held& held : held_) {
    if (held.asked) continue;
    const bool streams = held.leader_end - held.leader_begin > leader_.stream().capacity();
    if (streams && &held == &held_.front()) leader_.use(held.leader_begin, held.leader_end, false);
    if (arrived < held.leader_end) return;
    held.asked = true;
    held.asked_at = simulation_.now_ticks();
    held.follower_begin = followers_->requested();
    held.follower_end = followers_->request(held.task.followers, held.task.follower_walks);
    if (partials_) {
      held.partial_begin = partials_->requested();
      (void)partials_->request(held.task.partials, 1);
    }
  }
}

/// One step of the task at hand; false when it waits for something.
bool RowElementModule::work() {
  if (held_.empty()) return false;
  Held& held = held_.front();
  if (!held.begun) {
    if (!can_begin(held)) return false;
    begin(held);
  }
  Milestone& milestone = held.milestones[held.next];
  if (buffer_ != nullptr) buffer_->use(held.follower_begin, held.follower_end, false);
  if (samples_) samples_->use(held.samples_begin, held.samples_end, false);
  const Cycles due = sim::to_cycles_up(held.due);
  if (simulation_.now() < due) {
    simulation_.at(due, timer_);
    return false;
  }
  const bool last = held.next + 1 == held.milestones.size();
  if (!samples_are_there(held, last)) return false;
  if (!fibers_are_there(held, milestone) || !give_away(held, milestone)) return false;
  const sim::Ticks now = simulation_.now_ticks();
  if (simulation_.now() > due) {
    waited(cause_, now - held.due);
    held.due = now;
  }
  if (++held.next < held.milestones.size()) {
    const sim::Ticks work = held.milestones[held.next].work;
    times_.busy += work;
    held.due = sim::sum(held.due, work);
    return true;
  }
  finish(held);
  held_.pop_front();
  take_tasks();
  return true;
}

bool RowElementModule::can_begin(Held& held) {
  if (!held.asked) {
    cause_ = Cause::leader;
    return false;
  }
  Milestone first;
  first.followers = held.task.followers_to_start;
  first.partials = held.task.partials_to_start;
  if (!samples_are_there(held, false) || !fibers_are_there(held, first)) return false;
  // One buffer of sums: the next begin when those before have left.
  if (merges_ || pending() == 0) return true;
  cause_ = Cause::output;
  return false;
}

/// Of S the first byte, or the row; it streams by the merger's output, both in order.
bool RowElementModule::samples_are_there(const Held& held, bool all) {
  if (!samples_ || held.samples_begin == held.samples_end) return true;
  const std::uint64_t needed = all ? held.samples_end : held.samples_begin + 1;
  if (samples_->arrived() >= needed) return true;
  cause_ = Cause::followers;
  return false;
}

bool RowElementModule::fibers_are_there(const Held& held, const Milestone& milestone) {
  // A tile that is walked again has come whole when its last walk has.
  const std::uint64_t of_fibers =
      milestone.followers == held.task.follower_bytes
          ? held.follower_end
          : std::min(held.follower_end, held.follower_begin + milestone.followers);
  const bool there =
      followers_->arrived() >= of_fibers &&
      (!partials_ || partials_->arrived() >= held.partial_begin + milestone.partials);
  if (!there) cause_ = Cause::followers;
  return there;
}

void RowElementModule::begin(Held& held) {
  held.begun = true;
  const sim::Ticks now = simulation_.now_ticks();
  // Idle since the last task: first there was none, then its leader, then its fibers were to come.
  const sim::Ticks from = std::min(clock_, now);
  const sim::Ticks taken = std::clamp(held.taken_at, from, now);
  const sim::Ticks asked = std::clamp(held.asked_at, taken, now);
  times_.imbalance += taken - from;
  times_.wait_a += asked - taken;
  (cause_ == Cause::output ? times_.wait_output : times_.wait_b) += now - asked;
  held.begin = std::max(clock_, now);
  if (steps_ != nullptr) held.milestones = steps_->step(held.task);
  if (!exact_) held.milestones = even_milestones(held.task, pace_);
  times_.busy += held.milestones.front().work;
  held.due = sim::sum(held.begin, held.milestones.front().work);
}

/// Outputs leave as far as there is room; false when some are left.
bool RowElementModule::give_away(Held& held, Milestone& milestone) {
  while (milestone.outputs > 0) {
    const std::uint64_t taken = pending();
    if (taken >= room_) {
      cause_ = Cause::output;
      return false;
    }
    const std::uint64_t bytes = std::min(milestone.outputs, room_ - taken);
    const Tensor tensor = held.task.is_final ? Tensor::z : Tensor::z_partial;
    drain_of(held).write(tensor, {held.task.output.address, bytes}, held.given);
    held.given = true;
    if (!held.task.is_final) given_ += bytes;
    held.task.output.address += bytes;
    milestone.outputs -= bytes;
    output_high_water_ = std::max(output_high_water_, pending());
  }
  return true;
}

void RowElementModule::finish(Held& held) {
  const RowwiseTask& task = held.task;
  leader_.use(held.leader_begin, held.leader_end, true);
  followers_->use(held.follower_begin, held.follower_end, true);
  if (samples_) samples_->use(held.samples_begin, held.samples_end, true);
  if (sim::Timeline* timeline = simulation_.timeline()) {
    timeline->slice(timeline->row(name()), merges_ ? "merge" : "sum",
                    Cycles(held.begin >> sim::kTickBits), sim::to_cycles_up(held.due),
                    task.multiplies, "multiplies");
  }
  counts_.multiplies += task.multiplies;
  counts_.merged += task.merged;
  counts_.adds += task.adds;
  counts_.outputs += task.is_final ? task.outputs : 0;
  scaled_ += task.scaled;
  clock_ = times_.last_end = held.due;
  simulation_.retire();
  if (task.is_final) {
    source_.done(number_, task);
  } else {
    unwritten_.push_back({std::move(held.task), given_});
    report_written();
  }
}

/// Partial outputs are there for others when they have been written.
void RowElementModule::report_written() {
  if (!partial_drain_) return;
  const std::uint64_t written = given_ - partial_drain_->pending();
  for (; !unwritten_.empty() && unwritten_.front().end <= written; unwritten_.pop_front()) {
    source_.done(number_, unwritten_.front().task);
  }
}

void RowElementModule::waited(Cause cause, sim::Ticks ticks) {
  (cause == Cause::output ? times_.wait_output : times_.wait_b) += ticks;
}

std::uint64_t RowElementModule::pending() const {
  return z_drain_.pending() + (partial_drain_ ? partial_drain_->pending() : 0);
}

std::string RowElementModule::blocked_on() const {
  if (held_.empty()) return {};
  const Held& held = held_.front();
  if (!held.asked) return fmt::format("the leader of task {}", held.task.id);
  if (!held.begun) return fmt::format("the fibers of task {}", held.task.id);
  return fmt::format("milestone {} of task {}: {}", held.next, held.task.id,
                     cause_ == Cause::output ? "its outputs cannot leave" : "its fibers");
}

}  // namespace lacuna
