// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/execution_layouts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace lacuna::routing {
namespace {

constexpr std::uint64_t kMostBlockIndex = 32768;  // int16

LayoutCost cost_of(std::uint64_t assignments, std::uint64_t executed, std::uint64_t useful,
                   const ExpertShape& shape) {
  return {assignments, executed, useful, executed * shape.flop_per_row(),
          useful * shape.flop_per_row()};
}

template <class Count>
CapacityLayout capacity_layout_of(std::span<const Count> loads, std::uint64_t capacity,
                                  const ExpertShape& shape) {
  CapacityLayout out;
  out.capacity = capacity;
  std::uint64_t assignments = 0;
  for (const std::uint64_t n : loads) {
    assignments += n;
    out.dropped += n > capacity ? n - capacity : 0;
    out.padding += n < capacity ? capacity - n : 0;
  }
  const std::uint64_t rows = capacity * loads.size();
  out.cost = cost_of(assignments, rows, assignments - out.dropped, shape);
  if (assignments > 0) {
    out.dropped_share = static_cast<double>(out.dropped) / static_cast<double>(assignments);
  }
  if (rows > 0) out.padding_share = static_cast<double>(out.padding) / static_cast<double>(rows);
  return out;
}

void check_block(std::size_t experts, const ExpertShape& shape, std::uint64_t block) {
  if (block == 0 || shape.width % block != 0) {
    throw InputError(
        Place{"", 0, "block"},
        fmt::format("expert width {} is not a multiple of the block {}", shape.width, block),
        "choose a block that divides the expert width");
  }
  if (experts * (shape.width / block) > kMostBlockIndex) {
    throw InputError(
        Place{"", 0, "block"},
        fmt::format("{} experts of {} blocks of columns do not fit 16-bit block indices", experts,
                    shape.width / block),
        "choose a larger block");
  }
}

}  // namespace

GroupedGemm grouped_gemm(std::span<const std::uint32_t> loads, const ExpertShape& shape,
                         std::uint64_t row_block) {
  if (row_block == 0) throw InputError(Place{"", 0, "row_block"}, "is 0", "expected at least 1");
  GroupedGemm out;
  std::uint64_t used = 0;
  std::uint64_t executed = 0;
  for (const std::uint32_t n : loads) {
    out.rows.push_back(ceil_div(n, row_block) * row_block);
    used += n;
    executed += out.rows.back();
  }
  out.cost = cost_of(used, executed, used, shape);
  return out;
}

std::uint64_t expert_capacity(const CapacityRule& rule, std::uint64_t tokens, std::uint32_t top_k,
                              std::uint32_t experts, std::uint64_t largest_load) {
  if (!(rule.factor >= 0) || !std::isfinite(rule.factor) || rule.factor > 1e6) {
    throw InputError(Place{"", 0, "capacity_factor"}, fmt::format("is {}", rule.factor),
                     "expected a number of at least 0");
  }
  LACUNA_CHECK(experts > 0 && rule.expert_ranks > 0, "capacity of {} experts on {} ranks", experts,
               rule.expert_ranks);
  const auto assignments = static_cast<double>(tokens * top_k);
  // In the order of the published code, so that rounding is the same.
  if (rule.flavour == CapacityRule::Flavour::kMegatron) {
    return static_cast<std::uint64_t>(std::ceil(assignments / experts * rule.factor));
  }
  if (rule.factor == 0) return largest_load;
  return static_cast<std::uint64_t>(rule.factor * (assignments * rule.expert_ranks / experts));
}

CapacityLayout capacity_layout(std::span<const std::uint32_t> loads, std::uint64_t capacity,
                               const ExpertShape& shape) {
  return capacity_layout_of(loads, capacity, shape);
}
CapacityLayout capacity_layout(std::span<const std::uint64_t> loads, std::uint64_t capacity,
                               const ExpertShape& shape) {
  return capacity_layout_of(loads, capacity, shape);
}

std::vector<ExpertId> drop_overflow(std::span<const ExpertId> ids, std::span<const float> weights,
                                    std::uint32_t experts, std::uint64_t capacity,
                                    DropOrder order) {
  if (order == DropOrder::kWeight && weights.size() != ids.size()) {
    throw InputError(Place{"", 0, "routing"},
                     "dropping by weight needs the routing weights, the source has none",
                     "drop by position");
  }
  std::vector<std::uint32_t> turn(ids.size());
  std::iota(turn.begin(), turn.end(), 0U);
  if (order == DropOrder::kWeight) {
    std::stable_sort(turn.begin(), turn.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return weights[a] > weights[b]; });
  }
  std::vector<std::uint64_t> taken(experts);
  std::vector<ExpertId> out(ids.begin(), ids.end());
  for (const std::uint32_t i : turn) {
    if (out[i] == kNoExpert) continue;
    LACUNA_CHECK(out[i] < experts, "expert id {} of {}", out[i], experts);
    if (taken[out[i]] == capacity) {
      out[i] = kNoExpert;
    } else {
      ++taken[out[i]];
    }
  }
  return out;
}

BlockSparse block_sparse(std::span<const std::uint32_t> loads, const ExpertShape& shape,
                         std::uint64_t block) {
  LACUNA_CHECK(!loads.empty(), "no experts");
  check_block(loads.size(), shape, block);
  BlockSparse out;
  out.block = block;
  std::uint64_t used = 0;
  for (const std::uint32_t n : loads) {
    out.block_rows += ceil_div(n, block);
    used += n;
  }
  out.padded_rows = out.block_rows * block;
  const std::uint64_t per_row = shape.width / block;
  out.block_columns = per_row * loads.size();
  out.blocks = out.block_rows * per_row;
  out.metadata = Bytes(4 * out.blocks + 4 * (out.block_rows + 1));
  out.metadata_transposed = Bytes(6 * out.blocks + 4 * (out.block_columns + 1));
  out.block_density = 1.0 / static_cast<double>(loads.size());
  out.flop_per_product = 2 * out.padded_rows * shape.hidden * shape.width;
  out.cost = cost_of(used, out.padded_rows, used, shape);
  return out;
}

BlockTopology block_topology(std::span<const std::uint32_t> loads, const ExpertShape& shape,
                             std::uint64_t block) {
  const BlockSparse size = block_sparse(loads, shape, block);
  if (size.block_rows > kMostBlockIndex) {
    throw InputError(Place{"", 0, "block"},
                     fmt::format("{} block rows do not fit 16-bit indices", size.block_rows),
                     "choose a larger block or fewer tokens");
  }
  const std::uint64_t per_row = shape.width / block;
  BlockTopology out;
  out.offsets.push_back(0);
  out.offsets_t.push_back(0);
  std::uint64_t row = 0;
  for (std::size_t e = 0; e < loads.size(); ++e) {
    const std::uint64_t rows = ceil_div(loads[e], block);
    const std::uint64_t first = row;
    for (; row < first + rows; ++row) {
      for (std::uint64_t c = 0; c < per_row; ++c) {
        out.column_indices.push_back(static_cast<std::int16_t>(e * per_row + c));
        out.row_indices.push_back(static_cast<std::int16_t>(row));
      }
      out.offsets.push_back(static_cast<std::int32_t>(out.column_indices.size()));
    }
    for (std::uint64_t c = 0; c < per_row; ++c) {
      for (std::uint64_t r = first; r < first + rows; ++r) {
        out.column_indices_t.push_back(static_cast<std::int16_t>(r));
        out.block_offsets_t.push_back(static_cast<std::int32_t>(r * per_row + c));
      }
      out.offsets_t.push_back(static_cast<std::int32_t>(out.column_indices_t.size()));
    }
  }
  return out;
}

Bytes BlockTopology::bytes() const {
  return Bytes(2 * (column_indices.size() + row_indices.size() + column_indices_t.size()) +
               4 * (offsets.size() + offsets_t.size() + block_offsets_t.size()));
}

CsrMatrix BlockTopology::pattern() const {
  CsrMatrix out;
  out.rows = static_cast<Coordinate>(offsets.size() - 1);
  out.cols = static_cast<Coordinate>(offsets_t.size() - 1);
  out.offsets.assign(offsets.begin(), offsets.end());
  out.columns.assign(column_indices.begin(), column_indices.end());
  return out;
}

}  // namespace lacuna::routing
