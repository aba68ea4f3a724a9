// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/expert_counts.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

constexpr std::uint64_t kMostCount = std::uint64_t{1} << 48;

/// Puts (layer, expert) -> count into a table without holes.
struct CountTable {
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> layers;

  void set(const TextTable& table, std::uint32_t layer, std::uint32_t expert, std::uint64_t count) {
    if (!layers[layer].emplace(expert, count).second) {
      table.fail(fmt::format("expert {} of layer {} is counted twice", expert, layer));
    }
  }

  void into(ExpertCounts& set, std::optional<std::uint32_t> experts) const {
    for (const auto& [layer, cells] : layers) {
      set.layers.push_back(layer);
      set.experts = std::max(set.experts, cells.rbegin()->first + 1);
    }
    if (experts) set.experts = std::max(set.experts, *experts);
    const std::uint64_t cells = std::uint64_t{set.experts} * set.layers.size();
    if (cells > kMostCountCells || set.layers.size() > limits::kLayers) {
      throw InputError(Place{set.source, 0, ""},
                       fmt::format("{} layers of {} experts are no model's: an id is damaged",
                                   set.layers.size(), set.experts));
    }
    set.counts.assign(static_cast<std::size_t>(cells), 0);
    std::size_t index = 0;
    for (const auto& [layer, row] : layers) {
      for (const auto& [expert, count] : row) set.counts[index * set.experts + expert] = count;
      ++index;
    }
  }
};

/// Sum of counts = k tokens in every layer, so the sums agree and k divides them.
void check_sums(const ExpertCounts& set) {
  std::optional<std::uint64_t> first;
  for (std::size_t i = 0; i < set.layers.size(); ++i) {
    const auto row = set.at(0, i);
    const std::uint64_t sum = std::accumulate(row.begin(), row.end(), std::uint64_t{0});
    const Place place{
        set.source, 0,
        fmt::format("{}layer {}", set.domain.empty() ? "" : set.domain + ", ", set.layers[i])};
    if (!first) first = sum;
    if (sum != *first) {
      throw InputError(
          place,
          fmt::format("counts sum to {}, those of layer {} to {}", sum, set.layers[0], *first),
          "the file is cut short, holds the counts of one rank alone (add the other ranks'), or "
          "layers were counted over different tokens");
    }
    if (set.top_k != 0 && sum % set.top_k != 0) {
      throw InputError(place,
                       fmt::format("counts sum to {}, not a multiple of top-{}", sum, set.top_k));
    }
  }
}

}  // namespace

std::vector<std::uint64_t> ExpertCounts::layer_loads(std::uint32_t layer) const {
  const auto at_layer = std::find(layers.begin(), layers.end(), layer);
  if (at_layer == layers.end()) {
    throw InputError(Place{source, 0, ""}, fmt::format("no counts of layer {}", layer),
                     fmt::format("it holds layers {}", ranges_text(layers)));
  }
  std::vector<std::uint64_t> loads(experts);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const auto row = at(step, static_cast<std::size_t>(at_layer - layers.begin()));
    for (std::size_t e = 0; e < loads.size(); ++e) loads[e] += row[e];
  }
  return loads;
}

std::string ExpertCounts::label() const {
  std::string out = model.empty() ? "unnamed model" : model;
  if (top_k != 0) out += fmt::format(", top-{}", top_k);
  if (!domain.empty()) out += ", " + domain;
  return out;
}

std::uint64_t CrossLayerCounts::total() const {
  std::uint64_t sum = 0;
  for (const auto& cell : cells) sum += cell.count;
  return sum;
}

std::vector<ExpertCounts> read_count_csv(TextTable& table, const LoadOptions& options) {
  const bool sglang = table.find("layer_id") != TextTable::kNone;
  const std::size_t layer = table.column(sglang ? "layer_id" : "layer");
  const std::size_t expert = table.column(sglang ? "expert_id" : "expert");
  const std::size_t count = table.column("count");
  const std::size_t model = table.find("model");
  const std::size_t top_k = table.find("topk_counted");
  const std::size_t domain = table.find("domain");
  std::map<std::tuple<std::string, std::uint32_t, std::string>, CountTable> sets;
  while (table.next()) {
    const auto text = [&](std::size_t column) {
      return column == TextTable::kNone ? std::string() : std::string(table.text(column));
    };
    const auto k = top_k == TextTable::kNone
                       ? 0
                       : static_cast<std::uint32_t>(table.natural(top_k, kMostExperts));
    const auto limit = options.experts.value_or(kMostExperts) - 1;
    sets[{text(model), k, text(domain)}].set(
        table, static_cast<std::uint32_t>(table.natural(layer, 0xFFFE)),
        static_cast<std::uint32_t>(table.natural(expert, limit)), table.natural(count, kMostCount));
  }
  if (sets.empty()) table.fail("no counts", "expected at least one row");
  std::vector<ExpertCounts> out;
  for (const auto& [key, cells] : sets) {
    ExpertCounts set;
    std::tie(set.model, set.top_k, set.domain) = key;
    if (set.model.empty()) set.model = options.model;
    set.source = table.file();
    set.format = sglang ? "SGLang count CSV" : "count CSV";
    cells.into(set, options.experts);
    if (set.top_k > set.experts) {
      throw InputError(Place{set.source, 0, ""},
                       fmt::format("top-{} of {} experts", set.top_k, set.experts));
    }
    if (!options.allow_ragged) check_sums(set);
    out.push_back(std::move(set));
  }
  return out;
}

std::vector<CrossLayerCounts> read_cross_layer_csv(TextTable& table) {
  const std::size_t domain = table.column("domain");
  const std::size_t layers[] = {table.column("layer_a"), table.column("layer_b")};
  const std::size_t experts[] = {table.column("expert_a"), table.column("expert_b")};
  const std::size_t count = table.column("count");
  std::vector<CrossLayerCounts> out;
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, std::size_t> places;
  std::set<std::tuple<std::size_t, std::uint32_t, std::uint32_t>> seen;
  while (table.next()) {
    const auto index = [&](std::size_t column) {
      return static_cast<std::uint32_t>(table.natural(column, kMostExperts - 1));
    };
    CrossLayerCounts fresh;
    fresh.domain = table.text(domain);
    fresh.layer_a = index(layers[0]);
    fresh.layer_b = index(layers[1]);
    const auto [place, first] =
        places.emplace(std::tuple(fresh.domain, fresh.layer_a, fresh.layer_b), out.size());
    const std::size_t set = place->second;
    if (first) out.push_back(std::move(fresh));
    const CrossLayerCounts::Cell cell{index(experts[0]), index(experts[1]),
                                      table.natural(count, kMostCount)};
    if (!seen.emplace(set, cell.expert_a, cell.expert_b).second) {
      table.fail(fmt::format("experts {} and {} are counted twice", cell.expert_a, cell.expert_b));
    }
    out[set].cells.push_back(cell);
  }
  if (out.empty()) table.fail("no counts", "expected at least one row");
  return out;
}

std::vector<ExpertCounts> cross_layer_margins(const std::string& file,
                                              const std::vector<CrossLayerCounts>& tables) {
  std::uint32_t experts = 0;
  std::map<std::string, std::map<std::uint32_t, std::vector<std::uint64_t>>> margins;
  for (const auto& table : tables) {
    for (const auto& cell : table.cells) {
      experts = std::max({experts, cell.expert_a + 1, cell.expert_b + 1});
    }
  }
  if (2 * tables.size() > kMostCountCells / std::max(experts, 1U)) {
    throw InputError(
        Place{file, 0, ""},
        fmt::format("{} pairs of layers of {} experts are no model's: an id is damaged",
                    tables.size(), experts));
  }
  for (const auto& table : tables) {
    std::vector<std::uint64_t> sides[2] = {std::vector<std::uint64_t>(experts),
                                           std::vector<std::uint64_t>(experts)};
    for (const auto& cell : table.cells) {
      sides[0][cell.expert_a] += cell.count;
      sides[1][cell.expert_b] += cell.count;
    }
    const std::uint32_t layers[2] = {table.layer_a, table.layer_b};
    for (int side = 0; side < 2; ++side) {
      const auto [at, fresh] = margins[table.domain].emplace(layers[side], sides[side]);
      if (!fresh && at->second != sides[side]) {
        throw InputError(Place{file, 0, ""},
                         fmt::format("{}: layer {} has different counts in two pairs of layers",
                                     table.domain, layers[side]),
                         "the file is cut short or damaged");
      }
    }
  }
  std::vector<ExpertCounts> out;
  for (const auto& [domain, layers] : margins) {
    ExpertCounts set;
    set.domain = domain;
    set.experts = experts;
    set.top_k = 1;
    set.source = file;
    set.format = "cross-layer count CSV";
    set.notes.emplace_back("margins of joint top-1 counts: top-1 loads only");
    for (const auto& [layer, loads] : layers) {
      set.layers.push_back(layer);
      set.counts.insert(set.counts.end(), loads.begin(), loads.end());
    }
    out.push_back(std::move(set));
  }
  return out;
}

std::vector<CrossLayerCounts> load_cross_layer_counts(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  TextTable table(path.string(), text);
  return read_cross_layer_csv(table);
}

PopularityRanks load_popularity_ranks(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  TextTable table(path.string(), text);
  const std::size_t rank = table.column("rank");
  const std::size_t layer = table.column("layer");
  const std::size_t expert = table.column("expert");
  PopularityRanks ranks;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  while (table.next()) {
    const PopularityRanks::Rank next{
        static_cast<std::uint32_t>(table.natural(layer, 0xFFFE)),
        static_cast<std::uint32_t>(table.natural(expert, kMostExperts - 1))};
    if (table.natural(rank, ranks.order.size()) != ranks.order.size()) {
      table.fail(fmt::format("rank {}, expected {}", table.text(rank), ranks.order.size()));
    }
    if (!seen.emplace(next.layer, next.expert).second) {
      table.fail(fmt::format("expert {} of layer {} is ranked twice", next.expert, next.layer));
    }
    ranks.order.push_back(next);
  }
  if (ranks.order.empty()) table.fail("no ranks", "expected at least one row");
  return ranks;
}

}  // namespace lacuna::routing
