// SPDX-License-Identifier: Apache-2.0
#include "run/operation/blocks.hpp"

#include <algorithm>
#include <map>

namespace lacuna {
namespace {

/// Keys that some query of a block keeps are gathered in blocks of the published kernel's 64 and
/// multiplied with all of its queries.
std::vector<MaskedBlock> line_blocks(const Einsum& einsum, std::uint64_t columns) {
  constexpr std::uint64_t kGathered = 64;
  const CausalMask& mask = *einsum.mask;
  const std::uint64_t queries = einsum.ranks[mask.query_rank].size;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> alike;
  for (const CausalMask::Lines& lines : mask.lines) {
    for (std::uint64_t s = 0; s < queries; s += columns) {
      const std::uint64_t count = std::min(columns, queries - s);
      const std::uint64_t keys = sparsity::keys_of_block(*lines.kept, static_cast<std::uint32_t>(s),
                                                         static_cast<std::uint32_t>(count));
      const std::uint64_t gathered =
          std::min(ceil_div(keys, kGathered) * kGathered, std::max(keys, s + count));
      alike[{count, gathered}] += lines.instances;
    }
  }
  std::vector<MaskedBlock> blocks;
  for (const auto& [block, times] : alike) blocks.push_back({block.first, block.second, times});
  return blocks;
}

}  // namespace

std::vector<MaskedBlock> masked_blocks(const Einsum& einsum, std::uint64_t columns) {
  const CausalMask& mask = *einsum.mask;
  if (!mask.lines.empty()) return line_blocks(einsum, columns);
  const std::uint64_t queries = einsum.ranks[mask.query_rank].size;
  const std::uint64_t all_keys = einsum.ranks[mask.key_rank].size;
  const std::uint64_t before = mask.context - all_keys;  // positions that are not among the keys
  std::uint64_t folded = 1;  // columns that share a query, such as heads
  const auto& streamed = einsum.operands[1].ranks;
  for (const std::uint32_t rank : einsum.operands[0].ranks) {
    const bool of_b = std::find(streamed.begin(), streamed.end(), rank) != streamed.end();
    if (of_b && rank != mask.query_rank) folded *= einsum.ranks[rank].size;
  }
  const std::uint64_t block =
      std::max({std::uint64_t{1}, columns / folded, ceil_div(queries, kMostQueryBlocks)});
  std::vector<MaskedBlock> blocks;
  for (std::uint64_t s = 0; s < queries; s += block) {
    const std::uint64_t count = std::min(block, queries - s);
    const std::uint64_t first = mask.context - queries + s;  // position of its first query
    const std::uint64_t end = first + count;                 // its last query sees keys below
    std::uint64_t from = mask.limit > 0 && first + 1 > mask.limit ? first + 1 - mask.limit : 0;
    from = std::max(from, before);
    const std::uint64_t keys = std::min(end - from, all_keys);
    if (!blocks.empty() && blocks.back().queries == count && blocks.back().keys == keys) {
      blocks.back().times += einsum.batch;
    } else {
      blocks.push_back({count, keys, einsum.batch});
    }
  }
  return blocks;
}

}  // namespace lacuna
