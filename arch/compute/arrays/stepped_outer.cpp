// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/stepped_outer.hpp"

#include <algorithm>
#include <vector>

#include "arch/compute/arrays/array_ports.hpp"
#include "base/whole.hpp"

namespace lacuna {

Execution SteppedOuter::execute(const ArrayInstruction& at) {
  Execution out = fast_.execute(at);
  double cycles = step_through(at, out.glb_words);
  if (at.chunk + 1 == product_.chunks && spec_.arrays.psum_words_per_cycle > 0) {
    cycles += real(product_.array_rows) * real(product_.array_columns) /
              spec_.arrays.psum_words_per_cycle;
  }
  const double spilled = out.written_words - staying_words(product_, at);
  out.cycles = std::max(cycles, spilled * psum_write_cycles(spec_));
  return out;
}

/// Nonzeros of both operands in groups as wide as the array: each issue takes a cycle, or as long
/// as its products take through the psum port, with the psums of the step that leave or return.
double SteppedOuter::issue_cycles(std::uint64_t a, std::uint64_t b) const {
  const double rate = spec_.arrays.psum_words_per_cycle;
  const double outputs = real(product_.array_rows) * real(product_.array_columns);
  double cycles = rate > 0 ? spilled_psums(spec_, outputs) / rate : 0;
  for (std::uint64_t i = 0; i < a; i += spec_.arrays.rows) {
    for (std::uint64_t j = 0; j < b; j += spec_.arrays.lanes) {
      const double products =
          real(std::min(a - i, spec_.arrays.rows) * std::min(b - j, spec_.arrays.lanes));
      cycles += rate > 0 ? std::max(1.0, products / rate) : 1.0;
    }
  }
  return cycles;
}

double SteppedOuter::step_through(const ArrayInstruction& at, double glb_words) const {
  const TileCounts& a = product_.operands->a_counts(product_.array_rows);
  const TileCounts& b = product_.operands->b_counts(product_.array_columns);
  const std::uint64_t m0 = at.m * spec_.arrays.across_m, n0 = at.n * spec_.arrays.across_n;
  const std::uint64_t m1 = std::min(a.tiles(), m0 + spec_.arrays.across_m);
  const std::uint64_t n1 = std::min(b.tiles(), n0 + spec_.arrays.across_n);
  const std::uint64_t k0 = product_.first_k(at.chunk), k1 = product_.first_k(at.chunk + 1);
  // Words of a step: its share of the instruction's by nonzeros, masks and spills evenly.
  std::vector<double> nonzeros(k1 - k0, 0.0);
  double all = 0;
  for (std::uint64_t k = k0; k < k1; ++k) {
    for (std::uint64_t m = m0; m < m1; ++m) nonzeros[k - k0] += a.tile(m)[k];
    for (std::uint64_t n = n0; n < n1; ++n) nonzeros[k - k0] += b.tile(n)[k];
    all += nonzeros[k - k0];
  }
  const double even = std::max(0.0, glb_words - all) / std::max(1.0, real(k1 - k0));
  const double scale = all > glb_words ? glb_words / all : 1;
  std::vector<double> arrays((m1 - m0) * (n1 - n0), 0.0), began(arrays.size(), 0.0);
  double port = 0;
  for (std::uint64_t k = k0; k < k1; ++k) {
    // The first step's came while the instruction before was at work.
    const double room = *std::max_element(began.begin(), began.end());
    const double words = nonzeros[k - k0] * scale + even;
    if (k > k0) port = std::max(port, room) + words / spec_.glb.words_per_cycle;
    for (std::uint64_t m = m0; m < m1; ++m) {
      for (std::uint64_t n = n0; n < n1; ++n) {
        const std::size_t i = (m - m0) * (n1 - n0) + (n - n0);
        began[i] = std::max(arrays[i], port);
        arrays[i] = began[i] + issue_cycles(a.tile(m)[k], b.tile(n)[k]);
      }
    }
  }
  const double last = *std::max_element(arrays.begin(), arrays.end());
  return std::max(last, glb_words / spec_.glb.words_per_cycle);
}

}  // namespace lacuna
