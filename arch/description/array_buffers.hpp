// SPDX-License-Identifier: Apache-2.0
// The levels of an array machine's description as its parameters: the buffer before the arrays, and
// a level that clusters share, if there is one.
#pragma once

#include "arch/description/machine.hpp"
#include "arch/spec/fabric_spec.hpp"

namespace lacuna::description {

class ArrayBuffers {
 public:
  /// Finds the levels. `spec` has its word's width; it is filled in by the functions below. Throws
  /// InputError with file, line and field, here as there.
  ArrayBuffers(const ConfigReader& config, const Machine& machine, FabricSpec& spec);

  /// The buffer before the arrays.
  void buffer();
  /// The level between memory and the clusters' buffers.
  void shared_level();

  /// Which of the machine's levels stands before the arrays, and which holds their partial sums.
  [[nodiscard]] std::size_t before_arrays() const { return buffer_; }
  [[nodiscard]] std::size_t of_sums() const { return inner_; }
  [[nodiscard]] bool is_shared() const { return shared_; }
  [[nodiscard]] ConfigReader level_entry(std::size_t i) const {
    return config_.mappings("levels")[i];
  }
  [[nodiscard]] ConfigReader holding_entry(std::size_t level, std::string_view tensor) const {
    return level_entry(level).mapping("holds").mapping(tensor);
  }
  [[nodiscard]] double in_words(double bytes_per_cycle) const;
  [[nodiscard]] double or_none(double bytes_per_cycle) const;
  [[nodiscard]] std::uint64_t extent_of(const Digit& digit) const;
  /// The loop inside which a tensor's tiles in a level are walked.
  [[nodiscard]] std::size_t depth_below(std::size_t level, const char* tensor) const;
  [[nodiscard]] bool sizes_tiles_of_b(const Digit& digit) const;

 private:
  void find_levels();
  [[nodiscard]] std::size_t link_into(std::size_t level) const;
  [[nodiscard]] double rate_inside(std::size_t level) const;
  void no_latency(std::size_t level, const char* why) const;
  [[nodiscard]] std::uint64_t words_of_line(std::size_t level) const;
  void check_slices(std::size_t i) const;
  [[nodiscard]] FabricHolding holding(std::size_t level, const char* tensor) const;
  void cache(std::size_t level, const char* tensor, const Holding& found, FabricHolding& out) const;
  void check_room(const Holding& of, Bytes capacity) const;
  [[nodiscard]] const Digit* tile_loop_of_b(std::size_t level) const;
  void strategy(FabricSharedLevel& out) const;
  void clusters_along_m() const;
  void blocks_outside();

  const ConfigReader& config_;
  const Machine& m_;
  FabricSpec& spec_;
  std::size_t buffer_ = 0, inner_ = 0;  // levels before the arrays, of partial sums
  bool shared_ = false;                 // a level outside the buffer, of all clusters
};

}  // namespace lacuna::description
