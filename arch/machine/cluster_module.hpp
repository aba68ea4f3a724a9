// SPDX-License-Identifier: Apache-2.0
// The processing elements with their network and the K1 intersection: one contention domain, one
// process. A row command is expanded into matched pairs of microtiles here; within a row everything
// is private to the cluster, so it is computed ahead in one go, up to where a tile has to arrive.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "arch/buffer/drain_module.hpp"
#include "arch/compute/element_pairs.hpp"
#include "arch/compute/pe_array.hpp"
#include "arch/compute/sampled_pairs.hpp"
#include "arch/intersect/list_intersect.hpp"
#include "arch/machine/row_command.hpp"
#include "sim/channel.hpp"

namespace lacuna {

/// What the cluster counted.
struct ClusterCounts {
  std::uint64_t n1 = 0;       // loop trips
  std::uint64_t matches = 0;  // K1
  std::uint64_t k1_tries = 0;
  std::uint64_t m0 = 0, n0 = 0;
  std::uint64_t k0_tries = 0;
  std::uint64_t multiplies = 0, adds = 0, z_nonzeros = 0;
  std::uint64_t a_bytes = 0, b_bytes = 0;  // padded payload sent to the elements
  std::uint64_t llb_read_lines = 0;
  std::uint64_t peb_fill_lines = 0;
  std::uint64_t peb_overflow_bytes = 0;  // operand pairs larger than a PE buffer, moved once more
  // Of a sampled product:
  std::uint64_t n1_tries = 0;     // S's microtiles against the columns of B's tile
  std::uint64_t place_tries = 0;  // within pairs of microtiles (arch/compute/sampled_pairs.hpp)
  std::uint64_t scaled = 0;       // outputs multiplied by S
  std::uint64_t s_bytes = 0;      // padded payload sent to the elements

  ClusterCounts& operator+=(const ClusterCounts& other) {
    n1 += other.n1;
    matches += other.matches;
    k1_tries += other.k1_tries;
    m0 += other.m0;
    n0 += other.n0;
    k0_tries += other.k0_tries;
    multiplies += other.multiplies;
    adds += other.adds;
    z_nonzeros += other.z_nonzeros;
    a_bytes += other.a_bytes;
    b_bytes += other.b_bytes;
    llb_read_lines += other.llb_read_lines;
    peb_fill_lines += other.peb_fill_lines;
    peb_overflow_bytes += other.peb_overflow_bytes;
    n1_tries += other.n1_tries;
    place_tries += other.place_tries;
    scaled += other.scaled;
    s_bytes += other.s_bytes;
    return *this;
  }
};

class ClusterModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(ClusterModule);
  /// `elements` may be null: then pairs are counted, not stepped. `exact_steps` takes the pair's
  /// duration from the stepped coordinates instead of the counter. `s` is null unless the program
  /// has samples.
  ClusterModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                const MachineSpec& spec, const TileProgram& program, StreamModule& a,
                StreamModule& b, StreamModule& z, DrainModule& drain,
                sim::Channel<RowCommand>& rows, ElementPairs* elements, bool exact_steps,
                BufferBanks* banks = nullptr, StreamModule* s = nullptr);

  [[nodiscard]] const ClusterCounts& counts() const { return counts_; }
  [[nodiscard]] const PeArray& pes() const { return pes_; }

 private:
  LACUNA_PROCESS(dispatch);
  LACUNA_PROCESS(collect);

  /// Outputs that cannot leave hold the elements back; rows still computed are no outputs yet.
  [[nodiscard]] bool outputs_hold() const;
  void begin_row();
  bool a_arrived();
  bool s_arrived();
  /// Which columns of the tile the row meets: of a sampled product those that S has.
  void choose_columns();
  bool dispatch_row();
  bool b_arrived(std::uint64_t end);
  /// A column of a tile that is there whole, when nothing is stepped.
  void dispatch_column(const ColumnList& column);
  void dispatch_pair();
  /// What a sampled pair takes of its element; `sent` gets the bytes of S that go with it.
  std::uint64_t count_sampled(std::size_t b_index, std::uint64_t& sent);
  /// Returns the bytes that leave the last-level buffer for the pair.
  std::uint64_t count_pair(const Microtile& a, const Microtile& b, std::uint64_t busy,
                           ClusterCounts& counts, std::uint64_t of_s = 0) const;
  void took_place(PeArray::Placement placed);
  void end_column(std::uint64_t tries);
  void end_row();
  [[nodiscard]] std::string blocked_on() const;

  struct Finished {
    Cycles done;
    std::uint64_t z_end, z_read, z_partial, z_final;
    std::uint64_t z_address, z_final_address;
  };

  sim::Simulation& simulation_;
  MachineSpec spec_;
  StreamModule& a_;
  StreamModule& b_;
  StreamModule& z_;
  StreamModule* s_;
  DrainModule& drain_;
  sim::Channel<RowCommand>& rows_;
  ElementPairs* elements_;
  bool exact_steps_;
  IntersectKind k1_kind_;
  PairCounter counter_;
  const SampledTiles* samples_;
  std::optional<SampledPairs> sampled_;
  PeArray pes_;
  ClusterCounts counts_;
  std::uint64_t z_room_;
  std::uint64_t peb_bytes_;
  unsigned line_shift_ = 0;      // log2 of the last-level buffer's line
  unsigned peb_line_shift_ = 0;  // log2 of a PE buffer's line

  // The row at hand.
  bool active_ = false;
  RowCommand command_;
  Cycles resume_at_;
  sim::Ticks clock_ = 0;  // the K1 unit: when it can produce the next pair
  sim::Ticks ticks_per_try_ = 0;
  bool waiting_b_ = false;
  bool waiting_output_ = false;
  bool a_ready_ = false;
  bool dispatched_ = false;
  /// A column of the tile that the row meets; the rest is of a sampled product.
  struct Met {
    std::size_t column;
    std::size_t s_index;       // in the row's list of S
    std::uint64_t tries;       // of finding it, since the one before
    std::uint64_t pairs_left;  // of its pairs
  };
  std::vector<Met> met_;
  std::uint64_t tries_behind_ = 0;  // after the last of them
  std::size_t column_ = 0;          // in met_, of a sampled product; otherwise in the tile
  bool in_column_ = false;
  bool in_z_ = false;  // a visit of a Z microtile has begun, values carried
  bool pair_pending_ = false;
  ListIntersect lists_;
  std::uint64_t tries_seen_ = 0;
  std::uint64_t b_released_ = 0;  // tile offset up to which the streamed part has been given back
  std::uint64_t a_released_ = 0;  // bytes of the row given back while streaming
  std::uint64_t s_released_ = 0;
  sim::Ticks row_end_ = 0;
  Cycles row_begin_;
  std::uint64_t row_pairs_ = 0;

  std::deque<Finished> finished_;  // from dispatch() to collect()
  sim::Registered<std::uint64_t> rows_ended_, rows_left_;
  std::uint64_t z_streamed_ = 0;  // stream position up to which partial outputs were given back
  sc_core::sc_event timer_, finished_event_;
};

}  // namespace lacuna
