// SPDX-License-Identifier: Apache-2.0
// Does attention under a mask execute, for each block of queries, the keys that some query of it
// sees, and no other? Beside a count of keys one by one.
#include "run/operation/blocks.hpp"

#include "tests/catch.hpp"

namespace lacuna {
namespace {

/// Scores of `queries` queries at the end of `context` positions, the last `keys` of which are
/// keys; a query sees itself and what is before it, `limit` keys at most (0: all).
Einsum scores(std::uint64_t queries, std::uint64_t keys, std::uint64_t context,
              std::uint64_t limit) {
  Einsum einsum =
      make_einsum("Z[s,t] = A[s,d] * B[d,t]", {{"s", queries}, {"d", 8}, {"t", keys}}, 3);
  CausalMask mask;
  for (std::uint32_t rank = 0; rank < einsum.ranks.size(); ++rank) {
    if (einsum.ranks[rank].name == "s") mask.query_rank = rank;
    if (einsum.ranks[rank].name == "t") mask.key_rank = rank;
  }
  mask.context = context;
  mask.limit = limit;
  einsum.mask = mask;
  return einsum;
}

/// Keys that any of the queries first, first + 1, ... sees, one by one.
std::uint64_t seen_by(std::uint64_t first, std::uint64_t count, std::uint64_t queries,
                      std::uint64_t keys, std::uint64_t context, std::uint64_t limit) {
  std::uint64_t seen = 0;
  for (std::uint64_t key = context - keys; key < context; ++key) {
    bool any = false;
    for (std::uint64_t q = first; q < first + count; ++q) {
      const std::uint64_t at = context - queries + q;
      any = any || (key <= at && (limit == 0 || key + limit > at));
    }
    seen += any ? 1 : 0;
  }
  return seen;
}

}  // namespace

TEST_CASE("a block of queries meets exactly the keys that one of its queries sees") {
  struct Shape {
    std::uint64_t queries, keys, context;
  };
  for (const Shape& shape : {Shape{40, 40, 40}, {40, 100, 100}, {7, 90, 300}, {1, 50, 50}}) {
    for (const std::uint64_t limit : {0U, 1U, 2U, 16U, 33U, 1000U}) {
      for (const std::uint64_t columns : {1U, 4U, 16U, 64U}) {
        const auto blocks =
            masked_blocks(scores(shape.queries, shape.keys, shape.context, limit), columns);
        CAPTURE(shape.queries, shape.keys, shape.context, limit, columns);
        std::uint64_t executed = 0, expected = 0, queries = 0;
        for (const MaskedBlock& block : blocks) {
          executed += block.keys * block.queries * block.times;
          queries += block.queries * block.times;
        }
        const std::uint64_t edge = std::min(columns, shape.queries);
        for (std::uint64_t q = 0; q < shape.queries; q += edge) {
          const std::uint64_t count = std::min(edge, shape.queries - q);
          expected +=
              3 * count * seen_by(q, count, shape.queries, shape.keys, shape.context, limit);
        }
        CHECK(queries == 3 * shape.queries);
        CHECK(executed == expected);
      }
    }
  }
}

}  // namespace lacuna
