// SPDX-License-Identifier: Apache-2.0
#include "run/model/placement.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "run/operation/blocks.hpp"
#include "workloads/models/model_numbers.hpp"

namespace lacuna {
namespace {

using EdgeId = boost::graph_traits<OperationGraph>::edge_descriptor;

double d(Bytes bytes) {
  return static_cast<double>(bytes.count());
}

class Placer {
 public:
  Placer(const OperationGraph& graph, double capacity, QueryBlocks blocks, double share)
      : graph_(graph), capacity_(capacity), most_(share * capacity), blocks_(blocks) {
    const std::size_t count = boost::num_vertices(graph);
    instances_.resize(count, 1);
    masked_.resize(count, nullptr);
    spread_.resize(count, 1);
    on_chip_.resize(count, false);
    held_.resize(count, 0);
  }

  std::vector<PlacedOperation> place() {
    find_instances();
    for (OperationId v = 0; v < instances_.size(); ++v) decide(v);
    std::vector<PlacedOperation> out;
    for (OperationId v = 0; v < instances_.size(); ++v) {
      out.push_back(graph_[v].einsum ? of_einsum(v) : of_vector(v));
    }
    return out;
  }

 private:
  using BlockPart = std::pair<std::uint32_t, Part>;

  static BlockPart block_part(const Operation& op) { return {op.block, part_of(op.role)}; }

  static bool runs_by_instance(const Operation& op) {
    const Part part = part_of(op.role);
    return part == Part::kAttentionCore || part == Part::kRoutedExperts;
  }

  struct PartShape {
    std::uint64_t instances = 0;
    double spread = 0;
    std::optional<CausalMask> mask;
    std::uint64_t queries = 0;  // under the mask
  };

  /// How many instances each operation runs one by one, and how much larger than the mean the
  /// largest is.
  void find_instances() {
    for (OperationId v = 0; v < instances_.size(); ++v) {
      const Operation& op = graph_[v];
      if (!op.einsum || !runs_by_instance(op)) continue;
      const auto& rows = op.einsum->rows_per_instance;
      double spread = 1;
      if (!rows.empty()) {
        const double sum = std::accumulate(rows.begin(), rows.end(), 0.0);
        spread = sum > 0 ? *std::max_element(rows.begin(), rows.end()) *
                               static_cast<double>(touched_instances(*op.einsum)) / sum
                         : 1;
      }
      auto& part = parts_[block_part(op)];
      part.instances = std::max(part.instances, touched_instances(*op.einsum));
      part.spread = std::max(part.spread, spread);
      if (op.einsum->mask) {
        part.mask = op.einsum->mask;
        part.queries = op.einsum->ranks[part.mask->query_rank].size;
      }
    }
    for (OperationId v = 0; v < instances_.size(); ++v) {
      const Operation& op = graph_[v];
      const auto part = parts_.find(block_part(op));
      if (part == parts_.end() || part->second.instances == 0) continue;
      if (op.einsum && touched_instances(*op.einsum) != part->second.instances) continue;
      instances_[v] = part->second.instances;
      spread_[v] = part->second.spread;
      if (part->second.mask) masked_[v] = &part->second;
    }
  }

  [[nodiscard]] bool together(OperationId u, OperationId v) const {
    return (instances_[u] > 1 || masked_[u] != nullptr) && instances_[u] == instances_[v] &&
           block_part(graph_[u]) == block_part(graph_[v]);
  }

  /// Of an instance's result, what the last block of queries makes: it sees the most keys.
  [[nodiscard]] double block_share(OperationId v) const {
    if (masked_[v] == nullptr) return 1;
    const CausalMask& mask = *masked_[v]->mask;
    const std::uint64_t queries = masked_[v]->queries;
    std::uint64_t block = blocks_.scores;
    for (const EdgeId e : boost::make_iterator_range(boost::out_edges(v, graph_))) {
      if (graph_[boost::target(e, graph_)].einsum) block = std::max(block, blocks_.values);
    }
    block = std::min(queries, std::max(block, ceil_div(queries, kMostQueryBlocks)));
    return static_cast<double>(causal_pairs(block, mask.context, mask.limit)) /
           static_cast<double>(causal_pairs(queries, mask.context, mask.limit));
  }

  /// Whether the tensor of `v` stays, and what it takes from the buffer until its last consumer.
  void decide(OperationId v) {
    const Operation& op = graph_[v];
    const double bytes = d(op.activation_write_bytes);
    if (bytes == 0 || boost::out_degree(v, graph_) == 0) return;
    bool apart = false;  // some consumer needs the whole tensor
    OperationId last = v;
    for (const EdgeId e : boost::make_iterator_range(boost::out_edges(v, graph_))) {
      const OperationId consumer = boost::target(e, graph_);
      apart = apart || !together(v, consumer);
      last = std::max(last, consumer);
    }
    const double part =
        apart ? bytes : bytes / static_cast<double>(instances_[v]) * spread_[v] * block_share(v);
    if (part > most_) return;
    for (OperationId at = v; at <= last; ++at) {
      if (held_[at] + part > capacity_ / 2) return;
    }
    for (OperationId at = v; at <= last; ++at) held_[at] += part;
    on_chip_[v] = true;
  }

  /// Bytes of `v`'s inputs that are on chip; whether all of them are.
  [[nodiscard]] std::pair<double, bool> inputs_on_chip(OperationId v) const {
    double bytes = 0;
    bool all = true;
    for (const EdgeId e : boost::make_iterator_range(boost::in_edges(v, graph_))) {
      const OperationId producer = boost::source(e, graph_);
      if (on_chip_[producer]) {
        bytes += d(graph_[e].bytes);
      } else if (d(graph_[producer].activation_write_bytes) > 0) {
        all = false;
      }
    }
    return {bytes, all};
  }

  [[nodiscard]] PlacedOperation of_vector(OperationId v) const {
    const Operation& op = graph_[v];
    const auto [near, all] = inputs_on_chip(v);
    PlacedOperation out;
    const double read = d(op.activation_read_bytes), written = d(op.activation_write_bytes);
    const double far = all && boost::in_degree(v, graph_) > 0 ? 0 : std::max(0.0, read - near);
    out.dram_read = d(op.weight_bytes) + d(op.cache_read_bytes) + far;
    out.dram_write = d(op.cache_write_bytes) + (on_chip_[v] ? 0 : written);
    if (d(op.index_bytes) > most_) out.dram_write += d(op.index_bytes);
    out.buffer_read = d(op.weight_bytes) + d(op.cache_read_bytes) + read;
    out.buffer_write = out.dram_read + written;
    return out;
  }

  [[nodiscard]] bool operand_on_chip(OperationId v, std::uint32_t operand) const {
    const std::optional<OperationId> producer = producer_of(graph_, v, operand);
    return producer && on_chip_[*producer];
  }

  [[nodiscard]] PlacedOperation of_einsum(OperationId v) const {
    const Einsum& einsum = *graph_[v].einsum;
    PlacedOperation out;
    OperationPlacement& p = out.einsum;
    p.streamed_on_chip = operand_on_chip(v, 1);
    const EinsumOperand& stationary = einsum.operands[2];
    double held = held_[v];
    if (stationary.kind == OperandKind::kActivation) {
      p.stationary_on_chip = operand_on_chip(v, 2);
    } else if (stationary.kind == OperandKind::kCache && stationary.resident) {
      const double part =
          d(total_bytes(einsum, 2)) / static_cast<double>(touched_instances(einsum));
      p.stationary_on_chip = part <= most_;
      if (p.stationary_on_chip) held += part;
    }
    p.result_on_chip = on_chip_[v];
    p.held_bytes = std::min(held, 0.75 * capacity_);
    return out;
  }

  const OperationGraph& graph_;
  double capacity_, most_;
  QueryBlocks blocks_;
  std::map<BlockPart, PartShape> parts_;
  std::vector<std::uint64_t> instances_;
  std::vector<const PartShape*> masked_;  // of what runs in blocks of queries
  std::vector<double> spread_;
  std::vector<bool> on_chip_;
  std::vector<double> held_;
};

}  // namespace

std::vector<PlacedOperation> place_operations(const OperationGraph& graph, double capacity,
                                              QueryBlocks blocks, double share) {
  return Placer(graph, capacity, blocks, share).place();
}

}  // namespace lacuna
