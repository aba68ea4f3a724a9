// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/dram_channel.hpp"

#include <algorithm>

namespace lacuna {

DramActions& DramActions::operator+=(const DramActions& other) {
  bursts += other.bursts;
  opened += other.opened;
  conflicts += other.conflicts;
  refreshes += other.refreshes;
  turnarounds += other.turnarounds;
  return *this;
}

DramChannel::DramChannel(const DramDevice& device, const AddressMap& map, std::uint64_t index)
    : device_(device),
      map_(map),
      index_(index),
      pace_(map.groups_alternate() ? device.ccd_s : device.ccd_l),
      banks_(device.all_banks()),
      opened_in_(device.groups, 0),
      next_refresh_(device.refi) {}

void DramChannel::serve(std::uint64_t at, bool write, AddressMap::Part part,
                        std::vector<Piece>& out) {
  for (std::uint64_t left = map_.bursts(part, index_); left > 0;) {
    map_.rows(part, index_, rows_);
    const std::uint64_t done = burst(at, write, left);
    if (done < left) {
      refresh();
      if (done > 0) part = map_.without(part, index_, done);
    }
    if (done == 0) continue;
    const std::uint64_t latency = write ? device_.cwl : device_.cl;
    // `last_` is the command of the piece's last burst; the first one's data were noted in burst().
    out.push_back({first_data_, last_ + latency + device_.burst_clocks, done});
    left -= done;
  }
}

std::uint64_t DramChannel::burst(std::uint64_t at, bool write, std::uint64_t wanted) {
  idle_until(at);
  std::uint64_t first = 0, sure = 0;  // bursts that come before the refresh
  std::size_t rows = 0;
  for (const RowRun& run : rows_) {
    // What is ahead of the row's first burst, by the rows that are known.
    if (rows > 0) sure = before_refresh(sure, run.first, first, rows);
    if (sure < run.first || !open(run, at)) break;
    if (rows == 0) first = first_command(at, write, run.group);
    ++rows;
    if (command_of(run.first, first, rows) >= next_refresh_) break;
    sure = run.first + 1;
    if (rows == rows_.size()) sure = before_refresh(sure, wanted, first, rows);
  }
  if (sure > 0) commit(write, sure, first, rows);
  return sure;
}

/// When the first column command may come, the row aside.
std::uint64_t DramChannel::first_command(std::uint64_t at, bool write, std::uint64_t group) const {
  if (!used_) return at;
  std::uint64_t gap = group == last_group_ ? device_.ccd_l : device_.ccd_s;
  if (wrote_ && !write) gap = device_.cwl + device_.burst_clocks + device_.wtr;
  if (!wrote_ && write) gap = device_.rtw;
  return std::max(at, last_ + gap);
}

/// When the column command of burst `n` comes: behind the first at the pins' pace, and behind each
/// row's first, which waits for the row.
std::uint64_t DramChannel::command_of(std::uint64_t n, std::uint64_t first,
                                      std::size_t rows) const {
  std::uint64_t when = first + n * pace_;
  for (std::size_t i = 0; i < rows && rows_[i].first <= n; ++i) {
    when = std::max(when, banks_[rows_[i].bank].ready + (n - rows_[i].first) * pace_);
  }
  return when;
}

/// Of the bursts [from, to), of which those below `from` come before the refresh: the first that
/// does not, or `to`.
std::uint64_t DramChannel::before_refresh(std::uint64_t from, std::uint64_t to, std::uint64_t first,
                                          std::size_t rows) const {
  if (from >= to || command_of(to - 1, first, rows) < next_refresh_) return std::max(from, to);
  while (from < to) {  // commands come in order
    const std::uint64_t middle = from + (to - from) / 2;
    if (command_of(middle, first, rows) < next_refresh_) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

/// Opens the row if it is not; false when the refresh comes first.
bool DramChannel::open(const RowRun& run, std::uint64_t at) {
  Bank& bank = banks_[run.bank];
  if (bank.row == run.row) return true;
  std::uint64_t when = std::max(at, bank.open_at);
  const bool conflict = bank.row != kClosed;
  if (conflict) when = std::max(when, std::max(at, bank.close_at) + device_.rp);
  when = std::max({when, next_open_, opened_in_[run.group], opened_[oldest_]});
  if (when >= next_refresh_) return false;
  bank = {run.row, when + device_.rc, when + device_.ras, when + device_.rcd};
  next_open_ = when + device_.rrd_s;
  opened_in_[run.group] = when + device_.rrd_l;
  opened_[oldest_] = when + device_.faw;
  oldest_ = (oldest_ + 1) % opened_.size();
  ++(conflict ? actions_.conflicts : actions_.opened);
  return true;
}

void DramChannel::commit(bool write, std::uint64_t bursts, std::uint64_t first, std::size_t rows) {
  if (used_ && wrote_ != write) ++actions_.turnarounds;
  first_data_ = command_of(0, first, rows) + (write ? device_.cwl : device_.cl);
  const std::uint64_t until_close =
      write ? device_.cwl + device_.burst_clocks + device_.wr : device_.rtp;
  std::uint64_t behind = 0;
  for (std::size_t i = 0; i < rows && rows_[i].first < bursts; ++i) {
    const std::uint64_t last = std::min(rows_[i].last, bursts - 1);
    Bank& bank = banks_[rows_[i].bank];
    bank.close_at = std::max(bank.close_at, command_of(last, first, rows) + until_close);
    if (last < behind) continue;
    behind = last;
    last_group_ = rows_[i].group;
  }
  last_ = command_of(bursts - 1, first, rows);
  used_ = true;
  wrote_ = write;
  actions_.bursts += bursts;
}

/// All rows are closed, then all banks are busy.
void DramChannel::refresh() {
  std::uint64_t begin = next_refresh_;
  for (const Bank& bank : banks_) {
    begin = std::max(begin, bank.row == kClosed ? bank.open_at : bank.close_at + device_.rp);
  }
  for (Bank& bank : banks_) bank = {kClosed, begin + device_.rfc, 0, 0};
  next_refresh_ += device_.refi;
  ++actions_.refreshes;
}

/// Refreshes that were due while nobody asked.
void DramChannel::idle_until(std::uint64_t at) {
  while (next_refresh_ <= at) {
    // Of many in a row the last one decides.
    const std::uint64_t skipped = (at - next_refresh_) / device_.refi;
    next_refresh_ += skipped * device_.refi;
    actions_.refreshes += skipped;
    refresh();
  }
}

}  // namespace lacuna
