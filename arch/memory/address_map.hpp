// SPDX-License-Identifier: Apache-2.0
// Where in the channels, banks and rows of a memory an address lies. An address, in bursts, is a
// number of digits (BankedSpec::mapping). What contiguous bursts have in common above the highest
// digit of a column is a stripe: in it every bank has one row, so that a range of bursts is a run
// in each of a few rows, whose lengths and order are closed forms.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/spec/dram_device.hpp"

namespace lacuna {

/// Bursts of one row, in the order of addresses among those of all rows of the channel.
struct RowRun {
  std::uint64_t bank = 0, group = 0, row = 0;
  std::uint64_t first = 0, last = 0;  // places of its first and last burst among the channel's
};

class AddressMap {
 public:
  explicit AddressMap(const BankedSpec& spec);

  /// Contiguous bursts of one stripe: places within it.
  struct Part {
    std::uint64_t stripe = 0, begin = 0, end = 0;
  };
  /// The part of [burst, end) that lies in the stripe of `burst`.
  [[nodiscard]] Part part(std::uint64_t burst, std::uint64_t end) const;
  /// The part's bursts in one channel.
  [[nodiscard]] std::uint64_t bursts(const Part& part, std::uint64_t channel) const;
  /// The part without the first `bursts` of the channel's.
  [[nodiscard]] Part without(const Part& part, std::uint64_t channel, std::uint64_t bursts) const;
  /// The rows of a channel that the part touches, in the order of their first bursts.
  void rows(const Part& part, std::uint64_t channel, std::vector<RowRun>& out) const;
  /// Channels that the part touches.
  void channels(const Part& part, std::vector<std::uint64_t>& out) const;
  /// Bursts behind each other in a channel are in different groups of banks. Where they only
  /// sometimes are, all are taken to be in one.
  [[nodiscard]] bool groups_alternate() const { return groups_alternate_; }
  [[nodiscard]] std::uint64_t bursts() const { return bursts_; }  // of the whole memory

 private:
  struct Digit {
    AddressPart part;
    std::uint64_t size, weight;
    std::uint64_t scale;  // of the digit in the channel, group, bank or row that it is a part of
  };
  static constexpr std::uint64_t kAny = ~std::uint64_t{0};
  struct Wanted {
    std::uint64_t channel = kAny, group = kAny, bank = kAny;
  };
  [[nodiscard]] std::uint64_t digit_of(const Wanted& wanted, const Digit& digit) const;
  [[nodiscard]] std::uint64_t above(AddressPart part, std::uint64_t stripe) const;
  [[nodiscard]] bool has(const Wanted& wanted, std::uint64_t stripe) const;
  /// Places below `end` that have what is wanted.
  [[nodiscard]] std::uint64_t count(const Wanted& wanted, std::uint64_t end) const;
  /// The place of number `n` of them.
  [[nodiscard]] std::uint64_t place(const Wanted& wanted, std::uint64_t n) const;

  std::vector<Digit> below_, above_;  // of a stripe; the least significant first
  std::uint64_t stripe_ = 1;          // bursts
  std::uint64_t bursts_ = 1;
  std::uint64_t channels_, groups_, banks_;
  std::uint64_t group_choices_ = 1, bank_choices_ = 1, channel_choices_ = 1;  // below
  bool groups_alternate_ = false;
};

}  // namespace lacuna
