// SPDX-License-Identifier: Apache-2.0
#include "run/fabric/prune_again.hpp"

#include "base/random.hpp"
#include "workloads/prune.hpp"

namespace lacuna {
namespace {

/// The sparsest pattern of the menu that is at least as dense as A.
const Pattern& pattern_for(const FabricSpec& machine, double density) {
  for (const FabricPattern& entry : machine.a.patterns) {
    if (entry.pattern.density().value() >= density) return entry.pattern;
  }
  return machine.a.patterns.back().pattern;
}

}  // namespace

FabricInstance prune_again(const FabricSpec& machine, const std::string& layer,
                           const FabricInstance& product, std::uint64_t seed, double& kept) {
  const GemmOperands& operands = *product.operands;
  const Pattern& pattern = pattern_for(machine, operands.a_density());
  FabricInstance instance = product;
  if (pattern.kind == PatternKind::dense) return instance;
  const BitMatrix& bits = operands.a().sample();
  std::vector<double> magnitudes(bits.rows() * bits.cols(), 0.0);
  RandomStream random(seed, "magnitudes " + layer);
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    for (std::uint64_t c = 0; c < bits.cols(); ++c) {
      if (bits.get(r, c)) magnitudes[r * bits.cols() + c] = random.normal();
    }
  }
  const PruneResult pruned = prune(magnitudes, {bits.rows(), bits.cols()}, pattern);
  BitMatrix a(bits.rows(), bits.cols());
  for (std::uint64_t r = 0; r < bits.rows(); ++r) {
    const auto mask = pruned.mask.row(r), had = bits.row(r);
    const auto out = a.row(r);
    for (std::size_t w = 0; w < out.size(); ++w) out[w] = mask[w] & had[w];
  }
  kept = static_cast<double>(a.count()) /
         static_cast<double>(std::max<std::uint64_t>(1, bits.count()));
  instance.operands = std::make_shared<const GemmOperands>(std::move(a), operands.b_transposed());
  return instance;
}

}  // namespace lacuna
