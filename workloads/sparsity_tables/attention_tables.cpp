// SPDX-License-Identifier: Apache-2.0
#include "workloads/sparsity_tables/attention_tables.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json_text.hpp"

namespace lacuna::sparsity {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostSize = std::uint64_t{1} << 31;

HeadPattern read_head(const Place& place, const Json& value) {
  if (!value.is_array() || value.size() != 4 || !value[0].is_string()) {
    throw InputError(place, "not a pattern", "expected [name, vertical, slash, score]");
  }
  if (value[0] != "vertical_and_slash") {
    throw InputError(place, "only the pattern vertical_and_slash is known",
                     "patterns of other kinds have no column and diagonal counts");
  }
  for (const int i : {1, 2}) {
    const Json& size = value[static_cast<std::size_t>(i)];
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() == 0 ||
        size.get<std::uint64_t>() >= kMostSize) {
      throw InputError(place, "a size is not a positive integer",
                       "expected counts of columns and diagonals");
    }
  }
  if (!value[3].is_number()) throw InputError(place, "the score is not a number");
  return {value[1].get<std::uint32_t>(), value[2].get<std::uint32_t>(), value[3].get<double>()};
}

/// `forced` positions from 0 up, then a draw among the rest.
std::vector<std::uint32_t> choose(std::uint32_t count, std::uint32_t forced, std::uint32_t length,
                                  RandomStream& random) {
  count = std::min(count, length);
  forced = std::min({forced, count, length});
  std::vector<std::uint32_t> out(forced);
  std::iota(out.begin(), out.end(), 0U);
  for (const auto pick : random.sample(length - forced, count - forced)) {
    out.push_back(static_cast<std::uint32_t>(pick) + forced);
  }
  return out;
}

}  // namespace

std::uint64_t AttentionTable::heads() const {
  std::uint64_t sum = 0;
  for (const auto& layer : layers) sum += layer.size();
  return sum;
}

routing::TraceOrigin AttentionTable::origin() const {
  routing::TraceOrigin out;
  out.source = source;
  out.model = model;
  for (std::uint32_t l = 0; l < layers.size(); ++l) out.layers.push_back(l);
  return out;
}

AttentionTable load_attention_table(const std::filesystem::path& path, const std::string& model) {
  const std::string file = path.string();
  const std::string text = read_small_file(path, limits::kJsonBytes, "a table of heads");
  const Json root = parse_json(text, {file});
  if (!root.is_array() || root.empty()) {
    throw InputError(Place{path.string(), 0, ""}, "not a list of layers",
                     "expected [{\"0\": [\"vertical_and_slash\", columns, diagonals, score]}]");
  }
  AttentionTable out{path.string(), model, {}};
  for (std::size_t l = 0; l < root.size(); ++l) {
    const Place layer{path.string(), 0, fmt::format("layer {}", l)};
    if (!root[l].is_object() || root[l].empty()) {
      throw InputError(layer, "not a mapping of heads");
    }
    std::vector<HeadPattern> heads;
    for (std::size_t h = 0; h < root[l].size(); ++h) {
      const auto at = root[l].find(fmt::format("{}", h));
      if (at == root[l].end()) throw InputError(layer, fmt::format("head {} is missing", h));
      heads.push_back(
          read_head(Place{path.string(), 0, fmt::format("layer {}, head {}", l, h)}, *at));
    }
    if (!out.layers.empty() && heads.size() != out.layers.front().size()) {
      throw InputError(
          layer, fmt::format("{} heads, layer 0 has {}", heads.size(), out.layers.front().size()));
    }
    out.layers.push_back(std::move(heads));
  }
  return out;
}

VerticalSlash choose_lines(const HeadPattern& head, std::uint32_t length, RandomStream& random) {
  VerticalSlash out;
  out.length = length;
  out.columns = choose(std::max(head.vertical, kLeastColumns), kForcedColumns, length, random);
  out.diagonals = choose(std::max(head.slash, kLeastDiagonals), kForcedDiagonals, length, random);
  return out;
}

std::vector<std::vector<std::uint32_t>> valid_indices(const IndexSets& sets, std::uint64_t keys,
                                                      bool paged, const std::string& source) {
  LACUNA_CHECK(sets.indices.size() == sets.queries * sets.width, "{} indices for {} x {}",
               sets.indices.size(), sets.queries, sets.width);
  std::vector<std::vector<std::uint32_t>> out(static_cast<std::size_t>(sets.queries));
  for (std::uint64_t q = 0; q < sets.queries; ++q) {
    auto& row = out[static_cast<std::size_t>(q)];
    const auto given = sets.row(q);
    for (std::size_t slot = 0; slot < given.size(); ++slot) {
      const std::int32_t index = given[slot];
      const Place place{source, 0, fmt::format("query {}, slot {}", q, slot)};
      if (index < -1) throw InputError(place, fmt::format("index {} is below -1", index));
      if (index == -1) continue;
      const auto key = static_cast<std::uint32_t>(index);
      if (key >= keys) {
        if (!paged) continue;
        throw InputError(place, fmt::format("index {} is beyond the cache of {}", index, keys));
      }
      row.push_back(key);
    }
    std::sort(row.begin(), row.end());
    if (const auto twice = std::adjacent_find(row.begin(), row.end()); twice != row.end()) {
      throw InputError(Place{source, 0, fmt::format("query {}", q)},
                       fmt::format("index {} appears twice", *twice));
    }
  }
  return out;
}

}  // namespace lacuna::sparsity
