// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/sparsity_dial.hpp"

#include <cmath>

#include "base/error.hpp"
#include "workloads/models/model_numbers.hpp"

namespace lacuna {
namespace {

constexpr double kMostExperts = 1e6;
constexpr std::uint64_t kMostBatch = 0xFFFFFFFF;

[[noreturn]] void bad_dial(const char* field, const std::string& problem,
                           const std::string& suggestion) {
  throw InputError(Place{"", 0, field}, problem, suggestion);
}

void check(const DialOptions& options) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  if (!positive(options.training_flops)) {
    bad_dial("compute", fmt::format("{} is no training compute", options.training_flops),
             "expected FLOP, like 1e20");
  }
  if (options.active_flops && !positive(*options.active_flops)) {
    bad_dial("flops-per-token", fmt::format("{} is no work per token", *options.active_flops),
             "expected FLOP of a forward pass, like 8e8");
  }
  if (options.shares.empty()) bad_dial("shares", "no share is given", "like 0,0.5,0.9");
  for (const double share : options.shares) {
    if (!(share >= 0 && share < 1)) {
      bad_dial("shares", fmt::format("{} is not a share of inactive experts", share),
               "expected from 0 to below 1");
    }
    if (static_cast<double>(options.experts_per_token) / (1 - share) > kMostExperts) {
      bad_dial("shares", fmt::format("{} needs more than a million experts", share),
               "take a smaller share or fewer experts per token");
    }
  }
  if (options.experts_per_token == 0) {
    bad_dial("top-k", "a token needs at least one expert", "like 8");
  }
  if (options.batch == 0 || options.batch > kMostBatch) {
    bad_dial("batch", fmt::format("{} tokens are no step", options.batch),
             "expected from 1 to 2^32 - 1");
  }
  if (options.weight_bits == 0 || options.weight_bits > 64) {
    bad_dial("weight-bits", fmt::format("{} bits per weight", options.weight_bits),
             "expected from 1 to 64");
  }
}

/// Held active size: the law is only evaluated.
IsoFlopOptimum held(const DialOptions& options, double share) {
  IsoFlopOptimum point;
  point.active_parameters = *options.active_flops / 2;
  point.parameters = point.active_parameters / (1 - share);
  point.tokens = options.training_flops / (6 * point.active_parameters);
  point.loss = scaling_loss(options.law, point.parameters, point.tokens, share);
  return point;
}

IsoFlopOptimum least_loss(const DialOptions& options, double share) {
  const IsoFlopOptimum point = iso_flop_optimum(options.law, options.training_flops, share);
  if (point.parameters < 1.01e6 || point.parameters > 0.99e15) {
    bad_dial("compute",
             fmt::format("{} FLOP put the best size at share {} beyond 10^6 to 10^15 parameters",
                         options.training_flops, share),
             "the law was fitted to 10^18 and more");
  }
  return point;
}

}  // namespace

std::vector<DialPoint> sparsity_dial(const DialOptions& options) {
  check(options);
  const auto k = static_cast<double>(options.experts_per_token);
  std::vector<DialPoint> points;
  for (const double asked : options.shares) {
    DialPoint point;
    point.asked_share = asked;
    point.experts = static_cast<std::uint64_t>(std::llround(k / (1 - asked)));
    const auto experts = static_cast<double>(point.experts);
    point.share = (experts - k) / experts;
    const IsoFlopOptimum best =
        options.active_flops ? held(options, point.share) : least_loss(options, point.share);
    point.loss = best.loss;
    point.parameters = best.parameters;
    point.active_parameters = best.active_parameters;
    point.training_tokens = best.tokens;
    point.flops_per_token = 2 * best.active_parameters;
    point.weight_bytes = best.parameters * options.weight_bits / 8;
    point.distinct_experts =
        expected_distinct_experts(point.experts, options.experts_per_token, options.batch);
    point.touched_bytes = point.weight_bytes * (point.distinct_experts / experts);
    points.push_back(point);
  }
  return points;
}

}  // namespace lacuna
