// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/banked_memory.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "arch/memory/metered.hpp"

namespace lacuna {
namespace {

constexpr unsigned kClockBits = 40;
constexpr std::uint64_t kNever = ~std::uint64_t{0};

}  // namespace

BankedMemory::BankedMemory(std::string name, sim::Simulation& simulation, const DramSpec& spec)
    : name_(std::move(name)),
      simulation_(simulation),
      spec_(spec.banked.value()),
      clock_(static_cast<sim::WideTicks>(std::round(std::ldexp(
          spec_.machine.count() / spec_.device.clock.count(), sim::kTickBits + kClockBits)))),
      map_(spec_),
      pages_(name_, spec_.page, spec_.channels * spec_.device.capacity()),
      stalls_(simulation, name_),
      decision_(simulation, [this] { decide(); }) {
  for (std::uint64_t c = 0; c < spec_.channels; ++c) {
    channels_.push_back({DramChannel(spec_.device, map_, c), {}});
  }
}

void BankedMemory::attach(const MemoryPort& port) {
  LACUNA_CHECK(std::find(ranks_.begin(), ranks_.end(), port.rank()) == ranks_.end(),
               "{}: two clients of rank {}", name_, port.rank());
  ranks_.push_back(port.rank());
}

void BankedMemory::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  waiting_.push_back({&from, id, request.tensor, request.write, ranges_.size(),
                      request.ranges.size(), request.bytes});
  ranges_.insert(ranges_.end(), request.ranges.begin(), request.ranges.end());
  decision_.due();
}

void BankedMemory::decide() {
  // A client's own requests stay in their order.
  std::sort(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
    return std::tuple(a.from->rank(), a.id) < std::tuple(b.from->rank(), b.id);
  });
  for (const Waiting& request : waiting_) serve(request);
  waiting_.clear();
  ranges_.clear();
}

void BankedMemory::serve(const Waiting& request) {
  Moved& moved = moved_[static_cast<std::size_t>(request.tensor)];
  (request.write ? moved.write_bytes : moved.read_bytes) += request.bytes;
  const std::uint64_t at = to_clocks_up(simulation_.now_ticks());
  const std::uint64_t burst = spec_.device.burst.count();
  Passing passing{kNever, 0};
  std::uint64_t served = kNever;  // the burst served last: a range may begin where one ended
  for (std::size_t i = 0; i < request.ranges; ++i) {
    AddressRange range = ranges_[request.first_range + i];
    while (range.bytes > 0) {
      const std::uint64_t bytes =
          std::min(range.bytes, pages_.page() - range.address % pages_.page());
      const std::uint64_t address = pages_.find(range.address);
      std::uint64_t begin = address / burst;
      const std::uint64_t end = ceil_div(address + bytes, burst);
      if (begin == served) ++begin;
      if (begin < end) serve_bursts(at, request.write, begin, end, passing);
      served = end - 1;
      range = {range.address + bytes, range.bytes - bytes};
    }
  }
  const Cycles late = spec_.controller + stalls_.next();
  request.from->answer(request.id, sim::to_cycles_up(to_ticks(passing.end)) + late,
                       Cycles(to_ticks(passing.begin) >> sim::kTickBits) + late);
}

void BankedMemory::serve_bursts(std::uint64_t at, bool write, std::uint64_t begin,
                                std::uint64_t end, Passing& passing) {
  while (begin < end) {
    const AddressMap::Part part = map_.part(begin, end);
    begin += part.end - part.begin;
    map_.channels(part, touched_);
    for (const std::uint64_t c : touched_) {
      Channel& channel = channels_[c];
      pieces_.clear();
      channel.dram.serve(at, write, part, pieces_);
      for (const DramChannel::Piece& piece : pieces_) {
        passing.begin = std::min(passing.begin, piece.begin);
        passing.end = std::max(passing.end, piece.end);
        channel.meter.crossed(to_ticks(piece.begin), to_ticks(piece.end),
                              piece.bursts * spec_.device.burst.count());
      }
    }
  }
}

std::uint64_t BankedMemory::to_clocks_up(sim::Ticks ticks) const {
  const sim::WideTicks wide = sim::WideTicks{ticks} << kClockBits;
  return static_cast<std::uint64_t>((wide + clock_ - 1) / clock_);
}

sim::Ticks BankedMemory::to_ticks(std::uint64_t clocks) const {
  const sim::WideTicks ticks = (clock_ * clocks) >> kClockBits;
  if (ticks >= sim::kMostTicks) sim::run_too_long();
  return static_cast<sim::Ticks>(ticks);
}

MemoryCounts BankedMemory::counts() const {
  MemoryCounts counts{moved_, {}, {}};
  DramActions actions;
  for (const Channel& channel : channels_) {
    const PortUse use = use_of(channel.meter);
    counts.port.total += use.total;
    counts.port.transfers += use.transfers;
    // Each channel's own fullest window: together as much as any window of the memory holds. Every
    // meter rounds up to whole bytes, and one does so for all.
    const bool rounded = counts.port.fullest > 0 && use.fullest > 0;
    counts.port.fullest += use.fullest - (rounded ? 1 : 0);
    counts.port.fullest_transfers += use.fullest_transfers;
    actions += channel.dram.actions();
  }
  counts.banks = BankUse{actions.bursts,    actions.bursts - actions.opened - actions.conflicts,
                         actions.opened,    actions.conflicts,
                         actions.refreshes, actions.turnarounds};
  return counts;
}

}  // namespace lacuna
