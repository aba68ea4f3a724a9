// SPDX-License-Identifier: Apache-2.0
// The contract between a row-wise dataflow and its machine: tasks, a lazy stream. A task says which
// bytes of the leader name which bytes of the follower and what comes of them; how long that takes
// is the machine's business, and which element takes it too.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "arch/program/segment.hpp"
#include "sparse_formats/csr.hpp"
#include "sparse_formats/output_samples.hpp"

namespace lacuna {

/// Some bytes of a tensor as stored.
struct StoredRange {
  std::uint64_t address = 0, bytes = 0;
};

/// What a block of the follower's fibers takes: their pointers, which lie together, and their
/// nonzeros.
struct FiberBlock {
  StoredRange pointers, nonzeros;
  [[nodiscard]] std::uint64_t bytes() const { return pointers.bytes + nonzeros.bytes; }
};

/// The nonzeros behind a task, for units that step through them: of each leader row from
/// `row_first` on a range of nonzeros (indices into its columns), each against the coordinates from
/// `part_first` to `part_end` of the fiber that it names.
struct RowwiseWork {
  Coordinate row_first = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> nonzeros;
  Coordinate part_first = 0, part_end = 0;
  std::vector<std::uint64_t> partials;  // outputs of earlier tasks, by their ids, that come in too:
                                        // the task waits for them
};

struct RowwiseTask {
  std::uint64_t id = 0;     // tasks are numbered in their order
  std::uint64_t block = 0;  // tasks of one block before those of the next: it has their fibers
  StoredRange leader;
  /// In the order of the leader's nonzeros; of fibers that are merged the pointer and the nonzeros
  /// (possibly none) of each, otherwise a tile.
  std::vector<StoredRange> followers;
  std::vector<StoredRange> partials;  // outputs of earlier tasks
  std::uint64_t follower_bytes = 0, partial_bytes = 0;
  /// Bytes of either that must be there before work can start.
  std::uint64_t followers_to_start = 0, partials_to_start = 0;
  std::uint64_t follower_walks = 1;  // of what an element holds itself

  std::uint64_t multiplies = 0;
  std::uint64_t merged = 0;   // nonzeros that go into a merger
  std::uint64_t adds = 0;     // products and partial outputs that meet another of their place
  std::uint64_t outputs = 0;  // nonzeros
  StoredRange output;
  bool is_final = true;  // false: a partial output, which a later task takes in
  /// Of a sampled product: what the task reads of S. Nonzeros that are merged and that S does not
  /// have are dropped before they are multiplied; a task's outputs may be multiplied by S.
  StoredRange samples;
  std::uint64_t scaled = 0;
  RowwiseWork work;
};

/// What a program knows without running; the machine's counts must agree with it.
struct RowwiseTotals {
  std::uint64_t tasks = 0, multiplies = 0, merged = 0, adds = 0, z_nonzeros = 0,
                partial_nonzeros = 0;
  std::uint64_t leader_bytes = 0, follower_uses = 0, follower_use_bytes = 0, z_bytes = 0;
  std::uint64_t overflowing_tiles = 0;  // of the follower, larger than their room
  std::uint64_t dropped = 0, scaled = 0, sample_bytes = 0;  // of a sampled product
};

class RowwiseProgram {
 public:
  /// The operands outlive this.
  RowwiseProgram(const CsrMatrix& leader, const CsrMatrix& follower,
                 const OutputSamples* samples = nullptr)
      : leader_(leader), follower_(follower), samples_(samples) {}
  virtual ~RowwiseProgram() = default;
  RowwiseProgram(const RowwiseProgram&) = delete;
  RowwiseProgram& operator=(const RowwiseProgram&) = delete;
  /// The next task, or false at the end.
  virtual bool next(RowwiseTask& task) = 0;
  /// Rows are its fibers over the contracted rank.
  [[nodiscard]] const CsrMatrix& leader() const { return leader_; }
  /// Rows are coordinates of the contracted rank, columns those of outputs.
  [[nodiscard]] const CsrMatrix& follower() const { return follower_; }
  /// Which outputs are computed, rows of the leader by coordinates of the follower's fibers; null:
  /// all.
  [[nodiscard]] const OutputSamples* samples() const { return samples_; }
  /// The blocks that the follower is cut into; none where it is not.
  [[nodiscard]] const std::vector<FiberBlock>& blocks() const { return blocks_; }
  /// Complete once next() has returned false.
  [[nodiscard]] const RowwiseTotals& totals() const { return totals_; }

 protected:
  const CsrMatrix& leader_;
  const CsrMatrix& follower_;
  const OutputSamples* samples_;
  std::vector<FiberBlock> blocks_;
  RowwiseTotals totals_;
};

}  // namespace lacuna
