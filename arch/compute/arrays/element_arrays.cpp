// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/element_arrays.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

struct Value {
  double value = 0;
  bool stored = false;
};

/// Row-major with the stored places marked.
std::vector<Value> spread(const CsrMatrix& matrix) {
  std::vector<Value> dense(std::uint64_t{matrix.rows} * matrix.cols);
  for (std::uint64_t r = 0; r < matrix.rows; ++r) {
    for (auto i = matrix.offsets[r]; i < matrix.offsets[r + 1]; ++i) {
      dense[r * matrix.cols + matrix.columns[i]] = {matrix.values[i], true};
    }
  }
  return dense;
}

/// One slot of a stationary operand: its payload and the position of K that its metadata gives.
struct Slot {
  Value payload;
  std::uint64_t k;
};

/// The slots of the group that starts at `k0`, rank by rank, outer first. A rank keeps its
/// non-empty children and fills up with the smallest empty ones.
void encode(const Value* row, std::uint64_t k, const std::vector<Rule>& ranks, std::size_t rank,
            std::uint64_t k0, std::vector<Slot>& out) {
  if (rank == ranks.size()) {
    out.push_back({k0 < k ? row[k0] : Value{}, k0});
    return;
  }
  std::uint64_t child = 1;
  for (std::size_t r = rank + 1; r < ranks.size(); ++r) child *= ranks[r].h;
  std::vector<std::uint64_t> kept, empty;
  for (std::uint64_t h = 0; h < ranks[rank].h; ++h) {
    const std::uint64_t from = k0 + h * child, to = std::min(k, from + child);
    const bool any =
        from < to && std::any_of(row + from, row + to, [](const Value& v) { return v.stored; });
    (any ? kept : empty).push_back(from);
  }
  LACUNA_CHECK(kept.size() <= ranks[rank].g, "{} non-empty payloads at k = {}, {} slots",
               kept.size(), k0, ranks[rank].g);
  empty.resize(ranks[rank].g - kept.size());
  kept.insert(kept.end(), empty.begin(), empty.end());
  for (const std::uint64_t from : kept) encode(row, k, ranks, rank + 1, from, out);
}

}  // namespace

ElementRun run_inner_elements(const CsrMatrix& a, const CsrMatrix& b_transposed,
                              const Pattern& pattern, bool gating) {
  const std::vector<Value> of_a = spread(a), of_b = spread(b_transposed);
  const std::uint64_t k = a.cols, n_count = b_transposed.rows;
  const bool dense = pattern.is_dense();
  const std::vector<Rule> ranks = dense ? std::vector<Rule>{{1, 1}} : pattern.ranks;
  const std::uint64_t group = dense ? 1 : pattern.group_size();
  ElementRun run;
  run.z.resize(std::uint64_t{a.rows} * n_count);
  std::vector<Slot> slots;
  for (std::uint64_t m = 0; m < a.rows; ++m) {
    stop_if_requested();
    slots.clear();
    for (std::uint64_t k0 = 0; k0 < k; k0 += group) {
      encode(of_a.data() + m * k, k, ranks, 0, k0, slots);
    }
    for (std::uint64_t n = 0; n < n_count; ++n) {
      const Value* const column = of_b.data() + n * k;
      double sum = 0;
      for (const Slot& slot : slots) {
        const Value b = slot.k < k ? column[slot.k] : Value{};  // the selection by coordinate
        ++run.slots;
        if (gating && !(b.stored && slot.payload.stored)) {
          ++run.gated;
          continue;
        }
        ++run.computed;
        sum += slot.payload.value * b.value;
      }
      run.z[m * n_count + n] = sum;
    }
  }
  return run;
}

ElementRun run_outer_elements(const CsrMatrix& a, const CsrMatrix& b_transposed,
                              std::uint64_t array_rows, std::uint64_t array_columns,
                              std::uint64_t rows, std::uint64_t lanes) {
  const std::vector<Value> of_a = spread(a), of_b = spread(b_transposed);
  const std::uint64_t k_count = a.cols, m_count = a.rows, n_count = b_transposed.rows;
  ElementRun run;
  run.z.resize(m_count * n_count);
  std::vector<std::uint64_t> left, right;  // addresses within the psum tile
  for (std::uint64_t m0 = 0; m0 < m_count; m0 += array_rows) {
    for (std::uint64_t n0 = 0; n0 < n_count; n0 += array_columns) {
      stop_if_requested();
      for (std::uint64_t k = 0; k < k_count; ++k) {
        left.clear();
        right.clear();
        for (std::uint64_t m = m0; m < std::min(m_count, m0 + array_rows); ++m) {
          if (of_a[m * k_count + k].stored) left.push_back(m);
        }
        for (std::uint64_t n = n0; n < std::min(n_count, n0 + array_columns); ++n) {
          if (of_b[n * k_count + k].stored) right.push_back(n);
        }
        run.issues += ceil_div(left.size(), rows) * ceil_div(right.size(), lanes);
        for (const std::uint64_t m : left) {
          for (const std::uint64_t n : right) {
            run.z[m * n_count + n] += of_a[m * k_count + k].value * of_b[n * k_count + k].value;
            ++run.computed;
          }
        }
      }
    }
  }
  run.slots = run.computed;
  return run;
}

}  // namespace lacuna
