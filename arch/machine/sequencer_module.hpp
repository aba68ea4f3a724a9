// SPDX-License-Identifier: Apache-2.0
// Decodes tile instructions ahead of the processing elements: asks the operand streams for what the
// coming rows use and hands row commands on. How far ahead is the depth of its output channel.
#pragma once

#include <map>

#include "arch/buffer/residency.hpp"
#include "arch/buffer/stream_module.hpp"
#include "arch/machine/row_command.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/channel.hpp"

namespace lacuna {

class SequencerModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(SequencerModule);
  SequencerModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                  TileProgram& program, const LlbSpec& llb, StreamModule& a, StreamModule& b,
                  StreamModule& z, sim::Channel<RowCommand>& rows, StreamModule* s = nullptr);

  /// Loop trips of the ranks that this unit steps: N2, K2, M2, M1.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& iterations() const {
    return iterations_;
  }
  [[nodiscard]] std::uint64_t k2_tries() const { return k2_tries_; }
  [[nodiscard]] std::uint64_t z_peb_spill_bytes() const { return z_peb_spill_bytes_; }

 private:
  LACUNA_PROCESS(issue);
  void begin_stationary();
  void issue_row();
  /// What the row moves of A; returns where that ends in A's stream.
  std::uint64_t request_a(const RowInstruction& row);
  /// The row's segments without their first `skipped` bytes.
  void request_a_from(const RowInstruction& row, std::uint64_t skipped);

  sim::Simulation& simulation_;
  TileProgram& program_;
  Residency of_a_, of_b_;  // what stays of their tiles
  StreamModule& a_;
  StreamModule& b_;
  StreamModule& z_;
  StreamModule* s_;  // of a program with samples
  sim::Channel<RowCommand>& rows_;
  PassInstruction pass_;
  std::size_t next_row_ = 0;
  bool done_ = false;
  bool new_tile_ = false;
  bool first_walk_ = false;
  std::uint64_t tile_base_ = 0;
  std::uint64_t last_n2_ = ~std::uint64_t{0};
  std::map<std::string, std::uint64_t> iterations_;
  std::uint64_t k2_tries_ = 0;
  std::uint64_t z_peb_spill_bytes_ = 0;
  sc_core::sc_event start_;
};

}  // namespace lacuna
