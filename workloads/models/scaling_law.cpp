// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/scaling_law.hpp"

#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace lacuna {
namespace {

void check(const char* field, double value, bool sound, const char* expected) {
  if (sound && std::isfinite(value)) return;
  throw InputError(Place{{}, 0, field}, fmt::format("expected {}, got {}", expected, value));
}

}  // namespace

double scaling_loss(const ScalingLaw& law, double parameters, double tokens, double sparsity) {
  check("parameters", parameters, parameters > 0, "a positive number");
  check("tokens", tokens, tokens > 0, "a positive number");
  check("sparsity", sparsity, sparsity >= 0 && sparsity < 1, "a share from 0 to below 1");
  const double active = 1.0 - sparsity;
  return law.a / std::pow(parameters, law.alpha) + law.b / std::pow(tokens, law.beta) +
         law.c / std::pow(active, law.lambda) +
         law.d / (std::pow(active, law.delta) * std::pow(parameters, law.gamma)) + law.e;
}

IsoFlopOptimum iso_flop_optimum(const ScalingLaw& law, double flops, double sparsity) {
  check("flops", flops, flops > 0, "a positive number");
  check("sparsity", sparsity, sparsity >= 0 && sparsity < 1, "a share from 0 to below 1");
  const auto tokens_for = [&](double parameters) {
    return flops / (6.0 * (1.0 - sparsity) * parameters);
  };
  const auto loss = [&](double log_parameters) {
    const double parameters = std::exp(log_parameters);
    return scaling_loss(law, parameters, tokens_for(parameters), sparsity);
  };
  // Half the digits: more cannot be told apart around a minimum.
  const int bits = std::numeric_limits<double>::digits / 2;
  const auto [at, least] =
      boost::math::tools::brent_find_minima(loss, std::log(1e6), std::log(1e15), bits);
  const double parameters = std::exp(at);
  return {parameters, (1.0 - sparsity) * parameters, tokens_for(parameters), least};
}

}  // namespace lacuna
