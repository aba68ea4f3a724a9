// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

constexpr std::uint64_t kMostIndex = 0xFFFFFFFE;

Phase phase_of(const TextTable& table, std::size_t column) {
  const std::string_view text = table.text(column);
  if (text == "prefill") return Phase::kPrefill;
  if (text == "decode") return Phase::kDecode;
  table.fail(fmt::format("phase = {}", excerpt(text)), "expected prefill or decode");
}

/// The number after "layer", "layer_" or "layer-" in a name, in any case.
std::optional<std::uint32_t> layer_in(std::string name) {
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (std::size_t at = 0; (at = name.find("layer", at)) != std::string::npos;) {
    at += 5;
    const std::size_t digits = at + (at < name.size() && (name[at] == '_' || name[at] == '-'));
    std::uint32_t layer = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] =
        std::from_chars(name.data() + std::min(digits, name.size()), end, layer);
    if (error == std::errc{} && layer < 0xFFFF) return layer;
  }
  return std::nullopt;
}

/// The layer of a dense-score file, which is in its own or its folder's name.
std::optional<std::uint32_t> layer_in_name(const std::string& file) {
  const std::filesystem::path path(file);
  const auto own = layer_in(path.filename().string());
  return own ? own : layer_in(path.parent_path().filename().string());
}

/// One row of a dense-score file: the experts with a score, by descending score.
struct DenseRow {
  std::vector<std::int64_t> ids;
  std::vector<double> scores;

  void read(const TextTable& table, const std::vector<std::size_t>& experts) {
    ids.clear();
    for (std::size_t e = 0; e < experts.size(); ++e) {
      const double score = table.number(experts[e]);
      if (score < 0) table.fail(fmt::format("score {} of expert {} is negative", score, e));
      if (score == 0) continue;
      ids.push_back(static_cast<std::int64_t>(e));
    }
    const auto score_of = [&](std::int64_t id) {
      return table.number(experts[static_cast<std::size_t>(id)]);
    };
    std::vector<std::pair<double, std::int64_t>> order;
    for (const auto id : ids) order.emplace_back(-score_of(id), id);
    std::sort(order.begin(), order.end());
    scores.clear();
    for (std::size_t i = 0; i < order.size(); ++i) {
      ids[i] = order[i].second;
      scores.push_back(-order[i].first);
    }
  }
};

}  // namespace

TraceRules rules_from(const LoadOptions& options) {
  TraceRules rules;
  rules.experts = options.experts;
  rules.dummy_run = options.dummy_run;
  if (options.allow_ragged) rules.ragged = TraceRules::Ragged::kAllow;
  return rules;
}

RoutingTrace read_compact_csv(TextTable& table, const LoadOptions& options) {
  const std::size_t layer = table.column("layer");
  const std::size_t token = table.column("tok");
  const std::size_t step = table.find("step");
  const std::size_t phase = table.find("phase");
  const auto id_columns = table.numbered("e");
  auto weight_columns = table.numbered("w");
  if (weight_columns.empty()) weight_columns = table.numbered("s");
  if (id_columns.empty()) table.fail("no columns e0, e1, ... with expert ids");
  if (!weight_columns.empty() && weight_columns.size() != id_columns.size()) {
    table.fail(fmt::format("{} weight columns for {} expert columns", weight_columns.size(),
                           id_columns.size()));
  }
  TraceRules rules = rules_from(options);
  rules.weights = weight_columns.empty() ? WeightKind::kNone : WeightKind::kSoftmaxOverAll;
  TraceBuilder builder(table.file(), rules);
  std::vector<std::int64_t> ids(id_columns.size());
  std::vector<double> weights(weight_columns.size());
  while (table.next()) {
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = table.integer(id_columns[i]);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = table.number(weight_columns[i]);
    TraceRecord record;
    record.step =
        step == TextTable::kNone ? 0 : static_cast<std::uint32_t>(table.natural(step, kMostIndex));
    if (phase != TextTable::kNone) record.phase = phase_of(table, phase);
    record.row = static_cast<std::uint32_t>(table.natural(token, kMostIndex));
    record.layer = table.natural(layer, 0xFFFE);
    record.ids = ids;
    record.weights = weights;
    record.line = table.line();
    builder.add(record);
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "compact CSV";
  header.steps_known = step != TextTable::kNone;
  return builder.finish(std::move(header));
}

RoutingTrace read_dense_csv(TextTable& table, const LoadOptions& options) {
  const std::size_t layer = table.column("layer_id");
  const std::size_t token = table.column("token_id");
  const auto experts = table.numbered("expert_");
  if (experts.size() + 2 != table.columns().size()) {
    table.fail(fmt::format("{} columns beside layer_id, token_id, expert_0 to expert_{}",
                           table.columns().size() - 2 - experts.size(), experts.size() - 1));
  }
  if (options.experts && *options.experts != experts.size()) {
    table.fail(
        fmt::format("{} expert columns, {} experts were stated", experts.size(), *options.experts));
  }
  if (experts.size() > limits::kExperts) {
    table.fail(fmt::format("{} expert columns", experts.size()),
               fmt::format("at most {} are read", limits::kExperts));
  }
  const auto named = options.layer ? options.layer : layer_in_name(table.file());
  TraceRules rules = rules_from(options);
  rules.experts = static_cast<std::uint32_t>(experts.size());
  rules.weights = WeightKind::kSoftmaxOverAll;
  TraceBuilder builder(table.file(), rules);
  DenseRow row;
  bool zero_layer = true;
  while (table.next()) {
    row.read(table, experts);
    TraceRecord record;
    record.step = 0;
    record.row = static_cast<std::uint32_t>(table.natural(token, kMostIndex));
    record.layer = table.natural(layer, 0xFFFE);
    zero_layer = zero_layer && record.layer == 0;
    if (record.layer == 0 && named) record.layer = *named;
    record.ids = row.ids;
    record.weights = row.scores;
    record.line = table.line();
    builder.add(record);
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "dense-score CSV";
  if (zero_layer && named) {
    header.notes.push_back(fmt::format("layer_id is 0 throughout: taken as layer {} from the {}",
                                       *named, options.layer ? "option" : "name"));
  }
  return builder.finish(std::move(header));
}

}  // namespace lacuna::routing
