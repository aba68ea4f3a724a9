// SPDX-License-Identifier: Apache-2.0
// A DRAM with times that are easily told apart, the shipped ones, and a channel that serves burst
// by burst: slow, and obviously what the rules say.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "arch/description/dram_type.hpp"
#include "arch/memory/dram_channel.hpp"

namespace lacuna::test {

inline const std::vector<std::string> kDramTypes{"ddr4-3200", "lpddr4-3200", "lpddr5-6400", "hbm2",
                                                 "hbm3"};

inline DramDevice shipped_dram(const std::string& name) {
  return description::load_dram_type(name, {});
}

/// The keys of a memory in YAML.
inline BankedSpec banked(const std::string& keys, Hertz clock = Hertz(1e9)) {
  const ConfigReader reader(ConfigTree::parse(keys, "memory.yaml"));
  return description::read_banks(reader, clock);
}

/// What the address of a burst picks, digit by digit.
struct Location {
  std::uint64_t channel = 0, group = 0, bank = 0, row = 0, column = 0;
};
inline Location locate(const BankedSpec& spec, std::uint64_t burst) {
  Location out;
  std::map<AddressPart, std::uint64_t> scale;
  for (const AddressDigit& digit : spec.mapping) {
    std::uint64_t& own = scale.try_emplace(digit.part, 1).first->second;
    const std::uint64_t value = burst % digit.size * own;
    burst /= digit.size;
    own *= digit.size;
    switch (digit.part) {
      case AddressPart::channel:
        out.channel += value;
        break;
      case AddressPart::group:
        out.group += value;
        break;
      case AddressPart::bank:
        out.bank += value;
        break;
      case AddressPart::column:
        out.column += value;
        break;
      case AddressPart::row:
        out.row += value;
        break;
    }
  }
  return out;
}

/// One channel, one burst after another. Returns when each burst's data end.
class SlowChannel {
 public:
  explicit SlowChannel(const DramDevice& device) : d_(device) {}

  std::uint64_t serve(std::uint64_t at, bool write, const Location& where) {
    while (refresh_ <= at) refresh();
    for (;;) {
      Bank& bank = banks_[where.group * d_.banks + where.bank];
      if (!bank.open || bank.row != where.row) {
        std::uint64_t when = std::max(at, bank.activate);
        if (bank.open) when = std::max(when, std::max(at, bank.close) + d_.rp);
        if (any_) when = std::max(when, last_activate_ + d_.rrd_s);
        if (in_group_.count(where.group) > 0) {
          when = std::max(when, in_group_[where.group] + d_.rrd_l);
        }
        if (four_.size() == 4) when = std::max(when, four_.front() + d_.faw);
        if (when >= refresh_) {
          refresh();
          continue;
        }
        ++(bank.open ? actions.conflicts : actions.opened);
        bank = {true, where.row, when + d_.rcd, when + d_.ras, when + d_.rc};
        any_ = true;
        last_activate_ = in_group_[where.group] = when;
        four_.push_back(when);
        if (four_.size() > 4) four_.pop_front();
      }
      std::uint64_t command = std::max(at, bank.ready);
      if (used_) command = std::max(command, last_ + gap(write, where.group));
      if (command >= refresh_) {
        refresh();
        continue;
      }
      if (used_ && wrote_ != write) ++actions.turnarounds;
      used_ = true;
      wrote_ = write;
      last_ = command;
      group_ = where.group;
      bank.close =
          std::max(bank.close, command + (write ? d_.cwl + d_.burst_clocks + d_.wr : d_.rtp));
      ++actions.bursts;
      return command + (write ? d_.cwl : d_.cl) + d_.burst_clocks;
    }
  }

  DramActions actions;

 private:
  struct Bank {
    bool open = false;
    std::uint64_t row = 0, ready = 0, close = 0, activate = 0;
  };
  [[nodiscard]] std::uint64_t gap(bool write, std::uint64_t group) const {
    if (wrote_ && !write) return d_.cwl + d_.burst_clocks + d_.wtr;
    if (!wrote_ && write) return d_.rtw;
    return group == group_ ? d_.ccd_l : d_.ccd_s;
  }
  void refresh() {
    std::uint64_t begin = refresh_;
    for (auto& [index, bank] : banks_) {
      begin = std::max(begin, bank.open ? bank.close + d_.rp : bank.activate);
    }
    for (std::uint64_t b = 0; b < d_.all_banks(); ++b) {
      banks_[b] = {false, 0, 0, 0, begin + d_.rfc};
    }
    refresh_ += d_.refi;
    ++actions.refreshes;
  }

  const DramDevice& d_;
  std::map<std::uint64_t, Bank> banks_;
  std::map<std::uint64_t, std::uint64_t> in_group_;
  std::deque<std::uint64_t> four_;
  bool any_ = false, used_ = false, wrote_ = false;
  std::uint64_t last_activate_ = 0, last_ = 0, group_ = 0, refresh_ = d_.refi;
};

}  // namespace lacuna::test
