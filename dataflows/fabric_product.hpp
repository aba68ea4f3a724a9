// SPDX-License-Identifier: Apache-2.0
// One product on its way to a MAC-array machine: patterns and storage first, then a mapping, chosen
// for it alone or together with others, then the words of its tiles.
#pragma once

#include <map>
#include <vector>

#include "dataflows/fabric_compile.hpp"

namespace lacuna {

class FabricProduct {
 public:
  FabricProduct(const FabricSpec& spec, const FabricInstance& instance);
  /// A part of `whole`, rows of A or columns of B: it runs and is stored as the whole is.
  FabricProduct(const FabricProduct& whole, const FabricInstance& part);

  /// Patterns and storage. Returns why the machine cannot run the product, or nothing.
  [[nodiscard]] std::string prepare(std::vector<std::string>& warnings);
  /// Likewise, as if the operands had denser patterns of the menu: for the mapper's eyes only.
  void prepare_as(const FabricPattern& a, const FabricPattern& b);
  [[nodiscard]] const FabricPattern& a_pattern() const { return work_.a_pattern; }
  [[nodiscard]] const FabricPattern& b_pattern() const { return work_.b_pattern; }
  /// Words of one position of A, of B, at most: what is stored grows with them.
  [[nodiscard]] double stored_a() const { return most_a_words(FabricMapping{}); }
  [[nodiscard]] double stored_b() const { return most_b_words(FabricMapping{}); }

  [[nodiscard]] FabricShape shape() const { return {ops_.m(), ops_.n(), ops_.k()}; }
  [[nodiscard]] const FabricInstance& instance() const { return instance_; }
  /// Products with the same key share a tile width: shape and pattern of A, how it is stored.
  [[nodiscard]] std::string key_of_a() const;
  /// Bytes that operands and outputs on chip take from the buffer.
  [[nodiscard]] double on_chip_bytes() const;
  [[nodiscard]] double z_bytes() const;

  /// The mapping that the machine's file gives for this product; null: none.
  [[nodiscard]] const FabricMappingChoice* given_mapping() const;
  // What the mapper asks. The product must outlive the answers.
  [[nodiscard]] FabricLoad load() const;
  [[nodiscard]] std::vector<double> a_groups(const FabricMapping& mapping) const;
  /// At most, whatever the operands hold.
  [[nodiscard]] FabricChunk largest_chunk(const FabricMapping& mapping) const;
  [[nodiscard]] double largest_b_column(const FabricMapping& mapping) const;

  /// Walks groups of rows that are empty where it has fewer than `a_groups`.
  [[nodiscard]] FabricPart finish(const FabricMapping& mapping, std::uint64_t a_groups = 0) const;

 private:
  bool choose_operand(const char* name, const FabricOperandSpec& spec,
                      const std::optional<FabricPattern>& fit, double density, bool skips,
                      FabricPattern& out, std::string& unsupported,
                      std::vector<std::string>& warnings) const;
  void settle();
  void choose_storage();
  [[nodiscard]] double stored_b_density() const;
  [[nodiscard]] std::uint64_t block_offset_bits() const;
  [[nodiscard]] double tiled_mask(std::uint64_t tile) const;

  [[nodiscard]] const std::vector<double>& b_sums(const FabricMapping& mapping) const;
  [[nodiscard]] double all_a_words(const FabricMapping& mapping) const;
  [[nodiscard]] double most_a_words(const FabricMapping& mapping) const;
  [[nodiscard]] double most_b_words(const FabricMapping& mapping) const;
  [[nodiscard]] FabricWords z_words() const;
  [[nodiscard]] ArrayWork work(const FabricMapping& mapping) const;

  [[nodiscard]] std::uint64_t chunks_for(const FabricMapping& mapping) const;
  // `tile`: rows or columns of one array's tile, zero for the machine's first.
  [[nodiscard]] FabricWords a_words(std::uint64_t first, std::uint64_t rows, std::uint64_t k0,
                                    std::uint64_t k1, std::uint64_t tile) const;
  [[nodiscard]] FabricWords b_words(std::uint64_t first, std::uint64_t columns, std::uint64_t k0,
                                    std::uint64_t k1, std::uint64_t tile) const;
  void check_instructions(const ArrayWork& work) const;
  void fill_words(ArrayProduct& product) const;

  const FabricSpec& spec_;
  const GemmOperands& ops_;
  bool any_zeros_;  // of both operands take no slot, whatever their pattern
  FabricInstance instance_;
  ArrayWork work_;  // what does not depend on a mapping
  double da_ = 1, db_ = 1;
  bool a_bitmask_ = false;  // of an A that fits no pattern: its zeros are not stored
  std::uint64_t group_ = 1;
  std::uint64_t padded_k_of_b_ = 0;  // K in whole groups of B's pattern
  double b_metadata_words_ = 0;
  // By the edge of one array's tile, which bitmasks depend on: asked for again and again.
  mutable std::map<std::uint64_t, std::vector<double>> known_b_sums_;
  mutable std::map<std::uint64_t, double> known_a_words_;
};

}  // namespace lacuna
