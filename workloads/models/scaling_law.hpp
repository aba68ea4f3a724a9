// SPDX-License-Identifier: Apache-2.0
// "Parameters vs FLOPs: Scaling Laws for Optimal Sparsity for Mixture-of-Experts Language Models"
// (arXiv 2501.12370; PMLR 267:204-230), Eq. 6. Sparsity S = (E - k) / E is the share of inactive
// experts.
#pragma once

namespace lacuna {

/// L(N, D, S) = a / N^alpha + b / D^beta + c / (1-S)^lambda + d / ((1-S)^delta N^gamma) + e.
/// The values are the paper's fit, known through two secondary sources that agree.
struct ScalingLaw {
  double a = 16612.50;
  double b = 5455.67;
  double c = 0.4598;
  double d = 17.26;
  double e = 0.94;
  double alpha = 0.5962;
  double beta = 0.3954;
  double lambda = -0.1666;
  double delta = 0.1603;
  double gamma = 0.1595;
};

/// Pre-training loss of a model of `parameters` in total, after `tokens` tokens, at `sparsity` in
/// [0, 1). Throws InputError outside the law's domain.
[[nodiscard]] double scaling_loss(const ScalingLaw& law, double parameters, double tokens,
                                  double sparsity);

struct IsoFlopOptimum {
  double parameters = 0;         // N*, in total
  double active_parameters = 0;  // (1 - S) N*
  double tokens = 0;
  double loss = 0;
};

/// The total size with the least loss for a training budget of `flops` = 6 N_a D, N_a = (1 - S) N
/// (parameters that are always active are ignored), by Brent's method over log N from 10^6 to
/// 10^15. The minimum is flat: the loss is exact to ~1e-12, N* to ~1e-6.
[[nodiscard]] IsoFlopOptimum iso_flop_optimum(const ScalingLaw& law, double flops, double sparsity);

}  // namespace lacuna
