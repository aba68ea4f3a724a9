// SPDX-License-Identifier: Apache-2.0
// Meters beside the ports and the buffers of a machine. They are fed by what happens, know no rate
// and no capacity, and decide nothing: arch/limits compares them with the machine's parameters when
// the run is over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/error.hpp"
#include "sim/port.hpp"

namespace lacuna::sim {

/// Beside a port that serves one transfer after another: what crossed it, in bytes or multiplies,
/// in all and in the fullest of the windows 0..1023, 1024..2047, ... cycles. Memory of one window;
/// a transfer that spans several is spread over them evenly, in closed form.
class PortMeter {
 public:
  static constexpr std::uint64_t kWindowCycles = 1024;
  static constexpr Ticks kWindow = to_ticks(Cycles(kWindowCycles));

  /// `amount` crosses evenly from `begin` to `end`; a transfer begins no earlier than the one
  /// before it ended.
  void crossed(Ticks begin, Ticks end, std::uint64_t amount) {
    if (end > window_end_) [[unlikely]] {
      amount = spread(begin, end, amount);
    }
    here_.amount += amount;
    ++here_.transfers;
  }

  [[nodiscard]] std::uint64_t total() const { return closed_.amount + here_.amount; }
  [[nodiscard]] std::uint64_t transfers() const { return closed_.transfers + here_.transfers; }
  /// Of the fullest window: what crossed, and how many transfers took part.
  [[nodiscard]] std::uint64_t fullest() const { return std::max(fullest_.amount, here_.amount); }
  [[nodiscard]] std::uint64_t fullest_transfers() const {
    return here_.amount > fullest_.amount ? here_.transfers : fullest_.transfers;
  }

 private:
  struct Window {
    std::uint64_t amount = 0;
    std::uint64_t transfers = 0;
  };

  void close(const Window& window) {
    if (window.amount > fullest_.amount) fullest_ = window;
    closed_.amount += window.amount;
    closed_.transfers += window.transfers;
  }
  /// Gives the windows before the one of `end` their parts; returns what is left for that.
  std::uint64_t spread(Ticks begin, Ticks end, std::uint64_t amount) {
    // What has crossed by then, rounded down: parts are within one of their share and sum up.
    const auto crossed_by = [&](Ticks then) {
      __extension__ using Wide = unsigned __int128;
      return static_cast<std::uint64_t>(Wide{amount} * (then - begin) / (end - begin));
    };
    std::uint64_t given = 0;
    if (begin < window_end_) {
      given = crossed_by(window_end_);
      here_.amount += given;
      ++here_.transfers;
    }
    close(here_);
    here_ = {};
    // A window ends with its last tick: what ends with it has no part in the next.
    const Ticks first = std::max(begin, window_end_) / kWindow;
    const Ticks last = (end - 1) / kWindow;
    if (last > first) {  // the rest of a window, whole ones, and the one that it ends in
      const std::uint64_t by_first = crossed_by((first + 1) * kWindow);
      close({by_first - given, 1});
      given = crossed_by(last * kWindow);
      if (last - first > 1) {
        const std::uint64_t whole = ceil_div(given - by_first, last - first - 1);
        if (whole > fullest_.amount) fullest_ = {whole, 1};
        closed_.amount += given - by_first;
        closed_.transfers += last - first - 1;
      }
    }
    window_end_ = (last + 1) * kWindow;
    return amount - given;
  }

  Ticks window_end_ = kWindow;
  Window here_, fullest_, closed_;  // closed_: all windows that are over
};

/// Beside a buffer: the most bytes that it held at a moment, of which the caller numbers each
/// (sim::this_delta): what comes in one is held with what goes in it, whichever is told first. A
/// share of a buffer passes on what it sees to the meter of the whole.
class BufferMeter {
 public:
  explicit BufferMeter(BufferMeter* whole = nullptr) : whole_(whole) {}

  void fill(std::uint64_t moment, std::uint64_t bytes) {
    settle(moment);
    held_ += bytes;
    high_water_ = std::max(high_water_, held_);
    if (whole_ != nullptr) whole_->fill(moment, bytes);
  }
  void release(std::uint64_t moment, std::uint64_t bytes) {
    settle(moment);
    LACUNA_CHECK(bytes <= held(), "{} bytes leave a buffer that holds {}", bytes, held());
    leaving_ += bytes;
    if (whole_ != nullptr) whole_->release(moment, bytes);
  }
  [[nodiscard]] std::uint64_t held() const { return held_ - leaving_; }
  [[nodiscard]] std::uint64_t high_water() const { return high_water_; }

 private:
  void settle(std::uint64_t moment) {
    if (moment == moment_) return;
    held_ -= std::exchange(leaving_, 0);
    moment_ = moment;
  }
  BufferMeter* whole_;
  std::uint64_t moment_ = 0;
  std::uint64_t held_ = 0;  // with what leaves at this moment
  std::uint64_t leaving_ = 0;
  std::uint64_t high_water_ = 0;
};

}  // namespace lacuna::sim
