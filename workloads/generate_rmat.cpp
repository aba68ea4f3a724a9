// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <bit>
#include <boost/graph/rmat_graph_generator.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "workloads/generator_checks.hpp"
#include "workloads/generators.hpp"

namespace lacuna {
namespace {

/// What Boost's iterator asks of a graph type; the graph itself is never built.
struct DirectedGraph {
  using vertex_descriptor = std::uint64_t;
  using edge_descriptor = void;
  using directed_category = boost::directed_tag;
  using edge_parallel_category = boost::allow_parallel_edge_tag;
  using traversal_category = void;
  using vertices_size_type = std::uint64_t;
  using edges_size_type = int;  // the iterator counts down in an int
  using degree_size_type = std::uint64_t;
};

void check(const RmatParameters& parameters) {
  detail::checked_extent("rmat", "rows", parameters.rows);
  if (!std::has_single_bit(parameters.rows)) {
    detail::bad_parameter("rmat", "rows", fmt::format("{} is not a power of two", parameters.rows),
                          fmt::format("{} is", std::bit_ceil(parameters.rows)));
  }
  if (parameters.edges > kLargestGenerated ||
      parameters.edges > parameters.rows * parameters.rows) {
    detail::bad_parameter(
        "rmat", "edges",
        fmt::format("{} edges are too many for {} rows", parameters.edges, parameters.rows));
  }
  for (const double share : {parameters.a, parameters.b, parameters.c, parameters.d}) {
    detail::checked_share("rmat", "a, b, c, d", share);
  }
  const double sum = parameters.a + parameters.b + parameters.c + parameters.d;
  if (std::abs(sum - 1.0) > 1e-9) {
    detail::bad_parameter("rmat", "a, b, c, d", fmt::format("they sum to {}, expected 1", sum));
  }
}

}  // namespace

CsrMatrix rmat(const RmatParameters& parameters) {
  check(parameters);
  const std::uint64_t n = parameters.rows;
  std::vector<std::uint64_t> name(n);
  std::iota(name.begin(), name.end(), std::uint64_t{0});
  // Boost's own permutation draws the same numbers as its edges and is not uniform.
  if (parameters.permuted) RandomStream(parameters.seed, "rmat permutation").shuffle(name);
  RandomStream random(parameters.seed, "rmat edges");
  boost::rmat_iterator<RandomStream, DirectedGraph> edge(random, n, std::numeric_limits<int>::max(),
                                                         parameters.a, parameters.b, parameters.c,
                                                         parameters.d, false);
  const std::uint64_t most_draws = std::min<std::uint64_t>(
      64 * parameters.edges, static_cast<std::uint64_t>(std::numeric_limits<int>::max()) - 1);
  const auto keys = detail::distinct_keys(parameters.edges, most_draws, [&] {
    const auto [row, col] = *edge;
    ++edge;
    return name[row] * n + name[col];
  });
  if (keys.size() < parameters.edges) {
    detail::bad_parameter("rmat", "edges",
                          fmt::format("only {} distinct edges of {} came in {} draws", keys.size(),
                                      parameters.edges, most_draws),
                          "ask for fewer, take more rows, or a flatter a, b, c, d");
  }
  const auto extent = static_cast<Coordinate>(n);
  return detail::from_keys(extent, extent, keys);
}

}  // namespace lacuna
