// SPDX-License-Identifier: Apache-2.0
// AI2's analysis dumps: one object per sequence, exp_ids [tokens][k][layers], lines of megabytes.
// The ids go from the parser's events straight into one flat list per line; no document is built.
#include <algorithm>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

using Json = nlohmann::json;

constexpr const char* kNotJson = "not JSON";

/// Takes the integers of the top-level key exp_ids and checks that the nesting is a box.
class ExpertIds : public nlohmann::json_sax<Json> {
 public:
  std::vector<std::int64_t> values;
  std::size_t tokens = 0;
  std::size_t slots = 0;  // 0: none seen
  std::size_t layers = 0;
  std::string problem;

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("a boolean"); }
  bool number_integer(number_integer_t value) override { return number(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return number(value > 0x7FFFFFFF ? 0x7FFFFFFF : static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return other("a fraction"); }
  bool string(string_t&) override { return other("a string"); }
  bool binary(binary_t&) override { return other("binary data"); }
  bool start_object(std::size_t) override {
    if (depth_ > 0) return other("an object") && skip(1);
    depth_ = 1;
    return true;
  }
  bool end_object() override {
    depth_ -= 1;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    taking_ = name == "exp_ids";
    if (taking_ && seen_) return refuse("exp_ids appears twice");
    seen_ = seen_ || taking_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return refuse("not a JSON object");
    if (taking_ && depth_ == 4) return refuse("exp_ids is nested deeper than [tokens][k][layers]");
    depth_ += 1;
    counts_[std::min<std::size_t>(depth_, 4)] = 0;
    return true;
  }
  bool end_array() override {
    const std::size_t closed = depth_--;
    if (!taking_) return true;
    if (closed == 4) return close(layers, counts_[4], "layers") && count_inner(3);
    if (closed == 3) return close(slots, counts_[3], "experts per token") && count_inner(2);
    tokens = counts_[2];
    taking_ = false;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return refuse(kNotJson);
  }
  [[nodiscard]] bool found() const { return seen_ && tokens > 0; }

 private:
  bool refuse(const std::string& what) {
    if (problem.empty()) problem = what;
    return false;
  }
  bool skip(std::size_t levels) {
    depth_ += levels;
    return true;
  }
  bool other(const char* what) {
    return !taking_ || refuse(fmt::format("exp_ids holds {}, expected integers", what));
  }
  bool number(std::int64_t value) {
    if (!taking_) return true;
    if (depth_ != 4) return refuse("exp_ids is not nested as [tokens][k][layers]");
    values.push_back(value);
    ++counts_[4];
    return true;
  }
  bool count_inner(std::size_t level) {
    ++counts_[level];
    return true;
  }
  bool close(std::size_t& agreed, std::size_t count, const char* what) {
    if (agreed == 0) agreed = count;
    return (count == agreed && count > 0) ||
           refuse(fmt::format("exp_ids has {} {} in token {}, {} before", count, what, counts_[2],
                              agreed));
  }

  std::size_t depth_ = 0;       // 1: the object; 2, 3, 4: the lists of exp_ids
  std::size_t counts_[5] = {};  // elements of the open list at a depth
  bool taking_ = false;
  bool seen_ = false;
};

}  // namespace

RoutingTrace read_ai2_jsonl(const std::string& file, std::string_view text,
                            const LoadOptions& options) {
  TraceBuilder builder(file, rules_from(options));
  TextLines lines(text);
  std::uint32_t sequence = 0;
  while (lines.next()) {
    ExpertIds taken;
    const std::string_view line = lines.line();
    const Place place{file, lines.number(), ""};
    const JsonOrigin origin{file, lines.number(), limits::kJsonRecordBytes};
    check_json_extent(line, origin);
    if (!Json::sax_parse(line.begin(), line.end(), &taken)) {
      if (taken.problem == kNotJson) refuse_json(line, origin);
      throw InputError(place, taken.problem, "the line is cut short or damaged");
    }
    if (!taken.found()) throw InputError(place, "no tokens in exp_ids");
    std::vector<std::int64_t> ids(taken.slots);
    for (std::size_t layer = 0; layer < taken.layers; ++layer) {
      for (std::size_t token = 0; token < taken.tokens; ++token) {
        for (std::size_t slot = 0; slot < taken.slots; ++slot) {
          ids[slot] = taken.values[(token * taken.slots + slot) * taken.layers + layer];
        }
        TraceRecord record;
        record.step = sequence;
        record.phase = Phase::kPrefill;
        record.sequence = sequence;
        record.position = static_cast<std::uint32_t>(token);
        record.row = record.position;
        record.layer = layer;
        record.ids = ids;
        record.line = lines.number();
        builder.add(record);
      }
    }
    ++sequence;
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "AI2 JSONL";
  header.numbering = LayerNumbering::kArray;
  header.steps_known = true;
  header.notes.emplace_back("each sequence of the file is one prefill step");
  return builder.finish(std::move(header));
}

}  // namespace lacuna::routing
