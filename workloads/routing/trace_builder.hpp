// SPDX-License-Identifier: Apache-2.0
// What every reader of per-token routing shares: each record is checked as it arrives, dummy rows
// are dropped, rows are put into steps, and the layers of a step are compared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "workloads/routing/routing_trace.hpp"

namespace lacuna::routing {

/// One routing decision as read. `row` is the token's index within its step as the file counts it.
struct TraceRecord {
  std::uint32_t step = kUnknown;
  std::optional<Phase> phase;
  std::uint32_t sequence = kUnknown;
  std::uint32_t position = kUnknown;
  std::uint32_t origin_rank = kUnknown;
  std::uint32_t row = kUnknown;
  std::uint64_t layer = 0;
  std::span<const std::int64_t> ids;
  std::span<const double> weights;  // empty, or one per id
  std::uint64_t line = 0;           // 0: the format has no lines; errors name token and layer
};

struct TraceRules {
  /// Legal ids are below it; without it the largest id seen decides.
  std::optional<std::uint32_t> experts;
  /// Steps are numbered in the records, or a row that does not continue the count begins one.
  enum class Steps { kGiven, kRestarts } steps = Steps::kGiven;
  /// Runs of at least this many equal id vectors within a layer are dummy batches; 0 keeps them.
  std::uint32_t dummy_run = 32;
  /// Layers of a step may differ in their number of tokens: never, by a few (a filter of the
  /// collector is known to have taken rows), or at will.
  enum class Ragged { kRefuse, kFew, kAllow } ragged = Ragged::kRefuse;
  /// -1 in trailing slots (width larger than k) or in all slots (no routing) is a filler.
  bool minus_one_fills = false;
  WeightKind weights = WeightKind::kNone;
  /// Layers the file says it holds; empty: not said.
  std::vector<std::uint32_t> layers;
};

/// Ids of 65,534 and above do not fit the record; no model is near it.
inline constexpr std::uint32_t kMostExperts = limits::kExperts;

class TraceBuilder {
 public:
  TraceBuilder(std::string file, TraceRules rules);

  /// Throws InputError with the record's line: wrong width, id negative, not below E or repeated in
  /// the token, a weight that is not finite (or no probability where the format has those).
  void add(const TraceRecord& record);
  /// Throws InputError when no row is left, rows are missing or out of order, or layers differ.
  /// `header` carries what the reader knows (model, format, numbering...); the rest is filled in.
  [[nodiscard]] RoutingTrace finish(TraceHeader header);

 private:
  struct Column {  // one layer, rows in file order
    std::vector<ExpertId> ids;
    std::vector<float> weights;
    std::vector<std::uint32_t> step, sequence, position, origin_rank, row;
    std::vector<std::optional<Phase>> phase;
    std::vector<std::uint64_t> line;
    std::vector<bool> after_gap;  // dummy rows stood directly before
    [[nodiscard]] std::size_t rows() const { return line.size(); }
  };

  [[noreturn]] void fail(std::uint64_t line, const std::string& problem,
                         const std::string& suggestion = {}) const;
  [[noreturn]] void fail(const TraceRecord& record, const std::string& problem,
                         const std::string& suggestion = {}) const;
  void check_weights(const TraceRecord& record) const;
  std::size_t width_without_fillers(const TraceRecord& record) const;
  std::uint64_t drop_dummies(Column& column) const;
  void place_in_steps(std::uint32_t layer, Column& column) const;
  void compare_layers(RoutingTrace& trace) const;
  [[noreturn]] void fail_ragged(std::uint32_t step, std::size_t least, std::size_t most) const;
  void append_blocks(std::uint32_t layer, const Column& column, RoutingTrace& trace) const;
  void check_listed_layers() const;

  std::string file_;
  TraceRules rules_;
  std::map<std::uint32_t, Column> columns_;
  std::size_t top_k_ = 0;
  std::uint32_t largest_id_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t unrouted_ = 0;
};

}  // namespace lacuna::routing
