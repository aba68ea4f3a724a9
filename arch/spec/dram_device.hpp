// SPDX-License-Identifier: Apache-2.0
// A type of DRAM as its data sheet describes it, and how a machine uses several channels of it.
// Read from configs/memory: arch/description/dram_type.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace lacuna {

/// One channel: what shares a command bus and data pins. Times are in clocks of the command bus,
/// under their names in JEDEC's standards (tRCD is `rcd`).
struct DramDevice {
  std::string name;
  std::string price;  // under which energy tables price it; empty: they do not
  Hertz clock;
  std::uint64_t groups = 1, banks = 1;  // groups of banks; banks of each
  std::uint64_t rows = 1;               // of a bank
  Bytes row, burst;                     // one row of a bank; what one column command moves
  std::uint64_t burst_clocks = 1;       // that it takes the pins for
  std::uint64_t rcd = 0, rp = 0, ras = 0, rc = 0, cl = 0, cwl = 0;
  std::uint64_t ccd_s = 0, ccd_l = 0;  // column commands: to another group, to the same
  std::uint64_t rrd_s = 0, rrd_l = 0, faw = 0;
  std::uint64_t rtp = 0, wr = 0;    // until a row may be closed: after a read, a write
  std::uint64_t rtw = 0;            // from a read's column command to a write's
  std::uint64_t wtr = 0;            // from a write's last data to a read's command, in any group
  std::uint64_t refi = 0, rfc = 0;  // of all banks together

  [[nodiscard]] std::uint64_t all_banks() const { return groups * banks; }
  [[nodiscard]] std::uint64_t capacity() const { return all_banks() * rows * row.count(); }
  /// From a request to an idle channel, of which the row is closed, to its last byte.
  [[nodiscard]] std::uint64_t unloaded_clocks() const { return rcd + cl + burst_clocks; }
  /// Bytes per cycle of a machine.
  [[nodiscard]] double rate(Hertz machine) const {
    return static_cast<double>(burst.count()) / static_cast<double>(burst_clocks) * clock.count() /
           machine.count();
  }
};

/// What a part of an address picks; `column` picks a burst of a row.
enum class AddressPart { channel, group, bank, column, row };

struct AddressDigit {
  AddressPart part;
  std::uint64_t size;
};

/// Memory of banks: channels side by side, and where an address lies.
struct BankedSpec {
  DramDevice device;
  Hertz machine;  // clock of the machine
  std::uint64_t channels = 1;
  std::vector<AddressDigit> mapping;  // the least significant first, in units of a burst
  Bytes page{1 << 21};                // of memory that tensors are given
  Cycles controller;                  // added to every answer, beside the DRAM's own time
};

}  // namespace lacuna
