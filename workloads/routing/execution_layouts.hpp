// SPDX-License-Identifier: Apache-2.0
// Three ways to execute uneven experts, as row counts, metadata and FLOP. 1 multiply-add = 2 FLOP;
// an expert is a gated MLP (gate, up: [rows,h]x[h,F]; down: [rows,F]x[F,h]), so 6 h F per row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/units.hpp"
#include "sparse_formats/csr.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// One expert's matrices: h x F (gate, up) and F x h (down).
struct ExpertShape {
  std::uint64_t hidden = 0;
  std::uint64_t width = 0;
  [[nodiscard]] std::uint64_t flop_per_row() const { return 6 * hidden * width; }
};

/// What every layout has in common.
struct LayoutCost {
  std::uint64_t assignments = 0;    // sum n_e as routed
  std::uint64_t rows_executed = 0;  // padding included
  std::uint64_t rows_useful = 0;    // assignments that were not dropped
  std::uint64_t flop_executed = 0;
  std::uint64_t flop_useful = 0;
  [[nodiscard]] double useful_share() const {
    return rows_executed == 0
               ? 0
               : static_cast<double>(rows_useful) / static_cast<double>(rows_executed);
  }
};

/// Grouped GEMM: every expert's rows rounded up to `row_block` (DeepGEMM's contiguous layout aligns
/// them to its M block; 1 is a plain grouped GEMM). row_block 0 throws InputError.
struct GroupedGemm {
  std::vector<std::uint64_t> rows;  // per expert, aligned
  LayoutCost cost;
};
[[nodiscard]] GroupedGemm grouped_gemm(std::span<const std::uint32_t> loads,
                                       const ExpertShape& shape, std::uint64_t row_block = 1);

/// Capacity per expert. MegaBlocks (layers/moe.py): int(cf k B world / E), cf 0 means max n_e.
/// Megatron-Core (transformer/moe): ceil(k B cf / E) with B the tokens of one rank.
/// (Both published; that Megatron-Core rounds up was read in copies of its get_capacity().)
struct CapacityRule {
  enum class Flavour { kMegaBlocks, kMegatron } flavour = Flavour::kMegaBlocks;
  double factor = 1;
  std::uint32_t expert_ranks = 1;  // MegaBlocks' ep_world; tokens are those of one rank
};
[[nodiscard]] std::uint64_t expert_capacity(const CapacityRule& rule, std::uint64_t tokens,
                                            std::uint32_t top_k, std::uint32_t experts,
                                            std::uint64_t largest_load);

/// Every expert executes C rows; what is above is dropped, what is missing padded with zeros.
/// dropped = sum max(0, n_e - C), padding = sum max(0, C - n_e), FLOP 6 E C h F.
struct CapacityLayout {
  std::uint64_t capacity = 0;
  std::uint64_t dropped = 0;
  std::uint64_t padding = 0;
  double dropped_share = 0;  // of the assignments
  double padding_share = 0;  // of the E C rows
  LayoutCost cost;
};
[[nodiscard]] CapacityLayout capacity_layout(std::span<const std::uint32_t> loads,
                                             std::uint64_t capacity, const ExpertShape& shape);
[[nodiscard]] CapacityLayout capacity_layout(std::span<const std::uint64_t> loads,
                                             std::uint64_t capacity, const ExpertShape& shape);

/// Which assignments an expert above its capacity keeps: the first rows, or the largest weights
/// (Megatron-Core's default; `weights` must then be given; ties keep the earlier row).
enum class DropOrder { kPosition, kWeight };
/// The ids with every dropped assignment replaced by kNoExpert.
[[nodiscard]] std::vector<ExpertId> drop_overflow(std::span<const ExpertId> ids,
                                                  std::span<const float> weights,
                                                  std::uint32_t experts, std::uint64_t capacity,
                                                  DropOrder order);

/// Dropless block-sparse execution, MegaBlocks (layers/dmoe.py, mlp.py): rows of each expert padded
/// to blocks of b; the hidden activation [M, E F] has F/b blocks in every block row, in the columns
/// of the row's expert. Metadata: column_indices and row_indices int16 (width of row_indices:
/// recalled, unverified), offsets int32, and for the transpose column_indices_t int16, offsets_t
/// int32, block_offsets_t int32 (an index into the values, which are not copied).
struct BlockSparse {
  std::uint64_t block = 0;
  std::uint64_t padded_rows = 0;       // M
  std::uint64_t block_rows = 0;        // M / b
  std::uint64_t block_columns = 0;     // E F / b
  std::uint64_t blocks = 0;            // n = (M/b)(F/b)
  Bytes metadata{};                    // 4n + 4(M/b + 1): of the topology itself
  Bytes metadata_transposed{};         // 6n + 4(E F/b + 1); sum 10n + 4(M/b + E F/b + 2)
  double block_density = 0;            // 1 / E, exactly
  std::uint64_t flop_per_product = 0;  // 2 M h F of one SDD or DSD; a forward GLU has three
  LayoutCost cost;
};
/// Throws InputError when b does not divide F or the block columns do not fit int16 (> 32,768).
[[nodiscard]] BlockSparse block_sparse(std::span<const std::uint32_t> loads,
                                       const ExpertShape& shape, std::uint64_t block = 128);

/// The arrays themselves, as the kernels read them.
struct BlockTopology {
  std::vector<std::int16_t> column_indices;
  std::vector<std::int16_t> row_indices;
  std::vector<std::int32_t> offsets;           // block_rows + 1
  std::vector<std::int16_t> column_indices_t;  // block rows, in order of the block columns
  std::vector<std::int32_t> offsets_t;         // block_columns + 1
  std::vector<std::int32_t> block_offsets_t;   // where that block stands in the values
  [[nodiscard]] Bytes bytes() const;
  /// The pattern of blocks, [block_rows, block_columns].
  [[nodiscard]] CsrMatrix pattern() const;
};
/// Throws InputError as block_sparse() does, and when the block rows do not fit int16.
[[nodiscard]] BlockTopology block_topology(std::span<const std::uint32_t> loads,
                                           const ExpertShape& shape, std::uint64_t block = 128);

}  // namespace lacuna::routing
