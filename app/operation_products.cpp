// SPDX-License-Identifier: Apache-2.0
#include "app/operation_products.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lacuna {
namespace {

/// Blocks that a masked operation is cut into at most: what lies beyond the mask in the last block
/// of keys is executed, at most one part in twice as many.
constexpr std::uint64_t kMostBlocks = 64;

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
  if (operation.group == "routed experts") return sparsity.expert_weights;
  if (operation.group == "dense FFN" || operation.group == "shared experts") {
    return sparsity.ffn_weights;
  }
  if (operation.group == "attention projections") return sparsity.attention_weights;
  return kDense;  // embedding, head, router and index stay dense
}

/// One block of queries against the keys that it sees.
struct MaskedBlock {
  std::uint64_t queries, keys, times;
};

std::vector<MaskedBlock> masked_blocks(const Einsum& einsum, std::uint64_t columns) {
  const CausalMask& mask = *einsum.mask;
  const std::uint64_t queries = einsum.ranks[mask.query_rank].size;
  const std::uint64_t all_keys = einsum.ranks[mask.key_rank].size;
  const std::uint64_t before = mask.context - all_keys;  // positions that are not among the keys
  std::uint64_t folded = 1;  // columns that share a query, such as heads
  const auto& streamed = einsum.operands[1].ranks;
  for (const std::uint32_t rank : einsum.operands[0].ranks) {
    const bool of_b = std::find(streamed.begin(), streamed.end(), rank) != streamed.end();
    if (of_b && rank != mask.query_rank) folded *= einsum.ranks[rank].size;
  }
  const std::uint64_t block =
      std::max({std::uint64_t{1}, columns / folded, ceil_div(queries, kMostBlocks)});
  std::vector<MaskedBlock> blocks;
  for (std::uint64_t s = 0; s < queries; s += block) {
    const std::uint64_t count = std::min(block, queries - s);
    const std::uint64_t first = mask.context - queries + s;  // position of its first query
    const std::uint64_t end = first + count;                 // its last query sees keys below
    std::uint64_t from = mask.limit > 0 && first + 1 > mask.limit ? first + 1 - mask.limit : 0;
    from = std::max(from, before);
    const std::uint64_t keys = std::min(end - from, all_keys);
    if (!blocks.empty() && blocks.back().queries == count && blocks.back().keys == keys) {
      ++blocks.back().times;
    } else {
      blocks.push_back({count, keys, 1});
    }
  }
  return blocks;
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

std::vector<FabricInstance> products_of(const Operation& operation, const FabricSpec& spec,
                                        const ModelSparsity& sparsity,
                                        const OperationPlacement& placement, OperandPool& pool) {
  const Einsum& einsum = *operation.einsum;
  LACUNA_CHECK(einsum.operands.size() == 3, "{} has {} operands", operation.name,
               einsum.operands.size());
  const bool weighted = einsum.operands[2].kind == OperandKind::kWeight;
  const Pattern dense = Pattern::dense();
  const Pattern& a = weighted ? weight_pattern(operation, sparsity) : dense;
  const Pattern& b = weighted ? sparsity.activations : dense;
  FabricInstance like;
  like.a = storage_of(einsum, 2, spec);
  like.b = storage_of(einsum, 1, spec);
  like.z_width = per_word(einsum.operands[0].bits, spec);
  like.a.on_chip = placement.stationary_on_chip;
  like.b.on_chip = placement.streamed_on_chip;
  like.z_on_chip = placement.result_on_chip;
  like.held_bytes = placement.held_bytes;

  std::vector<FabricInstance> products;
  const auto add = [&](std::uint64_t m, std::uint64_t n, std::uint64_t k, std::uint64_t times) {
    if (m == 0 || n == 0 || k == 0 || times == 0) return;
    products.push_back(like);
    products.back().operands = pool.get(m, n, k, a, b);
    products.back().times = times;
  };
  const GemmShape shape = gemm_shape(einsum);  // m: of the streamed operand, n: of the stationary
  if (einsum.mask) {
    const std::uint64_t queries = einsum.ranks[einsum.mask->query_rank].size;
    const auto& z = einsum.operands[0].ranks;
    const bool keys_stay = std::find(z.begin(), z.end(), einsum.mask->key_rank) != z.end();
    for (const MaskedBlock& block : masked_blocks(einsum, spec.arrays.columns)) {
      const std::uint64_t n = shape.m / queries * block.queries;
      if (keys_stay) {
        add(block.keys, n, shape.k, block.times * einsum.batch);
      } else {
        add(shape.n, n, block.keys, block.times * einsum.batch);
      }
    }
    return products;
  }
  if (einsum.rows_per_instance.empty()) {
    add(shape.n, shape.m, shape.k, einsum.batch);
    return products;
  }
  std::map<std::uint32_t, std::uint64_t> alike;
  for (const std::uint32_t rows : einsum.rows_per_instance) ++alike[rows];
  const std::uint64_t per_row = shape.m / std::max<std::uint64_t>(1, einsum.ranks[0].size);
  for (const auto& [rows, times] : alike) add(shape.n, rows * per_row, shape.k, times);
  return products;
}

std::string key_of(const std::vector<FabricInstance>& instances) {
  std::string key;
  for (const FabricInstance& i : instances) {
    key += fmt::format("{} x{} {} {} {}|{} {} {}|{} {} {};",
                       static_cast<const void*>(i.operands.get()), i.times, i.a.width,
                       i.a.scale_words, i.a.on_chip, i.b.width, i.b.scale_words, i.b.on_chip,
                       i.z_width, i.z_on_chip, i.held_bytes);
  }
  return key;
}

}  // namespace lacuna
