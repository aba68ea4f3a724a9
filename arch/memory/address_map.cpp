// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/address_map.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"

namespace lacuna {

AddressMap::AddressMap(const BankedSpec& spec)
    : channels_(spec.channels), groups_(spec.device.groups), banks_(spec.device.banks) {
  std::size_t in_stripe = 0;
  for (std::size_t i = 0; i < spec.mapping.size(); ++i) {
    if (spec.mapping[i].part == AddressPart::column) in_stripe = i + 1;
  }
  std::array<std::uint64_t, 5> scale{1, 1, 1, 1, 1};
  bool changes = false;  // a digit so far, from one burst of a channel to the next
  for (std::size_t i = 0; i < spec.mapping.size(); ++i) {
    const auto [part, size] = spec.mapping[i];
    std::uint64_t& own = scale[static_cast<std::size_t>(part)];
    if (i == in_stripe) stripe_ = bursts_;
    (i < in_stripe ? below_ : above_)
        .push_back({part, size, i < in_stripe ? bursts_ : bursts_ / stripe_, own});
    own *= size;
    bursts_ *= size;
    if (size > 1 && part != AddressPart::channel && !std::exchange(changes, true)) {
      groups_alternate_ = part == AddressPart::group;
    }
    if (i >= in_stripe) continue;
    if (part == AddressPart::channel) channel_choices_ *= size;
    if (part == AddressPart::bank) bank_choices_ *= size;
    if (part == AddressPart::group) group_choices_ *= size;
  }
  if (above_.empty()) stripe_ = bursts_;
  LACUNA_CHECK(scale[static_cast<std::size_t>(AddressPart::channel)] == channels_ &&
                   scale[static_cast<std::size_t>(AddressPart::group)] == groups_ &&
                   scale[static_cast<std::size_t>(AddressPart::bank)] == banks_,
               "the mapping has {} bursts", bursts_);
}

AddressMap::Part AddressMap::part(std::uint64_t burst, std::uint64_t end) const {
  const std::uint64_t stripe = burst / stripe_;
  return {stripe, burst % stripe_, std::min(end - stripe * stripe_, stripe_)};
}

std::uint64_t AddressMap::above(AddressPart part, std::uint64_t stripe) const {
  std::uint64_t value = 0;
  for (const Digit& digit : above_) {
    if (digit.part == part) value += stripe / digit.weight % digit.size * digit.scale;
  }
  return value;
}

/// kAny where every value will do.
std::uint64_t AddressMap::digit_of(const Wanted& wanted, const Digit& digit) const {
  const std::uint64_t whole = digit.part == AddressPart::channel ? wanted.channel
                              : digit.part == AddressPart::group ? wanted.group
                              : digit.part == AddressPart::bank  ? wanted.bank
                                                                 : kAny;
  return whole == kAny ? kAny : whole / digit.scale % digit.size;
}

/// Whether what is wanted agrees with the digits above the stripe.
bool AddressMap::has(const Wanted& wanted, std::uint64_t stripe) const {
  return std::all_of(above_.begin(), above_.end(), [&](const Digit& digit) {
    const std::uint64_t want = digit_of(wanted, digit);
    return want == kAny || stripe / digit.weight % digit.size == want;
  });
}

std::uint64_t AddressMap::count(const Wanted& wanted, std::uint64_t end) const {
  std::uint64_t inside = 1;  // places that agree, of those that the digits at hand make
  for (const Digit& digit : below_) {
    if (digit_of(wanted, digit) == kAny) inside *= digit.size;
  }
  if (end >= stripe_) return inside;
  std::uint64_t all = 0;
  for (auto digit = below_.rbegin(); digit != below_.rend(); ++digit) {
    const std::uint64_t value = end / digit->weight;
    const std::uint64_t want = digit_of(wanted, *digit);
    end %= digit->weight;
    if (want == kAny) {
      inside /= digit->size;
      all += value * inside;
    } else if (value != want) {
      return value > want ? all + inside : all;
    }
  }
  return all;
}

std::uint64_t AddressMap::place(const Wanted& wanted, std::uint64_t n) const {
  std::uint64_t place = 0;
  for (const Digit& digit : below_) {
    std::uint64_t value = digit_of(wanted, digit);
    if (value == kAny) {
      value = n % digit.size;
      n /= digit.size;
    }
    place += value * digit.weight;
  }
  return place;
}

std::uint64_t AddressMap::bursts(const Part& part, std::uint64_t channel) const {
  const Wanted wanted{channel, kAny, kAny};
  return has(wanted, part.stripe) ? count(wanted, part.end) - count(wanted, part.begin) : 0;
}

AddressMap::Part AddressMap::without(const Part& part, std::uint64_t channel,
                                     std::uint64_t bursts) const {
  const Wanted wanted{channel, kAny, kAny};
  return {part.stripe, place(wanted, count(wanted, part.begin) + bursts), part.end};
}

void AddressMap::rows(const Part& part, std::uint64_t channel, std::vector<RowRun>& out) const {
  out.clear();
  const Wanted of_channel{channel, kAny, kAny};
  const std::uint64_t before = count(of_channel, part.begin);
  const std::uint64_t row = above(AddressPart::row, part.stripe);
  const std::uint64_t group_above = above(AddressPart::group, part.stripe);
  const std::uint64_t bank_above = above(AddressPart::bank, part.stripe);
  // The least significant digits of a part have the scale one, so that those below the stripe count
  // through its choices.
  for (std::uint64_t g = 0; g < group_choices_; ++g) {
    for (std::uint64_t b = 0; b < bank_choices_; ++b) {
      const Wanted wanted{channel, group_above + g, bank_above + b};
      const std::uint64_t from = count(wanted, part.begin), to = count(wanted, part.end);
      if (from == to) continue;
      out.push_back({wanted.group * banks_ + wanted.bank, wanted.group, row,
                     count(of_channel, place(wanted, from)) - before,
                     count(of_channel, place(wanted, to - 1)) - before});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const RowRun& x, const RowRun& y) { return x.first < y.first; });
}

void AddressMap::channels(const Part& part, std::vector<std::uint64_t>& out) const {
  out.clear();
  const std::uint64_t channel_above = above(AddressPart::channel, part.stripe);
  if (part.end - part.begin >= channel_choices_) {
    for (std::uint64_t c = 0; c < channel_choices_; ++c) {
      if (bursts(part, channel_above + c) > 0) out.push_back(channel_above + c);
    }
    return;
  }
  for (std::uint64_t at = part.begin; at < part.end; ++at) {
    std::uint64_t channel = channel_above;
    for (const Digit& digit : below_) {
      if (digit.part == AddressPart::channel)
        channel += at / digit.weight % digit.size * digit.scale;
    }
    if (std::find(out.begin(), out.end(), channel) == out.end()) out.push_back(channel);
  }
}

}  // namespace lacuna
