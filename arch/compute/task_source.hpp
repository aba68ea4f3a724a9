// SPDX-License-Identifier: Apache-2.0
// Gives the tasks of a row-wise program to elements that are idle, in the order of the program: one
// that takes other tasks' outputs when these are there, and before what else there is to do. What
// elements ask for and report in one delta is decided at its end, so that the order in which they
// run decides nothing.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "arch/program/rowwise_program.hpp"
#include "sim/decision.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

class TaskSource {
 public:
  TaskSource(sim::Simulation& simulation, RowwiseProgram& program, std::size_t elements);

  /// An element that holds so many tasks wants another; of several the one that holds the fewest is
  /// served first, then the one of the lowest number. It is asked for once until it is given.
  void ask(std::size_t element, std::size_t held);
  /// The outputs of a task are where others can take them.
  void done(std::size_t element, const RowwiseTask& task);
  /// What the element was given.
  std::optional<RowwiseTask> take(std::size_t element);
  [[nodiscard]] sc_core::sc_event& given(std::size_t element) { return *elements_[element].given; }

  /// The last that this element asked for came to nothing: the program has no more.
  [[nodiscard]] std::string blocked_on() const;

 private:
  struct Element {
    std::unique_ptr<sc_core::sc_event> given;
    std::optional<RowwiseTask> task;
  };
  struct Asking {
    std::size_t held, element;
  };
  struct Done {
    std::size_t element;
    std::uint64_t id;
    bool is_final;
  };
  struct Dependent {
    RowwiseTask task;
    std::size_t missing;
  };
  void decide();
  void take_in_done();
  std::optional<RowwiseTask> next();
  [[nodiscard]] bool must_wait(RowwiseTask& task);

  sim::Simulation& simulation_;
  RowwiseProgram& program_;
  std::vector<Element> elements_;
  std::vector<Asking> asking_;
  std::vector<Done> done_;
  std::optional<RowwiseTask> ahead_;  // of the next block
  std::uint64_t block_ = 0, under_way_ = 0;
  bool ended_ = false;
  std::unordered_set<std::uint64_t> finished_;  // partial outputs that nobody has asked for
  std::unordered_map<std::uint64_t, std::shared_ptr<Dependent>> wanted_;  // by the output's task
  std::deque<RowwiseTask> ready_;
  sim::Decision decision_;
};

}  // namespace lacuna
