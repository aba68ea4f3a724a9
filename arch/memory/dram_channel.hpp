// SPDX-License-Identifier: Apache-2.0
// One channel of DRAM: banks with a row open or none, and how soon a column command may follow what
// went before. It serves what it is asked for in order; a row of another bank is opened as soon as
// the bank and the rates of activations let it, beside the data of what is ahead. A run of bursts
// is one step, however long: its first column command follows from the channel's state, the others
// behind each other at the pace of the pins, and a row that is ready later holds up what is behind
// it. Rows stay open until another one of the bank is wanted or all banks are refreshed. Time in
// clocks of the command bus.
//
// What is left out: the command bus is never busy, requests are not reordered (row hits first),
// one rank, no power-down.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arch/memory/address_map.hpp"

namespace lacuna {

/// What a channel did.
struct DramActions {
  std::uint64_t bursts = 0;
  std::uint64_t opened = 0;     // activations of a bank without an open row
  std::uint64_t conflicts = 0;  // activations that first closed another row
  std::uint64_t refreshes = 0;
  std::uint64_t turnarounds = 0;  // of the pins between reads and writes

  DramActions& operator+=(const DramActions& other);
  friend bool operator==(const DramActions&, const DramActions&) = default;
};

class DramChannel {
 public:
  /// `index`: its number among the memory's channels.
  DramChannel(const DramDevice& device, const AddressMap& map, std::uint64_t index);

  /// Data on the pins: from the first byte to the last, without a refresh in between.
  struct Piece {
    std::uint64_t begin = 0, end = 0;  // clocks
    std::uint64_t bursts = 0;
  };
  /// The channel's bursts of the part, which came to it at `at`, after all that came before. Adds
  /// pieces in the order of time.
  void serve(std::uint64_t at, bool write, AddressMap::Part part, std::vector<Piece>& out);

  [[nodiscard]] const DramActions& actions() const { return actions_; }

 private:
  static constexpr std::uint64_t kClosed = ~std::uint64_t{0};
  struct Bank {
    std::uint64_t row = kClosed;
    std::uint64_t open_at = 0;   // an activation may come from then on
    std::uint64_t close_at = 0;  // a precharge
    std::uint64_t ready = 0;     // a column command
  };
  /// As many bursts as come before the next refresh; zero when that comes first.
  std::uint64_t burst(std::uint64_t at, bool write, std::uint64_t wanted);
  [[nodiscard]] std::uint64_t first_command(std::uint64_t at, bool write,
                                            std::uint64_t group) const;
  [[nodiscard]] std::uint64_t command_of(std::uint64_t n, std::uint64_t first,
                                         std::size_t rows) const;
  [[nodiscard]] std::uint64_t before_refresh(std::uint64_t from, std::uint64_t to,
                                             std::uint64_t first, std::size_t rows) const;
  bool open(const RowRun& run, std::uint64_t at);
  void refresh();
  void idle_until(std::uint64_t at);
  void commit(bool write, std::uint64_t bursts, std::uint64_t first, std::size_t rows);

  const DramDevice& device_;
  const AddressMap& map_;
  std::uint64_t index_;
  std::uint64_t pace_;  // clocks between column commands behind each other
  std::vector<Bank> banks_;
  std::vector<std::uint64_t> opened_in_;   // group: when the next activation may come
  std::array<std::uint64_t, 4> opened_{};  // when the last four activations were, plus tFAW
  std::size_t oldest_ = 0;
  std::uint64_t next_open_ = 0;
  std::uint64_t next_refresh_;
  // The last column command, once there was one.
  bool used_ = false, wrote_ = false;
  std::uint64_t last_ = 0, last_group_ = 0;
  std::uint64_t first_data_ = 0;  // of the piece that was committed last
  DramActions actions_;
  std::vector<RowRun> rows_;  // of the part at hand
};

}  // namespace lacuna
