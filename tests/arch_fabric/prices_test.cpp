// SPDX-License-Identifier: Apache-2.0
// What a choice costs: every part of a machine of arrays has an area, what leaks does so all the
// time, and nothing that makes a machine faster is free.
#include <algorithm>
#include <cmath>
#include <set>

#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Approx;

namespace {

RunResult run_with(const char* machine, const std::vector<std::string>& settings = {}) {
  return run_fabric(load_fabric(machine, settings),
                    pattern_workload(128, 96, 512, "2:4", "uniform:0.5"));
}

const PriceReport* find_price(const RunResult& result, const std::string& name) {
  for (const PriceReport& price : result.energy.prices) {
    if (price.component == name) return &price;
  }
  return nullptr;
}

/// Of all instances.
double area_of(const RunResult& result, const std::string& name) {
  const PriceReport* const price = find_price(result, name);
  return price == nullptr ? 0 : price->area_um2 * static_cast<double>(price->count);
}

double leakage_mw(const RunResult& result) {
  double sum = 0;
  for (const PriceReport& p : result.energy.prices)
    sum += p.static_mw * static_cast<double>(p.count);
  return sum;
}

const std::vector<std::string> kUnits{"select_rank0", "select_rank1", "select_blocks", "intersect",
                                      "condense",     "scatter",      "fetch",         "pack",
                                      "zero_test",    "control_glb"};

}  // namespace

TEST_CASE("machines of one fabric differ in area by their units, and in nothing else") {
  std::set<double> areas;
  const RunResult dense = run_with("tc");
  for (const char* name : {"tc", "stc", "highlight", "lacuna", "dstc", "s2ta"}) {
    INFO(name);
    const RunResult result = run_with(name);
    double sum = 0, rest = 0;
    for (const PriceReport& price : result.energy.prices) {
      const double area = price.area_um2 * static_cast<double>(price.count);
      sum += area;
      const bool unit = std::find(kUnits.begin(), kUnits.end(), price.component) != kUnits.end();
      // An array of outer products has other operand registers (published).
      const bool registers = price.component == "lrf" || price.component == "lrf_metadata";
      if (!unit && !registers) rest += area;
    }
    CHECK(sum == Approx(result.energy.area_um2));
    const double registers = area_of(dense, "lrf") + area_of(dense, "lrf_metadata");
    CHECK(rest == Approx(dense.energy.area_um2 - registers - area_of(dense, "control_glb")));
    areas.insert(result.energy.area_um2);
  }
  CHECK(areas.size() == 6);
}

TEST_CASE("each unit has the area of its structure") {
  const double mux = 250.0 / 160;  // um2 of a two-way multiplexer of one bit
  const RunResult stc = run_with("stc"), highlight = run_with("highlight"), s2ta = run_with("s2ta"),
                  lacuna = run_with("lacuna"), dstc = run_with("dstc");
  CHECK(area_of(stc, "select_rank0") == Approx(1024 * 3 * 8 * mux));
  CHECK(area_of(s2ta, "select_rank0") == Approx(1024 * 7 * 8 * mux));
  CHECK(area_of(s2ta, "intersect") == Approx(1024 / 4 * 405));
  CHECK(area_of(highlight, "select_rank1") == Approx(512 * 7 * 32 * mux));
  CHECK(area_of(highlight, "fetch") == Approx(2 * 512 * 5.98 + 6 * 512 * mux));
  CHECK(area_of(highlight, "pack") ==
        Approx(4 * (16 * 71.0 * 8 / 32 + 856 + 4 * 128 * mux + 128 * 5.98)));
  CHECK(area_of(dstc, "scatter") == Approx(4 * 569.5 * 256 * 16 / 4 * 8 / 32));
  // A tail: a counter, a comparator and a register more for A and for B.
  CHECK(area_of(lacuna, "control_glb") - area_of(highlight, "control_glb") ==
        Approx(2 * (495.5 + 71 + 32 * 5.98)));
}

TEST_CASE("what makes a machine faster has a price") {
  const RunResult plain = run_with("lacuna");
  const auto dearer = [&](const std::vector<std::string>& settings, const std::string& what) {
    INFO(settings.front());
    const RunResult other = run_with("lacuna", settings);
    CHECK(area_of(other, what) > area_of(plain, what));
    CHECK(other.energy.area_um2 > plain.energy.area_um2);
  };
  dearer({"levels.glb.capacity=512 KiB"}, "smem");
  dearer({"levels.glb.ports.read=90 B/cycle"}, "link_arrays");
  dearer({"levels.glb.ports.read=512 B/cycle"}, "smem");
  CHECK(area_of(run_with("lacuna", {"levels.glb.sram_ports=1rw"}), "smem") <
        area_of(plain, "smem"));
  dearer({"memory.read=64 B/cycle"}, "dram");
  dearer({"clock=2 GHz"}, "mac");
  dearer({"units.macs.skips.A=[\"C1(4:{4..16})->C0(2:{2..4})\"]"}, "select_rank1");
  const RunResult fast = run_with("lacuna", {"clock=2 GHz"});
  CHECK(find_price(fast, "mac")->actions.at("compute") >
        find_price(plain, "mac")->actions.at("compute"));
}

TEST_CASE("what leaks, leaks all the time") {
  const RunResult fast = run_with("tc"), slow = run_with("tc", {"memory.latency=20000 cycles"});
  REQUIRE(slow.statistics.cycles > fast.statistics.cycles);
  for (const RunResult* r : {&fast, &slow}) {
    CHECK(r->energy.static_picojoules == Approx(leakage_mw(*r) * r->seconds() * 1e9));
    double sum = 0, leaked = 0;
    for (const auto& [name, component] : r->energy.components) {
      sum += component.picojoules;
      for (const char* action : {"leak", "background"}) {
        const auto found = component.by_action.find(action);
        if (found != component.by_action.end()) leaked += found->second;
      }
    }
    CHECK(sum == Approx(r->energy.total_picojoules));
    CHECK(leaked == Approx(r->energy.static_picojoules));
  }
  CHECK(fast.energy.total_picojoules - fast.energy.static_picojoules ==
        Approx(slow.energy.total_picojoules - slow.energy.static_picojoules));
  // Fast cells leak thousands of times more, and are said to.
  const RunResult hp = run_with("tc", {"prices.cells=hp"});
  CHECK(find_price(hp, "smem")->static_mw == Approx(19338 * find_price(fast, "smem")->static_mw));
  CHECK(hp.energy.total_picojoules > fast.energy.total_picojoules);
}

TEST_CASE("a link costs its length, and one that is not said spans half of the machine's side") {
  const auto byte = [](const RunResult& r) {
    return find_price(r, "link_arrays")->actions.at("byte");
  };
  const RunResult one = run_with("tc", {"links.rf.length_mm=1"}),
                  three = run_with("tc", {"links.rf.length_mm=3"}), plain = run_with("tc");
  const double per_mm = 8 * 0.2 * 1.627;  // pJ
  CHECK(byte(three) - byte(one) == Approx(2 * per_mm));
  const double without_links = plain.energy.area_um2 - area_of(plain, "dram") -
                               area_of(plain, "link_arrays") - area_of(plain, "link_memory");
  CHECK(byte(plain) - byte(one) == Approx((std::sqrt(without_links) * 1e-3 / 2 - 1) * per_mm));
}

TEST_CASE("prices that contradict each other are refused") {
  const auto said = [](const std::vector<std::string>& settings) {
    return test::error_of([&] { (void)run_with("tc", settings); });
  };
  CHECK(said({"prices.names={smem: GLB}"}).find("and none is given") != std::string::npos);
  CHECK(said({"prices.cells=edram"}).find("it has lstp, hp, lop") != std::string::npos);
  CHECK(said({"prices.table=null", "prices.set=stc-45nm", "prices.cells=hp"})
            .find("whatever their "
                  "cells") != std::string::npos);
  CHECK(said({"levels.glb.sram_ports=3rw"}).find("sram_ports") != std::string::npos);
  CHECK(said({"links.rf.length_mm=-1"}).find("length_mm") != std::string::npos);
}

TEST_CASE("published sets stay as they were published") {
  const RunResult result = run_with("published/stc");
  CHECK(result.energy.static_picojoules == 0);
  CHECK(result.energy.area_um2 == Approx(3.14e6).margin(5e3));
  CHECK(result.energy.components.count("link_arrays") == 0);
}
