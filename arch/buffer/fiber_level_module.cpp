// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/fiber_level_module.hpp"

#include <algorithm>
#include <tuple>

#include "arch/memory/metered.hpp"

namespace lacuna {

FiberLevelModule::FiberLevelModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                                   const FiberLevelSpec& spec, std::unique_ptr<IFiberStore> store,
                                   const MemoryClient& client, DrainModule& drain)
    : sc_core::sc_module(name),
      simulation_(simulation),
      store_(std::move(store)),
      memory_("memory", simulation, client.memory, client.rank),
      chunk_(client.chunk),
      limit_(client.outstanding),
      line_(spec.line.count()),
      drain_(drain),
      latency_(spec.latency),
      read_port_(spec.read_bytes_per_cycle),
      write_port_(spec.write_bytes_per_cycle),
      stalls_(simulation, this->name()),
      wake_("wake"),
      filled_("filled") {
  LACUNA_METHOD(step);
  sensitive << wake_ << filled_ << memory_.answered();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void FiberLevelModule::attach(const MemoryPort& port) {
  LACUNA_CHECK(std::find(ranks_.begin(), ranks_.end(), port.rank()) == ranks_.end(),
               "{}: two clients of rank {}", name(), port.rank());
  ranks_.push_back(port.rank());
}

void FiberLevelModule::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  incoming_.push_back({&from,
                       id,
                       request.tensor,
                       request.write,
                       {request.ranges.begin(), request.ranges.end()},
                       request.bytes,
                       sim::this_delta(),
                       request.continues});
  simulation_.wake(wake_);
}

void FiberLevelModule::step() {
  take_answers();
  take_requests();
  while (!to_send_.empty() && memory_.under_way() < limit_) {
    const Part& part = to_send_.front();
    under_way_.push_back({simulation_.now(), part.bytes, part.last});
    memory_.send({part.tensor, false, part.ranges, part.bytes});
    to_send_.pop_front();
  }
}

/// Those of earlier deltas; whoever runs after this process in the same one comes next.
void FiberLevelModule::take_requests() {
  const auto later = std::stable_partition(
      incoming_.begin(), incoming_.end(),
      [now = sim::this_delta()](const Request& request) { return request.sent_in != now; });
  taken_.assign(std::make_move_iterator(incoming_.begin()), std::make_move_iterator(later));
  incoming_.erase(incoming_.begin(), later);
  if (!incoming_.empty()) simulation_.wake(wake_);
  std::sort(taken_.begin(), taken_.end(), [](const Request& a, const Request& b) {
    return std::tuple(a.sent_in, a.from->rank(), a.id) <
           std::tuple(b.sent_in, b.from->rank(), b.id);
  });
  for (const Request& request : taken_) serve(request);
}

/// Whoever writes in pieces gathers a line before it is written: one that a piece continues has
/// been counted, however small the pieces are.
std::uint64_t FiberLevelModule::gathered(const Request& request) const {
  const bool within_line = request.ranges.front().address % line_ != 0;
  return request.continues && within_line && moves_.lines > 0 ? 1 : 0;
}

void FiberLevelModule::serve(const Request& request) {
  moves_.clear();
  const std::uint64_t fetch_number = fetches_ + 1;
  for (const AddressRange& fiber : request.ranges) {
    if (request.write) {
      store_->put_in(fiber, moves_);
    } else if (request.tensor == Tensor::z_partial) {
      store_->take_out(fiber, moves_);
    } else {
      store_->read(fiber, fetch_number, moves_);
    }
  }
  high_water_ = std::max(high_water_, store_->held());
  for (const AddressRange& range : moves_.written_back) drain_.write(Tensor::z_partial, range);
  Moved& moved = moved_[static_cast<std::size_t>(request.tensor)];
  if (request.write) {
    moved.write_bytes += request.bytes;
    lines_written_ += moves_.lines - gathered(request);
    const sim::Ticks begin = std::max(simulation_.now_ticks(), write_port_.free_at());
    const sim::Ticks done = write_port_.transfer(simulation_.now_ticks(), request.bytes);
    write_meter_.crossed(begin, done, request.bytes);
    request.from->answer(request.id, sim::to_cycles_up(done) + latency_ + stalls_.next());
    return;
  }
  moved.read_bytes += request.bytes;
  lines_read_ += moves_.lines;
  std::uint64_t needed = moves_.brought_by;
  if (moves_.fetched_bytes > 0) {
    needed = fetch_number;
    fetch(request.tensor);
  }
  const Waiting waiting{request.from, request.id, request.bytes};
  if (needed <= there_) {
    answer(waiting);
  } else {
    waiting_[needed].push_back(waiting);
  }
}

/// What the request at hand misses, in requests of at most `chunk_` bytes.
void FiberLevelModule::fetch(Tensor tensor) {
  ++fetches_;
  Part part{tensor, {}, 0, false};
  for (AddressRange range : moves_.fetched) {
    lines_written_ += ceil_div(range.bytes, line_);
    while (range.bytes > 0) {
      const std::uint64_t bytes = std::min(range.bytes, chunk_ - part.bytes);
      part.ranges.push_back({range.address, bytes});
      part.bytes += bytes;
      range.address += bytes;
      range.bytes -= bytes;
      if (part.bytes < chunk_) continue;
      to_send_.push_back(std::move(part));
      part = {tensor, {}, 0, false};
    }
  }
  if (part.bytes > 0) to_send_.push_back(std::move(part));
  to_send_.back().last = true;
}

/// What memory has brought passes the write port; then who waits for it is answered.
void FiberLevelModule::take_answers() {
  while (memory_.take()) {
    const UnderWay done = under_way_.front();
    under_way_.pop_front();
    if (sim::Timeline* timeline = simulation_.timeline()) {
      timeline->slice(timeline->row(name()), "fetch", done.begin, simulation_.now(), done.bytes,
                      "bytes");
    }
    const sim::Ticks begin = std::max(simulation_.now_ticks(), write_port_.free_at());
    const sim::Ticks entered = write_port_.transfer(simulation_.now_ticks(), done.bytes);
    write_meter_.crossed(begin, entered, done.bytes);
    if (done.last) filling_.push_back(sim::to_cycles_up(entered));
  }
  for (; !filling_.empty() && filling_.front() <= simulation_.now(); filling_.pop_front()) ++there_;
  if (!filling_.empty()) simulation_.at(filling_.front(), filled_);
  while (!waiting_.empty() && waiting_.begin()->first <= there_) {
    for (const Waiting& waiting : waiting_.begin()->second) answer(waiting);
    waiting_.erase(waiting_.begin());
  }
}

void FiberLevelModule::answer(const Waiting& waiting) {
  const sim::Ticks now = simulation_.now_ticks();
  const sim::Ticks begin = std::max(now, read_port_.free_at());
  const sim::Ticks done = read_port_.transfer(now, waiting.bytes);
  read_meter_.crossed(begin, done, waiting.bytes);
  const Cycles late = latency_ + stalls_.next();
  waiting.from->answer(waiting.id, sim::to_cycles_up(done) + late,
                       Cycles(begin >> sim::kTickBits) + late);
}

MemoryCounts FiberLevelModule::counts() const {
  return {moved_, use_of(read_meter_), {}};
}

std::string FiberLevelModule::blocked_on() const {
  if (waiting_.empty()) return {};
  return fmt::format("the memory: fetch {} of {}", there_ + 1, fetches_);
}

}  // namespace lacuna
