// SPDX-License-Identifier: Apache-2.0
// Does a channel take for runs of bursts exactly what it takes burst by burst, and what the timing
// table says by hand: unloaded latency, streaming, row conflicts, random rows, refresh, turnaround?
#include "arch/memory/dram_channel.hpp"

#include "base/random.hpp"
#include "tests/arch/memory/dram_devices.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

/// A channel beside the mapping of its memory.
struct ChannelRig {
  BankedSpec spec;
  AddressMap map;
  DramChannel channel;

  explicit ChannelRig(BankedSpec banks)
      : spec(std::move(banks)), map(spec), channel(spec.device, map, 0) {}
  explicit ChannelRig(const std::string& keys) : ChannelRig(banked(keys)) {}

  /// Bursts [begin, begin + n), all of channel 0; when the last one's data end.
  std::uint64_t serve(std::uint64_t at, bool write, std::uint64_t begin, std::uint64_t n = 1) {
    std::vector<DramChannel::Piece> pieces;
    for (const std::uint64_t end = begin + n; begin < end;) {
      const AddressMap::Part part = map.part(begin, end);
      channel.serve(at, write, part, pieces);
      begin += part.end - part.begin;
    }
    return pieces.empty() ? 0 : pieces.back().end;
  }
  /// The first burst of a row.
  std::uint64_t burst_of(std::uint64_t bank, std::uint64_t row) const {
    std::uint64_t burst = 0, weight = 1;
    std::uint64_t group = bank % spec.device.groups, in_group = bank / spec.device.groups;
    for (const AddressDigit& digit : spec.mapping) {
      std::uint64_t* value = digit.part == AddressPart::group  ? &group
                             : digit.part == AddressPart::bank ? &in_group
                             : digit.part == AddressPart::row  ? &row
                                                               : nullptr;
      if (value != nullptr) burst += *value % digit.size * weight, *value /= digit.size;
      weight *= digit.size;
    }
    return burst;
  }
};

/// Without refresh, so that closed forms of bandwidth hold for ever.
ChannelRig without_refresh(const std::string& keys) {
  BankedSpec spec = banked(keys);
  spec.device.refi = std::uint64_t{1} << 60;
  return ChannelRig(std::move(spec));
}

}  // namespace

TEST_CASE("runs of bursts take what they take burst by burst") {
  const std::vector<std::string> mappings{
      "[row, bank, column, group, channel]", "[row, bank, group, column, channel]",
      "[row, column, bank, group, channel]", "[bank, row, column, group, channel]"};
  for (const std::string& type : kDramTypes) {
    for (const std::string& mapping : mappings) {
      ChannelRig rig(fmt::format("{{type: {}, channels: 2, mapping: {}}}", type, mapping));
      SlowChannel slow(rig.spec.device);
      RandomStream random(9, type + mapping);
      INFO(type << ' ' << mapping);
      std::uint64_t at = 0;
      for (int i = 0; i < 100; ++i) {
        at += random.below(3) == 0 ? random.below(400) : 0;
        if (random.below(20) == 0) at += 3 * rig.spec.device.refi;
        const bool write = random.below(3) == 0;
        const std::uint64_t begin = random.below(random.below(2) == 0 ? 4000 : 4'000'000);
        const std::uint64_t n = 1 + random.below(random.below(3) == 0 ? 1500 : 20);
        std::uint64_t want = 0;
        for (std::uint64_t b = begin; b < begin + n; ++b) {
          const Location where = locate(rig.spec, b);
          if (where.channel == 0) want = slow.serve(at, write, where);
        }
        REQUIRE(rig.serve(at, write, begin, n) == want);
      }
      CHECK(rig.channel.actions() == slow.actions);
      CHECK(slow.actions.refreshes > 3);
    }
  }
}

TEST_CASE("an idle channel answers after tRCD, tCL and the burst, with its row open without tRCD") {
  for (const std::string& type : kDramTypes) {
    ChannelRig rig("{type: " + type + "}");
    const DramDevice& d = rig.spec.device;
    INFO(type);
    CHECK(rig.serve(100, false, 0) == 100 + d.rcd + d.cl + d.burst_clocks);
    CHECK(rig.serve(1000, false, rig.burst_of(1, 0)) == 1000 + d.rcd + d.cl + d.burst_clocks);
    CHECK(rig.serve(2000, false, 0) == 2000 + d.cl + d.burst_clocks);
    // Another row of that bank: closed and opened.
    CHECK(rig.serve(3000, false, rig.burst_of(0, 1)) ==
          3000 + d.rp + d.rcd + d.cl + d.burst_clocks);
    CHECK(rig.channel.actions() == DramActions{4, 2, 1, 0, 0});
  }
}

TEST_CASE("a stream of a whole row and more moves at the pace of the pins, latency paid once") {
  for (const std::string& type : kDramTypes) {
    ChannelRig rig = without_refresh("{type: " + type + "}");
    const DramDevice& d = rig.spec.device;
    INFO(type);
    const std::uint64_t n = 100'000;
    // Rows of all groups are opened at first, tRRD_S apart; activations of the next ones are hidden
    // and the pins busy in every clock.
    const std::uint64_t opening =
        d.groups > 1 ? (d.groups - 1) * (std::max(d.rrd_s, d.ccd_s) - d.ccd_s) : 0;
    CHECK(rig.serve(0, false, 0, n) == opening + d.rcd + d.cl + n * d.burst_clocks);
    const std::uint64_t rows = ceil_div(n * d.burst.count(), d.row.count() * d.groups) * d.groups;
    CHECK(rig.channel.actions().opened + rig.channel.actions().conflicts == rows);
  }
}

TEST_CASE("refresh takes tRFC of each tREFI from a stream, and what closing and opening take") {
  for (const std::string& type : kDramTypes) {
    ChannelRig rig("{type: " + type + "}");
    const DramDevice& d = rig.spec.device;
    INFO(type);
    const std::uint64_t n = 400'000;
    const std::uint64_t end = rig.serve(0, false, 0, n);
    const double share = static_cast<double>(n * d.burst_clocks) / static_cast<double>(end);
    const double refi = static_cast<double>(d.refi);
    // At least tRFC is lost; at most also a burst's wait, tRTP, tRP, tRCD and tRAS of a row just
    // opened.
    CHECK(share <= 1 - static_cast<double>(d.rfc) / refi + 1e-3);
    CHECK(share >=
          1 - static_cast<double>(d.rfc + d.ccd_l + d.ras + d.rtp + d.rp + d.rcd) / refi - 1e-3);
    CHECK(rig.channel.actions().refreshes == end / d.refi);
  }
}

TEST_CASE("rows of one bank come tRC apart, of banks in turn as activations may follow") {
  for (const std::string& type : kDramTypes) {
    const DramDevice d = shipped_dram(type);
    INFO(type);
    constexpr std::uint64_t kAll = 4000;
    ChannelRig one = without_refresh("{type: " + type + "}");
    std::uint64_t end = 0;
    for (std::uint64_t i = 0; i < kAll; ++i) end = one.serve(0, false, one.burst_of(0, i));
    const std::uint64_t apart = std::max(d.rc, std::max(d.ras, d.rcd + d.rtp) + d.rp);
    CHECK(end == (kAll - 1) * apart + d.rcd + d.cl + d.burst_clocks);

    ChannelRig turns = without_refresh("{type: " + type + "}");
    for (std::uint64_t i = 0; i < kAll; ++i) {
      end = turns.serve(0, false, turns.burst_of(i % d.all_banks(), i / d.all_banks()));
    }
    // Groups in turn: tRRD_L every `groups` activations.
    const double rate = std::max({static_cast<double>(d.rrd_s), static_cast<double>(d.faw) / 4,
                                  static_cast<double>(d.rrd_l) / static_cast<double>(d.groups),
                                  static_cast<double>(apart) / static_cast<double>(d.all_banks()),
                                  static_cast<double>(d.burst_clocks)});
    CHECK(static_cast<double>(end) >= rate * (kAll - 1));
    CHECK(static_cast<double>(end) <= rate * kAll + static_cast<double>(apart + d.cl + d.faw));
  }
}

// Activations D apart, tRC at most twice that: an access waits only for the one before it, when
// that was in its bank, which of N banks it is once in N. On average D + (tRC - D) / N.
TEST_CASE("rows at random come as often as the chance of meeting a busy bank says") {
  BankedSpec spec = banked("{type: ddr4-3200, mapping: [row, bank, group, column, channel]}");
  DramDevice& d = spec.device;
  d.refi = std::uint64_t{1} << 60;
  d.rrd_s = d.rrd_l = 60;
  d.faw = 240;
  d.rc = 110;
  d.ras = 80;
  d.rp = 22;
  ChannelRig rig(spec);
  RandomStream random(3, "rows");
  constexpr std::uint64_t kAll = 200'000;
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < kAll; ++i) {
    end = rig.serve(0, false, rig.burst_of(random.below(16), i % d.rows));
  }
  const double expected = 60 + (110.0 - 60) / 16;
  CHECK(static_cast<double>(end) / kAll == Approx(expected).epsilon(0.005));
}

TEST_CASE("pins turn from reads to writes and back as tRTW and tWTR say") {
  for (const std::string& type : kDramTypes) {
    ChannelRig rig = without_refresh("{type: " + type + "}");
    const DramDevice& d = rig.spec.device;
    INFO(type);
    (void)rig.serve(0, false, 0);
    (void)rig.serve(0, false, 1);  // the row of the next group is open too
    const std::uint64_t at = 10'000;
    const std::uint64_t read = rig.serve(at, false, 0);
    const std::uint64_t write = rig.serve(at, true, 0);
    CHECK(write == read - d.cl + d.rtw + d.cwl);
    CHECK(rig.serve(at, false, 0) == write + d.wtr + d.cl + d.burst_clocks);
    CHECK(rig.channel.actions().turnarounds == 2);
    CHECK(rig.channel.actions().bursts == 5);
  }
}
