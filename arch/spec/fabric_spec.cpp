// SPDX-License-Identifier: Apache-2.0
#include "arch/spec/fabric_spec.hpp"

#include <algorithm>

#include "sparse_formats/encoding.hpp"

namespace lacuna {

double metadata_words(const FabricPattern& pattern, FabricStorage storage,
                      std::uint32_t word_bits) {
  if (pattern.pattern.kind != PatternKind::hss || pattern.pattern.is_dense()) {
    return 0;
  }
  if (storage == FabricStorage::bitmask) {
    return 1.0 / (word_bits * pattern.pattern.density().value());
  }
  if (storage != FabricStorage::coordinates && storage != FabricStorage::run_lengths) return 0;
  double words = 0;
  double values = 1;  // values that one code of this rank stands for
  for (auto rule = pattern.pattern.ranks.rbegin(); rule != pattern.pattern.ranks.rend(); ++rule) {
    if (rule->g < rule->h) {
      const std::uint32_t bits = pattern.code_bits != 0 ? pattern.code_bits : bits_for(rule->h);
      words += 1.0 / (std::max<std::uint32_t>(1, word_bits / bits) * values);
    }
    values *= rule->g;
  }
  return words;
}

}  // namespace lacuna
