// SPDX-License-Identifier: Apache-2.0
// Gustavson's product as tasks: a row of the leader names fibers of the follower, which are merged
// into a row of outputs, at most `radix` at once. More fibers become several tasks, in the order of
// the nonzeros, whose outputs later tasks merge; what is left of a row alone in its group goes on
// as it is. Groups are of the leader's nonzeros, as the published runs cut rows of A beforehand: an
// empty fiber takes a place at the merger, for nobody knows that it is empty when a row is cut.
// Where the follower is cut into blocks of its fibers (the contracted rank outside the rows), a row
// has a partial output for each block that it reaches but the last, in which all are merged.
//
// Of a sampled product a row of which S has nothing has no task. An element filters between its
// merger and its multiplier, where nonzeros come in the order of S's: fibers are fetched and merged
// whole, what S does not have is not multiplied, added or kept. Each task that merges fibers reads
// the row of S, and the last one of the row if outputs are multiplied by S.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "arch/program/rowwise_program.hpp"
#include "arch/spec/rowwise_spec.hpp"
#include "dataflows/fiber_layout.hpp"

namespace lacuna {

class RowMerges final : public RowwiseProgram {
 public:
  /// The operands outlive this.
  RowMerges(const CsrMatrix& leader, const CsrMatrix& follower, const RowwiseSpec& machine,
            const OutputSamples* samples = nullptr);

  bool next(RowwiseTask& task) override;

 private:
  /// What a task merges: a fiber of the follower or an earlier task's output.
  struct Item {
    bool partial;
    std::uint64_t id;    // of a partial output: the task that makes it
    StoredRange stored;  // of a partial output
    std::uint64_t nonzeros;
    std::uint64_t kept;        // of them, that S has
    std::uint64_t first, end;  // nonzeros of the leader behind it
  };
  using Items = std::vector<Item>;

  bool next_row();
  /// Whether S has something in the row; then it is the row at hand.
  bool begin_samples(Coordinate row);
  [[nodiscard]] bool has(Coordinate column) const {
    return samples_ == nullptr || in_samples_[column] == samples_row_;
  }
  void cut();
  void take_in(Items& items, std::uint64_t first, std::uint64_t end);
  void reduce(Items& items);
  Item emit(Items::const_iterator begin, Items::const_iterator end, bool is_final);
  void take_samples(RowwiseTask& task);
  Item put(RowwiseTask task, std::uint64_t first, std::uint64_t end);
  /// Coordinates that these nonzeros of the leader reach.
  [[nodiscard]] std::uint64_t distinct(std::uint64_t first, std::uint64_t end);
  void end_program();

  std::uint64_t radix_;
  FiberLayout leader_layout_, follower_layout_;
  std::optional<FiberLayout> samples_layout_;
  std::uint64_t z_pointer_bits_, z_nonzero_bits_;
  std::vector<Coordinate> cuts_;  // first fiber of each block, and one past the last
  std::uint64_t room_ = 0;

  std::size_t block_ = 0;
  Coordinate row_ = 0;
  bool done_ = false;
  /// Of each row: the first nonzero that no block has had, and the partial outputs so far.
  std::vector<std::uint64_t> reached_;
  std::vector<Items> partials_;
  std::deque<RowwiseTask> ready_;
  std::uint64_t next_id_ = 0;
  std::uint64_t partial_at_ = 0, z_at_ = 0;           // addresses
  std::uint64_t leader_pending_ = 0, z_pending_ = 0;  // bytes of rows without a task
  std::uint64_t leader_at_ = 0;
  std::uint64_t samples_pending_ = 0;      // pointers of S that no task has read
  std::vector<std::uint64_t> in_samples_;  // the last row of S, by samples_row_, that has it
  std::uint64_t samples_row_ = 0;
  Coordinate current_ = 0;  // the row at hand, and its nonzeros so far
  std::uint64_t row_first_ = 0, row_end_ = 0;
  /// When a coordinate of outputs was met last: by a task, by a row.
  std::vector<std::uint32_t> seen_, seen_in_row_;
  std::uint32_t stamp_ = 0, row_stamp_ = 0;
  bool counting_row_ = false, row_counted_ = false;
  std::uint64_t of_row_ = 0;  // distinct so far
};

}  // namespace lacuna
