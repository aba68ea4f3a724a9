// SPDX-License-Identifier: Apache-2.0
// The same operations with their tensors added in another order.
#pragma once

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "workloads/operation_graph.hpp"

namespace lacuna::test {

[[nodiscard]] inline OperationGraph with_shuffled_edges(const OperationGraph& graph,
                                                        unsigned seed) {
  std::vector<std::tuple<OperationId, OperationId, GraphTensor>> edges;
  for (const auto e : boost::make_iterator_range(boost::edges(graph))) {
    edges.emplace_back(boost::source(e, graph), boost::target(e, graph), graph[e]);
  }
  std::shuffle(edges.begin(), edges.end(), std::mt19937(seed));
  OperationGraph out;
  out[boost::graph_bundle] = info_of(graph);
  for (OperationId v = 0; v < boost::num_vertices(graph); ++v)
    out[boost::add_vertex(out)] = graph[v];
  for (const auto& [from, to, tensor] : edges) boost::add_edge(from, to, tensor, out);
  return out;
}

}  // namespace lacuna::test
