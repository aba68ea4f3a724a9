// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/task_source.hpp"

#include <algorithm>
#include <tuple>

namespace lacuna {

TaskSource::TaskSource(sim::Simulation& simulation, RowwiseProgram& program, std::size_t elements)
    : simulation_(simulation),
      program_(program),
      elements_(elements),
      decision_(simulation, [this] { decide(); }) {
  for (std::size_t i = 0; i < elements; ++i) {
    elements_[i].given = std::make_unique<sc_core::sc_event>(fmt::format("given{}", i).c_str());
  }
  simulation.watch("tasks", [this] { return blocked_on(); });
}

void TaskSource::ask(std::size_t element, std::size_t held) {
  asking_.push_back({held, element});
  decision_.due();
}

void TaskSource::done(std::size_t element, const RowwiseTask& task) {
  done_.push_back({element, task.id, task.is_final});
  decision_.due();
}

std::optional<RowwiseTask> TaskSource::take(std::size_t element) {
  return std::exchange(elements_[element].task, std::nullopt);
}

void TaskSource::decide() {
  take_in_done();
  std::sort(asking_.begin(), asking_.end(), [](const Asking& a, const Asking& b) {
    return std::tie(a.held, a.element) < std::tie(b.held, b.element);
  });
  auto asking = asking_.begin();
  for (; asking != asking_.end(); ++asking) {
    std::optional<RowwiseTask> task = next();
    if (!task) break;
    Element& element = elements_[asking->element];
    LACUNA_CHECK(!element.task, "element {} has not taken its task", asking->element);
    element.task = std::move(task);
    ++under_way_;
    simulation_.issue();
    simulation_.wake(*element.given);
  }
  asking_.erase(asking_.begin(), asking);
}

void TaskSource::take_in_done() {
  std::sort(done_.begin(), done_.end(), [](const Done& a, const Done& b) { return a.id < b.id; });
  for (const Done& done : done_) {
    --under_way_;
    if (done.is_final) continue;
    const auto wanted = wanted_.find(done.id);
    if (wanted == wanted_.end()) {
      finished_.insert(done.id);
      continue;
    }
    const std::shared_ptr<Dependent> dependent = std::move(wanted->second);
    wanted_.erase(wanted);
    if (--dependent->missing == 0) ready_.push_back(std::move(dependent->task));
  }
  done_.clear();
}

/// Whether outputs that the task takes are still to come; then it is put by.
bool TaskSource::must_wait(RowwiseTask& task) {
  std::vector<std::uint64_t> missing;
  for (const std::uint64_t id : task.work.partials) {
    if (finished_.erase(id) == 0) missing.push_back(id);
  }
  if (missing.empty()) return false;
  const auto dependent = std::make_shared<Dependent>(Dependent{std::move(task), missing.size()});
  for (const std::uint64_t id : missing) wanted_.emplace(id, dependent);
  return true;
}

std::optional<RowwiseTask> TaskSource::next() {
  if (!ready_.empty()) {
    std::optional<RowwiseTask> task(std::move(ready_.front()));
    ready_.pop_front();
    return task;
  }
  while (!ended_) {
    if (!ahead_) {
      ahead_.emplace();
      if (!program_.next(*ahead_)) {
        ahead_.reset();
        ended_ = true;
        break;
      }
    }
    if (ahead_->block > block_) {
      if (under_way_ > 0 || !wanted_.empty()) break;
      block_ = ahead_->block;
    }
    RowwiseTask task = std::move(*ahead_);
    ahead_.reset();
    if (!must_wait(task)) return task;
  }
  return std::nullopt;
}

std::string TaskSource::blocked_on() const {
  if (wanted_.empty()) return {};
  return fmt::format("{} partial outputs that no task has finished", wanted_.size());
}

}  // namespace lacuna
