// SPDX-License-Identifier: Apache-2.0
#include "run/model/reads.hpp"

#include <algorithm>

namespace lacuna {
namespace {

class Reads {
 public:
  explicit Reads(const OperationGraph& graph) : graph_(graph) {}

  [[nodiscard]] OperationReads of(OperationId v) const {
    const Operation& op = graph_[v];
    if (op.einsum) return {of_operand(v, 1), of_operand(v, 2)};
    const bool only_stored =
        boost::in_degree(v, graph_) == 0 && op.activation_read_bytes.count() == 0;
    ReadsAfter after = only_stored ? ReadsAfter{true} : written_by_producers(v, std::nullopt);
    if (op.cache_read_bytes.count() > 0)
      wait_for(after, last_before(v, OperationKind::kCacheAppend));
    return {after, after};
  }

 private:
  [[nodiscard]] ReadsAfter of_operand(OperationId v, std::uint32_t operand) const {
    switch (graph_[v].einsum->operands[operand].kind) {
      case OperandKind::kWeight:
        return of_weight(v);
      case OperandKind::kCache: {
        ReadsAfter after = written_by_producers(v, operand);
        wait_for(after, last_before(v, OperationKind::kCacheAppend));
        return after;
      }
      default:
        return written_by_producers(v, operand);
    }
  }

  /// Those of chosen experts are known once they are chosen.
  [[nodiscard]] ReadsAfter of_weight(OperationId v) const {
    if (part_of(graph_[v].role) != Part::kRoutedExperts) return {true};
    const std::optional<OperationId> choice = last_before(v, OperationKind::kTopK);
    ReadsAfter after;
    wait_for(after, choice ? choice : previous(v));
    return after;
  }

  /// The operations of the block that write the operand, or say what is read of it; without an
  /// operand, all that are read.
  [[nodiscard]] ReadsAfter written_by_producers(OperationId v,
                                                std::optional<std::uint32_t> operand) const {
    ReadsAfter after;
    for (const auto e : boost::make_iterator_range(boost::in_edges(v, graph_))) {
      const std::optional<std::uint32_t> as = graph_[e].operand;
      if (operand && as && *as != *operand) continue;
      const OperationId producer = boost::source(e, graph_);
      if (graph_[producer].block == graph_[v].block) wait_for(after, producer);
    }
    return after;
  }

  static void wait_for(ReadsAfter& after, std::optional<OperationId> operation) {
    if (!operation) return;
    after.from_start = false;
    after.last = after.last ? std::max(*after.last, *operation) : *operation;
  }

  [[nodiscard]] std::optional<OperationId> previous(OperationId v) const {
    if (v == 0 || graph_[v - 1].block != graph_[v].block) return std::nullopt;
    return v - 1;
  }

  /// The last operation of this kind before `v` in its block.
  [[nodiscard]] std::optional<OperationId> last_before(OperationId v, OperationKind kind) const {
    for (auto at = previous(v); at; at = previous(*at)) {
      if (graph_[*at].kind == kind) return at;
    }
    return std::nullopt;
  }

  const OperationGraph& graph_;
};

}  // namespace

std::vector<OperationReads> reads_of(const OperationGraph& graph) {
  const Reads reads(graph);
  std::vector<OperationReads> all;
  for (OperationId v = 0; v < boost::num_vertices(graph); ++v) all.push_back(reads.of(v));
  return all;
}

}  // namespace lacuna
