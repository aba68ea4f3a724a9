// SPDX-License-Identifier: Apache-2.0
#include "workloads/sparsity_tables/activation_tables.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "base/file.hpp"
#include "workloads/routing/text_table.hpp"

namespace lacuna::sparsity {
namespace {

using routing::TextTable;

constexpr std::array kNames = {"q", "k", "v", "o", "gate", "up", "down"};
constexpr std::uint64_t kMostLayers = 4096;

std::vector<std::uint32_t> count_up(std::size_t layers) {
  std::vector<std::uint32_t> out(layers);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

double share(const TextTable& table, std::size_t column) {
  const double value = table.number(column);
  if (value < 0 || value > 1) {
    table.fail(fmt::format("{} = {} is not a share", table.columns()[column], value),
               "expected 0 to 1");
  }
  return value;
}

std::size_t input_index(const TextTable& table, std::size_t block, std::size_t tensor) {
  const auto b = table.text(block);
  const auto t = table.text(tensor);
  if ((b != "mlp" && b != "self_attn") || (t != "h1" && t != "h2")) {
    table.fail(fmt::format("{} {}", routing::excerpt(b), routing::excerpt(t)),
               "expected mlp or self_attn, h1 or h2");
  }
  return (b == "mlp" ? 2U : 0U) + (t == "h2" ? 1U : 0U);
}

}  // namespace

const char* name_of(Projection projection) {
  return kNames[static_cast<std::size_t>(projection)];
}

const ActivationRow& ActivationTable::at(std::uint32_t layer, double target) const {
  const auto t = std::find_if(targets.begin(), targets.end(),
                              [&](double x) { return std::abs(x - target) < 1e-9; });
  if (t == targets.end() || layer >= layers.size()) {
    throw InputError(Place{source, 0, ""},
                     fmt::format("no row for layer {} and target {}", layer, target),
                     fmt::format("it holds layers {} and targets {}", routing::ranges_text(layers),
                                 fmt::join(targets, ", ")));
  }
  return rows[layer * targets.size() + static_cast<std::size_t>(t - targets.begin())];
}

double ActivationTable::mean_zeros(double target, Projection projection) const {
  double sum = 0;
  for (const auto layer : layers) {
    sum += at(layer, target).zeros[static_cast<std::size_t>(projection)];
  }
  return sum / static_cast<double>(layers.size());
}

routing::TraceOrigin ActivationTable::origin() const {
  routing::TraceOrigin out;
  out.source = source;
  out.model = model;
  out.layers = layers;
  return out;
}

ActivationTable load_activation_table(const std::filesystem::path& path, const std::string& model) {
  const std::string text = read_file(path);
  TextTable table(path.string(), text);
  const std::size_t layer = table.column("layer");
  const std::size_t target = table.column("target");
  const std::size_t effective = table.column("effective");
  std::array<std::size_t, kProjections> columns{};
  for (std::size_t p = 0; p < kProjections; ++p) columns[p] = table.column(kNames[p]);
  std::map<std::pair<std::uint32_t, double>, ActivationRow> rows;
  ActivationTable out{path.string(), model, {}, {}, {}};
  while (table.next()) {
    ActivationRow row;
    row.layer = static_cast<std::uint32_t>(table.natural(layer, kMostLayers));
    row.target = share(table, target);
    row.effective = share(table, effective);
    for (std::size_t p = 0; p < kProjections; ++p) row.zeros[p] = share(table, columns[p]);
    if (!rows.emplace(std::pair(row.layer, row.target), row).second) {
      table.fail(fmt::format("layer {} at target {} appears twice", row.layer, row.target));
    }
    if (row.layer >= out.layers.size()) out.layers = count_up(row.layer + 1U);
    if (std::find(out.targets.begin(), out.targets.end(), row.target) == out.targets.end()) {
      out.targets.push_back(row.target);
    }
  }
  if (rows.empty()) table.fail("no rows", "expected one per layer and target");
  std::sort(out.targets.begin(), out.targets.end());
  for (const auto l : out.layers) {
    for (const double t : out.targets) {
      const auto at = rows.find({l, t});
      if (at == rows.end()) {
        table.fail(fmt::format("layer {} has no row for target {}", l, t), "the file is cut short");
      }
      out.rows.push_back(at->second);
    }
  }
  return out;
}

ThresholdTable::Input ThresholdTable::input_of(Projection projection) {
  switch (projection) {
    case Projection::kOutput:
      return Input::kAttentionOut;
    case Projection::kGate:
    case Projection::kUp:
      return Input::kMlpIn;
    case Projection::kDown:
      return Input::kMlpOut;
    default:
      return Input::kAttentionIn;
  }
}

double ThresholdTable::threshold(std::uint32_t layer, Projection projection, double wanted) const {
  if (layer >= layers.size() || !(wanted >= 0) || wanted > shares.back() + 1e-12) {
    throw InputError(
        Place{source, 0, ""},
        fmt::format("no threshold for layer {} at a share of {}", layer, wanted),
        fmt::format("expected layers 0-{} and shares up to {}", layers.size() - 1, shares.back()));
  }
  const Row& row = layers[layer][static_cast<std::size_t>(input_of(projection))];
  double from_share = 0;
  double from = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (wanted <= shares[i]) {
      const double t = (wanted - from_share) / (shares[i] - from_share);
      return from + t * (row.thresholds[i] - from);
    }
    from_share = shares[i];
    from = row.thresholds[i];
  }
  return row.thresholds.back();
}

double ThresholdTable::sampled_mlp_ratio() const {
  const auto& first = layers.front();
  return static_cast<double>(first[static_cast<std::size_t>(Input::kMlpOut)].samples) /
         static_cast<double>(first[static_cast<std::size_t>(Input::kMlpIn)].samples);
}

routing::TraceOrigin ThresholdTable::origin() const {
  routing::TraceOrigin out;
  out.source = source;
  out.model = model;
  out.layers = count_up(layers.size());
  return out;
}

ThresholdTable load_threshold_table(const std::filesystem::path& path, const std::string& model) {
  const std::string text = read_file(path);
  TextTable table(path.string(), text);
  const std::size_t layer = table.column("layer");
  const std::size_t block = table.column("block");
  const std::size_t tensor = table.column("tensor");
  const std::size_t samples = table.column("n_samples");
  ThresholdTable out{path.string(), model, {}, {}};
  std::vector<std::size_t> columns;
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    const std::string& name = table.columns()[c];
    if (!name.starts_with("thr_")) continue;
    unsigned percent = 0;
    const auto [end, error] = std::from_chars(name.data() + 4, name.data() + name.size(), percent);
    if (error != std::errc{} || end != name.data() + name.size() || percent == 0 || percent > 100 ||
        (!out.shares.empty() && percent / 100.0 <= out.shares.back())) {
      table.fail(fmt::format("column {}", routing::excerpt(name)),
                 "expected thr_25, thr_40, ... with ascending percentages");
    }
    out.shares.push_back(percent / 100.0);
    columns.push_back(c);
  }
  if (columns.empty()) table.fail("no columns thr_25, thr_40, ...");
  while (table.next()) {
    const auto l = static_cast<std::size_t>(table.natural(layer, kMostLayers));
    if (l >= out.layers.size()) out.layers.resize(l + 1);
    auto& row = out.layers[l][input_index(table, block, tensor)];
    if (!row.thresholds.empty()) table.fail("this layer, block and tensor appears twice");
    row.samples = table.natural(samples, std::uint64_t{1} << 53);
    if (row.samples == 0) table.fail("n_samples is 0");
    for (const std::size_t c : columns) {
      const double value = table.number(c);
      if (value < 0 || (!row.thresholds.empty() && value < row.thresholds.back())) {
        table.fail(
            fmt::format("{} = {} is below the threshold before it", table.columns()[c], value));
      }
      row.thresholds.push_back(value);
    }
  }
  if (out.layers.empty()) table.fail("no rows", "expected four per layer");
  for (std::size_t l = 0; l < out.layers.size(); ++l) {
    for (const auto& row : out.layers[l]) {
      if (row.thresholds.empty()) {
        table.fail(fmt::format("layer {} has fewer than four rows", l), "the file is cut short");
      }
    }
  }
  return out;
}

}  // namespace lacuna::sparsity
