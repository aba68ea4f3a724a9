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
  decision_.due();
}

void BufferPort::decide() {
  std::sort(asking_.begin(), asking_.end(), [](const Asking& a, const Asking& b) {
    return std::tuple(a.rank, a.number) < std::tuple(b.rank, b.number);
  });
  for (const Asking& one : asking_) {
    sim::Ticks wanted = one.first;
    if (one.as_they_come) {
      // They may come slower than they could pass, which leaves the port free in between: booked
      // back to back, the last passes as it comes.
      const sim::Ticks service = port_.service_time(one.bytes);
      wanted = std::max(one.first, one.last - std::min(one.last, service));
    }
    const sim::Ticks begin = std::max(wanted, port_.free_at());
    const sim::Ticks done = port_.transfer(begin, one.bytes);
    meter_.crossed(begin, done, one.bytes);
    const sim::Ticks late = done > one.last + kRounding ? done - one.last : 0;
    waited_ += late;
    one.passed(late);
  }
  asking_.clear();
}

}  // namespace lacuna
