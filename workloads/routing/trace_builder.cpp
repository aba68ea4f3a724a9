// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/trace_builder.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace lacuna::routing {
namespace {

/// Keeps the entries of rows whose flag is set; `width` values belong to a row.
template <class T>
void keep_rows(std::vector<T>& values, const std::vector<bool>& keep, std::size_t width) {
  if (values.empty()) return;
  std::size_t to = 0;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (!keep[row]) continue;
    for (std::size_t i = 0; i < width; ++i) values[to++] = values[row * width + i];
  }
  values.resize(to);
}

template <class T>
std::vector<T> slice(const std::vector<T>& values, std::size_t from, std::size_t to) {
  if (values.empty()) return {};
  return {values.begin() + static_cast<std::ptrdiff_t>(from),
          values.begin() + static_cast<std::ptrdiff_t>(to)};
}

/// A column that is unknown throughout is left out.
std::vector<std::uint32_t> known(std::vector<std::uint32_t> values) {
  if (std::all_of(values.begin(), values.end(), [](auto v) { return v == kUnknown; })) return {};
  return values;
}

}  // namespace

TraceBuilder::TraceBuilder(std::string file, TraceRules rules)
    : file_(std::move(file)), rules_(std::move(rules)) {}

void TraceBuilder::fail(std::uint64_t line, const std::string& problem,
                        const std::string& suggestion) const {
  throw InputError(Place{file_, line, ""}, problem, suggestion);
}

void TraceBuilder::fail(const TraceRecord& record, const std::string& problem,
                        const std::string& suggestion) const {
  const std::string field =
      record.line != 0 ? "" : fmt::format("token {}, layer {}", record.position, record.layer);
  throw InputError(Place{file_, record.line, field}, problem, suggestion);
}

void TraceBuilder::check_weights(const TraceRecord& record) const {
  if (record.weights.empty()) return;
  if (record.weights.size() != record.ids.size()) {
    fail(record,
         fmt::format("{} weights for {} expert ids", record.weights.size(), record.ids.size()));
  }
  const bool probabilities =
      rules_.weights == WeightKind::kSoftmaxOverAll || rules_.weights == WeightKind::kRenormalised;
  double sum = 0;
  for (const double weight : record.weights) {
    if (!std::isfinite(weight)) fail(record, "a routing weight is not a finite number");
    if (probabilities && (weight < 0 || weight > 1.001)) {
      fail(record, fmt::format("routing weight {} is not a probability", weight));
    }
    sum += weight;
  }
  // Recorders round to three or more digits; bf16 weights sum to 1 within a percent.
  const double slack = 0.02;
  if (probabilities && sum > 1 + slack) {
    fail(record, fmt::format("routing weights sum to {:.4f}, more than 1", sum));
  }
  if (rules_.weights == WeightKind::kRenormalised && sum < 1 - slack) {
    fail(record, fmt::format("routing weights sum to {:.4f}, expected 1", sum));
  }
}

std::size_t TraceBuilder::width_without_fillers(const TraceRecord& record) const {
  std::size_t width = record.ids.size();
  if (!rules_.minus_one_fills) return width;
  while (width > 0 && record.ids[width - 1] == -1) --width;
  return width;
}

void TraceBuilder::add(const TraceRecord& record) {
  const std::size_t width = width_without_fillers(record);
  ++rows_;
  if (width == 0 && !record.ids.empty()) {
    ++unrouted_;
    return;
  }
  if (width > limits::kExpertsPerToken) {
    fail(record, fmt::format("{} expert ids of one token", width),
         fmt::format("at most {} are read", limits::kExpertsPerToken));
  }
  if (top_k_ == 0) top_k_ = width;
  if (width == 0) fail(record, "a token without expert ids");
  if (width != top_k_) {
    fail(record, fmt::format("{} expert ids, the records before have {}", width, top_k_));
  }
  if (record.layer > limits::kLayerNumber) {
    fail(record, fmt::format("layer {} is too large", record.layer),
         fmt::format("at most {}", limits::kLayerNumber));
  }
  const auto limit = rules_.experts.value_or(kMostExperts);
  const auto ids = record.ids.first(width);
  for (std::size_t i = 0; i < width; ++i) {
    if (ids[i] < 0) fail(record, fmt::format("expert id {} is negative", ids[i]));
    if (ids[i] >= static_cast<std::int64_t>(limit)) {
      const bool stated = rules_.experts.has_value();
      fail(record,
           fmt::format("expert id {} is not below {}", ids[i],
                       stated ? fmt::format("the {} experts", limit) : fmt::format("{}", limit)),
           ids[i] == 255 ? "255 marks fused shared experts in some recorders: leave them out"
           : stated      ? "ids may be physical (replicated experts): map them to logical ids first"
                         : "");
    }
    if (std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i), ids[i]) !=
        ids.begin() + static_cast<std::ptrdiff_t>(i)) {
      fail(record, fmt::format("expert {} appears twice in one token", ids[i]));
    }
    largest_id_ = std::max(largest_id_, static_cast<std::uint32_t>(ids[i]));
  }
  check_weights(record);
  Column& column = columns_[static_cast<std::uint32_t>(record.layer)];
  if (columns_.size() > limits::kLayers) {
    fail(record, fmt::format("more than {} layers", limits::kLayers), "no model has as many");
  }
  if (column.rows() > 0 && column.weights.empty() != record.weights.empty()) {
    fail(record, "some records have weights and some do not");
  }
  for (const auto id : ids) column.ids.push_back(static_cast<ExpertId>(id));
  for (std::size_t i = 0; i < std::min(width, record.weights.size()); ++i) {
    column.weights.push_back(static_cast<float>(record.weights[i]));
  }
  column.step.push_back(record.step);
  column.sequence.push_back(record.sequence);
  column.position.push_back(record.position);
  column.origin_rank.push_back(record.origin_rank);
  column.row.push_back(record.row);
  column.phase.push_back(record.phase);
  column.line.push_back(record.line);
}

std::uint64_t TraceBuilder::drop_dummies(Column& column) const {
  const std::size_t rows = column.rows();
  std::vector<bool> keep(rows, true);
  std::vector<bool> after_gap(rows, false);
  const auto row_at = [&](std::size_t row) {
    return column.ids.begin() + static_cast<std::ptrdiff_t>(row * top_k_);
  };
  std::uint64_t dropped = 0;
  for (std::size_t from = 0; from < rows;) {
    std::size_t to = from + 1;
    while (to < rows && std::equal(row_at(from), row_at(from + 1), row_at(to))) ++to;
    if (rules_.dummy_run != 0 && to - from >= rules_.dummy_run) {
      std::fill(keep.begin() + static_cast<std::ptrdiff_t>(from),
                keep.begin() + static_cast<std::ptrdiff_t>(to), false);
      if (to < rows) after_gap[to] = true;
      dropped += to - from;
    }
    from = to;
  }
  column.after_gap = after_gap;
  if (dropped == 0) return 0;
  keep_rows(column.ids, keep, top_k_);
  keep_rows(column.weights, keep, top_k_);
  for (auto* values :
       {&column.step, &column.sequence, &column.position, &column.origin_rank, &column.row}) {
    keep_rows(*values, keep, 1);
  }
  keep_rows(column.phase, keep, 1);
  keep_rows(column.line, keep, 1);
  keep_rows(column.after_gap, keep, 1);
  return dropped;
}

void TraceBuilder::place_in_steps(std::uint32_t layer, Column& column) const {
  const bool restarts = rules_.steps == TraceRules::Steps::kRestarts;
  const std::string advice = "the file is cut, filtered or shuffled: use the recorder's own output";
  std::uint32_t step = 0;
  for (std::size_t i = 0; i < column.rows(); ++i) {
    const std::uint32_t row = column.row[i];
    const bool first = i == 0;
    const std::uint32_t expected = first ? 0 : column.row[i - 1] + 1;
    if (restarts) {
      if (!first && row < expected) ++step;
      column.step[i] = step;
    } else if (!first && column.step[i] < column.step[i - 1]) {
      fail(column.line[i],
           fmt::format("step {} of layer {} follows step {}, expected ascending steps",
                       column.step[i], layer, column.step[i - 1]),
           advice);
    }
    if (row == kUnknown || column.after_gap[i]) continue;
    const bool begins = first || column.step[i] != column.step[i - 1];
    const std::uint32_t due = begins ? 0 : expected;
    if (row != due) {
      fail(column.line[i],
           fmt::format("token {} of layer {}, expected {}", row, layer,
                       begins && !first && restarts ? fmt::format("{} or 0", expected)
                                                    : fmt::format("{}", due)),
           advice);
    }
  }
}

void TraceBuilder::append_blocks(std::uint32_t layer, const Column& column,
                                 RoutingTrace& trace) const {
  for (std::size_t from = 0; from < column.rows();) {
    std::size_t to = from + 1;
    while (to < column.rows() && column.step[to] == column.step[from]) ++to;
    RoutingBlock block;
    block.step = column.step[from];
    block.layer = layer;
    block.phase = column.phase[from];
    for (std::size_t i = from + 1; i < to; ++i) {
      if (column.phase[i] != block.phase) {
        fail(column.line[i], fmt::format("step {} is both prefill and decode", block.step));
      }
    }
    block.ids = slice(column.ids, from * top_k_, to * top_k_);
    block.weights = slice(column.weights, from * top_k_, to * top_k_);
    block.sequence = known(slice(column.sequence, from, to));
    block.position = known(slice(column.position, from, to));
    block.origin_rank = known(slice(column.origin_rank, from, to));
    trace.blocks.push_back(std::move(block));
    from = to;
  }
}

void TraceBuilder::check_listed_layers() const {
  for (const std::uint32_t layer : rules_.layers) {
    if (!columns_.contains(layer)) {
      fail(0, fmt::format("the header lists layer {}, but it has no records", layer),
           "the file is cut short");
    }
  }
  const std::set<std::uint32_t> listed(rules_.layers.begin(), rules_.layers.end());
  for (const auto& [layer, column] : columns_) {
    if (!listed.empty() && !listed.contains(layer)) {
      fail(column.line.empty() ? 0 : column.line.front(),
           fmt::format("layer {} is not among the header's layers", layer));
    }
  }
}

void TraceBuilder::fail_ragged(std::uint32_t step, std::size_t least, std::size_t most) const {
  // The layer that falls short is where the file was cut.
  const std::string advice = "the file is cut short or filtered; ragged=allow reads it as it is";
  for (const auto& [layer, column] : columns_) {
    const auto tokens = std::count(column.step.begin(), column.step.end(), step);
    const auto after = std::upper_bound(column.step.begin(), column.step.end(), step);
    const auto last = std::max<std::ptrdiff_t>(after - column.step.begin() - 1, 0);
    const std::uint64_t line = column.line[static_cast<std::size_t>(last)];
    if (tokens == 0) fail(line, fmt::format("layer {} has no step {}", layer, step), advice);
    if (static_cast<std::size_t>(tokens) == least && least != most) {
      fail(line,
           fmt::format("layer {} has {} tokens in step {}, others have {}", layer, least, step,
                       most),
           advice);
    }
  }
  throw ModelError(fmt::format("no layer falls short in step {}", step));
}

void TraceBuilder::compare_layers(RoutingTrace& trace) const {
  if (rules_.ragged == TraceRules::Ragged::kAllow) return;
  const std::size_t layers = columns_.size();
  std::vector<std::uint32_t> differing;
  const auto& blocks = trace.blocks;
  for (std::size_t from = 0; from < blocks.size();) {
    std::size_t to = from;
    std::size_t least = ~std::size_t{0};
    std::size_t most = 0;
    for (; to < blocks.size() && blocks[to].step == blocks[from].step; ++to) {
      least = std::min(least, trace.tokens(blocks[to]));
      most = std::max(most, trace.tokens(blocks[to]));
    }
    // The filter seen in the field takes rows of exactly tied weights: one or two in a hundred.
    const std::size_t few = rules_.ragged == TraceRules::Ragged::kFew ? 2 + most / 50 : 0;
    const bool missing = to - from != layers;
    if (missing || most - least > few) fail_ragged(blocks[from].step, missing ? 0 : least, most);
    if (most != least) differing.push_back(blocks[from].step);
    from = to;
  }
  if (!differing.empty()) {
    trace.header.notes.push_back(
        fmt::format("the layers of step {} differ in their number of tokens (a filter of the "
                    "collector): tokens of different layers are not matched",
                    ranges_text(differing)));
  }
}

RoutingTrace TraceBuilder::finish(TraceHeader header) {
  if (rows_ == 0) fail(0, "no routing records", "expected at least one");
  RoutingTrace trace;
  std::uint64_t dropped = 0;
  for (auto& [layer, column] : columns_) dropped += drop_dummies(column);
  std::erase_if(columns_, [](const auto& item) { return item.second.rows() == 0; });
  if (columns_.empty()) {
    fail(0,
         fmt::format("all {} rows are dummy rows (runs of {} or more equal id vectors)", rows_,
                     rules_.dummy_run),
         "dummy=0 keeps them");
  }
  check_listed_layers();
  header.source = file_;
  header.top_k = static_cast<std::uint32_t>(top_k_);
  header.experts_stated = rules_.experts.has_value();
  header.experts = rules_.experts.value_or(largest_id_ + 1);
  if (std::uint64_t{header.experts} * columns_.size() > limits::kRoutingCells) {
    fail(0, fmt::format("{} layers of {} experts are no model's", columns_.size(), header.experts),
         fmt::format("at most {} in all", limits::kRoutingCells));
  }
  header.weights = columns_.begin()->second.weights.empty() ? WeightKind::kNone : rules_.weights;
  header.rows_read = rows_;
  header.rows_dropped = dropped + unrouted_;
  if (dropped != 0) {
    header.notes.push_back(fmt::format(
        "{} of {} rows dropped: runs of {} or more equal id vectors within a layer are dummy "
        "batches of the recorder",
        grouped(dropped), grouped(rows_), rules_.dummy_run));
  }
  if (unrouted_ != 0) {
    header.notes.push_back(fmt::format("{} rows without routing (-1) left out", unrouted_));
  }
  trace.header = std::move(header);
  for (auto& [layer, column] : columns_) {
    trace.header.layers.push_back(layer);
    place_in_steps(layer, column);
    append_blocks(layer, column, trace);
  }
  // Whatever looks at a recording looks at every expert of every block.
  const std::uint64_t cells = std::uint64_t{trace.header.experts} * trace.blocks.size();
  if (cells > std::max(limits::kRoutingBlockCells, limits::kExpertsPerToken * rows_)) {
    fail(0,
         fmt::format("{} steps of layers with {} experts, for {} rows", trace.blocks.size(),
                     trace.header.experts, rows_),
         "state the experts that the model has: #experts=");
  }
  std::sort(trace.blocks.begin(), trace.blocks.end(), [](const auto& a, const auto& b) {
    return std::pair(a.step, a.layer) < std::pair(b.step, b.layer);
  });
  compare_layers(trace);
  trace.header.phase_known = std::any_of(trace.blocks.begin(), trace.blocks.end(),
                                         [](const auto& b) { return b.phase.has_value(); });
  trace.header.sequences_known = !trace.blocks.front().sequence.empty();
  if (rules_.steps == TraceRules::Steps::kRestarts) {
    trace.header.steps_known = trace.blocks.back().step > 0;
    if (!trace.header.steps_known) {
      trace.header.notes.push_back("the token count never restarts: the file is taken as one step");
    }
  }
  return trace;
}

}  // namespace lacuna::routing
