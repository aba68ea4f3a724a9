// SPDX-License-Identifier: Apache-2.0
#include "workloads/prune.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

/// Row-major rows x cols of the view.
using Matrix = std::vector<double>;

Matrix gather(std::span<const double> weights, const PruneView& view) {
  Matrix out;
  out.reserve(weights.size());
  for (std::uint64_t r = 0; r < view.rows; ++r) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < view.cols; ++c) out.push_back(weights[view.at(r, c)]);
  }
  return out;
}

/// Indices of the `keep` largest scores, ties to the smaller index; in no particular order.
std::vector<std::uint32_t> largest(std::span<const double> scores, std::uint64_t keep) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  if (keep < order.size()) {
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) {
                       return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                     });
    order.resize(keep);
  }
  return order;
}

BitMatrix prune_uniform(const Matrix& weights, const PruneView& view, Ratio share) {
  BitMatrix mask(view.rows, view.cols);
  const std::uint64_t keep = share_of(share, weights.size());
  if (keep == 0) return mask;
  Matrix magnitudes(weights.size());
  std::transform(weights.begin(), weights.end(), magnitudes.begin(),
                 [](double w) { return std::abs(w); });
  const auto last = magnitudes.begin() + static_cast<std::ptrdiff_t>(keep - 1);
  std::nth_element(magnitudes.begin(), last, magnitudes.end(), std::greater<>());
  const double threshold = *last;
  std::uint64_t ties =
      keep - static_cast<std::uint64_t>(
                 std::count_if(magnitudes.begin(), last, [&](double m) { return m > threshold; }));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double magnitude = std::abs(weights[i]);
    const bool tie = magnitude == threshold && ties > 0;
    if (tie) --ties;
    if (magnitude > threshold || tie) mask.set(i / view.cols, i % view.cols);
  }
  return mask;
}

/// One row at a time: survivors of rank 0, then blocks of each outer rank.
class HssPrune {
 public:
  explicit HssPrune(const Pattern& pattern)
      : rules_(pattern.ranks.rbegin(), pattern.ranks.rend()), group_(pattern.group_size()) {}

  void row(std::span<const double> weights, BitMatrix& mask, std::uint64_t r) {
    const std::uint64_t whole = weights.size() / group_ * group_;
    mask.set_range(r, whole, weights.size());  // the tail is kept
    scores_.resize(whole);
    for (std::uint64_t k = 0; k < whole; ++k) scores_[k] = weights[k] * weights[k];
    alive_.assign(whole, 1);
    magnitudes_.assign(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(whole));
    for (double& magnitude : magnitudes_) magnitude = std::abs(magnitude);
    keep_best(magnitudes_, rules_[0], 1);
    std::uint64_t child = 1;
    for (std::size_t rank = 1; rank < rules_.size(); ++rank) {
      child *= rules_[rank - 1].h;
      blocks_.assign(whole / child, 0);
      for (std::uint64_t k = 0; k < whole; ++k) {
        if (alive_[k] != 0) blocks_[k / child] += scores_[k];
      }
      keep_best(blocks_, rules_[rank], child);
    }
    for (std::uint64_t k = 0; k < whole; ++k) {
      if (alive_[k] != 0) mask.set(r, k);
    }
  }

 private:
  /// Among every H scores the G best stay; the `child` positions below the others die.
  void keep_best(const std::vector<double>& scores, Rule rule, std::uint64_t child) {
    for (std::uint64_t first = 0; first < scores.size(); first += rule.h) {
      const std::span<const double> group(scores.data() + first, rule.h);
      choose(group, rule.g);
      for (std::uint32_t i = 0; i < rule.h; ++i) {
        if (keep_[i] != 0) continue;
        const auto begin = alive_.begin() + static_cast<std::ptrdiff_t>((first + i) * child);
        std::fill(begin, begin + static_cast<std::ptrdiff_t>(child), std::uint8_t{0});
      }
    }
  }

  /// Marks in keep_ the `g` largest of a group, ties to the earlier.
  void choose(std::span<const double> group, std::uint32_t g) {
    constexpr std::uint64_t kSmall = 512;
    keep_.assign(group.size(), 0);
    if (g * group.size() > kSmall) {
      for (const std::uint32_t i : largest(group, g)) keep_[i] = 1;
      return;
    }
    for (std::uint32_t n = 0; n < g; ++n) {
      std::size_t best = group.size();
      for (std::size_t i = 0; i < group.size(); ++i) {
        if (keep_[i] == 0 && (best == group.size() || group[i] > group[best])) best = i;
      }
      keep_[best] = 1;
    }
  }

  std::vector<Rule> rules_;  // inner -> outer
  std::uint64_t group_;
  std::vector<double> scores_;
  std::vector<double> magnitudes_;
  std::vector<double> blocks_;
  std::vector<std::uint8_t> alive_;
  std::vector<std::uint8_t> keep_;
};

BitMatrix prune_hss(const Matrix& weights, const PruneView& view, const Pattern& pattern) {
  BitMatrix mask(view.rows, view.cols);
  HssPrune hss(pattern);
  for (std::uint64_t r = 0; r < view.rows; ++r) {
    stop_if_requested();
    hss.row(std::span(weights).subspan(r * view.cols, view.cols), mask, r);
  }
  return mask;
}

/// Blocks of height x width by their norm; a channel is a block of all rows and one column.
BitMatrix prune_blocks(const Matrix& weights, const PruneView& view, std::uint64_t height,
                       std::uint64_t width, Ratio share) {
  BitMatrix mask(view.rows, view.cols);
  const std::uint64_t grid_cols = ceil_div(view.cols, width);
  std::vector<double> norms(ceil_div(view.rows, height) * grid_cols);
  for (std::uint64_t r = 0; r < view.rows; ++r) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < view.cols; ++c) {
      const double w = weights[r * view.cols + c];
      norms[r / height * grid_cols + c / width] += w * w;
    }
  }
  for (const std::uint32_t block : largest(norms, share_of(share, norms.size()))) {
    const std::uint64_t r0 = block / grid_cols * height;
    const std::uint64_t c0 = block % grid_cols * width;
    for (std::uint64_t r = r0; r < std::min(view.rows, r0 + height); ++r) {
      mask.set_range(r, c0, std::min(view.cols, c0 + width));
    }
  }
  return mask;
}

BitMatrix mask_for(const Matrix& weights, const PruneView& view, const Pattern& pattern) {
  if (weights.empty()) return BitMatrix(view.rows, view.cols);
  switch (pattern.kind) {
    case PatternKind::dense:
      break;
    case PatternKind::uniform:
      return prune_uniform(weights, view, pattern.share);
    case PatternKind::hss:
      return prune_hss(weights, view, pattern);
    case PatternKind::block:
      return prune_blocks(weights, view, pattern.block_rows, pattern.block_cols, pattern.share);
    case PatternKind::channel:
      return prune_blocks(weights, view, view.rows, 1, pattern.share);
  }
  return BitMatrix::full(view.rows, view.cols);
}

/// Brings the largest magnitude near 1 by an exact power of two, so that squares neither overflow
/// nor vanish; ordinary weights stay as they are.
void rescale(Matrix& weights) {
  constexpr int kOrdinary = 256;
  constexpr int kLimit = 1000;  // 2^1000 and its inverse are both normal numbers
  double largest_magnitude = 0;
  for (const double w : weights) largest_magnitude = std::max(largest_magnitude, std::abs(w));
  if (largest_magnitude == 0) return;
  const int exponent = std::ilogb(largest_magnitude);
  if (std::abs(exponent) <= kOrdinary) return;
  const double factor = std::ldexp(1.0, -std::clamp(exponent, -kLimit, kLimit));
  for (double& w : weights) w *= factor;
}

/// sqrt(kept squares / all squares).
double kept_norm(const Matrix& weights, const PruneView& view, const BitMatrix& mask) {
  double kept = 0;
  double dropped = 0;
  for (std::uint64_t r = 0; r < view.rows; ++r) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < view.cols; ++c) {
      const double w = weights[r * view.cols + c];
      (mask.get(r, c) ? kept : dropped) += w * w;
    }
  }
  return kept + dropped == 0 ? 1 : std::sqrt(kept / (kept + dropped));
}

}  // namespace

PruneView PruneView::of(const std::vector<std::uint64_t>& shape, const Place& place) {
  if (shape.size() != 2 && shape.size() != 4) {
    throw InputError(place, fmt::format("a tensor of shape {} cannot be pruned", shape_text(shape)),
                     "expected [M, K] or convolution weights [M, C, R, S]; reshape it first");
  }
  PruneView view;
  view.outputs = shape[0];
  view.cols = shape[1];
  if (shape.size() == 4) view.window = shape[2] * shape[3];
  view.rows = view.outputs * view.window;
  return view;
}

PruneResult prune(std::span<const double> weights, const std::vector<std::uint64_t>& shape,
                  const Pattern& pattern, const Place& place) {
  const std::uint64_t elements = element_count(shape, place);
  LACUNA_CHECK(elements == weights.size(), "{} weights of shape {}", weights.size(),
               shape_text(shape));
  constexpr std::uint64_t kMax = std::uint64_t{1} << 32;
  if (elements >= kMax) {
    throw InputError(place, fmt::format("the tensor has {} elements", elements),
                     "at most 2^32 can be pruned at once");
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    stop_if_requested();
    if (std::isfinite(weights[i])) continue;
    throw InputError(place, fmt::format("element {} (row-major) is {}", i, weights[i]),
                     "magnitudes must be finite");
  }
  PruneResult result;
  result.view = PruneView::of(shape, place);
  result.elements = elements;
  Matrix matrix = gather(weights, result.view);
  rescale(matrix);
  result.mask = mask_for(matrix, result.view, pattern);
  result.kept = result.mask.count();
  result.kept_norm_share = kept_norm(matrix, result.view, result.mask);
  result.tail_elements = result.view.rows * (result.view.cols % pattern.group_size());
  result.violation = first_violation(pattern, result.mask, Axis::along_row, Tail::exempt);
  result.padded_violation = first_violation(pattern, result.mask, Axis::along_row, Tail::padded);
  return result;
}

void apply_mask(const PruneResult& result, std::vector<double>& weights) {
  LACUNA_CHECK(weights.size() == result.elements, "{} weights for a mask of {}", weights.size(),
               result.elements);
  for (std::uint64_t r = 0; r < result.view.rows; ++r) {
    stop_if_requested();
    for (std::uint64_t c = 0; c < result.view.cols; ++c) {
      if (!result.mask.get(r, c)) weights[result.view.at(r, c)] = 0;
    }
  }
}

TensorData synthetic_weights(const std::vector<std::uint64_t>& shape, std::uint64_t seed) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 27;
  const Place place{{}, 0, "synthetic weights"};
  const std::uint64_t elements = element_count(shape, place);
  if (elements > kMax) {
    throw InputError(place, fmt::format("the shape {} is too large", shape_text(shape)),
                     "at most 2^27 elements, 1 GiB of values");
  }
  TensorData out{"weight", DType::f32, shape, {}};
  out.values.reserve(elements);  // zeros would have to be written first, which takes its time
  RandomStream random(seed, "synthetic weights");
  // Rounded to what the file holds, so that pruning sees the written values.
  for (std::uint64_t i = 0; i < elements; ++i) {
    stop_if_requested();
    out.values.push_back(static_cast<float>(random.normal()));
  }
  return out;
}

}  // namespace lacuna
