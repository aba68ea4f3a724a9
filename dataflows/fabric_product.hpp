// SPDX-License-Identifier: Apache-2.0
// One product on its way to a MAC-array machine: patterns and storage first, then a mapping, chosen
// for it alone or together with others, then words, cycles and counts.
#pragma once

#include <map>
#include <vector>

#include "dataflows/fabric_compile.hpp"
#include "dataflows/fabric_outer.hpp"

namespace lacuna {

class FabricProduct {
 public:
  FabricProduct(const FabricSpec& spec, const FabricInstance& instance, FabricMode mode);

  /// Patterns and storage. Returns why the machine cannot run the product, or nothing.
  [[nodiscard]] std::string prepare(std::vector<std::string>& warnings);
  /// Likewise, as if the operands had denser patterns of the menu: for the mapper's eyes only.
  void prepare_as(const FabricPattern& a, const FabricPattern& b);
  [[nodiscard]] const FabricPattern& a_pattern() const { return part_.a_pattern; }
  [[nodiscard]] const FabricPattern& b_pattern() const { return part_.b_pattern; }
  /// Words of one position of A, of B, at most: what is stored grows with them.
  [[nodiscard]] double stored_a() const { return most_a_words(part_.mapping); }
  [[nodiscard]] double stored_b() const { return most_b_words(part_.mapping); }

  [[nodiscard]] FabricShape shape() const { return {ops_.m(), ops_.n(), ops_.k()}; }
  [[nodiscard]] const FabricInstance& instance() const { return part_.instance; }
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

  [[nodiscard]] FabricPart finish(const FabricMapping& mapping);

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
  [[nodiscard]] double busy_cycles(const FabricMapping& mapping) const;
  [[nodiscard]] double inner_busy_cycles(const FabricMapping& mapping) const;
  [[nodiscard]] double outer_busy_cycles(const FabricMapping& mapping) const;
  [[nodiscard]] double expected_slots(const FabricMapping& mapping) const;
  [[nodiscard]] OuterFetch outer_fetch(const FabricMapping& mapping) const;

  [[nodiscard]] std::uint64_t chunks_for(const FabricMapping& mapping) const;
  void cut_k();
  [[nodiscard]] std::uint64_t first_step(std::uint64_t chunk) const;
  [[nodiscard]] std::uint64_t k_of(std::uint64_t step) const;
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t m) const;
  [[nodiscard]] std::uint64_t columns_of(std::uint64_t n) const;
  // `tile`: rows or columns of one array's tile, zero for the machine's first.
  [[nodiscard]] FabricWords a_words(std::uint64_t first, std::uint64_t rows, std::uint64_t k0,
                                    std::uint64_t k1, std::uint64_t tile) const;
  [[nodiscard]] FabricWords b_words(std::uint64_t first, std::uint64_t columns, std::uint64_t k0,
                                    std::uint64_t k1, std::uint64_t tile) const;
  void fill_words();
  [[nodiscard]] double spilled(double outputs) const;
  void inner_product();
  void inner_cycles();
  void count_saf();
  void bound_glb();
  void outer_product();
  double from_data(double tile);
  double from_expectation();
  void spread_evenly();
  void outputs();
  void traffic();

  const FabricSpec& spec_;
  const GemmOperands& ops_;
  FabricMode mode_;
  bool outer_;
  FabricPart part_;
  FabricTables tables_;
  double da_ = 1, db_ = 1;
  double crowding_ = 1;     // operand pairs over the slots that the degrees of A and B leave them
  bool a_bitmask_ = false;  // of an A that fits no pattern: its zeros are not stored
  std::uint64_t group_ = 1, step_k_ = 1, padded_k_ = 0, steps_ = 0;
  double b_metadata_words_ = 0;
  double a_slots_ = 0;  // positions that the arrays are given of A, over all its reads
  FabricWords a_stored_, b_stored_;
  // By the edge of one array's tile, which bitmasks depend on: asked for again and again.
  mutable std::map<std::uint64_t, std::vector<double>> known_b_sums_;
  mutable std::map<std::uint64_t, double> known_a_words_;
};

}  // namespace lacuna
