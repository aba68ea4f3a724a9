// SPDX-License-Identifier: Apache-2.0
// Sparse prefill attention by heads (MInference, arXiv 2407.02490): every head keeps some key
// columns ("vertical") and some diagonals ("slash"). A table gives how many of each; which ones is
// chosen per prompt, so positions here are seeded draws with the forced ones kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "workloads/routing/trace_binding.hpp"
#include "workloads/sparsity_tables/vertical_slash.hpp"

namespace lacuna::sparsity {

struct HeadPattern {
  std::uint32_t vertical = 0;  // columns
  std::uint32_t slash = 0;     // diagonals
  double score = 0;            // recall found offline
};

struct AttentionTable {
  std::string source;
  std::string model;
  std::vector<std::vector<HeadPattern>> layers;  // [layer][head]
  [[nodiscard]] std::uint64_t heads() const;
  [[nodiscard]] routing::TraceOrigin origin() const;
};
/// JSON: array[layer] of {"head": ["vertical_and_slash", vertical, slash, score]}. Throws
/// InputError naming layer and head: another pattern, sizes that are not positive, heads missing or
/// differing in number between layers.
[[nodiscard]] AttentionTable load_attention_table(const std::filesystem::path& path,
                                                  const std::string& model = {});

/// What run time makes of the sizes: at least 30 columns and 50 diagonals, at most the length
/// (published, minference_forward.py at fb56c917); the first 30 columns and the 100 diagonals
/// nearest to the main one are always among the chosen (read in copies of that kernel in other
/// projects).
inline constexpr std::uint32_t kLeastColumns = 30;
inline constexpr std::uint32_t kLeastDiagonals = 50;
inline constexpr std::uint32_t kForcedColumns = 30;
inline constexpr std::uint32_t kForcedDiagonals = 100;

[[nodiscard]] VerticalSlash choose_lines(const HeadPattern& head, std::uint32_t length,
                                         RandomStream& random);

/// Sparse MLA: which rows of the latent cache each query reads; one row of indices serves all
/// heads. Prefill [s_q, 1, topk] holds plain positions, decode [b, s_q, topk] page * page_size +
/// offset; -1 (and in prefill anything at or above the number of keys) is invalid. FlashMLA's
/// README.
struct IndexSets {
  std::uint64_t queries = 0;
  std::uint32_t width = 0;
  std::vector<std::int32_t> indices;  // [queries][width]

  [[nodiscard]] std::span<const std::int32_t> row(std::uint64_t query) const {
    return std::span(indices).subspan(static_cast<std::size_t>(query) * width, width);
  }
};
/// Valid indices of each query, ascending. Throws InputError naming query and slot when an index is
/// below -1 or repeated, or, with `paged`, at or above `keys` (the size of the cache).
[[nodiscard]] std::vector<std::vector<std::uint32_t>> valid_indices(const IndexSets& sets,
                                                                    std::uint64_t keys, bool paged,
                                                                    const std::string& source);

}  // namespace lacuna::sparsity
