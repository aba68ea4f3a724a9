// SPDX-License-Identifier: Apache-2.0
#include "arch/machine/cluster_module.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/units.hpp"

namespace lacuna {
namespace {

IntersectKind to_kind(IntersectUnitKind kind) {
  return kind == IntersectUnitKind::skip_ahead ? IntersectKind::skip_ahead
                                               : IntersectKind::two_finger;
}

}  // namespace

ClusterModule::ClusterModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                             const MachineSpec& spec, const TileProgram& program, StreamModule& a,
                             StreamModule& b, StreamModule& z, DrainModule& drain,
                             sim::Channel<RowCommand>& rows, ElementPairs* elements,
                             bool exact_steps, BufferBanks* banks, StreamModule* s)
    : sc_core::sc_module(name),
      simulation_(simulation),
      spec_(spec),
      a_(a),
      b_(b),
      z_(z),
      s_(s),
      drain_(drain),
      rows_(rows),
      elements_(elements),
      exact_steps_(exact_steps),
      k1_kind_(to_kind(spec.intersect_k1.kind)),
      counter_(to_kind(spec.intersect_k0.kind), program.a(), program.b()),
      samples_(program.samples()),
      pes_(spec.pes, spec.peb, spec.llb, spec.network),
      z_room_(z.capacity()),
      peb_bytes_(spec.peb.capacity.count()),
      timer_("timer"),
      finished_event_("finished") {
  pes_.read_from(banks);
  LACUNA_CHECK((samples_ != nullptr) == (s != nullptr), "a stream of S without samples, or none");
  if (samples_ != nullptr) sampled_.emplace(program, to_kind(spec.intersect_k0.kind));
  if (std::isfinite(spec.intersect_k1.tries_per_cycle)) {
    ticks_per_try_ = sim::to_ticks(1.0 / spec.intersect_k1.tries_per_cycle);
  }
  LACUNA_CHECK(std::has_single_bit(spec.llb.line.count()), "line of {} bytes",
               spec.llb.line.count());
  LACUNA_CHECK(std::has_single_bit(spec.peb.line.count()), "line of {} bytes",
               spec.peb.line.count());
  line_shift_ = static_cast<unsigned>(std::countr_zero(spec.llb.line.count()));
  peb_line_shift_ = static_cast<unsigned>(std::countr_zero(spec.peb.line.count()));
  LACUNA_METHOD(dispatch);
  sensitive << rows.written() << a.arrival() << b.arrival() << timer_;
  if (s != nullptr) sensitive << s->arrival();
  LACUNA_METHOD(collect);
  sensitive << finished_event_ << z.arrival() << drain.progress();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void ClusterModule::dispatch() {
  while (true) {
    if (simulation_.now() < resume_at_) {
      simulation_.at(resume_at_, timer_);
      return;
    }
    if (!active_) {
      const bool held = outputs_hold();
      waiting_output_ = waiting_output_ || held;
      if (held || !rows_.ready()) return;
      begin_row();
    }
    if (!a_ready_ && (!s_arrived() || !a_arrived())) return;
    if (!dispatched_) {
      if (!dispatch_row()) return;
      dispatched_ = true;
      // Pairs were placed ahead of time; what the row holds is given back when they have left.
      resume_at_ = std::max(simulation_.now(), Cycles(clock_ >> sim::kTickBits));
      continue;
    }
    end_row();
  }
}

bool ClusterModule::outputs_hold() const {
  if (rows_ended_.latest() - rows_left_.seen() < spec_.lookahead) return false;
  // Some of those may be collected in this very delta: they were done.
  const std::uint64_t leaving = rows_left_.latest() - rows_left_.seen();
  return spec_.lookahead <= leaving ||
         finished_[spec_.lookahead - 1 - leaving].done <= simulation_.now();
}

void ClusterModule::begin_row() {
  command_ = rows_.pop();
  active_ = true;
  a_ready_ = false;
  dispatched_ = false;
  waiting_b_ = false;
  column_ = 0;
  in_column_ = false;
  pair_pending_ = false;
  b_released_ = command_.walk.resident;
  a_released_ = 0;
  s_released_ = 0;
  row_begin_ = simulation_.now();
  row_end_ = simulation_.now_ticks();
  row_pairs_ = 0;
  const sim::Ticks now = simulation_.now_ticks();
  if (now > clock_) {
    pes_.waited(waiting_output_ ? PeArray::Cause::output : PeArray::Cause::a, now - clock_);
    clock_ = now;
  }
  waiting_output_ = false;
  if (elements_ != nullptr) {
    if (command_.new_tile) elements_->begin_tile(*command_.tile);
    elements_->begin_row(command_.row);
  }
  if (sampled_) choose_columns();
}

void ClusterModule::choose_columns() {
  if (command_.new_tile) sampled_->begin_tile(*command_.tile);
  sampled_->begin_row(command_.row);
  met_.clear();
  SortedIntersect<Microtile, ColumnList> columns(k1_kind_, command_.row.s_tiles,
                                                 command_.tile->columns);
  std::uint64_t seen = 0;
  while (columns.next()) {
    met_.push_back({columns.b_index(), columns.a_index(), columns.tries() - seen, 0});
    seen = columns.tries();
    ListIntersect pairs(k1_kind_, command_.row.tiles, columns.b().tiles);
    while (pairs.next()) ++met_.back().pairs_left;
  }
  tries_behind_ = columns.tries() - seen;
  counts_.n1_tries += columns.tries();
}

bool ClusterModule::a_arrived() {
  const std::uint64_t bytes = command_.a_moved;
  if (a_.arrived() < command_.a_end) {
    // A row larger than its share streams through it.
    const std::uint64_t begin = command_.a_end - bytes;
    if (bytes > a_.capacity() && a_.arrived() > begin + a_released_) {
      const std::uint64_t fresh = a_.arrived() - begin - a_released_;
      a_released_ += fresh;
      a_.release(fresh);
    }
    return false;
  }
  a_ready_ = true;
  const sim::Ticks now = simulation_.now_ticks();
  if (now > clock_) {
    pes_.waited(PeArray::Cause::a, now - clock_);
    clock_ = now;
  }
  return true;
}

/// S is there before its row starts: it says what the row is.
bool ClusterModule::s_arrived() {
  if (s_ == nullptr || s_->arrived() >= command_.s_end) return true;
  const std::uint64_t begin = command_.s_end - command_.row.s_bytes;
  if (command_.row.s_bytes > s_->capacity() && s_->arrived() > begin + s_released_) {
    const std::uint64_t fresh = s_->arrived() - begin - s_released_;
    s_released_ += fresh;
    s_->release(fresh);
  }
  return false;
}

bool ClusterModule::b_arrived(std::uint64_t end) {
  const Walk& walk = command_.walk;
  const std::uint64_t arrived = b_.arrived();
  // What has streamed by up to this microtile has been used: its ring slots are free again.
  if (end > b_released_ && end > walk.begin && arrived > walk.base) {
    const std::uint64_t here = std::min(end, walk.begin + (arrived - walk.base));
    if (here > b_released_) {
      b_.release(here - b_released_);
      b_released_ = here;
    }
  }
  return arrived >= walk.needed(end);
}

bool ClusterModule::dispatch_row() {
  const StationaryTile& tile = *command_.tile;
  const bool streams = tile.bytes > command_.walk.resident;
  const bool at_once = !streams && elements_ == nullptr && !sampled_ && b_arrived(tile.bytes);
  while (column_ < (sampled_ ? met_.size() : tile.columns.size())) {
    const ColumnList& column = tile.columns[sampled_ ? met_[column_].column : column_];
    if (at_once && !in_column_) {
      dispatch_column(column);
      ++column_;
      continue;
    }
    if (!in_column_) {
      if (sampled_) clock_ += met_[column_].tries * ticks_per_try_;
      lists_ = ListIntersect(k1_kind_, command_.row.tiles, column.tiles);
      tries_seen_ = 0;
      ++counts_.n1;
      in_column_ = true;
      in_z_ = false;
    }
    while (pair_pending_ || lists_.next()) {
      if (!pair_pending_) {
        clock_ += (lists_.tries() - tries_seen_) * ticks_per_try_;
        tries_seen_ = lists_.tries();
        pair_pending_ = true;
      }
      // A streamed part is consumed as time passes, not ahead of it.
      if (streams && sim::to_cycles_up(clock_) > simulation_.now()) {
        resume_at_ = sim::to_cycles_up(clock_);
        simulation_.at(resume_at_, timer_);
        return false;
      }
      if (!b_arrived(tile.ends[column.first_offset + lists_.b_index()])) {
        waiting_b_ = true;
        return false;
      }
      if (waiting_b_) {
        waiting_b_ = false;
        const sim::Ticks now = simulation_.now_ticks();
        if (now > clock_) {
          pes_.waited(PeArray::Cause::b, now - clock_);
          clock_ = now;
        }
      }
      dispatch_pair();
      pair_pending_ = false;
      simulation_.progress();  // a row may be walked pair by pair while its tile streams by
    }
    clock_ += (lists_.tries() - tries_seen_) * ticks_per_try_;
    end_column(lists_.tries());
    ++column_;
    in_column_ = false;
  }
  if (sampled_) clock_ = sim::checked(clock_ + std::exchange(tries_behind_, 0) * ticks_per_try_);
  // Whatever of the tile no pair of this row used still comes by before the next walk.
  if (!b_arrived(tile.bytes)) {
    waiting_b_ = true;
    return false;
  }
  return true;
}

void ClusterModule::dispatch_column(const ColumnList& column) {
  // What some pairs cost first, then where they go: two short loops leave a processor less to guess
  // than one long one.
  constexpr std::size_t kAtOnce = 64;
  std::array<PairTries, kAtOnce> pairs;
  std::array<PeArray::Pair, kAtOnce> placed;
  ListIntersect lists(k1_kind_, command_.row.tiles, column.tiles);
  std::uint64_t seen = 0;
  for (bool more = true; more;) {
    std::size_t size = 0;
    while (size < kAtOnce && (more = lists.next())) {
      pairs[size] = {&lists.a(), &lists.b()};
      placed[size++].after = (lists.tries() - seen) * ticks_per_try_;
      seen = lists.tries();
    }
    counter_.count({pairs.data(), size});
    ClusterCounts counts;
    for (std::size_t i = 0; i < size; ++i) {
      placed[i].busy = pairs[i].tries;
      placed[i].bytes = count_pair(*pairs[i].a, *pairs[i].b, pairs[i].tries, counts);
    }
    counts_ += counts;
    row_pairs_ += size;
    took_place(pes_.place(clock_, {placed.data(), size}));
  }
  clock_ += (lists.tries() - seen) * ticks_per_try_;
  ++counts_.n1;
  end_column(lists.tries());
}

void ClusterModule::dispatch_pair() {
  const Microtile& a = lists_.a();
  const Microtile& b = lists_.b();
  const ColumnList& column = command_.tile->columns[sampled_ ? met_[column_].column : column_];
  const std::size_t b_index = column.first_offset + lists_.b_index();
  std::uint64_t sent = 0;
  const std::uint64_t scaled_before = counts_.scaled;
  std::uint64_t busy = sampled_ ? count_sampled(b_index, sent) : counter_.tries(a, b);
  const std::uint64_t scaled = counts_.scaled - scaled_before;
  std::span<const PeArray::Step> steps;
  if (elements_ != nullptr) {
    if (!std::exchange(in_z_, true)) elements_->begin_z(command_.row.m1, column.n1);
    const std::uint64_t stepped =
        elements_->run(lists_.a_index(), b_index, sampled_ ? met_[column_].s_index : 0, scaled);
    LACUNA_CHECK(stepped == busy, "{} tries stepped, {} counted", stepped, busy);
    if (exact_steps_) steps = elements_->steps();
  }
  ++row_pairs_;
  const std::uint64_t bytes = count_pair(a, b, busy, counts_, sent);
  took_place(pes_.place(clock_, bytes, busy + scaled, steps));
}

std::uint64_t ClusterModule::count_sampled(std::size_t b_index, std::uint64_t& sent) {
  Met& met = met_[column_];
  const SampledWork work = sampled_->count(lists_.a_index(), b_index, met.s_index);
  const Microtile& tile = command_.row.s_tiles[met.s_index];
  sent = SampledTiles::sent_places(tile);
  // The pair that ends the last visit of a Z microtile has its outputs multiplied by S.
  if (--met.pairs_left == 0 && samples_->scales() && command_.row.s_complete[met.s_index] > 0) {
    counts_.scaled += command_.row.s_complete[met.s_index];
    sent += SampledTiles::sent_values(tile);
  }
  counts_.k0_tries += work.tries;
  counts_.place_tries += work.place_tries;
  counts_.m0 += work.rows;
  counts_.n0 += work.places;
  counts_.s_bytes += sent;
  return work.tries + work.place_tries;
}

inline std::uint64_t ClusterModule::count_pair(const Microtile& a, const Microtile& b,
                                               std::uint64_t busy, ClusterCounts& counts,
                                               std::uint64_t of_s) const {
  const std::uint64_t bytes = std::uint64_t{a.padded_payload} + b.padded_payload + of_s;
  const std::uint64_t excess = bytes > peb_bytes_ ? bytes - peb_bytes_ : 0;
  counts.peb_overflow_bytes += excess;
  ++counts.matches;
  if (!sampled_) {
    counts.k0_tries += busy;
    counts.m0 += a.outer_fibers;
    counts.n0 += std::uint64_t{a.outer_fibers} * b.outer_fibers;
  }
  counts.a_bytes += a.padded_payload;
  counts.b_bytes += b.padded_payload;
  const std::uint64_t within = (std::uint64_t{1} << line_shift_) - 1;
  counts.llb_read_lines += ((a.padded_payload + within) >> line_shift_) +
                           ((b.padded_payload + within) >> line_shift_) +
                           ((of_s + within) >> line_shift_);
  const std::uint64_t within_peb = (std::uint64_t{1} << peb_line_shift_) - 1;
  counts.peb_fill_lines += ((a.padded_payload + within_peb) >> peb_line_shift_) +
                           ((b.padded_payload + within_peb) >> peb_line_shift_) +
                           ((of_s + within_peb) >> peb_line_shift_);
  return bytes + excess;
}

void ClusterModule::took_place(PeArray::Placement placed) {
  clock_ =
      sim::checked(placed.sent);  // pairs leave in order: the next one is produced behind this one
  row_end_ = std::max(row_end_, sim::checked(placed.end));
}

void ClusterModule::end_column(std::uint64_t tries) {
  clock_ = sim::checked(clock_);
  counts_.k1_tries += tries;
  if (in_z_) {
    elements_->end_z(samples_ != nullptr && samples_->scales() &&
                     command_.row.s_complete[met_[column_].s_index] > 0);
  }
  // With K1 spread over the elements, the next Z microtile starts when this one is done.
  if (spec_.pes.dispatch == Dispatch::k1 && row_end_ > clock_) {
    pes_.waited(PeArray::Cause::barrier, row_end_ - clock_);
    clock_ = row_end_;
  }
}

void ClusterModule::end_row() {
  counts_.multiplies += command_.row.multiplies;
  // Every product but the first of an output is added to what is there.
  counts_.adds += command_.row.multiplies - command_.row.z_added;
  counts_.z_nonzeros += command_.row.z_added;
  const StationaryTile& tile = *command_.tile;
  if (command_.walk.last) b_.release(command_.walk.resident);
  a_.release(command_.a_moved - a_released_);
  if (s_ != nullptr) s_->release(command_.row.s_bytes - s_released_);
  Cycles done = std::max(sim::to_cycles_up(std::max(row_end_, clock_)), simulation_.now());
  if (!finished_.empty()) done = std::max(done, finished_.back().done);
  finished_.push_back({done, command_.z_end, command_.row.z_read_bytes,
                       command_.row.z_partial_bytes, command_.row.z_final_bytes,
                       command_.row.z_address, command_.row.z_final_address});
  rows_ended_.add(1);
  simulation_.wake(finished_event_);
  if (sim::Timeline* timeline = simulation_.timeline()) {
    timeline->slice(timeline->row("pes"), "row", row_begin_, done, row_pairs_, "pairs");
  }
  LACUNA_CHECK(b_released_ == std::max(command_.walk.resident, tile.bytes),
               "{} of {} bytes of the tile walked", b_released_, tile.bytes);
  active_ = false;
  command_ = {};
}

void ClusterModule::collect() {
  const Cycles now = simulation_.now();
  bool freed = false;
  while (rows_left_.latest() < rows_ended_.seen()) {
    const Finished& row = finished_.front();
    if (row.done > now) {
      simulation_.at(row.done, finished_event_);
      break;
    }
    if (row.z_read > z_.capacity() && z_.arrived() < row.z_end) {
      // More partial outputs than their share holds: they pass through it.
      const std::uint64_t begin = row.z_end - row.z_read;
      if (z_.arrived() > std::max(begin, z_streamed_)) {
        z_.release(z_.arrived() - std::max(begin, z_streamed_));
        z_streamed_ = z_.arrived();
      }
    }
    if (z_.arrived() < row.z_end) break;
    if (drain_.pending() > 0 && drain_.pending() + row.z_partial + row.z_final > z_room_) break;
    z_.release(row.z_end - std::max(row.z_end - row.z_read, z_streamed_));
    z_streamed_ = row.z_end;
    drain_.write(Tensor::z_partial, {row.z_address, row.z_partial});
    drain_.write(Tensor::z, {row.z_final_address, row.z_final});
    simulation_.retire();
    finished_.pop_front();
    rows_left_.add(1);
    freed = true;
  }
  if (freed) simulation_.wake(timer_);
}

std::string ClusterModule::blocked_on() const {
  if (active_ && s_ != nullptr && s_->arrived() < command_.s_end)
    return fmt::format("S: {} of {} bytes arrived", s_->arrived(), command_.s_end);
  if (active_ && !a_ready_)
    return fmt::format("A: {} of {} bytes arrived", a_.arrived(), command_.a_end);
  if (active_ && waiting_b_) {
    return fmt::format("B: tile (n2 {}, k2 {}), {} bytes arrived", command_.tile->n2,
                       command_.tile->k2, b_.arrived());
  }
  if (!finished_.empty()) {
    return fmt::format("outputs: {} rows done and not written, partial outputs at {} of {} bytes",
                       finished_.size(), z_.arrived(), finished_.front().z_end);
  }
  return {};
}

}  // namespace lacuna
