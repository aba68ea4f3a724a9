// SPDX-License-Identifier: Apache-2.0
// Links, channels of DRAM and what selects, packs and merges nonzeros.
#include <algorithm>
#include <limits>

#include "arch/energy/buffer_price.hpp"
#include "arch/energy/network_price.hpp"
#include "arch/energy/sparse_units.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::near;
using lacuna::test::table_45;

TEST_CASE("a shifter is made of multiplexers, and so are the others") {
  const UnitCost shifter = unit_cost(table_45(), "shifter", 32, 5);
  CHECK(rotator_cost(table_45(), 32, 1, 5).area.count() == near(shifter.area.count()));
  CHECK(rotator_cost(table_45(), 32, 1, 5).energy.count() == near(shifter.energy.count()));
  CHECK(mux_cost(table_45(), 4, 8, 5).area.count() == near(24 * 250.0 / 160));
  CHECK(mux_cost(table_45(), 1, 8, 5).area.count() == 0);
  CHECK(rotator_cost(table_45(), 1, 8, 5).area.count() == 0);
  // The reference's estimate of a 4:1 multiplexer of 8 b: tens of um2.
  CHECK(mux_cost(table_45(), 4, 8, 5).area.count() > 10);
  CHECK(mux_cost(table_45(), 4, 8, 5).area.count() < 100);
}

TEST_CASE("a merger has a node for each fiber but one, a nonzero passes the depth of them") {
  const UnitCost two = merger_cost(table_45(), 2, 32, 96, 1),
                 many = merger_cost(table_45(), 64, 32, 96, 1);
  CHECK(many.area.count() == near(63 * two.area.count()));
  const double compare = 0.02947, keep = 96 * 0.009;
  CHECK(two.energy.count() == near(compare + keep));
  CHECK(many.energy.count() == near(6 * compare + keep));
  CHECK(many.leakage_mw == near(63 * two.leakage_mw));
}

TEST_CASE(
    "a link has wires by its length, registers by its latency and switches by what it leads to") {
  const auto link = [](double bytes, std::uint64_t outputs, std::uint64_t latency, double mm) {
    return link_component(table_45(), "link", {bytes, outputs, latency, mm}, 2);
  };
  const auto plain = link(64, 1, 0, 0);
  CHECK(plain.area.count() == near(512 * 5.98));
  CHECK(plain.energy("byte").count() == near(8 * 0.00901));
  CHECK(plain.static_mw == near(512 * 1.5e-4 / 2));
  CHECK(link(64, 1, 3, 0).area.count() == near(4 * 512 * 5.98));
  CHECK(link(64, 1, 0, 2).energy("byte").count() == near(8 * (0.00901 + 2 * 0.3254)));
  CHECK(link(64, 4, 0, 0).area.count() == near(512 * (5.98 + 569.5 / 32)));
  CHECK(link(64, 5, 0, 0).area.count() == near(512 * (5.98 + 2 * 569.5 / 32)));
  CHECK(link(64, 16, 0, 0).energy("byte").count() == near(8 * (0.00901 + 2 * 0.6804 / 32)));
  const auto free = link(std::numeric_limits<double>::infinity(), 4, 0, 1);
  CHECK(free.area.count() == 0);
  CHECK(free.energy("byte") > plain.energy("byte"));
  CHECK(free.flags.back().find("not priced: area") == 0);
}

TEST_CASE("memory has the channels that its rate needs, and each takes its power") {
  const auto at = [](const char* kind, double rate) {
    return dram_component(table_45(), "dram", kind, 64, rate);
  };
  CHECK(at("lpddr4", 6.4).count == 1);
  CHECK(at("lpddr4", 6.5).count == 2);
  CHECK(at("lpddr4", 64).count == 10);
  CHECK(at("hbm2", 64).count == 2);
  CHECK(at("hbm2", 64).static_mw == near(66 + 15.6));
  CHECK(at("hbm2", 64).area.count() == near(1.04e6));
  CHECK(at("hbm2", 64).energy("read") == at("hbm2", 1).energy("read"));
  CHECK(at("hbm2", 64).static_action() == "background");
  for (const auto& unknown :
       {at("hbm3", 64), at("lpddr4", std::numeric_limits<double>::infinity())}) {
    CHECK(unknown.count == 1);
    CHECK(unknown.static_mw == 0);
    CHECK(unknown.flags.front().find("not priced: interface, background and refresh") == 0);
  }
  // Kinds that are only priced by the bit, and every channel's figures from its data sheet.
  const auto refresh = [](double volts, double idd5, double idd3, double rfc, double refi) {
    return volts * (idd5 - idd3) * rfc / refi;
  };
  const auto& dram = table_45().dram;
  CHECK_FALSE(dram.at("hmc").channel);
  CHECK(dram.at("hbm2").channel->background_mw == near(1.2 * 55));
  CHECK(dram.at("hbm2").channel->refresh_mw == near(refresh(1.2, 250, 55, 260, 3900)));
  CHECK(dram.at("gddr5").channel->refresh_mw ==
        lacuna::test::Approx(refresh(1.5, 286, 55, 74, 3800)).epsilon(0.01));
  CHECK(dram.at("ddr3").channel->refresh_mw ==
        lacuna::test::Approx(8 * refresh(1.35, 250, 53, 328, 7290)).epsilon(0.01));
  CHECK(dram.at("lpddr4").channel->refresh_mw ==
        lacuna::test::Approx(refresh(1.1, 150, 22, 196, 3645)).epsilon(0.01));
}

TEST_CASE("a tail costs its control") {
  const UnitCost buffet = control_cost(table_45(), BufferControl::buffet, 1),
                 tail = control_cost(table_45(), BufferControl::tailors, 1);
  CHECK(buffet.area.count() == near(2 * 495.5 + 71 + 12 * 5.98));
  CHECK(tail.area.count() == near(buffet.area.count() + 495.5 + 71 + 32 * 5.98));
}
