// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/limits.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

using Json = nlohmann::json;

/// One line of a JSONL file as an object, with getters that complain with the line.
class JsonLine {
 public:
  JsonLine(const std::string& file, const TextLines& lines) : file_(file), line_(lines.number()) {
    object_ = parse_json(lines.line(), {file_, line_});
    if (!object_.is_object()) fail(fmt::format("not a JSON object: {}", excerpt(lines.line())));
  }

  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(Place{file_, line_, ""}, problem, suggestion);
  }
  [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
  [[nodiscard]] const Json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(fmt::format("no key '{}'", key));
    return *found;
  }
  [[nodiscard]] std::string text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string()) fail(fmt::format("'{}' is not a string", key));
    return value.get<std::string>();
  }
  /// Writers may put integers as 3.0.
  [[nodiscard]] std::int64_t integer(const Json& value, const char* key) const {
    if (value.is_number_unsigned()) {
      const auto number = value.get<std::uint64_t>();
      if (number <= 0x7FFFFFFFFFFFFFFF) return static_cast<std::int64_t>(number);
    } else if (value.is_number_integer()) {
      return value.get<std::int64_t>();
    } else if (value.is_number_float()) {
      const double number = value.get<double>();
      if (number == std::floor(number) && std::abs(number) < 1e15) {
        return static_cast<std::int64_t>(number);
      }
    }
    // dump() would recurse into whatever this is and refuses broken UTF-8.
    fail(value.is_number()
             ? fmt::format("'{}' holds {}, not an integer", key, value.dump())
             : fmt::format("'{}' holds a {}, not an integer", key, value.type_name()));
  }
  [[nodiscard]] std::uint32_t index(const char* key) const {
    const std::int64_t value = integer(at(key), key);
    if (value < 0 || value >= static_cast<std::int64_t>(kUnknown)) {
      fail(fmt::format("'{}' is {}, expected a non-negative index", key, value));
    }
    return static_cast<std::uint32_t>(value);
  }
  void integers(const Json& list, const char* key, std::vector<std::int64_t>& out) const {
    if (!list.is_array()) fail(fmt::format("'{}' is not a list", key));
    out.clear();
    for (const auto& item : list) out.push_back(integer(item, key));
  }
  void numbers(const Json& list, const char* key, std::vector<double>& out) const {
    if (!list.is_array()) fail(fmt::format("'{}' is not a list", key));
    out.clear();
    for (const auto& item : list) {
      if (!item.is_number()) {
        fail(fmt::format("'{}' holds a {}, not a number", key, item.type_name()));
      }
      out.push_back(item.get<double>());
    }
  }
  [[nodiscard]] std::uint64_t line() const { return line_; }

 private:
  const std::string& file_;
  std::uint64_t line_;
  Json object_;
};

/// E from the header line, which must agree with the option.
void take_experts(const JsonLine& meta, TraceRules& rules) {
  if (!meta.has("num_experts")) return;
  const std::uint32_t experts = meta.index("num_experts");
  if (experts == 0 || experts > limits::kExperts) {
    meta.fail(fmt::format("num_experts is {}", experts),
              fmt::format("expected 1 to {}", limits::kExperts));
  }
  if (rules.experts && *rules.experts != experts) {
    meta.fail(fmt::format("num_experts is {}, {} was stated", experts, *rules.experts));
  }
  rules.experts = experts;
}

/// Requests in order of appearance; their ids are strings or numbers.
std::uint32_t sequence_number(const JsonLine& line, std::map<std::string, std::uint32_t>& names) {
  if (!line.has("req_id")) return kUnknown;
  const Json& id = line.at("req_id");
  const std::string key = id.is_string()   ? id.get<std::string>()
                          : id.is_number() ? id.dump()
                                           : std::string(id.type_name());
  return names.emplace(key, static_cast<std::uint32_t>(names.size())).first->second;
}

}  // namespace

RoutingTrace read_community_jsonl(const std::string& file, std::string_view text,
                                  const LoadOptions& options) {
  TextLines lines(text);
  LACUNA_CHECK(lines.next(), "an empty file was recognised as JSONL");
  const JsonLine meta(file, lines);
  TraceRules rules = rules_from(options);
  rules.steps = TraceRules::Steps::kRestarts;
  rules.weights = WeightKind::kUnspecified;
  take_experts(meta, rules);
  std::vector<std::int64_t> numbers;
  meta.integers(meta.at("layers_logged"), "layers_logged", numbers);
  if (numbers.size() > limits::kLayers) {
    meta.fail(fmt::format("layers_logged holds {} layers", numbers.size()),
              fmt::format("at most {} are read", limits::kLayers));
  }
  for (const auto layer : numbers) {
    if (layer < 0 || layer > limits::kLayerNumber)
      meta.fail(fmt::format("layers_logged holds {}", layer));
    rules.layers.push_back(static_cast<std::uint32_t>(layer));
  }
  const std::uint32_t top_k = meta.index("top_k");
  TraceBuilder builder(file, rules);
  std::map<std::string, std::uint32_t> requests;
  std::vector<std::int64_t> ids;
  std::vector<double> weights;
  while (lines.next()) {
    const JsonLine line(file, lines);
    if (const std::string type = line.text("type"); type != "route") {
      line.fail(fmt::format("type {}", excerpt(type)), "expected \"route\"");
    }
    line.integers(line.at("topk_ids"), "topk_ids", ids);
    weights.clear();
    if (line.has("topk_weights")) line.numbers(line.at("topk_weights"), "topk_weights", weights);
    if (ids.size() != top_k) {
      line.fail(fmt::format("{} expert ids, the header says top_k {}", ids.size(), top_k));
    }
    TraceRecord record;
    record.row = line.index("token_idx");
    record.sequence = sequence_number(line, requests);
    record.layer = line.index("layer");
    record.ids = ids;
    record.weights = weights;
    record.line = line.line();
    builder.add(record);
  }
  TraceHeader header;
  header.model = options.model.empty() ? meta.text("model_id") : options.model;
  header.format = "community JSONL";
  RoutingTrace trace = builder.finish(std::move(header));
  // One constant for every request tells nothing.
  if (requests.size() < 2) {
    for (auto& block : trace.blocks) block.sequence.clear();
    trace.header.sequences_known = false;
  }
  return trace;
}

RoutingTrace read_mixtral_jsonl(const std::string& file, std::string_view text,
                                const LoadOptions& options) {
  TraceRules rules = rules_from(options);
  rules.weights = WeightKind::kRenormalised;
  // The collector drops rows whose two weights are exactly 0.5, genuine ones too.
  if (!options.allow_ragged) rules.ragged = TraceRules::Ragged::kFew;
  TraceBuilder builder(file, rules);
  TextLines lines(text);
  std::vector<std::int64_t> ids;
  std::vector<double> weights;
  while (lines.next()) {
    const JsonLine line(file, lines);
    line.integers(line.at("experts"), "experts", ids);
    line.numbers(line.at("gating_probs"), "gating_probs", weights);
    TraceRecord record;
    record.step = line.index("problem_id");
    record.sequence = record.step;
    record.row = line.index("token_idx");
    record.position = record.row;
    record.layer = line.index("layer");
    record.ids = ids;
    record.weights = weights;
    record.line = line.line();
    builder.add(record);
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "collector JSONL (problem_id, experts, gating_probs)";
  header.notes.emplace_back("a problem is one step: prefill and decode are not separated");
  return builder.finish(std::move(header));
}

RoutingTrace read_moe_balance_jsonl(const std::string& file, std::string_view text,
                                    const LoadOptions& options) {
  TraceRules rules = rules_from(options);
  rules.weights = WeightKind::kUnspecified;
  TraceBuilder builder(file, rules);
  TextLines lines(text);
  std::vector<std::int64_t> origins;
  std::vector<std::int64_t> ids;
  std::vector<double> weights;
  while (lines.next()) {
    const JsonLine line(file, lines);
    const Json& tokens = line.at("topk_experts");
    if (!tokens.is_array()) line.fail("'topk_experts' is not a list");
    line.integers(line.at("origin_rows"), "origin_rows", origins);
    const Json* token_weights = line.has("topk_weights") ? &line.at("topk_weights") : nullptr;
    if (token_weights != nullptr && !token_weights->is_array()) {
      line.fail("'topk_weights' is not a list");
    }
    if (origins.size() != tokens.size() ||
        (token_weights != nullptr && token_weights->size() != tokens.size())) {
      line.fail(fmt::format(
          "{} tokens in topk_experts, {} in origin_rows{}", tokens.size(), origins.size(),
          token_weights != nullptr ? fmt::format(", {} in topk_weights", token_weights->size())
                                   : ""));
    }
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      line.integers(tokens[t], "topk_experts", ids);
      weights.clear();
      if (token_weights != nullptr) line.numbers((*token_weights)[t], "topk_weights", weights);
      if (origins[t] < 0 || origins[t] >= static_cast<std::int64_t>(kUnknown)) {
        line.fail(fmt::format("origin_rows holds {}", origins[t]));
      }
      TraceRecord record;
      record.step = line.index("batch_id");
      record.row = static_cast<std::uint32_t>(t);
      record.origin_rank = static_cast<std::uint32_t>(origins[t]);
      record.layer = line.index("layer");
      record.ids = ids;
      record.weights = weights;
      record.line = line.line();
      builder.add(record);
    }
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "moe-balance JSONL";
  header.steps_known = true;
  return builder.finish(std::move(header));
}

}  // namespace lacuna::routing
