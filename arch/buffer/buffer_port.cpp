// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/buffer_port.hpp"

#include <algorithm>
#include <tuple>

namespace lacuna {
namespace {

constexpr sim::Ticks kRounding = 2;  // of a service time and of what is left of a tick

}  // namespace

void BufferPort::ask(Asking asking) {
  asking_.push_back(std::move(asking));
  (before_ != nullptr ? before_->decision_ : decision_).due();
}

void BufferPort::decide() {
  serve();
  if (after_ != nullptr) after_->serve();
}

void BufferPort::serve() {
  std::sort(asking_.begin(), asking_.end(), [](const Asking& a, const Asking& b) {
    return std::tuple(a.rank, a.number) < std::tuple(b.rank, b.number);
  });
  for (const Asking& one : asking_) {
    const sim::Ticks done = pass(one);
    const sim::Ticks late = done > one.last + kRounding ? done - one.last : 0;
    waited_ += late;
    one.passed(late);
  }
  asking_.clear();
}

/// When the last byte is in the buffer.
sim::Ticks BufferPort::pass(const Asking& one) {
  sim::Ticks wanted = one.first;
  const sim::Ticks service = port_.service_time(one.bytes);
  const sim::Ticks coming = one.last - std::min(one.last, one.first);
  if (one.as_they_come) {
    // They may come slower than they could pass, which leaves the port free in between: booked
    // back to back, the last passes as it comes.
    wanted = std::max(one.first, one.last - std::min(one.last, service));
  }
  const sim::Ticks begin = std::max(wanted, port_.free_at());
  const sim::Ticks done = port_.transfer(begin, one.bytes);
  meter_.crossed(begin, done, one.bytes);
  if (banks_ == nullptr) return done;
  banks_->forget(simulation_.now());
  if (one.rank >= places_.size()) places_.resize(one.rank + 1, 0);
  // What waited for the port passes at its rate, otherwise as it comes.
  const sim::Ticks length = one.as_they_come ? std::max(coming, service) : service;
  const sim::Ticks end = one.as_they_come ? std::max(done, one.last) : done;
  return banks_->access(places_[one.rank], end - std::min(end, length), end, one.bytes);
}

}  // namespace lacuna
