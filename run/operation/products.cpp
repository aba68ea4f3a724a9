// SPDX-License-Identifier: Apache-2.0
#include "run/operation/products.hpp"

#include <algorithm>
#include <cmath>

#include "arch/compute/arrays/arrays.hpp"
#include "base/error.hpp"
#include "run/operation/blocks.hpp"

namespace lacuna {
namespace {

double per_word(std::uint64_t bits, const FabricSpec& spec) {
  return static_cast<double>(bits) / spec.word_bits;
}

OperandStorage storage_of(const Einsum& einsum, std::size_t operand, const FabricSpec& spec) {
  const EinsumOperand& o = einsum.operands[operand];
  OperandStorage storage;
  storage.width = per_word(o.bits, spec);
  const auto elements = static_cast<double>(instance_elements(einsum, operand));
  if (elements > 0) {
    storage.scale_words = static_cast<double>(o.scale_bits.count()) / elements / spec.word_bits;
  }
  return storage;
}

const Pattern& weight_pattern(const Operation& operation, const ModelSparsity& sparsity) {
  static const Pattern kDense = Pattern::dense();
  switch (part_of(operation.role)) {
    case Part::kRoutedExperts:
      return sparsity.expert_weights;
    case Part::kDenseFfn:
    case Part::kSharedExperts:
      return sparsity.ffn_weights;
    case Part::kAttentionProjections:
      return sparsity.attention_weights;
    default:
      return kDense;  // embedding, head, router and index stay dense
  }
}

Pattern activation_pattern(const Einsum& einsum, const ModelSparsity& sparsity) {
  const double density = einsum.operands[1].density;
  if (density == 1) return sparsity.activations;
  constexpr std::uint64_t kParts = 1000000;  // tables have five digits
  const auto kept = static_cast<std::uint64_t>(std::llround(density * kParts));
  return Pattern::uniform(Ratio::of(kept, kParts));
}

/// M x N x K, `times` over.
struct Shape {
  std::uint64_t m, n, k, times;
};

/// The einsum as products with the stationary operand's own rank as M, or `turned`: with the
/// streamed operand's. `wide`: columns (turned: rows) that a machine works on together.
std::vector<Shape> shapes_of(const Einsum& einsum, std::uint64_t wide, bool turned) {
  std::vector<Shape> out;
  const GemmShape shape = gemm_shape(einsum);  // m: of the streamed operand, n: of the stationary
  const auto add = [&](std::uint64_t m, std::uint64_t n, std::uint64_t k, std::uint64_t times) {
    if (turned) std::swap(m, n);
    if (m > 0 && n > 0 && k > 0 && times > 0) out.push_back({m, n, k, times});
  };
  if (einsum.mask) {
    const std::uint64_t queries = einsum.ranks[einsum.mask->query_rank].size;
    const auto& z = einsum.operands[0].ranks;
    const bool keys_stay = std::find(z.begin(), z.end(), einsum.mask->key_rank) != z.end();
    for (const MaskedBlock& block : masked_blocks(einsum, wide)) {
      const std::uint64_t n = shape.m / queries * block.queries;
      if (keys_stay) {
        add(block.keys, n, shape.k, block.times);
      } else {
        add(shape.n, n, block.keys, block.times);
      }
    }
    return out;
  }
  if (einsum.rows_per_instance.empty()) {
    add(shape.n, shape.m, shape.k, einsum.batch);
    return out;
  }
  std::map<std::uint32_t, std::uint64_t> alike;
  for (const std::uint32_t rows : einsum.rows_per_instance) ++alike[rows];
  const std::uint64_t per_row = shape.m / std::max<std::uint64_t>(1, einsum.ranks[0].size);
  for (const auto& [rows, times] : alike) add(shape.n, rows * per_row, shape.k, times);
  return out;
}

/// Cycles that the arrays take for dense products.
double array_cycles(const std::vector<Shape>& shapes, const FabricSpec& spec) {
  double cycles = 0;
  for (const Shape& s : shapes) {
    cycles += dense_cycles(spec, s.m, s.n, s.k) * static_cast<double>(s.times);
  }
  return cycles;
}

}  // namespace

std::shared_ptr<const GemmOperands> OperandPool::get(std::uint64_t m, std::uint64_t n,
                                                     std::uint64_t k, const Pattern& a,
                                                     const Pattern& b) {
  auto& known = known_[fmt::format("{} {} {} {} {}", m, n, k, a.text(), b.text())];
  if (!known) {
    known = std::make_shared<const GemmOperands>(Occupancy::procedural(a, m, k, seed_, "A"),
                                                 Occupancy::procedural(b, n, k, seed_, "B"));
  }
  return known;
}

OperationProducts products_of(const Operation& operation, const FabricSpec& spec,
                              const ModelSparsity& sparsity, const OperationPlacement& placement,
                              OperandPool& pool, bool may_turn) {
  const Einsum& einsum = *operation.einsum;
  LACUNA_CHECK(einsum.operands.size() == 3, "{} has {} operands", operation.name,
               einsum.operands.size());
  const bool weighted = einsum.operands[2].kind == OperandKind::kWeight;
  OperationProducts out;
  std::vector<Shape> shapes = shapes_of(einsum, spec.arrays.columns, false);
  if (!weighted && may_turn) {
    auto turned = shapes_of(einsum, spec.arrays.across_m * spec.arrays.rows, true);
    out.turned = array_cycles(turned, spec) < array_cycles(shapes, spec);
    if (out.turned) shapes = std::move(turned);
  }
  const std::size_t stationary = out.turned ? 1 : 2;
  FabricInstance like;
  like.a = storage_of(einsum, stationary, spec);
  like.b = storage_of(einsum, 3 - stationary, spec);
  like.z_width = per_word(einsum.operands[0].bits, spec);
  like.a.on_chip = out.turned ? placement.streamed_on_chip : placement.stationary_on_chip;
  like.b.on_chip = out.turned ? placement.stationary_on_chip : placement.streamed_on_chip;
  like.z_on_chip = placement.result_on_chip;
  like.held_bytes = placement.held_bytes;
  const Pattern a = weighted ? weight_pattern(operation, sparsity) : Pattern::dense();
  const Pattern b = weighted ? activation_pattern(einsum, sparsity) : Pattern::dense();
  for (const Shape& shape : shapes) {
    out.list.push_back(like);
    out.list.back().operands = pool.get(shape.m, shape.n, shape.k, a, b);
    out.list.back().times = shape.times;
  }
  return out;
}

std::string key_of(const std::vector<FabricInstance>& instances) {
  std::string key;
  for (const FabricInstance& i : instances) {
    key += fmt::format("{} x{} {} {} {}|{} {} {}|{} {} {} {};",
                       static_cast<const void*>(i.operands.get()), i.times, i.a.width,
                       i.a.scale_words, i.a.on_chip, i.b.width, i.b.scale_words, i.b.on_chip,
                       i.z_width, i.z_on_chip, i.held_bytes, i.b_footprint);
  }
  return key;
}

}  // namespace lacuna
