// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/small_layer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.hpp"

namespace lacuna {
namespace {

constexpr double kEpsilon = 1e-6;

double silu(double x) {
  return x / (1 + std::exp(-x));
}

/// RMSNorm with unit weights.
void normalise(double* values, std::uint64_t count) {
  double squares = 0;
  for (std::uint64_t i = 0; i < count; ++i) squares += values[i] * values[i];
  const double scale = 1 / std::sqrt(squares / static_cast<double>(count) + kEpsilon);
  for (std::uint64_t i = 0; i < count; ++i) values[i] *= scale;
}

void normalise_rows(DenseMatrix& m) {
  for (std::uint64_t r = 0; r < m.rows; ++r) normalise(m.values.data() + r * m.cols, m.cols);
}

/// RoPE: neighbouring pairs turn by position / 10000^(2i/d).
void rotate(double* values, std::uint64_t dim, std::uint64_t position) {
  for (std::uint64_t i = 0; i < dim; i += 2) {
    const double angle = static_cast<double>(position) /
                         std::pow(10000.0, static_cast<double>(i) / static_cast<double>(dim));
    const double x = values[i], y = values[i + 1];
    values[i] = x * std::cos(angle) - y * std::sin(angle);
    values[i + 1] = x * std::sin(angle) + y * std::cos(angle);
  }
}

/// Over the first `visible` of a row; the rest becomes zero.
void softmax(double* row, std::uint64_t count, std::uint64_t visible) {
  const double most = *std::max_element(row, row + visible);
  double sum = 0;
  for (std::uint64_t i = 0; i < visible; ++i) sum += row[i] = std::exp(row[i] - most);
  for (std::uint64_t i = 0; i < count; ++i) row[i] = i < visible ? row[i] / sum : 0;
}

DenseMatrix below(const DenseMatrix& top, const DenseMatrix& bottom) {
  DenseMatrix out(top.rows + bottom.rows, top.cols);
  std::copy(top.values.begin(), top.values.end(), out.values.begin());
  std::copy(bottom.values.begin(), bottom.values.end(),
            out.values.begin() + static_cast<std::ptrdiff_t>(top.values.size()));
  return out;
}

void add(DenseMatrix& to, const DenseMatrix& other) {
  for (std::size_t i = 0; i < to.values.size(); ++i) to.values[i] += other.values[i];
}

/// The k best of a row, the lower index first among equals.
std::vector<std::uint64_t> best_of(const double* scores, std::uint64_t count, std::uint64_t k) {
  std::vector<std::uint64_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [scores](std::uint64_t x, std::uint64_t y) { return scores[x] > scores[y]; });
  order.resize(k);
  return order;
}

/// Tokens x (rows) through weights [out, in]: the product is out x tokens, its transpose the rows.
DenseMatrix linear(const std::string& name, const DenseMatrix& weights, const DenseMatrix& x,
                   const Product& product) {
  return product(name, weights, x).transposed();
}

struct ProjectedTokens {
  DenseMatrix query;         // S x heads (nope + rope), rotated
  DenseMatrix latent, rope;  // of all T tokens
};

ProjectedTokens project(const SmallAttention& l, const SmallCache& cache, const DenseMatrix& x,
                        const Product& product) {
  ProjectedTokens out;
  DenseMatrix in = x;
  if (l.q_rank > 0) {
    in = linear("q_down", l.q_down, x, product);
    normalise_rows(in);
  }
  out.query = linear(l.q_rank > 0 ? "q_up" : "q_proj", l.q_up, in, product);
  const DenseMatrix kv = linear("kv_down", l.kv_down, x, product);
  DenseMatrix latent = kv.columns(0, l.kv_rank), rope = kv.columns(l.kv_rank, l.rope_dim);
  normalise_rows(latent);
  const std::uint64_t before = cache.latent.rows, per_head = l.nope_dim + l.rope_dim;
  for (std::uint64_t s = 0; s < x.rows; ++s) {
    rotate(&rope.at(s, 0), l.rope_dim, before + s);
    for (std::uint64_t h = 0; h < l.heads; ++h) {
      rotate(&out.query.at(s, h * per_head + l.nope_dim), l.rope_dim, before + s);
    }
  }
  out.latent = below(cache.latent, latent);
  out.rope = below(cache.rope, rope);
  return out;
}

double score_scale(const SmallAttention& l) {
  return 1 / std::sqrt(static_cast<double>(l.nope_dim + l.rope_dim));
}

/// Scores S x T of one head to probabilities, causally.
void attend(DenseMatrix& scores, const SmallAttention& l) {
  const std::uint64_t before = scores.cols - scores.rows;
  for (std::uint64_t s = 0; s < scores.rows; ++s) {
    for (std::uint64_t t = 0; t < scores.cols; ++t) scores.at(s, t) *= score_scale(l);
    softmax(&scores.at(s, 0), scores.cols, before + s + 1);
  }
}

/// One head with keys and values expanded from the latents.
DenseMatrix naive_head(const SmallAttention& l, const ProjectedTokens& p,
                       const DenseMatrix& expanded, std::uint64_t h, const Product& product) {
  const std::uint64_t per_head = l.nope_dim + l.rope_dim;
  DenseMatrix keys(p.latent.rows, per_head);
  for (std::uint64_t t = 0; t < keys.rows; ++t) {
    for (std::uint64_t i = 0; i < l.nope_dim; ++i) {
      keys.at(t, i) = expanded.at(t, h * (l.nope_dim + l.value_dim) + i);
    }
    for (std::uint64_t i = 0; i < l.rope_dim; ++i) keys.at(t, l.nope_dim + i) = p.rope.at(t, i);
  }
  DenseMatrix scores =
      product("scores", keys, p.query.columns(h * per_head, per_head)).transposed();
  attend(scores, l);
  const DenseMatrix values =
      expanded.columns(h * (l.nope_dim + l.value_dim) + l.nope_dim, l.value_dim);
  return product("context", values.transposed(), scores).transposed();
}

/// One head on the latents themselves: the up-projections act on the query and on the context.
DenseMatrix absorbed_head(const SmallAttention& l, const ProjectedTokens& p, std::uint64_t h,
                          const Product& product) {
  const std::uint64_t per_head = l.nope_dim + l.rope_dim;
  const std::uint64_t row = h * (l.nope_dim + l.value_dim);
  const DenseMatrix w_uk = l.kv_up.row_range(row, l.nope_dim);                // nope x rank
  const DenseMatrix w_uv = l.kv_up.row_range(row + l.nope_dim, l.value_dim);  // value x rank
  const DenseMatrix query =
      linear("q_absorb", w_uk.transposed(), p.query.columns(h * per_head, l.nope_dim), product);
  DenseMatrix scores = product("scores_latent", p.latent, query).transposed();
  add(scores, product("scores_rope", p.rope, p.query.columns(h * per_head + l.nope_dim, l.rope_dim))
                  .transposed());
  attend(scores, l);
  const DenseMatrix context = product("context", p.latent.transposed(), scores).transposed();
  return linear("v_up", w_uv, context, product);
}

}  // namespace

DenseMatrix DenseMatrix::columns(std::uint64_t first, std::uint64_t count) const {
  DenseMatrix out(rows, count);
  for (std::uint64_t r = 0; r < rows; ++r) {
    for (std::uint64_t c = 0; c < count; ++c) out.at(r, c) = at(r, first + c);
  }
  return out;
}

DenseMatrix DenseMatrix::row_range(std::uint64_t first, std::uint64_t count) const {
  DenseMatrix out(count, cols);
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first * cols), count * cols,
              out.values.begin());
  return out;
}

DenseMatrix DenseMatrix::transposed() const {
  DenseMatrix out(cols, rows);
  for (std::uint64_t r = 0; r < rows; ++r) {
    for (std::uint64_t c = 0; c < cols; ++c) out.at(c, r) = at(r, c);
  }
  return out;
}

DenseMatrix random_matrix(std::uint64_t rows, std::uint64_t cols, std::uint64_t seed,
                          const std::string& name) {
  RandomStream random(seed, name);
  DenseMatrix out(rows, cols);
  for (double& value : out.values) value = random.normal();
  return out;
}

SmallAttention SmallAttention::random(std::uint64_t q_rank, std::uint64_t seed) {
  SmallAttention l;
  l.q_rank = q_rank;
  const std::uint64_t query = l.heads * (l.nope_dim + l.rope_dim);
  if (q_rank > 0) l.q_down = random_matrix(q_rank, l.hidden, seed, "q_down");
  l.q_up = random_matrix(query, q_rank > 0 ? q_rank : l.hidden, seed, "q_up");
  l.kv_down = random_matrix(l.kv_rank + l.rope_dim, l.hidden, seed, "kv_down");
  l.kv_up = random_matrix(l.heads * (l.nope_dim + l.value_dim), l.kv_rank, seed, "kv_up");
  l.output = random_matrix(l.hidden, l.heads * l.value_dim, seed, "output");
  return l;
}

SmallCache SmallCache::random(const SmallAttention& layer, std::uint64_t tokens,
                              std::uint64_t seed) {
  return {random_matrix(tokens, layer.kv_rank, seed, "latent"),
          random_matrix(tokens, layer.rope_dim, seed, "rope")};
}

DenseMatrix run_attention(const SmallAttention& l, const SmallCache& cache, const DenseMatrix& x,
                          bool absorbed, const Product& product) {
  const ProjectedTokens p = project(l, cache, x, product);
  DenseMatrix expanded;
  if (!absorbed) expanded = linear("kv_up", l.kv_up, p.latent, product);
  DenseMatrix all(x.rows, l.heads * l.value_dim);
  for (std::uint64_t h = 0; h < l.heads; ++h) {
    const DenseMatrix head =
        absorbed ? absorbed_head(l, p, h, product) : naive_head(l, p, expanded, h, product);
    for (std::uint64_t s = 0; s < x.rows; ++s) {
      for (std::uint64_t i = 0; i < l.value_dim; ++i)
        all.at(s, h * l.value_dim + i) = head.at(s, i);
    }
  }
  return linear("o_proj", l.output, all, product);
}

DenseMatrix run_moe(const SmallMoe& l, const DenseMatrix& x, const Product& product) {
  DenseMatrix scores = linear("router", l.router, x, product);
  DenseMatrix out(x.rows, x.cols);
  std::vector<std::vector<std::uint64_t>> routed(l.experts);
  for (std::uint64_t s = 0; s < x.rows; ++s) {
    softmax(&scores.at(s, 0), l.experts, l.experts);
    for (const auto e : best_of(&scores.at(s, 0), l.experts, l.top_k)) routed[e].push_back(s);
  }
  const auto mlp = [&](const std::string& prefix, const DenseMatrix& gate, const DenseMatrix& up,
                       const DenseMatrix& down, const DenseMatrix& in) {
    DenseMatrix hidden = linear(prefix + "gate", gate, in, product);
    const DenseMatrix other = linear(prefix + "up", up, in, product);
    for (std::size_t i = 0; i < hidden.values.size(); ++i) {
      hidden.values[i] = silu(hidden.values[i]) * other.values[i];
    }
    return linear(prefix + "down", down, hidden, product);
  };
  for (std::uint64_t e = 0; e < l.experts; ++e) {
    if (routed[e].empty()) continue;
    DenseMatrix in(routed[e].size(), x.cols);  // dispatch
    for (std::uint64_t i = 0; i < in.rows; ++i) {
      std::copy_n(&x.values[routed[e][i] * x.cols], x.cols, &in.at(i, 0));
    }
    const DenseMatrix result = mlp("expert_", l.gate[e], l.up[e], l.down[e], in);
    for (std::uint64_t i = 0; i < in.rows; ++i) {  // combine
      const std::uint64_t s = routed[e][i];
      for (std::uint64_t c = 0; c < x.cols; ++c) out.at(s, c) += scores.at(s, e) * result.at(i, c);
    }
  }
  add(out, mlp("shared_", l.shared_gate, l.shared_up, l.shared_down, x));
  return out;
}

SmallMoe SmallMoe::random(std::uint64_t seed) {
  SmallMoe l;
  l.router = random_matrix(l.experts, l.hidden, seed, "router");
  for (std::uint64_t e = 0; e < l.experts; ++e) {
    const std::string name = std::to_string(e);
    l.gate.push_back(random_matrix(l.width, l.hidden, seed, "gate " + name));
    l.up.push_back(random_matrix(l.width, l.hidden, seed, "up " + name));
    l.down.push_back(random_matrix(l.hidden, l.width, seed, "down " + name));
  }
  l.shared_gate = random_matrix(l.width, l.hidden, seed, "shared gate");
  l.shared_up = random_matrix(l.width, l.hidden, seed, "shared up");
  l.shared_down = random_matrix(l.hidden, l.width, seed, "shared down");
  return l;
}

}  // namespace lacuna
