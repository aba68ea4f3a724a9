// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/level_ports.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lacuna {

LevelReader::LevelReader(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                         StreamModule& stream, FillPort read, double bytes_per_cycle,
                         Cycles latency, std::vector<SharedReads> reads, bool shared_tiles)
    : sc_core::sc_module(name),
      simulation_(simulation),
      stream_(stream),
      read_(read),
      bytes_per_cycle_(bytes_per_cycle),
      latency_(latency),
      shared_tiles_(shared_tiles),
      wake_("wake") {
  for (SharedReads& of_client : reads) clients_.push_back({std::move(of_client), {}, {}});
  LACUNA_METHOD(step);
  sensitive << wake_ << stream.arrival();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void LevelReader::attach(const MemoryPort& port) {
  LACUNA_CHECK(port.rank() < clients_.size(), "{}: a client of rank {} of {}", name(), port.rank(),
               clients_.size());
}

void LevelReader::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  LACUNA_CHECK(!request.write, "{} is read", name());
  clients_[from.rank()].waiting.push_back(
      {&from, id, request.bytes, request.tensor, sim::this_delta()});
  simulation_.wake(wake_);
}

void LevelReader::step() {
  let_go();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    auto& waiting = clients_[i].waiting;
    // What is sent in this delta wakes for the next.
    while (!waiting.empty() && waiting.front().sent_in != sim::this_delta()) {
      Request& request = waiting.front();
      place(clients_[i], request);
      if (request.needed > stream_.arrived()) break;
      serve(i, request);
      waiting.pop_front();
    }
  }
}

/// Requests take a client's reading from its beginning on.
void LevelReader::place(Client& client, Request& request) {
  if (request.placed) return;
  request.placed = true;
  for (std::uint64_t left = request.bytes; left > 0;) {
    SharedReads::Run& run = client.run;
    if (run.bytes == 0) {
      LACUNA_CHECK(client.reads.next(run), "{} bytes are read beyond the program's", left);
    }
    const std::uint64_t part = std::min(left, run.bytes);
    if (run.line > 0) {  // of a cache, whole lines come and leave
      request.needed = std::max(request.needed, run.line_end);
      if (run.last && part == run.bytes) request.release += run.line;
    } else {
      if (run.comes) request.needed = run.at + part;
      if (run.last) request.release += part;
    }
    run.at += part;
    run.bytes -= part;
    left -= part;
  }
}

void LevelReader::serve(std::size_t client, const Request& request) {
  counts_.moved[static_cast<std::size_t>(request.tensor)].read_bytes += request.bytes;
  const std::size_t consumer = shared_tiles_ ? client : 0;
  if (read_.port == nullptr) {
    request.from->answer(request.id, simulation_.now() + latency_);
    return stream_.release(request.release, consumer);
  }
  const sim::Ticks now = simulation_.now_ticks();
  read_.port->write(
      read_.rank + static_cast<unsigned>(client), now, now, request.bytes,
      [this, request, consumer, now](sim::Ticks late) { passed(request, consumer, now, late); });
}

/// The port tells when the last byte is through; the others came before it at the port's rate.
void LevelReader::passed(const Request& request, std::size_t consumer, sim::Ticks start,
                         sim::Ticks late) {
  const Cycles last = sim::to_cycles_up(sim::sum(start, late));
  const double takes = static_cast<double>(request.bytes) / bytes_per_cycle_;
  const std::uint64_t begun =
      last.count() - std::min(last.count(), static_cast<std::uint64_t>(takes));
  const Cycles first(std::max(start >> sim::kTickBits, begun));
  request.from->answer(request.id, last + latency_, first + latency_);
  leaving_.push_back({last, request.release, consumer});
  simulation_.at(last, wake_);
}

void LevelReader::let_go() {
  for (; !leaving_.empty(); leaving_.pop_front()) {
    const Leaving& next = leaving_.front();
    if (next.when > simulation_.now()) return simulation_.at(next.when, wake_);
    stream_.release(next.bytes, next.consumer);
  }
}

std::string LevelReader::blocked_on() const {
  for (const Client& client : clients_) {
    if (client.waiting.empty()) continue;
    const Request& request = client.waiting.front();
    return fmt::format("{} of {} bytes of the level's stream", stream_.arrived(), request.needed);
  }
  return {};
}

LevelWriter::LevelWriter(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                         DrainModule& drain, std::uint64_t room, Cycles latency)
    : sc_core::sc_module(name),
      simulation_(simulation),
      drain_(drain),
      room_(room),
      latency_(latency),
      wake_("wake") {
  LACUNA_METHOD(step);
  sensitive << wake_ << drain.progress();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void LevelWriter::attach(const MemoryPort&) {}

void LevelWriter::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  LACUNA_CHECK(request.write && request.ranges.size() == 1, "{} is written range by range", name());
  const Request one{&from,
                    id,
                    request.tensor,
                    request.ranges.front(),
                    sim::this_delta(),
                    simulation_.now() + latency_};
  const auto key = [](const Request& r) { return std::tuple(r.sent_in, r.from->rank(), r.id); };
  const auto after =
      std::upper_bound(waiting_.begin(), waiting_.end(), one,
                       [&](const Request& x, const Request& y) { return key(x) < key(y); });
  waiting_.insert(after, one);
  simulation_.wake(wake_);
}

void LevelWriter::step() {
  while (!waiting_.empty() && waiting_.front().sent_in != sim::this_delta()) {
    const Request& request = waiting_.front();
    if (request.here > simulation_.now()) return simulation_.at(request.here, wake_);
    const std::uint64_t held = drain_.pending() + request.range.bytes;
    if (held > room_) return;
    high_water_ = std::max(high_water_, held);
    counts_.moved[static_cast<std::size_t>(request.tensor)].write_bytes += request.range.bytes;
    drain_.write(request.tensor, request.range);
    request.from->answer(request.id, simulation_.now());
    waiting_.pop_front();
  }
}

std::string LevelWriter::blocked_on() const {
  if (waiting_.empty()) return {};
  return fmt::format("room for outputs: {} of {} bytes held", drain_.pending(), room_);
}

}  // namespace lacuna
