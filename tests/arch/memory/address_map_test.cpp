// SPDX-License-Identifier: Apache-2.0
// Are the runs of a range those that its bursts make, one by one, whatever the mapping?
#include "arch/memory/address_map.hpp"

#include <set>

#include "base/random.hpp"
#include "tests/arch/memory/dram_devices.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

const std::vector<std::string> kAddressMappings{
    "[row, bank, column, group, channel]",
    "[channel, row, bank, group, column]",
    "[row, column, bank, group, channel]",
    "[bank, group, row, column, channel]",
    "[row, bank, column, channel, column(4), group]",
    "[row, bank(2), column, bank, channel(2), column(8), group(2), channel, group]",
};

void compare_runs(const BankedSpec& spec, std::uint64_t begin, std::uint64_t end) {
  const AddressMap map(spec);
  while (begin < end) {
    const AddressMap::Part part = map.part(begin, end);
    REQUIRE(part.end > part.begin);
    const std::uint64_t bursts = part.end - part.begin;
    std::map<std::uint64_t, std::vector<Location>> by_channel;
    for (std::uint64_t i = 0; i < bursts; ++i) {
      const Location where = locate(spec, begin + i);
      by_channel[where.channel].push_back(where);
    }
    begin += bursts;
    std::vector<std::uint64_t> channels;
    map.channels(part, channels);
    CHECK(std::set<std::uint64_t>(channels.begin(), channels.end()).size() == by_channel.size());
    for (const auto& [channel, all] : by_channel) {
      REQUIRE(map.bursts(part, channel) == all.size());
      std::map<std::uint64_t, RowRun> want;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const std::uint64_t bank = all[i].group * spec.device.banks + all[i].bank;
        want.try_emplace(bank, RowRun{bank, all[i].group, all[i].row, i, i});
        CHECK(want[bank].row == all[i].row);  // one row of a bank in a stripe
        want[bank].last = i;
      }
      std::vector<RowRun> rows;
      map.rows(part, channel, rows);
      REQUIRE(rows.size() == want.size());
      std::uint64_t before = 0;
      for (const RowRun& run : rows) {
        const RowRun& other = want.at(run.bank);
        CHECK(run.first >= before);
        before = run.first;
        CHECK(run.group == other.group);
        CHECK(run.row == other.row);
        CHECK(run.first == other.first);
        CHECK(run.last == other.last);
      }
      const std::uint64_t some = all.size() / 2;
      CHECK(map.bursts(map.without(part, channel, some), channel) == all.size() - some);
    }
  }
}

}  // namespace

TEST_CASE("runs of a range are those that its bursts make one by one") {
  RandomStream random(5, "ranges");
  for (const std::string& mapping : kAddressMappings) {
    const BankedSpec spec = banked("{type: ddr4-3200, channels: 4, mapping: " + mapping + "}");
    INFO(mapping);
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t begin = random.below(AddressMap(spec).bursts() - 3000);
      compare_runs(spec, begin, begin + 1 + random.below(i % 3 == 0 ? 2500 : 40));
    }
  }
}

TEST_CASE("a memory has as many bursts as its type and its channels say") {
  for (const std::string& type : kDramTypes) {
    const BankedSpec spec = banked("{type: " + type + ", channels: 8}");
    CHECK(AddressMap(spec).bursts() * spec.device.burst.count() == 8 * spec.device.capacity());
  }
}

TEST_CASE("a mapping that leaves a part out or names one twice is refused") {
  const auto refused = [](const std::string& mapping) {
    return error_of([&] { (void)banked("{type: hbm2, channels: 4, mapping: " + mapping + "}"); });
  };
  CHECK_THAT(refused("[row, bank, column, group]"), contains("of 4 channels 4 have no place"));
  CHECK_THAT(refused("[row, bank, column, column, group, channel]"), contains("stands twice"));
  CHECK_THAT(refused("[row, bank, column, group(3), channel]"), contains("is no part of 4"));
  CHECK_THAT(refused("[column, row, bank, group, channel]"), contains("row before column"));
  CHECK_THAT(refused("[rows, bank, column, group, channel]"), contains("no part of an address"));
  CHECK_THAT(refused("[row, bank, column(x), column, group, channel]"), contains("parentheses"));
}
