// SPDX-License-Identifier: Apache-2.0
// The layers of small_layer.hpp from their definition: one token, one head, one sum at a time, and
// nothing shared with the products they are compared with.
#include <algorithm>
#include <cmath>

#include "workloads/models/small_layer.hpp"

namespace lacuna {
namespace {

using Vector = std::vector<double>;

Vector times(const DenseMatrix& w, const Vector& x) {
  Vector y(w.rows, 0.0);
  for (std::uint64_t o = 0; o < w.rows; ++o) {
    for (std::uint64_t i = 0; i < w.cols; ++i) y[o] += w.at(o, i) * x[i];
  }
  return y;
}

Vector row_of(const DenseMatrix& m, std::uint64_t r) {
  Vector out(m.cols);
  for (std::uint64_t c = 0; c < m.cols; ++c) out[c] = m.at(r, c);
  return out;
}

Vector rms(Vector x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  const double root = std::sqrt(sum / static_cast<double>(x.size()) + 1e-6);
  for (double& v : x) v /= root;
  return x;
}

Vector part(const Vector& x, std::uint64_t first, std::uint64_t count) {
  const auto at = x.begin() + static_cast<std::ptrdiff_t>(first);
  return {at, at + static_cast<std::ptrdiff_t>(count)};
}

Vector rotated(Vector x, std::uint64_t position) {
  const auto dim = static_cast<double>(x.size());
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    const double a =
        static_cast<double>(position) * std::pow(10000.0, -static_cast<double>(i) / dim);
    const double re = x[i] * std::cos(a) - x[i + 1] * std::sin(a);
    x[i + 1] = x[i] * std::sin(a) + x[i + 1] * std::cos(a);
    x[i] = re;
  }
  return x;
}

double dot(const Vector& x, const Vector& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

Vector mlp(const DenseMatrix& gate, const DenseMatrix& up, const DenseMatrix& down,
           const Vector& x) {
  Vector g = times(gate, x);
  const Vector u = times(up, x);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
  return times(down, g);
}

}  // namespace

DenseMatrix attention_reference(const SmallAttention& l, const SmallCache& cache,
                                const DenseMatrix& x) {
  std::vector<Vector> latents, ropes;
  for (std::uint64_t t = 0; t < cache.latent.rows; ++t) {
    latents.push_back(row_of(cache.latent, t));
    ropes.push_back(row_of(cache.rope, t));
  }
  DenseMatrix out(x.rows, x.cols);
  for (std::uint64_t s = 0; s < x.rows; ++s) {
    const std::uint64_t position = cache.latent.rows + s;
    const Vector token = row_of(x, s);
    const Vector kv = times(l.kv_down, token);
    latents.push_back(rms(part(kv, 0, l.kv_rank)));
    ropes.push_back(rotated(part(kv, l.kv_rank, l.rope_dim), position));
    const Vector query = times(l.q_up, l.q_rank > 0 ? rms(times(l.q_down, token)) : token);
    Vector heads;
    for (std::uint64_t h = 0; h < l.heads; ++h) {
      const std::uint64_t at = h * (l.nope_dim + l.rope_dim);
      const Vector nope = part(query, at, l.nope_dim);
      const Vector rope = rotated(part(query, at + l.nope_dim, l.rope_dim), position);
      Vector weights;
      std::vector<Vector> values;
      for (std::size_t t = 0; t < latents.size(); ++t) {
        const Vector both = part(times(l.kv_up, latents[t]), h * (l.nope_dim + l.value_dim),
                                 l.nope_dim + l.value_dim);
        weights.push_back((dot(nope, part(both, 0, l.nope_dim)) + dot(rope, ropes[t])) /
                          std::sqrt(static_cast<double>(l.nope_dim + l.rope_dim)));
        values.push_back(part(both, l.nope_dim, l.value_dim));
      }
      const double most = *std::max_element(weights.begin(), weights.end());
      double sum = 0;
      for (double& w : weights) sum += w = std::exp(w - most);
      for (std::uint64_t i = 0; i < l.value_dim; ++i) {
        double value = 0;
        for (std::size_t t = 0; t < weights.size(); ++t) value += weights[t] / sum * values[t][i];
        heads.push_back(value);
      }
    }
    const Vector y = times(l.output, heads);
    std::copy(y.begin(), y.end(), &out.at(s, 0));
  }
  return out;
}

DenseMatrix moe_reference(const SmallMoe& l, const DenseMatrix& x) {
  DenseMatrix out(x.rows, x.cols);
  for (std::uint64_t s = 0; s < x.rows; ++s) {
    const Vector token = row_of(x, s);
    const Vector logits = times(l.router, token);
    double sum = 0;
    for (const double z : logits) sum += std::exp(z);
    Vector y = mlp(l.shared_gate, l.shared_up, l.shared_down, token);
    for (std::uint64_t e = 0; e < l.experts; ++e) {
      // Chosen when fewer than k experts score more.
      std::uint64_t better = 0;
      for (std::uint64_t o = 0; o < l.experts; ++o) better += logits[o] > logits[e] ? 1U : 0U;
      if (better >= l.top_k) continue;
      const Vector expert = mlp(l.gate[e], l.up[e], l.down[e], token);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] += std::exp(logits[e]) / sum * expert[i];
    }
    std::copy(y.begin(), y.end(), &out.at(s, 0));
  }
  return out;
}

}  // namespace lacuna
