// SPDX-License-Identifier: Apache-2.0
#include "arch/buffer/buffer_banks.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kBits = 64;
/// Fills ask when their last byte is there, for the cycles in which they came. A request longer
/// than this finds the cycles before free.
constexpr std::uint64_t kRemembered = 1 << 16;

}  // namespace

BufferBanks::BufferBanks(std::uint64_t banks, std::uint64_t line_bytes)
    : line_bytes_(line_bytes), taken_(banks) {
  LACUNA_CHECK(banks > 0 && line_bytes > 0, "{} banks of lines of {} bytes", banks, line_bytes);
}

sim::Ticks BufferBanks::access(Place& place, sim::Ticks from, sim::Ticks to, std::uint64_t bytes) {
  if (bytes == 0) return to;
  const std::uint64_t first = place / line_bytes_;
  place += bytes;
  const std::uint64_t lines = ceil_div(place, line_bytes_) - first;
  const sim::Ticks length = to - std::min(from, to);
  from = to - length;
  sim::Ticks end = to;
  for (std::uint64_t i = 0; i < lines; ++i) {
    const auto part = [&](std::uint64_t line) {
      return static_cast<sim::Ticks>(sim::WideTicks{length} * line / lines);
    };
    const std::uint64_t wanted = (from + part(i)) >> sim::kTickBits;
    const std::uint64_t waits = take((first + i) % banks(), wanted) - wanted;
    if (waits == 0) continue;
    ++conflicts_;
    waited_ += waits;
    end = std::max(end, sim::sum(from + part(i + 1), sim::to_ticks(Cycles(waits))));
  }
  lines_ += lines;
  ++accesses_;
  return end;
}

std::uint64_t BufferBanks::take(std::uint64_t bank, std::uint64_t wanted) {
  std::deque<std::uint64_t>& words = taken_[bank];
  if (wanted < begin_ * kBits) return wanted;
  std::size_t word = wanted / kBits - begin_;
  // Cycles before the wanted one count as taken in the first word.
  std::uint64_t before = (std::uint64_t{1} << (wanted % kBits)) - 1;
  for (;; ++word, before = 0) {
    if (word >= words.size()) words.resize(word + 1, 0);
    const auto bit = static_cast<unsigned>(std::countr_one(words[word] | before));
    if (bit == kBits) continue;
    words[word] |= std::uint64_t{1} << bit;
    return (begin_ + word) * kBits + bit;
  }
}

void BufferBanks::forget(Cycles now) {
  const std::uint64_t keep = now.count() > kRemembered ? (now.count() - kRemembered) / kBits : 0;
  if (keep <= begin_) return;
  for (auto& words : taken_) {
    const auto old =
        static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(words.size(), keep - begin_));
    words.erase(words.begin(), words.begin() + old);
  }
  begin_ = keep;
}

}  // namespace lacuna
