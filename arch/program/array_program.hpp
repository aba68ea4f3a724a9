// SPDX-License-Identifier: Apache-2.0
// What a MAC-array machine executes: products cut into tiles of outputs and pieces of K, in the
// order of their loops. A program says what moves, what meets and in which order. It knows no
// clock, bandwidth, latency or policy: how long that takes, what stays in a buffer and what comes
// again is the machine's business.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "arch/program/array_counts.hpp"
#include "arch/program/gemm_operands.hpp"
#include "arch/program/segment.hpp"

namespace lacuna {

/// From the nonzeros themselves, or from their density alone (the released statistical law).
enum class FabricMode { data, expected };

/// One product and how it is cut, by reference to its operands: all that the units need to know.
struct ArrayWork {
  std::shared_ptr<const GemmOperands> operands;
  FabricPattern a_pattern, b_pattern;  // what the operands run at
  bool a_compressed = false, b_compressed = false;
  std::uint64_t rows = 1, columns = 1;              // of an output tile, over all arrays
  std::uint64_t array_rows = 1, array_columns = 1;  // of the tile of one array
  std::uint64_t step_k = 1;    // positions of K that one step of the arrays takes
  std::uint64_t padded_k = 0;  // K in whole groups of A's pattern
  std::uint64_t chunks = 1;    // instructions that the steps of an output tile are cut into
  double b_width = 1;          // words of the machine for one value of B
  // Bitmask words that come with each K step for an array's tile of A, of B.
  double a_mask_words = 0, b_mask_words = 0;
  double a_words = 0, b_words = 0;  // of all of A, all of B, as the arrays read them once

  [[nodiscard]] std::uint64_t m() const { return operands->m(); }
  [[nodiscard]] std::uint64_t n() const { return operands->n(); }
  [[nodiscard]] std::uint64_t k() const { return operands->k(); }
  [[nodiscard]] std::uint64_t m_tiles() const { return ceil_div(m(), rows); }
  [[nodiscard]] std::uint64_t n_tiles() const { return ceil_div(n(), columns); }
  [[nodiscard]] std::uint64_t instructions() const { return m_tiles() * n_tiles() * chunks; }
  /// Rows, columns of output tile i: the last may be smaller.
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t i) const {
    return std::min(m() - i * rows, rows);
  }
  [[nodiscard]] std::uint64_t columns_of(std::uint64_t j) const {
    return std::min(n() - j * columns, columns);
  }
  [[nodiscard]] std::uint64_t steps() const { return ceil_div(k(), step_k); }
  [[nodiscard]] std::uint64_t first_step(std::uint64_t chunk) const {
    return steps() * chunk / chunks;
  }
  /// First position of K of a chunk; of `chunks`, K.
  [[nodiscard]] std::uint64_t first_k(std::uint64_t chunk) const {
    return std::min(k(), first_step(chunk) * step_k);
  }
};

/// What of an operand the global buffer takes in, in the order of the loops: every entry of `bytes`
/// is visited once for each entry of `walks`, and walked so often in a visit.
struct TileVisits {
  std::vector<std::uint64_t> bytes, walks;
  bool stays = true;  // for the walks of a visit; otherwise each walk fetches it again
  std::uint64_t room =
      0;  // bytes of the buffer that it may take while it stays; 0: as many as it has
  std::uint64_t piece = 0;     // most bytes that one instruction uses
  std::uint64_t together = 0;  // most bytes that must be in the buffer at once

  [[nodiscard]] std::uint64_t visits() const { return bytes.size() * walks.size(); }
};

/// A product with what moves.
struct ArrayProduct : ArrayWork {
  // Words as the arrays read them: of one group of rows (columns) and chunk, [group * chunks +
  // chunk].
  std::vector<FabricWords> a, b;
  // Words that are stored and fetched, over those that are read; 0 for an operand on chip.
  double a_footprint = 1, b_footprint = 1;
  TileVisits a_visits, b_visits;
  FabricWords z;           // outputs as they leave, in all
  bool z_on_chip = false;  // they stay in the global buffer

  /// Words to memory of one output tile.
  [[nodiscard]] double z_words_of(std::uint64_t i, std::uint64_t j) const {
    if (z_on_chip) return 0;
    const double places = static_cast<double>(m()) * static_cast<double>(n());
    return z.all() / places * static_cast<double>(rows_of(i) * columns_of(j));
  }
};

/// The part of a tile that an instruction uses, in one of the walks over the tile.
struct TileUse {
  std::uint64_t visit = 0;  // counts up through the program
  Segment tile;             // as stored; only its place and size matter to a buffer
  std::uint64_t room = 0;   // see TileVisits
  bool stays = true;
  std::uint64_t walk = 0, walks = 1;
  std::uint64_t begin = 0, end = 0;  // bytes from the tile's start
  bool kept = false;  // used again later in this walk: nothing of it is given back yet
};

/// A piece of K for one tile of outputs.
struct ArrayInstruction {
  std::uint64_t part = 0;                 // of the program
  std::uint64_t run = 0;                  // of a product: counts up through the program
  std::uint64_t m = 0, n = 0, chunk = 0;  // output tile, piece of K
  TileUse a, b;
  std::uint64_t z_bytes = 0;  // outputs that leave when it is done
  bool idle = false;          // no rows here: operands that all clusters get pass by
};

/// An operation without products: bytes that pass the global buffer in equal pieces.
struct VectorWork {
  double port_bytes = 0;     // read from the buffer and written to it
  double read_bytes = 0;     // of these
  double written_bytes = 0;  // that do not come from memory
  std::uint64_t pieces = 1;
};

/// Fills the next instruction; false after the last.
using ArrayWalk = std::function<bool(ArrayInstruction&)>;

/// Bytes of the global buffer that an operation has while it runs.
struct ArrayShares {
  std::uint64_t a = 0, b = 0;   // for each operand
  std::uint64_t z_backlog = 0;  // for outputs that wait for memory
};

/// Operations one after another: products, each as often as it occurs.
struct ArrayProgram {
  struct Part {
    std::shared_ptr<const ArrayProduct> product;
    std::uint64_t times = 1;
    std::optional<VectorWork> vector;  // instead of products; the product says only what moves
  };
  struct Operation {
    std::size_t parts_end = 0;  // behind its last part
    ArrayShares shares;
    /// Operations, counted from the first, whose outputs must be in memory before an operand is
    /// fetched: those that write it, or say what is read of it.
    std::size_t a_after = 0, b_after = 0;
  };
  std::vector<Part> parts;
  std::vector<Operation> operations;
  std::function<ArrayWalk()> walk;  // all instructions from the first on

  /// Of a program of one operation.
  [[nodiscard]] const ArrayShares& shares() const { return operations.front().shares; }
  /// The largest share that any operation has.
  [[nodiscard]] std::uint64_t most(std::uint64_t ArrayShares::*share) const {
    std::uint64_t most = 0;
    for (const Operation& operation : operations) most = std::max(most, operation.shares.*share);
    return most;
  }
};

}  // namespace lacuna
