// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "tests/catch.hpp"
#include "workloads/routing/generators.hpp"
#include "workloads/routing/statistics.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::Approx;

namespace {

bool tokens_are_distinct(const std::vector<ExpertId>& ids, std::uint32_t k) {
  for (std::size_t t = 0; t < ids.size(); t += k) {
    const std::set<ExpertId> token(ids.begin() + static_cast<std::ptrdiff_t>(t),
                                   ids.begin() + static_cast<std::ptrdiff_t>(t + k));
    if (token.size() != k) return false;
  }
  return true;
}

double mean_rank_excess(double alpha, std::uint32_t tokens, int draws) {
  RandomStream random(7, "ep32");
  double sum = 0;
  for (int i = 0; i < draws; ++i) {
    sum += rank_imbalance(power_law_loads({tokens, 256, 8}, alpha, 1, random), 32);
  }
  return sum / draws;
}

}  // namespace

TEST_CASE("uniform routing draws k distinct experts, all equally often") {
  for (const std::uint32_t k : {1U, 2U, 7U, 8U}) {
    RandomStream random(3, "uniform");
    const auto ids = uniform_routing({4000, 8, k}, random);
    CHECK(ids.size() == 4000 * k);
    CHECK(tokens_are_distinct(ids, k));
    for (const auto n : tokens_per_expert(ids, 8)) {
      CHECK(n == Approx(500.0 * k).margin(6 * std::sqrt(500.0 * k)));
    }
  }
}

TEST_CASE("uniform routing touches as many experts as the formula says") {
  // V3: E 256, k 8, B 32 -> 163.3.
  CHECK(expected_distinct(256, 8, 32) == Approx(163.3).margin(0.05));
  CHECK(expected_distinct(60, 4, 25) == Approx(49.31).margin(0.005));
  RandomStream random(5, "distinct");
  double sum = 0;
  for (int i = 0; i < 400; ++i) {
    sum += distinct_experts(uniform_routing({32, 256, 8}, random), 256);
  }
  CHECK(sum / 400 == Approx(163.3).margin(1));
}

TEST_CASE("power-law loads sum to kB within [0, B] in both ranges of the formula") {
  RandomStream random(11, "power");
  for (const std::uint32_t tokens : {1U, 2U, 20U, 33U, 500U, 4096U}) {
    for (const double alpha : {0.0, 0.5, 1.0, 1.01, 1.2, 3.0}) {
      const RoutingShape shape{tokens, 256, 8};
      const auto loads = power_law_loads(shape, alpha, 8, random);
      CHECK(std::accumulate(loads.begin(), loads.end(), 0U) == tokens * 8);
      CHECK(*std::max_element(loads.begin(), loads.end()) <= tokens);
      const auto ids = assign_loads(shape, loads, random);
      CHECK(tokens_are_distinct(ids, 8));
      CHECK(tokens_per_expert(ids, 256) == loads);
    }
  }
}

TEST_CASE("alpha 0 and balanced are as even as integers allow") {
  RandomStream random(1, "balanced");
  const auto loads = power_law_loads({10, 4, 3}, 0, 1, random);
  CHECK(loads == std::vector<std::uint32_t>{8, 8, 7, 7});
  CHECK(balanced_loads({10, 4, 3}) == loads);
}

TEST_CASE("when every expert takes every token the law has nothing to decide") {
  RandomStream random(1, "full");
  CHECK(power_law_loads({5, 3, 3}, 1.5, 1, random) == std::vector<std::uint32_t>{5, 5, 5});
}

TEST_CASE("the power law reproduces the measured imbalance of expert-parallel ranks") {
  // DeepSeek-R1 on EP32: 1.564 measured; 1.56 from 2,000 draws of the generator, 2.41 at 1.2.
  CHECK(mean_rank_excess(1.01, 4096, 800) == Approx(1.56).margin(0.05));
  CHECK(mean_rank_excess(1.2, 4096, 800) == Approx(2.41).margin(0.08));
  CHECK(mean_rank_excess(1.01, 1024, 800) == Approx(1.33).margin(0.06));
  CHECK(mean_rank_excess(1.01, 128, 800) == Approx(0.97).margin(0.06));
}

TEST_CASE("assignment shuffles tokens, so neighbours are no more alike than others") {
  RandomStream random(2, "shuffle");
  const RoutingShape shape{4096, 64, 4};
  const auto ids = assign_loads(shape, balanced_loads(shape), random);
  std::size_t same = 0;
  for (std::size_t t = 4; t < ids.size(); t += 4) {
    const std::set<ExpertId> a(ids.begin() + static_cast<std::ptrdiff_t>(t - 4),
                               ids.begin() + static_cast<std::ptrdiff_t>(t));
    for (std::size_t i = 0; i < 4; ++i) same += a.count(ids[t + i]);
  }
  // Expected 4 * 4/64 common experts per pair of neighbours; unshuffled it would be nearly 4.
  CHECK(static_cast<double>(same) / 4095 == Approx(0.25).margin(0.05));
}

TEST_CASE("sampling from counts keeps their proportions and k distinct experts") {
  const std::vector<std::uint64_t> counts{500, 300, 150, 50, 0, 400, 300, 300};
  RandomStream random(4, "counts");
  const std::uint32_t tokens = 20000;
  const auto ids = sample_counts({tokens, 8, 2}, counts, random);
  CHECK(tokens_are_distinct(ids, 2));
  const auto loads = tokens_per_expert(ids, 8);
  for (std::size_t e = 0; e < 8; ++e) {
    const double expected = 2.0 * tokens * static_cast<double>(counts[e]) / 2000;
    CHECK(loads[e] == Approx(expected).margin(5 * std::sqrt(expected) + 1e-9));
  }
}

TEST_CASE("an expert with every token is drawn for every token, more than that is refused") {
  RandomStream random(4, "extreme");
  const std::vector<std::uint64_t> all{10, 5, 5};
  CHECK(tokens_per_expert(sample_counts({100, 3, 2}, all, random), 3)[0] == 100);
  const std::vector<std::uint64_t> more{11, 5, 5};
  CHECK_THROWS_AS(sample_counts({1, 3, 2}, more, random), InputError);
  const std::vector<std::uint64_t> none{0, 0, 0};
  CHECK_THROWS_AS(sample_counts({1, 3, 2}, none, random), InputError);
}

TEST_CASE("correlated tokens repeat their predecessor with the given probability") {
  const std::uint32_t tokens = 20000;
  const auto ids = correlated_routing({tokens, 64, 4}, 0.3, {1, 0}, 99);
  CHECK(tokens_are_distinct(ids, 4));
  std::size_t same = 0;
  for (std::size_t t = 4; t < ids.size(); t += 4) {
    same += std::equal(ids.begin() + static_cast<std::ptrdiff_t>(t),
                       ids.begin() + static_cast<std::ptrdiff_t>(t + 4),
                       ids.begin() + static_cast<std::ptrdiff_t>(t - 4))
                ? 1U
                : 0U;
  }
  CHECK(static_cast<double>(same) / tokens == Approx(0.3).margin(0.02));
}

TEST_CASE("decode continues the sequences that prefill began") {
  const std::uint32_t k = 2;
  const auto whole = correlated_routing({24, 16, k}, 0.6, {3, 0}, 5);  // 3 sequences of 8
  for (std::uint32_t position = 0; position < 8; ++position) {
    const auto step = correlated_routing({3, 16, k}, 0.6, {3, position}, 5);
    for (std::uint32_t s = 0; s < 3; ++s) {
      for (std::uint32_t i = 0; i < k; ++i) {
        CHECK(step[s * k + i] == whole[(s * 8 + position) * k + i]);
      }
    }
  }
}

TEST_CASE("impossible shapes are refused") {
  RandomStream random(1, "bad");
  CHECK_THROWS_AS(uniform_routing({1, 4, 5}, random), InputError);
  CHECK_THROWS_AS(uniform_routing({1, 0, 0}, random), InputError);
  CHECK(uniform_routing({0, 4, 2}, random).empty());
}
