// SPDX-License-Identifier: Apache-2.0
// Does a memory of banks answer units in their cycles as its channels say in their clocks, share
// itself among clients as it says, and give tensors room while there is some?
#include "arch/memory/banked_memory.hpp"

#include <cmath>

#include "tests/arch/memory/asker.hpp"
#include "tests/arch/memory/dram_devices.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

using Times = std::vector<std::uint64_t>;

DramSpec banked_dram(const std::string& keys, Hertz clock = Hertz(1e9)) {
  DramSpec spec;
  spec.banked = banked(keys, clock);
  spec.bytes_per_cycle =
      static_cast<double>(spec.banked->channels) * spec.banked->device.rate(clock);
  return spec;
}

struct BankedRig {
  DramSpec spec;
  sim::Simulation simulation;
  BankedMemory dram;
  Asker first{"first", simulation, dram, 3}, second{"second", simulation, dram, 7};

  explicit BankedRig(const DramSpec& of) : spec(of), dram("dram", simulation, of) {}
  explicit BankedRig(const std::string& keys) : BankedRig(banked_dram(keys)) {}
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

}  // namespace

TEST_CASE(
    "an idle memory of banks answers after its DRAM's time, in whole cycles, and its "
    "controller's") {
  for (const std::string& type : kDramTypes) {
    for (const double machine : {0.5e9, 1e9, 1.6e9, 3e9}) {
      const DramSpec spec =
          banked_dram("{type: " + type + ", controller: 7 cycles}", Hertz(machine));
      BankedRig rig(spec);
      bool late = false;
      rig.run([&](Process& process) {
        rig.first.read(16);
        if (!std::exchange(late, true)) process.sleep(240);  // whole clocks of all types
      });
      const DramDevice& d = spec.banked->device;
      const auto cycles = [&](std::uint64_t clocks) {
        return static_cast<std::uint64_t>(
            std::ceil(static_cast<double>(clocks) * machine / d.clock.count() - 1e-9));
      };
      INFO(type << " at " << machine);
      CHECK(rig.first.answers.at(0) == cycles(d.unloaded_clocks()) + 7);
      // The row is open; the request came to the channel at its next clock.
      const double at = std::ceil(240 * d.clock.count() / machine - 1e-9);
      CHECK(rig.first.answers.at(1) ==
            cycles(static_cast<std::uint64_t>(at) + d.cl + d.burst_clocks) + 7);
    }
  }
}

TEST_CASE("channels stream side by side at the peak, less refresh and the first row") {
  for (const std::string& type : kDramTypes) {
    for (const std::uint64_t channels : {1U, 4U, 16U}) {
      BankedRig rig(fmt::format("{{type: {}, channels: {}}}", type, channels));
      const DramDevice& d = rig.spec.banked->device;
      const std::uint64_t bytes = channels * d.row.count() * 200;
      rig.run([&](Process&) {
        for (std::uint64_t at = 0; at < bytes; at += 4096) {
          rig.first.ask(Tensor::b, false, 4096, kRegionBytes + at);
        }
      });
      INFO(type << ", " << channels << " channels");
      const double peak = rig.spec.bytes_per_cycle;
      const auto cycles = static_cast<double>(rig.first.answers.back());
      const double share = static_cast<double>(bytes) / cycles / peak;
      const double refresh = static_cast<double>(d.rfc) / static_cast<double>(d.refi);
      const double around = static_cast<double>(d.rfc + d.ras + d.rtp + d.rp + d.rcd + d.ccd_l) /
                            static_cast<double>(d.refi);
      CHECK(share <= 1 - refresh + 0.03);
      CHECK(share >= 1 - around - 0.03);
      const MemoryCounts counts = rig.dram.counts();
      CHECK(counts.of(Tensor::b) == Moved{bytes, 0});
      CHECK(counts.port.total == bytes);
      CHECK(counts.banks->bursts * d.burst.count() == bytes);
      CHECK(counts.banks->row_hits + counts.banks->row_misses + counts.banks->row_conflicts ==
            counts.banks->bursts);
      CHECK(static_cast<double>(counts.port.fullest) <= peak * 1024 + 1);
    }
  }
}

TEST_CASE("a short range takes whole bursts, and ranges side by side the same one") {
  BankedRig rig("{type: ddr4-3200}");
  rig.run([&](Process&) {
    const AddressRange apart[] = {{0, 8}, {8, 8}, {60, 8}, {1000, 1}};
    rig.first.ask(Tensor::a, true, 100, 10'000);
    rig.first.ask_ranges(Tensor::a, apart);
  });
  const MemoryCounts counts = rig.dram.counts();
  CHECK(counts.of(Tensor::a) == Moved{25, 100});
  // 10,000 .. 10,100 lies in two bursts of 64; the ranges in 0, 0, 0 and 1, 15.
  CHECK(counts.banks->bursts == 2 + 3);
  CHECK(counts.port.total == 5 * 64);
}

TEST_CASE("of two that ask a memory of banks in one delta the lower rank is first") {
  Times answers[2];
  for (const bool first_asks_first : {false, true}) {
    BankedRig rig("{type: hbm2}");
    rig.run([&](Process&) {
      if (first_asks_first) rig.first.read(4096);
      rig.second.ask(Tensor::b, false, 4096, kRegionBytes);
      if (!first_asks_first) rig.first.read(4096);
    });
    CHECK(rig.first.answers.at(0) < rig.second.answers.at(0));
    answers[first_asks_first ? 1 : 0] = {rig.first.answers.at(0), rig.second.answers.at(0)};
  }
  CHECK(answers[0] == answers[1]);
}

TEST_CASE("tensors are given pages while there are some") {
  BankedRig rig("{type: ddr4-3200, page: 1 GiB}");  // eight of them
  const std::string error = error_of([&] {
    rig.run([&](Process&) {
      for (std::uint64_t i = 0; i < 9; ++i) {
        rig.first.ask(Tensor::a, false, 64, i << 30);
      }
    });
  });
  CHECK_THAT(error, contains("dram holds 8 pages"));
}
