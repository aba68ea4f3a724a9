// SPDX-License-Identifier: Apache-2.0
// SGLang's and EPLB's JSON: logical_count [layers][E] or [steps][layers][E].
#include <numeric>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

using Json = nlohmann::json;

class LogicalCount {
 public:
  LogicalCount(const std::string& file, const LoadOptions& options)
      : file_(file), options_(options) {}

  ExpertCounts read(const Json& array) {
    set_.source = file_;
    set_.model = options_.model;
    set_.format = "logical_count JSON";
    set_.numbering = LayerNumbering::kArray;
    set_.steps = 0;
    if (!array.is_array() || array.empty() || !array[0].is_array() || array[0].empty()) {
      fail("logical_count is not [layers][E] or [steps][layers][E]");
    }
    if (array[0][0].is_array()) {
      for (std::size_t step = 0; step < array.size(); ++step) take_step(array[step], step);
    } else {
      take_step(array, 0);
    }
    if (unused_ != 0) {
      set_.notes.push_back(fmt::format("{} all-zero steps left out (unused buffer)", unused_));
    }
    if (set_.steps == 0) fail("all counts are zero");
    for (std::uint32_t layer = 0; layer < layers_; ++layer) set_.layers.push_back(layer);
    return std::move(set_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(Place{file_, 0, "logical_count"}, problem, suggestion);
  }

  void take_step(const Json& step, std::size_t number) {
    if (!step.is_array() || step.empty()) fail(fmt::format("step {} has no layers", number));
    if (layers_ == 0) layers_ = step.size();
    if (layers_ > limits::kLayers) {
      fail(fmt::format("{} layers", layers_), fmt::format("at most {}", limits::kLayers));
    }
    if (step.size() != layers_) {
      fail(fmt::format("step {} has {} layers, {} before", number, step.size(), layers_));
    }
    std::vector<std::uint64_t> counts;
    for (std::size_t layer = 0; layer < layers_; ++layer) take_layer(step[layer], layer, counts);
    if (std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == 0) {
      ++unused_;
      return;
    }
    ++set_.steps;
    if (set_.counts.size() + counts.size() > limits::kRoutingCells) {
      fail(fmt::format("steps x layers x experts are over {}", limits::kRoutingCells),
           "sum some of the steps");
    }
    set_.counts.insert(set_.counts.end(), counts.begin(), counts.end());
  }

  void take_layer(const Json& layer, std::size_t number, std::vector<std::uint64_t>& counts) {
    if (!layer.is_array() || layer.empty() || layer.size() >= kMostExperts) {
      fail(fmt::format("layer {} is not a list of counts", number));
    }
    if (set_.experts == 0) set_.experts = static_cast<std::uint32_t>(layer.size());
    if (layer.size() != set_.experts) {
      fail(fmt::format("layer {} has {} experts, {} before", number, layer.size(), set_.experts));
    }
    if (options_.experts && *options_.experts != set_.experts) {
      fail(fmt::format("{} experts, {} were stated", set_.experts, *options_.experts),
           "counts may be of physical (replicated) experts: map them to logical ones first");
    }
    for (const auto& count : layer) {
      if (!count.is_number_integer() || (!count.is_number_unsigned() && count < 0)) {
        fail(fmt::format("layer {} holds {}, expected a count", number,
                         count.is_number() ? count.dump() : count.type_name()));
      }
      const auto value = count.get<std::uint64_t>();
      if (value >> 48 != 0) fail(fmt::format("layer {}: count {} is too large", number, value));
      counts.push_back(value);
    }
  }

  const std::string& file_;
  const LoadOptions& options_;
  ExpertCounts set_;
  std::size_t layers_ = 0;
  std::uint64_t unused_ = 0;
};

}  // namespace

std::vector<ExpertCounts> read_logical_count(const std::string& file, std::string_view text,
                                             const LoadOptions& options) {
  const Json root = parse_json(text, {file});
  if (!root.is_object() || !root.contains("logical_count")) {
    throw InputError(Place{file, 0, ""},
                     root.is_object() && root.contains("physical_to_logical_map")
                         ? "a placement of experts, without counts"
                         : "no key 'logical_count'",
                     "expected {\"logical_count\": [layers][E]}");
  }
  return {LogicalCount(file, options).read(root["logical_count"])};
}

}  // namespace lacuna::routing
