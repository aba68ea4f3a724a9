// SPDX-License-Identifier: Apache-2.0
#include "arch/machine/sequencer_module.hpp"

#include <algorithm>

namespace lacuna {

SequencerModule::SequencerModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                                 TileProgram& program, const LlbSpec& llb, StreamModule& a,
                                 StreamModule& b, StreamModule& z, sim::Channel<RowCommand>& rows,
                                 StreamModule* s)
    : sc_core::sc_module(name),
      simulation_(simulation),
      program_(program),
      of_a_(llb.policy, llb.a_window),
      of_b_(llb.policy, llb.window),
      a_(a),
      b_(b),
      z_(z),
      s_(s),
      rows_(rows),
      start_("start") {
  LACUNA_METHOD(issue);
  sensitive << start_ << rows.freed();
  simulation_.wake(start_);
  simulation_.issue();  // the program's end retires it
  simulation.watch(this->name(), [this] {
    return done_ || !rows_.full() ? std::string{} : std::string("room for row commands");
  });
}

void SequencerModule::issue() {
  while (!done_ && !rows_.full()) {
    if (next_row_ == pass_.rows.size()) {
      next_row_ = 0;
      if (!program_.next(pass_)) {
        done_ = true;
        simulation_.retire();
        return;
      }
      ++iterations_["M2"];
      k2_tries_ += pass_.k2_tries;
      if (pass_.loads_stationary) begin_stationary();
      if (pass_.rows.empty()) continue;
    }
    issue_row();
  }
}

void SequencerModule::begin_stationary() {
  if (pass_.stationary->n2 != last_n2_) {
    ++iterations_["N2"];
    last_n2_ = pass_.stationary->n2;
  }
  ++iterations_["K2"];
  tile_base_ = b_.requested();
  b_.request({pass_.stationary->address, pass_.stationary->bytes});
  new_tile_ = true;
  first_walk_ = true;
}

std::uint64_t SequencerModule::request_a(const RowInstruction& row) {
  const std::uint64_t before = a_.requested();
  request_a_from(row, 0);
  LACUNA_CHECK(a_.requested() - before == row.a_bytes, "row {}: segments of {} bytes for {}",
               row.m1, a_.requested() - before, row.a_bytes);
  // What its share cannot keep comes again with every further walk.
  const std::uint64_t resident = of_a_.resident(row.a_bytes, a_.capacity());
  for (std::uint64_t walk = 1; walk < row.a_walks && resident < row.a_bytes; ++walk) {
    request_a_from(row, resident);
  }
  return a_.requested() - before;
}

void SequencerModule::request_a_from(const RowInstruction& row, std::uint64_t skipped) {
  for (std::size_t i = row.a_first; i < row.a_end; ++i) {
    const Segment& segment = pass_.a_segments[i];
    const std::uint64_t out = std::min(skipped, segment.bytes());
    skipped -= out;
    a_.request({segment.address + out, segment.bytes() - out});
  }
}

void SequencerModule::issue_row() {
  RowCommand command;
  command.tile = pass_.stationary;
  command.row = std::move(pass_.rows[next_row_++]);
  command.new_tile = std::exchange(new_tile_, false);
  const std::uint64_t bytes = command.tile->bytes;
  Walk& walk = command.walk;
  walk.resident = of_b_.resident(bytes, b_.capacity());
  if (first_walk_) {
    walk.base = tile_base_;
    walk.begin = 0;
    first_walk_ = false;
  } else {
    walk.begin = walk.resident;
    walk.base = b_.requested();
    b_.request({command.tile->address + walk.resident, bytes - walk.resident});
  }
  walk.last = pass_.last_of_stationary && next_row_ == pass_.rows.size();
  for (const Segment& segment : command.row.s_segments) {
    (void)s_->request({segment.address, segment.bytes()});
  }
  if (s_ != nullptr) command.s_end = s_->requested();
  command.a_moved = request_a(command.row);
  command.a_end = a_.requested();
  command.z_end = z_.request({command.row.z_address, command.row.z_read_bytes});
  ++iterations_["M1"];
  z_peb_spill_bytes_ += command.row.z_peb_spill_bytes;
  simulation_.issue();
  rows_.push(std::move(command));
}

}  // namespace lacuna
