// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/generators.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

#include "base/error.hpp"

namespace lacuna::routing {
namespace {

/// Appends k distinct ids, in random order. Rejection is cheap while k is small beside E; otherwise
/// a partial shuffle of all ids.
void draw_distinct(std::uint32_t experts, std::uint32_t top_k, RandomStream& random,
                   std::vector<ExpertId>& out) {
  const auto from = static_cast<std::ptrdiff_t>(out.size());
  if (top_k > experts / 4) {
    std::vector<ExpertId> all(experts);
    std::iota(all.begin(), all.end(), ExpertId{0});
    for (std::uint32_t i = 0; i < top_k; ++i) {
      std::swap(all[i], all[i + random.below(experts - i)]);
      out.push_back(all[i]);
    }
    return;
  }
  for (std::uint32_t i = 0; i < top_k;) {
    const auto id = static_cast<ExpertId>(random.below(experts));
    if (std::find(out.begin() + from, out.end(), id) != out.end()) continue;
    out.push_back(id);
    ++i;
  }
}

/// Contiguous experts of one rank as a heap: smallest (or largest) load first, lowest id on ties.
class RankHeap {
 public:
  explicit RankHeap(bool smallest_first) : smallest_first_(smallest_first) {}
  void push(std::uint32_t load, std::uint32_t expert) {
    const std::int64_t key = smallest_first_ ? std::int64_t{load} : -std::int64_t{load};
    heap_.emplace(key, expert);
  }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  std::uint32_t pop() {
    const std::uint32_t expert = heap_.top().second;
    heap_.pop();
    return expert;
  }

 private:
  using Item = std::pair<std::int64_t, std::uint32_t>;
  bool smallest_first_;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> heap_;
};

/// Adds (or takes) `amount` tokens, ranks in turn, one at a time, within [0, most].
void hand_out(std::vector<std::uint32_t>& loads, std::uint64_t amount, bool add, std::uint32_t most,
              std::uint32_t ranks) {
  if (amount == 0) return;
  const std::size_t per_rank = loads.size() / ranks;
  const auto open = [&](std::uint32_t load) { return add ? load < most : load > 0; };
  std::vector<RankHeap> heaps(ranks, RankHeap(add));
  for (std::uint32_t e = 0; e < loads.size(); ++e) {
    if (open(loads[e])) heaps[e / per_rank].push(loads[e], e);
  }
  while (amount > 0) {
    bool progressed = false;
    for (std::size_t r = 0; r < heaps.size() && amount > 0; ++r) {
      if (heaps[r].empty()) continue;
      const std::uint32_t expert = heaps[r].pop();
      loads[expert] = add ? loads[expert] + 1 : loads[expert] - 1;
      if (open(loads[expert])) heaps[r].push(loads[expert], expert);
      --amount;
      progressed = true;
    }
    LACUNA_CHECK(progressed, "{} assignments fit no expert", amount);
  }
}

double power_law_draw(double u, double alpha, double low, double high) {
  if (std::abs(1 - alpha) < 1e-9) return low * std::pow(high / low, u);
  const double a = std::pow(low, 1 - alpha);
  const double b = std::pow(high, 1 - alpha);
  return std::pow((b - a) * u + a, 1 / (1 - alpha));
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15ULL + b + 0x632be59bd9b4e019ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

void check_shape(const RoutingShape& shape) {
  if (shape.experts == 0 || shape.experts >= kNoExpert || shape.top_k == 0 ||
      shape.top_k > shape.experts) {
    throw InputError(
        Place{"", 0, "routing"},
        fmt::format("top-{} of {} experts cannot be routed", shape.top_k, shape.experts),
        fmt::format("expected 1 <= k <= experts < {}", kNoExpert));
  }
}

std::vector<ExpertId> uniform_routing(const RoutingShape& shape, RandomStream& random) {
  check_shape(shape);
  std::vector<ExpertId> ids;
  ids.reserve(std::size_t{shape.tokens} * shape.top_k);
  for (std::uint32_t t = 0; t < shape.tokens; ++t) {
    draw_distinct(shape.experts, shape.top_k, random, ids);
  }
  return ids;
}

std::vector<std::uint32_t> balanced_loads(const RoutingShape& shape) {
  check_shape(shape);
  const std::uint64_t sum = std::uint64_t{shape.tokens} * shape.top_k;
  std::vector<std::uint32_t> loads(shape.experts, static_cast<std::uint32_t>(sum / shape.experts));
  for (std::uint64_t e = 0; e < sum % shape.experts; ++e) ++loads[e];
  return loads;
}

std::vector<std::uint32_t> power_law_loads(const RoutingShape& shape, double alpha,
                                           std::uint32_t ranks, RandomStream& random) {
  check_shape(shape);
  LACUNA_CHECK(ranks > 0 && shape.experts % ranks == 0, "{} experts on {} ranks", shape.experts,
               ranks);
  if (alpha == 0 || shape.tokens == 0) return balanced_loads(shape);
  const std::uint64_t target = std::uint64_t{shape.tokens} * shape.top_k;
  const bool many = target > shape.experts;
  const double low = many ? 1 : 0.01;
  const double high = many ? 0.8 * shape.tokens : 2;
  std::vector<double> draws(shape.experts);
  for (auto& x : draws) x = power_law_draw(random.uniform(), alpha, low, high);
  const double scale =
      static_cast<double>(target) / std::accumulate(draws.begin(), draws.end(), 0.0);
  std::vector<std::uint32_t> loads(shape.experts);
  std::uint64_t sum = 0;
  std::uint64_t overflow = 0;
  for (std::size_t e = 0; e < loads.size(); ++e) {
    // nearbyint rounds halves to even, as the published code does.
    const auto wanted = static_cast<std::uint64_t>(std::nearbyint(draws[e] * scale));
    loads[e] = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, shape.tokens));
    overflow += wanted - loads[e];
    sum += wanted;
  }
  // What the clamp cut off goes out first; rounding may have left more or less than the target.
  const std::uint64_t room = std::uint64_t{shape.tokens} * shape.experts - (sum - overflow);
  overflow = std::min(overflow, room);
  hand_out(loads, overflow, true, shape.tokens, ranks);
  const std::uint64_t now = std::accumulate(loads.begin(), loads.end(), std::uint64_t{0});
  if (now < target) hand_out(loads, target - now, true, shape.tokens, ranks);
  if (now > target) hand_out(loads, now - target, false, shape.tokens, ranks);
  return loads;
}

std::vector<ExpertId> assign_loads(const RoutingShape& shape, std::span<const std::uint32_t> loads,
                                   RandomStream& random) {
  check_shape(shape);
  const std::size_t total = std::size_t{shape.tokens} * shape.top_k;
  std::vector<ExpertId> flat;
  flat.reserve(total);
  for (std::size_t e = 0; e < loads.size(); ++e) {
    LACUNA_CHECK(loads[e] <= shape.tokens, "expert {} has {} of {} tokens", e, loads[e],
                 shape.tokens);
    flat.insert(flat.end(), loads[e], static_cast<ExpertId>(e));
  }
  LACUNA_CHECK(flat.size() == total, "{} assignments for {} tokens", flat.size(), shape.tokens);
  std::vector<std::uint32_t> order(shape.tokens);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  std::vector<ExpertId> ids(total);
  for (std::size_t t = 0; t < shape.tokens; ++t) {
    const auto token = std::span(ids).subspan(t * shape.top_k, shape.top_k);
    for (std::size_t slot = 0; slot < shape.top_k; ++slot) {
      token[slot] = flat[slot * shape.tokens + order[t]];
    }
    random.shuffle(token);
  }
  return ids;
}

std::vector<ExpertId> sample_counts(const RoutingShape& shape,
                                    std::span<const std::uint64_t> counts, RandomStream& random) {
  check_shape(shape);
  LACUNA_CHECK(counts.size() == shape.experts, "{} counts for {} experts", counts.size(),
               shape.experts);
  const std::uint64_t sum = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  const std::uint64_t most = *std::max_element(counts.begin(), counts.end());
  if (sum == 0) throw InputError(Place{"", 0, "routing"}, "the counts of the layer are all zero");
  if (most > sum / shape.top_k) {
    throw InputError(
        Place{"", 0, "routing"},
        fmt::format("an expert has {} of {} assignments: with top-{} no expert can have more than "
                    "one in {}",
                    most, sum, shape.top_k, shape.top_k),
        "the counts were taken with another k");
  }
  std::vector<ExpertId> order(shape.experts);
  std::iota(order.begin(), order.end(), ExpertId{0});
  std::vector<ExpertId> ids;
  ids.reserve(std::size_t{shape.tokens} * shape.top_k);
  for (std::uint32_t t = 0; t < shape.tokens; ++t) {
    random.shuffle(order);
    // Points start, start + sum/k, ... in units of 1/k assignment, so that all is exact.
    std::uint64_t point = random.below(sum);
    std::uint64_t end = 0;
    for (std::size_t i = 0, taken = 0; taken < shape.top_k; ++i) {
      end += counts[order[i]] * shape.top_k;
      if (point >= end) continue;
      ids.push_back(order[i]);
      point += sum;
      ++taken;
    }
  }
  return ids;
}

std::vector<ExpertId> correlated_routing(const RoutingShape& shape, double repeat,
                                         const SequenceLayout& layout, std::uint64_t key) {
  check_shape(shape);
  LACUNA_CHECK(repeat >= 0 && repeat < 1, "repeat probability {}", repeat);
  LACUNA_CHECK(layout.sequences > 0 && shape.tokens % layout.sequences == 0,
               "{} tokens in {} sequences", shape.tokens, layout.sequences);
  const std::uint32_t length = shape.tokens / layout.sequences;
  std::vector<ExpertId> ids;
  ids.reserve(std::size_t{shape.tokens} * shape.top_k);
  for (std::uint32_t s = 0; s < layout.sequences; ++s) {
    const std::uint64_t sequence_key = mix(key, s);
    const auto repeats = [&](std::uint64_t position) {
      return position > 0 &&
             static_cast<double>(mix(sequence_key, 2 * position) >> 11) * 0x1p-53 < repeat;
    };
    for (std::uint32_t i = 0; i < length; ++i) {
      std::uint64_t position = layout.first_position + i;
      if (i > 0 && repeats(position)) {
        for (std::uint32_t slot = 0; slot < shape.top_k; ++slot) {
          ids.push_back(ids[ids.size() - shape.top_k]);
        }
        continue;
      }
      while (repeats(position)) --position;
      RandomStream random(mix(sequence_key, 2 * position + 1), "correlated");
      draw_distinct(shape.experts, shape.top_k, random, ids);
    }
  }
  return ids;
}

}  // namespace lacuna::routing
