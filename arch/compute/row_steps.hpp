// SPDX-License-Identifier: Apache-2.0
// The work of an element on one task, as a list of milestones: how long it works for the next
// outputs, and which bytes must be there for them. Two ways to come by it: from the task's counts,
// evenly; or by stepping through its nonzeros, which carries values too.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"
#include "sim/port.hpp"

namespace lacuna {

struct Milestone {
  sim::Ticks work = 0;                        // since the one before
  std::uint64_t followers = 0, partials = 0;  // bytes of the task's that must be there
  std::uint64_t outputs = 0;                  // bytes that leave
};

/// How fast an element is, and the largest piece in which its outputs leave.
struct ElementPace {
  sim::Ticks per_merged = 0, per_multiply = 0;
  std::uint64_t piece = 0;  // bytes; 0: all at once

  explicit ElementPace(const RowwiseSpec& spec);
  [[nodiscard]] sim::Ticks work(std::uint64_t merged, std::uint64_t multiplies) const {
    return std::max(merged * per_merged, multiplies * per_multiply);
  }
};

/// From the counts.
[[nodiscard]] std::vector<Milestone> even_milestones(const RowwiseTask& task,
                                                     const ElementPace& pace);

struct RowCounts {
  std::uint64_t multiplies = 0, merged = 0, adds = 0, outputs = 0;
  friend bool operator==(const RowCounts&, const RowCounts&) = default;
};

/// Steps through tasks, in any order that has a task after those whose outputs it takes. Throws
/// ModelError where what it meets is not what the task says.
class RowSteps {
 public:
  RowSteps(const RowwiseProgram& program, const RowwiseSpec& spec);

  [[nodiscard]] std::vector<Milestone> step(const RowwiseTask& task);
  [[nodiscard]] const RowCounts& counts() const { return counts_; }
  /// Rows of the leader by coordinates of the follower's fibers.
  [[nodiscard]] CsrMatrix product() const;

 private:
  struct Source {
    const Coordinate* at;
    const Coordinate* end;
    const double* value;
    double scale;
    bool partial;
    std::uint64_t behind;  // bytes of the stream that it comes in, to the end of the next nonzero
    std::uint64_t nonzero_bytes;
  };
  struct Fiber {
    std::vector<Coordinate> columns;
    std::vector<double> values;
  };
  void open(const RowwiseTask& task);
  void merge(const RowwiseTask& task, std::vector<Milestone>& milestones);
  void scale(const RowwiseTask& task);
  void sum(const RowwiseTask& task, std::vector<Milestone>& milestones);
  void sift(std::size_t at);
  [[nodiscard]] bool before(const Source& a, const Source& b) const { return *a.at < *b.at; }
  void keep(Coordinate row, const Fiber& fiber);

  const RowwiseProgram& program_;
  ElementPace pace_;
  std::uint64_t follower_nonzero_bytes_, z_nonzero_bytes_;
  bool merges_;
  std::vector<Source> heap_;
  std::unordered_map<std::uint64_t, Fiber> partials_;
  std::vector<std::uint64_t> used_;  // partial outputs of the task at hand
  Fiber merged_;
  std::vector<double> sums_;
  std::vector<char> met_;
  std::vector<Fiber> rows_;
  RowCounts counts_;
};

}  // namespace lacuna
