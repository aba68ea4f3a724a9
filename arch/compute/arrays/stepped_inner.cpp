// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/arrays/stepped_inner.hpp"

#include <algorithm>
#include <cmath>

#include "arch/compute/arrays/array_ports.hpp"
#include "arch/compute/arrays/vfmu.hpp"
#include "base/whole.hpp"

namespace lacuna {
namespace {

/// Columns whose operands the port brings ahead of the lanes: one in use, one arriving.
constexpr std::size_t kAhead = 2;

}  // namespace

SteppedInner::SteppedInner(const FabricSpec& spec, const ArrayProduct& product)
    : spec_(spec), product_(product), fast_(spec, product) {
  // Cycles that the pairs of a column take in a window, crowding of real pairs included.
  const double steps = real(product.steps()) * real(product.columns_of(0));
  const double slots = fast_.counts().mac_slots;
  const double per_step = real(product.m()) * real(product.n()) * real(product.steps());
  const double lanes = slots / std::max(1.0, per_step);
  const double all =
      real(product.padded_k) * product.a_pattern.pattern.density().value() / real(product.steps());
  column_cycles_ = steps > 0 ? lanes / std::max(1.0, all) : 1;
}

Execution SteppedInner::execute(const ArrayInstruction& at) {
  Execution out = fast_.execute(at);
  const std::vector<Words>& windows_of_b = windows(at.n, at.chunk);
  const double a = product_.a[at.m * product_.chunks + at.chunk].all() /
                   std::max(1.0, real(windows_of_b.size()));
  // Partial sums that do not stay come with the column that they belong to.
  const double spilled = out.glb_words - operand_words(product_, at);
  double cycles = 0;
  for (const Words& columns : windows_of_b) {
    const double psums = spilled / real(windows_of_b.size() * columns.size());
    cycles += window_cycles(columns, a, psums);
  }
  out.cycles = std::max(cycles, out.written_words > 0 && spec_.arrays.psum_spill_steps > 0
                                    ? out.written_words * psum_write_cycles(spec_)
                                    : 0.0);
  return out;
}

/// The lanes take a column when it is there and the one before is done; the port brings one when
/// the column that its place was for is done.
double SteppedInner::window_cycles(const Words& columns, double a_words, double psums) const {
  const double rate = spec_.glb.words_per_cycle;
  std::vector<double> done(columns.size() + kAhead, 0.0);
  double port = 0, lanes = 0, words = a_words;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    // The first columns came while the window before was worked on.
    const double place = j < kAhead ? 0 : done[j - kAhead];
    port = j < kAhead ? 0 : std::max(port, place) + (columns[j] + psums) / rate;
    lanes = std::max(lanes, port) + column_cycles_;
    done[j] = lanes;
    words += columns[j] + psums;
  }
  return std::max(lanes, words / rate);
}

const std::vector<SteppedInner::Words>& SteppedInner::windows(std::uint64_t n,
                                                              std::uint64_t chunk) {
  const auto [found, is_new] = known_.try_emplace({n, chunk});
  if (is_new) found->second = weigh(n, chunk);
  return found->second;
}

/// An instruction's words of B, dealt out to windows and columns by their nonzeros, or evenly where
/// zeros are stored too.
std::vector<SteppedInner::Words> SteppedInner::weigh(std::uint64_t n, std::uint64_t chunk) const {
  const std::uint64_t columns = product_.columns_of(n);
  const std::uint64_t at_once = spec_.arrays.across_n;
  const std::uint64_t steps = ceil_div(columns, at_once);
  const std::uint64_t first = product_.first_step(chunk), last = product_.first_step(chunk + 1);
  const FabricWords words = product_.b[n * product_.chunks + chunk];
  const bool by_nonzeros = product_.b_compressed && product_.b_pattern.pattern.is_dense();
  const Occupancy& b = product_.operands->b_transposed();
  std::vector<Words> out(last - first, Words(steps, 0.0));
  double all = 0;
  for (std::uint64_t s = first; s < last; ++s) {
    const std::uint64_t k0 = std::min(product_.k(), s * product_.step_k);
    const std::uint64_t k1 = std::min(product_.k(), k0 + product_.step_k);
    for (std::uint64_t j = 0; j < steps; ++j) {
      const std::uint64_t c0 = n * product_.columns + j * at_once;
      const std::uint64_t c1 = std::min(c0 + at_once, n * product_.columns + columns);
      const double weight =
          by_nonzeros ? real(b.count(c0, c1, k0, k1)) : real((c1 - c0) * (k1 - k0));
      out[s - first][j] = weight;
      all += weight;
    }
  }
  const double data = all > 0 ? words.data / all : 0;
  const double metadata = words.metadata / std::max(1.0, real((last - first) * steps));
  Vfmu unit(std::max<std::uint64_t>(1, spec_.glb.line_words));
  for (Words& window : out) {
    for (double& weight : window) {
      const double taken = weight * data;
      weight = (spec_.vfmu ? real(unit.take(whole_near(taken)) * spec_.glb.line_words) : taken) +
               metadata;
    }
  }
  return out;
}

}  // namespace lacuna
