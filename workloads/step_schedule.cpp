// SPDX-License-Identifier: Apache-2.0
#include "workloads/step_schedule.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "base/error.hpp"

namespace lacuna {
namespace {

const OperationId kNone = boost::graph_traits<OperationGraph>::null_vertex();

/// One of the two rates: what it does until when, and for whom.
struct Server {
  double free_at = 0;
  OperationId last = kNone;

  /// When work of `seconds` that may begin at `ready` is done.
  double serve(OperationId id, double ready, double seconds, OperationId& waited_for) {
    if (seconds == 0) return ready;
    waited_for = free_at > ready ? last : kNone;
    free_at = std::max(free_at, ready) + seconds;
    last = id;
    return free_at;
  }
};

/// The operations of one block, once.
class BlockSchedule {
 public:
  BlockSchedule(const OperationGraph& graph, std::uint32_t block, const PeakRates& rates)
      : graph_(graph), block_(block), rates_(rates) {
    const std::size_t count = boost::num_vertices(graph);
    ready_.assign(count, 0);
    missing_.assign(count, 0);
    before_.assign(count, kNone);
  }

  /// Seconds of the block; appends the operations that set them.
  double run(std::vector<OperationId>& longest) {
    for (OperationId v = 0; v < ready_.size(); ++v) {
      if (graph_[v].block != block_) continue;
      for (const auto e : boost::make_iterator_range(boost::in_edges(v, graph_))) {
        if (graph_[boost::source(e, graph_)].block == block_) ++missing_[v];
      }
      if (missing_[v] == 0) queue_.emplace(0.0, v);
    }
    while (!queue_.empty()) {
      const OperationId id = queue_.top().second;
      queue_.pop();
      execute(id);
    }
    std::vector<OperationId> backwards;
    for (OperationId at = last_; at != kNone; at = before_[at]) backwards.push_back(at);
    longest.insert(longest.end(), backwards.rbegin(), backwards.rend());
    return end_;
  }

 private:
  void execute(OperationId id) {
    const Operation& op = graph_[id];
    const double ready = ready_[id];
    OperationId for_memory = kNone, for_arithmetic = kNone;
    const double moved = memory_.serve(
        id, ready, static_cast<double>(op.moved_bytes().count()) / rates_.bytes_per_second,
        for_memory);
    const double computed = arithmetic_.serve(
        id, ready, static_cast<double>(op.flops()) / rates_.flops_per_second, for_arithmetic);
    const double done = std::max(moved, computed);
    const OperationId waited_for = moved >= computed ? for_memory : for_arithmetic;
    if (waited_for != kNone) before_[id] = waited_for;
    if (last_ == kNone || done > end_) {
      end_ = done;
      last_ = id;
    }
    for (const auto e : boost::make_iterator_range(boost::out_edges(id, graph_))) {
      const OperationId consumer = boost::target(e, graph_);
      if (graph_[consumer].block != block_) continue;
      if (before_[consumer] == kNone || done > ready_[consumer]) {
        ready_[consumer] = std::max(ready_[consumer], done);
        before_[consumer] = id;
      }
      if (--missing_[consumer] == 0) queue_.emplace(ready_[consumer], consumer);
    }
  }

  using Ready = std::pair<double, OperationId>;  // the earliest first, then the first of the graph
  const OperationGraph& graph_;
  std::uint32_t block_;
  PeakRates rates_;
  Server memory_, arithmetic_;
  std::vector<double> ready_;
  std::vector<std::uint32_t> missing_;  // producers that are not done
  std::vector<OperationId> before_;     // what an operation waited for
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> queue_;
  double end_ = 0;
  OperationId last_ = kNone;
};

}  // namespace

std::string_view StepSchedule::limiter() const {
  if (bandwidth_seconds >= chain_seconds && bandwidth_seconds >= arithmetic_seconds) {
    return "bandwidth";
  }
  return arithmetic_seconds >= chain_seconds ? "arithmetic" : "dependencies";
}

StepSchedule schedule_step(const OperationGraph& graph, const PeakRates& rates) {
  StepSchedule out;
  const auto& blocks = info_of(graph).blocks;
  for (std::uint32_t block = 0; block < blocks.size(); ++block) {
    out.seconds += BlockSchedule(graph, block, rates).run(out.longest) *
                   static_cast<double>(blocks[block].repeat());
  }
  out.chain_seconds =
      critical_path(graph, roofline_cost(rates.flops_per_second, rates.bytes_per_second)).cost;
  const OperationTotals all = totals(graph);
  out.bandwidth_seconds = static_cast<double>(all.moved_bytes().count()) / rates.bytes_per_second;
  out.arithmetic_seconds = static_cast<double>(all.flops) / rates.flops_per_second;
  const double least = std::max({out.chain_seconds, out.bandwidth_seconds, out.arithmetic_seconds});
  LACUNA_CHECK(out.seconds >= least * (1 - 1e-9), "a step of {} s, which takes {} s at least",
               out.seconds, least);
  return out;
}

}  // namespace lacuna
