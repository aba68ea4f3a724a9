// SPDX-License-Identifier: Apache-2.0
// Arrays of ids [tokens, layers, k] (engines' replies, per-request dumps) or of counts
// [steps, layers, E] or [layers, E] (MoE-Infinity, EPLB). The array itself does not say which: ids
// are expected unless the options say counts.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "sparse_formats/npy.hpp"
#include "sparse_formats/npz.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

constexpr const char* kCountsAdvice = "#as=counts reads it as counts [steps, layers, experts]";

TensorData load_tensor(const std::string& file, const std::string& bytes,
                       const LoadOptions& options) {
  if (!bytes.starts_with("PK")) {
    if (options.array) {
      throw InputError(Place{file, 0, "array"}, "a .npy file holds one array without a name",
                       "leave out array=");
    }
    return parse_npy(bytes, Place{file, 0, ""});
  }
  if (bytes.find("data.pkl") != std::string::npos) {
    throw InputError(Place{file, 0, ""}, "a PyTorch file: a pickle is a program, not data",
                     "convert it to .npy first");
  }
  const Place place{file, 0, ""};
  if (options.array) return parse_npz(bytes, place, *options.array);
  // The member that per-request dumps keep beside prompt and output tokens.
  const auto names = parse_npz_names(bytes, place);
  const bool routed = std::find(names.begin(), names.end(), "routed_experts") != names.end();
  return parse_npz(bytes, place, routed && names.size() > 1 ? "routed_experts" : "");
}

/// Every element as an integer of at most 2^48.
std::int64_t integer(const std::string& file, const TensorData& tensor, std::size_t at) {
  const double value = tensor.values[at];
  if (!(std::abs(value) <= 0x1p48) || value != std::floor(value)) {
    throw InputError(Place{file, 0, fmt::format("element {}", at)},
                     fmt::format("{} is not an integer", value));
  }
  return static_cast<std::int64_t>(value);
}

RoutingTrace trace_of(const std::string& file, const TensorData& tensor,
                      const LoadOptions& options) {
  const auto layers = static_cast<std::size_t>(tensor.shape[1]);
  const auto width = static_cast<std::size_t>(tensor.shape[2]);
  TraceRules rules = rules_from(options);
  rules.minus_one_fills = true;
  TraceBuilder builder(file, rules);
  std::vector<std::int64_t> ids(width);
  for (std::uint64_t token = 0; token < tensor.shape[0]; ++token) {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const std::size_t from = (static_cast<std::size_t>(token) * layers + layer) * width;
      for (std::size_t i = 0; i < width; ++i) ids[i] = integer(file, tensor, from + i);
      TraceRecord record;
      record.step = 0;
      record.sequence = 0;
      record.position = static_cast<std::uint32_t>(token);
      record.layer = layer;
      record.ids = ids;
      builder.add(record);
    }
  }
  TraceHeader header;
  header.model = options.model;
  header.format = "array [tokens, layers, k]";
  header.numbering = LayerNumbering::kArray;
  header.notes.emplace_back("the array is taken as one sequence in one step");
  return builder.finish(std::move(header));
}

std::vector<ExpertCounts> counts_of(const std::string& file, const TensorData& tensor,
                                    const LoadOptions& options) {
  ExpertCounts set;
  set.source = file;
  set.model = options.model;
  set.format = "array [steps, layers, experts]";
  set.numbering = LayerNumbering::kArray;
  const bool stepped = tensor.shape.size() == 3;
  const auto layers = static_cast<std::size_t>(tensor.shape[stepped ? 1 : 0]);
  const auto experts = static_cast<std::size_t>(tensor.shape.back());
  if (experts >= kMostExperts || layers > limits::kLayers ||
      tensor.values.size() > limits::kRoutingCells ||
      (options.experts && *options.experts != experts)) {
    throw InputError(
        Place{file, 0, ""}, fmt::format("{} layers of {} experts", layers, experts),
        options.experts ? fmt::format("{} experts were stated", *options.experts) : std::string());
  }
  set.experts = static_cast<std::uint32_t>(experts);
  for (std::uint32_t l = 0; l < layers; ++l) set.layers.push_back(l);
  const std::size_t cells = layers * experts;
  std::uint64_t unused = 0;
  set.steps = 0;
  for (std::size_t from = 0; from < tensor.values.size(); from += cells) {
    std::uint64_t sum = 0;
    for (std::size_t i = from; i < from + cells; ++i) {
      const std::int64_t count = integer(file, tensor, i);
      if (count < 0) {
        throw InputError(Place{file, 0, fmt::format("element {}", i)},
                         fmt::format("count {} is negative", count));
      }
      set.counts.push_back(static_cast<std::uint64_t>(count));
      sum += static_cast<std::uint64_t>(count);
    }
    if (sum == 0) {
      set.counts.resize(set.counts.size() - cells);
      ++unused;
    } else {
      ++set.steps;
    }
  }
  if (set.steps == 0) throw InputError(Place{file, 0, ""}, "all counts are zero");
  if (unused != 0) {
    set.notes.push_back(fmt::format("{} all-zero steps left out (unused capacity)", unused));
  }
  return {std::move(set)};
}

}  // namespace

LoadedRouting read_array(const std::string& file, const std::string& bytes,
                         const LoadOptions& options) {
  const TensorData tensor = load_tensor(file, bytes, options);
  const std::size_t ranks = tensor.shape.size();
  if (tensor.values.empty()) {
    throw InputError(Place{file, 0, ""}, "the array is empty",
                     "expected [tokens, layers, experts per token]");
  }
  if (options.as_counts) {
    if (ranks != 2 && ranks != 3) {
      throw InputError(Place{file, 0, ""},
                       fmt::format("an array of shape {}", shape_text(tensor.shape)),
                       "expected counts [steps, layers, experts] or [layers, experts]");
    }
    return {"array of counts", counts_of(file, tensor, options)};
  }
  // More slots than any router fills: 32 and up are counts of experts.
  if (ranks != 3 || tensor.shape[2] > 32) {
    throw InputError(Place{file, 0, ""},
                     fmt::format("an array of shape {}, expected ids [tokens, layers, k]",
                                 shape_text(tensor.shape)),
                     kCountsAdvice);
  }
  RoutingTrace trace = trace_of(file, tensor, options);
  return {trace.header.format, std::move(trace)};
}

}  // namespace lacuna::routing
