// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/step_tables.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/random.hpp"
#include "workloads/models/routed_step.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"
#include "workloads/sparsity_tables/attention_tables.hpp"

namespace lacuna {
namespace {

struct TableText {
  std::string file;
  std::map<std::string, std::string> items;

  [[nodiscard]] std::string item(const std::string& key) const {
    const auto at = items.find(key);
    return at == items.end() ? "" : at->second;
  }
};

TableText parse_table(const std::string& text, const char* field,
                      const std::vector<std::string>& keys) {
  const auto bad = [&](const std::string& problem, const std::string& suggestion) {
    throw InputError(Place{"", 0, field}, problem, suggestion);
  };
  TableText out;
  std::size_t at = text.find('#');
  out.file = text.substr(0, at);
  while (at != std::string::npos) {
    const std::size_t next = text.find('#', at + 1);
    const std::string item = text.substr(at + 1, next - at - 1);
    at = next;
    const auto equals = item.find('=');
    const std::string key = item.substr(0, equals);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      bad(fmt::format("'#{}'", item), suggest(key, keys));
    }
    if (equals == std::string::npos || equals + 1 == item.size()) {
      bad(fmt::format("'#{}' has no value", key), "expected #key=value");
    }
    if (!out.items.emplace(key, item.substr(equals + 1)).second) {
      bad(fmt::format("'#{}' is given twice", key), "give it once");
    }
  }
  if (out.file.empty()) bad("no file is named", "write FILE#key=value");
  return out;
}

routing::TraceBinding bind(const TableText& text, const routing::TraceOrigin& origin,
                           const ModelSpec& spec) {
  if (text.item("model").empty() && text.item("map").empty()) {
    throw InputError(Place{text.file, 0, ""}, "the table does not say which model it is of",
                     "add #model=NAME, and #map=layers:... when that is another model");
  }
  return routing::bind_table(origin, routed_model(spec), text.item("map"));
}

template <class Visit>
void for_layers(const ModelSpec& spec, const Step& step, Visit&& visit) {
  const LayerRange all{0, static_cast<std::uint32_t>(spec.layers.size() - 1)};
  const LayerRange range = step.layers.value_or(all);
  for (std::uint32_t layer = range.first; layer <= range.last; ++layer) visit(layer);
}

/// A table of magnitudes is easily taken for one of shares.
void refuse_thresholds(const std::string& file) {
  const std::string text = read_file(file);
  if (text.substr(0, text.find('\n')).find("thr_") == std::string::npos) return;
  throw InputError(Place{file, 1, ""},
                   "a table of thresholds: how large values are zeroed, not how many they are",
                   "give the table of zeroed shares (columns layer, target, q, k, ..., down)");
}

void check_step(const ModelSpec& spec, const Step& step) {
  const auto bad = [](const std::string& problem, const std::string& suggestion) {
    throw InputError(Place{"", 0, "attention_table"}, problem, suggestion);
  };
  if (checked_new_tokens(spec, step) != step.context) {
    bad("lines of heads are of a prefill of all its keys",
        "use --phase prefill without --new-tokens");
  }
  const LatentAttention* latent = spec.latent();
  if (latent == nullptr) return;
  if (latent->indexer) bad(fmt::format("{} chooses keys by its index", spec.name), "leave it out");
  if (form_of(spec, step) == LatentForm::kAbsorbed) {
    bad("absorbed attention has one key for all heads", "use --attention naive");
  }
}

std::uint64_t query_heads(const ModelSpec& spec) {
  return spec.latent() != nullptr ? spec.latent()->heads : spec.grouped()->heads;
}

}  // namespace

std::shared_ptr<const LayerTable<double>> activation_zeros(const ModelSpec& spec, const Step& step,
                                                           const std::string& text) {
  const TableText given = parse_table(text, "activation_table", {"model", "map", "target"});
  refuse_thresholds(given.file);
  const auto table = sparsity::load_activation_table(given.file, given.item("model"));
  const auto target = parse_number(given.item("target"));
  if (!target) {
    throw InputError(Place{"", 0, "activation_table"},
                     given.item("target").empty()
                         ? "no target is named"
                         : fmt::format("'{}' is no share of zeros", given.item("target")),
                     fmt::format("add #target=..., one of {}", fmt::join(table.targets, ", ")));
  }
  const auto binding = bind(given, table.origin(), spec);
  auto out = std::make_shared<LayerTable<double>>();
  out->file = given.file;
  out->notes = binding.notes;
  double zeros = 0;
  for_layers(spec, step, [&](std::uint32_t layer) {
    const auto& row = table.at(binding.trace_layer(layer, given.file), *target);
    out->of_layer[layer].assign(row.zeros.begin(), row.zeros.end());
    zeros += row.effective;
  });
  out->notes.push_back(fmt::format(
      "activations: zeros of {} for a target of {}, {:.1f} % on average over its layers' weights",
      given.file, *target, 100 * zeros / static_cast<double>(out->of_layer.size())));
  if (spec.latent() != nullptr) {
    out->notes.emplace_back(
        "activations: q and k stand for the down-projections of queries and latents; what latents "
        "are multiplied with has no column and stays as --activations says");
  }
  return out;
}

ActivationZeros zeros_of(std::shared_ptr<const LayerTable<double>> table) {
  return [table = std::move(table)](std::uint32_t layer) -> std::span<const double> {
    return table->of_layer.at(layer);
  };
}

std::shared_ptr<const LayerTable<sparsity::HeadLines>> attention_lines(const ModelSpec& spec,
                                                                       const Step& step,
                                                                       const std::string& text,
                                                                       std::uint64_t seed) {
  const TableText given = parse_table(text, "attention_table", {"model", "map", "heads"});
  check_step(spec, step);
  const auto table = sparsity::load_attention_table(given.file, given.item("model"));
  const auto binding = bind(given, table.origin(), spec);
  const std::uint64_t heads = query_heads(spec);
  const std::uint64_t theirs = table.layers.front().size();
  if (heads != theirs && given.item("heads") != "mod") {
    throw InputError(Place{given.file, 0, ""},
                     fmt::format("{} heads in a layer, {} has {}", theirs, spec.name, heads),
                     "#heads=mod lets head h keep the lines of head h mod theirs");
  }
  auto out = std::make_shared<LayerTable<sparsity::HeadLines>>();
  out->file = given.file;
  out->notes = binding.notes;
  const auto length = static_cast<std::uint32_t>(step.context);
  std::map<std::pair<std::uint32_t, std::uint32_t>, sparsity::HeadLines> drawn;
  double kept = 0, all = 0;
  for_layers(spec, step, [&](std::uint32_t layer) {
    if (spec.layers[layer].window != 0) return;
    const auto& patterns = table.layers[binding.trace_layer(layer, given.file)];
    for (std::uint64_t h = 0; h < heads; ++h) {
      const sparsity::HeadPattern& head = patterns[h % theirs];
      auto& lines = drawn[{head.vertical, head.slash}];
      if (!lines) {
        RandomStream random(seed, fmt::format("lines {} {}", head.vertical, head.slash));
        lines = std::make_shared<const sparsity::VerticalSlash>(
            sparsity::choose_lines(head, length, random));
      }
      out->of_layer[layer].push_back(lines);
      kept += static_cast<double>(sparsity::kept_pairs(*lines));
      all += static_cast<double>(sparsity::causal_pairs(length));
    }
  });
  if (out->of_layer.empty()) {
    throw InputError(
        Place{"", 0, "attention_table"},
        fmt::format("every layer of the step has a window in {}, and keeps it", spec.name),
        "leave it out, or choose layers that see all keys");
  }
  if (all > 0) {
    out->notes.push_back(
        fmt::format("attention: {} kinds of heads of {} keep {:.1f} % of the pairs; their lines "
                    "are drawn, heads of one kind alike",
                    drawn.size(), given.file, 100 * kept / all));
  }
  return out;
}

AttentionLines lines_of(std::shared_ptr<const LayerTable<sparsity::HeadLines>> table) {
  return [table = std::move(table)](std::uint32_t layer) -> std::span<const sparsity::HeadLines> {
    const auto at = table->of_layer.find(layer);
    return at == table->of_layer.end() ? std::span<const sparsity::HeadLines>() : at->second;
  };
}

}  // namespace lacuna
