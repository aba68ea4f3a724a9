// SPDX-License-Identifier: Apache-2.0
// Do the meters say what a list of every tick, or of every window, would say?
#include "sim/meter.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::sim::BufferMeter;
using lacuna::sim::PortMeter;
using lacuna::sim::Ticks;

namespace {

constexpr Ticks kWindow = PortMeter::kWindow;

struct Transfer {
  Ticks begin, end;
  std::uint64_t amount;
};

/// Window by window, in real numbers.
std::vector<double> window_by_window(const std::vector<Transfer>& transfers) {
  std::vector<double> windows;
  for (const Transfer& t : transfers) {
    const Ticks last = t.end > 0 ? (t.end - 1) / kWindow : 0;  // a window ends with its last tick
    if (windows.size() <= last) windows.resize(last + 1, 0.0);
    if (t.end == t.begin) {
      windows[last] += static_cast<double>(t.amount);
      continue;
    }
    for (Ticks w = t.begin / kWindow; w <= last; ++w) {
      const Ticks from = std::max(t.begin, w * kWindow), to = std::min(t.end, (w + 1) * kWindow);
      windows[w] += static_cast<double>(t.amount) * static_cast<double>(to - from) /
                    static_cast<double>(t.end - t.begin);
    }
  }
  return windows;
}

std::vector<Transfer> random_transfers(RandomStream& random) {
  std::vector<Transfer> transfers;
  Ticks now = 0;
  const std::uint64_t count = 1 + random.below(60);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Ticks gaps[] = {0, 0, 1, kWindow / 3, kWindow, 5 * kWindow + 7, kWindow - now % kWindow};
    const Ticks lengths[] = {0, 1, kWindow / 7, kWindow, 3 * kWindow + 1, 40 * kWindow};
    const Ticks begin = now + gaps[random.below(7)];
    now = begin + lengths[random.below(6)];
    transfers.push_back({begin, now, random.below(100'000)});
  }
  return transfers;
}

}  // namespace

TEST_CASE("the meter of a port holds what a list of all windows would, within a byte") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    RandomStream random(seed, "transfers");
    const std::vector<Transfer> transfers = random_transfers(random);
    PortMeter meter;
    std::uint64_t total = 0;
    for (const Transfer& t : transfers) {
      meter.crossed(t.begin, t.end, t.amount);
      total += t.amount;
    }
    const std::vector<double> windows = window_by_window(transfers);
    const double fullest = *std::max_element(windows.begin(), windows.end());
    CAPTURE(seed, fullest);
    CHECK(meter.total() == total);
    CHECK(std::abs(static_cast<double>(meter.fullest()) - fullest) <= 2);
  }
}

TEST_CASE("a transfer over a thousand windows is spread over them at once") {
  PortMeter meter;
  meter.crossed(kWindow / 2, kWindow / 2 + 1000 * kWindow, 64'000);
  CHECK(meter.total() == 64'000);
  CHECK(meter.fullest() == 64);
  CHECK(meter.fullest_transfers() == 1);
  meter.crossed(kWindow / 2 + 1000 * kWindow, 1001 * kWindow, 100);
  CHECK(meter.fullest() == 132);
  CHECK(meter.fullest_transfers() == 2);
}

TEST_CASE("what ends with a window has no part in the next") {
  PortMeter meter;
  meter.crossed(0, kWindow, 10);
  meter.crossed(kWindow, 2 * kWindow, 10);
  CHECK(meter.fullest() == 10);
  CHECK(meter.total() == 20);
}

TEST_CASE("the meter of a buffer remembers the fullest moment of a share and of the whole") {
  BufferMeter whole, a(&whole), b(&whole);
  a.fill(1, 10);
  b.fill(2, 5);
  a.release(3, 8);
  b.fill(4, 4);
  CHECK(a.high_water() == 10);
  CHECK(b.high_water() == 9);
  CHECK(whole.high_water() == 15);
  CHECK(whole.held() == 11);
  CHECK_THROWS_AS(a.release(5, 3), ModelError);
}

TEST_CASE("in what order a buffer is filled and emptied within a moment is not metered") {
  for (const bool fill_first : {false, true}) {
    BufferMeter whole, a(&whole), b(&whole);
    a.fill(1, 10);
    if (fill_first) b.fill(2, 6);
    a.release(2, 4);
    if (!fill_first) b.fill(2, 6);
    CHECK(whole.high_water() == 16);
    b.release(3, 6);
    CHECK(whole.high_water() == 16);
    CHECK(a.high_water() == 10);
  }
}
