// SPDX-License-Identifier: Apache-2.0
// Mappings that could not be, rooms that were enlarged, machines that were badly mapped.
#include <fmt/format.h>

#include <algorithm>

#include "run/fabric/run.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

FabricSpec with_mapping(const std::string& machine, const std::string& mapping) {
  return load_fabric(machine, {"mappings=[" + mapping + "]"});
}

std::string refusal(const std::string& machine, const std::string& mapping) {
  return test::error_of([&] { (void)with_mapping(machine, mapping); });
}

/// The same structure as a large random matrix, from few drawn rows.
FabricWorkload large(std::uint64_t m, std::uint64_t n, std::uint64_t k, const std::string& a,
                     const std::string& b) {
  const auto operand = [&](const std::string& pattern, std::uint64_t rows, const char* stream) {
    return Occupancy::procedural(parse_pattern(pattern), rows, k, 1, stream, 64);
  };
  return {"large", {single({operand(a, m, "A"), operand(b, n, "B")})}, {}, 1, nullptr};
}

double dram_bytes(const RunResult& result) {
  double bytes = 0;
  for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
    bytes += static_cast<double>(moved.read_bytes + moved.write_bytes);
  }
  return bytes;
}

std::uint64_t shares(const RunResult& result) {
  return result.tiling.at("A").share_bytes + result.tiling.at("B").share_bytes;
}

}  // namespace

TEST_CASE(
    "fault: a given mapping with more rows than the arrays ended before its multiplies could: it "
    "is refused with what there is") {
  for (const char* rows : {"64", "1024"}) {
    const std::string error =
        refusal("tc", fmt::format("{{m: 4096, n: 4096, k: 4096, tile_rows: {}, tile_columns: 128, "
                                  "b_tile_columns: 128, outer: A}}",
                                  rows));
    INFO(error);
    CHECK(error.find("tile_rows") != std::string::npos);
    CHECK(error.find(fmt::format("a tile of {} rows, one array has 16", rows)) !=
          std::string::npos);
  }
  const auto refused = [](const std::string& tile, const std::string& why) {
    const std::string error = refusal("tc", "{m: 256, n: 256, k: 256, " + tile + "}");
    INFO(tile << ": " << error);
    CHECK(error.find(why) != std::string::npos);
  };
  refused("tile_columns: 256", "a tile of 256 columns, the registers of one array");
  refused("tile_columns: 128, b_tile_columns: 200", "no multiple of the 128 columns");
  refused("tile_columns: 64, b_tile_columns: 128, outer: A", "columns of B pass");
  const std::string error =
      refusal("dstc", "{m: 256, n: 256, k: 256, tile_rows: 64, tile_columns: 64}");
  INFO(error);
  CHECK(error.find("needs 4096 partial sums, the registers of one array hold "
                   "2048") != std::string::npos);
}

TEST_CASE(
    "fault: a given mapping whose tiles the buffer cannot hold ran all the same: it is refused "
    "with what it needs and what there is") {
  const auto run = [](const std::string& mapping, std::uint64_t k) {
    return test::error_of([&] {
      (void)run_fabric(with_mapping("tc", mapping), large(1024, 1024, k, "dense", "dense"));
    });
  };
  // 64 rows of 8,192 bytes are more than the buffer; so are 1,024 columns.
  for (const char* tile : {"tile_rows: 16, tile_columns: 128, outer: A",
                           "tile_rows: 16, tile_columns: 128, b_tile_columns: 1024"}) {
    const std::string error = run(fmt::format("{{m: 1024, n: 1024, k: 8192, {}}}", tile), 8192);
    INFO(error);
    CHECK(error.find("the given mapping of 1024 x 1024 x 8192") != std::string::npos);
    CHECK(error.find("in the global buffer of tc, which has 327680") != std::string::npos);
  }
  CHECK(run("{m: 1024, n: 1024, k: 4096, tile_rows: 16, tile_columns: 128, outer: A}", 4096) == "");
}

TEST_CASE("every multiply of a given mapping takes its slot") {
  const FabricWorkload workload = large(512, 512, 1024, "dense", "dense");
  for (const char* tile :
       {"", ", tile_rows: 16", ", tile_columns: 32", ", tile_rows: 8, tile_columns: 64",
        ", tile_rows: 16, tile_columns: 64, b_tile_columns: 128", ", b_tile_columns: 96",
        ", tile_columns: 128, outer: A", ", tile_columns: 16, outer: B"}) {
    const RunResult result = run_fabric(
        with_mapping("tc", fmt::format("{{m: 512, n: 512, k: 1024{}}}", tile)), workload);
    INFO(tile);
    CHECK(result.statistics.cycles.count() >= 512 * 512 * 1024 / 1024);
    CHECK(shares(result) <= 320 * 1024);
  }
}

TEST_CASE(
    "fault: a given mapping without tile_rows or tile_columns divided by zero or never ended: "
    "what is missing is the mapper's to choose") {
  const FabricWorkload on_tc = large(512, 256, 1024, "dense", "dense");
  const RunResult free = run_fabric(load_fabric("tc"), on_tc);
  const RunResult named = run_fabric(with_mapping("tc", "{m: 512, n: 256, k: 1024}"), on_tc);
  CHECK(named.statistics.cycles == free.statistics.cycles);
  CHECK(dram_bytes(named) == dram_bytes(free));
  const auto sparse = pattern_workload(512, 256, 1024, "uniform:0.5", "uniform:0.27");
  const RunResult dstc = run_fabric(with_mapping("dstc", "{m: 512, n: 256, k: 1024}"), sparse);
  CHECK(dstc.statistics.cycles == run_fabric(load_fabric("dstc"), sparse).statistics.cycles);
  const RunResult rows =
      run_fabric(with_mapping("published/stc", "{m: 512, n: 256, k: 1024, tile_rows: 16}"),
                 large(512, 256, 1024, "2:4", "dense"));
  CHECK(rows.statistics.cycles.count() >= 512 * 256 * 1024 / 2048);
  for (const char* one : {"tile_rows: 32", "tile_columns: 16", "tile_rows: 128"}) {
    INFO(one);
    const RunResult given = run_fabric(
        with_mapping("dstc", fmt::format("{{m: 512, n: 256, k: 1024, {}}}", one)), sparse);
    CHECK(given.statistics.cycles >= given.statistics.cycles_bound);
  }
}

TEST_CASE("a mapping is heeded by a machine that sizes tiles by what they hold") {
  const auto workload = pattern_workload(512, 512, 1024, "2:4", "uniform:0.5");
  const RunResult given = run_fabric(
      with_mapping("lacuna", "{m: 512, n: 512, k: 1024, tile_columns: 32, b_tile_columns: 64}"),
      workload);
  CHECK(given.tiling.at("B").shape[0] == 64);
}

TEST_CASE(
    "fault: the shares of a small buffer were enlarged: they are at most what it has, or the "
    "product is refused") {
  std::uint64_t refused_at_all = 0;
  for (const char* machine : {"tc", "stc", "highlight", "dstc", "lacuna", "dsso"}) {
    std::uint64_t refused = 0, least = 0;
    for (const std::uint64_t kib : std::vector<std::uint64_t>{1, 2, 3, 4, 6, 8, 12, 16, 32, 64}) {
      INFO(machine << " " << kib << " KiB");
      const FabricSpec spec = load_fabric(
          machine, {fmt::format("glb.capacity={}KiB", kib), "glb.metadata=0B", "glb.window=256B"});
      RunResult result;
      const std::string error = test::error_of([&] {
        result = run_fabric(spec, pattern_workload(256, 256, 256, "2:4", "uniform:0.5"));
      });
      if (!error.empty()) {
        INFO(error);
        CHECK(error.find(fmt::format("which has {}", kib * 1024)) != std::string::npos);
        CHECK(error.find("glb.capacity") != std::string::npos);
        CHECK(least == 0);  // what fits a buffer fits a larger one
        ++refused;
        continue;
      }
      if (least == 0) least = kib;
      CHECK(shares(result) <= kib * 1024);
    }
    refused_at_all += refused;
    CHECK(least <= 8);
  }
  CHECK(refused_at_all >= 3);
}

TEST_CASE("products of one operation that need different shares get shares that the buffer has") {
  // The first wants all of B in the buffer, the second all of A.
  const auto first = pattern_workload(64, 1024, 256, "dense", "dense");
  const auto second = pattern_workload(1024, 16, 256, "dense", "dense");
  FabricWorkload both{"both", {first.instances[0], second.instances[0]}, {}, 1, nullptr};
  for (const char* machine : {"tc", "highlight", "lacuna", "dstc"}) {
    for (const std::uint64_t kib : std::vector<std::uint64_t>{64, 128, 256, 512}) {
      INFO(machine << " " << kib);
      const FabricSpec spec =
          load_fabric(machine, {fmt::format("glb.capacity={}KiB", kib),
                                fmt::format("glb.metadata={}KiB", kib / 4), "glb.window=8KiB"});
      const FabricPlan plan = compile_fabric(spec, both.instances);
      CHECK(plan.shares.a + plan.shares.b <= spec.glb_bytes());
    }
  }
}

// A whole A of 262,144 bytes leaves 57,342 of 319,488 to a tile of B that overflows them: a piece
// of 32,768 has room there, two have not.
TEST_CASE("fault: an overflowing tile beside a whole operand has the room that it was given") {
  const FabricSpec buffet = load_fabric("lacuna", {"features.tailors=false"});
  FabricWorkload workload = pattern_workload(64, 64, 2048, "dense", "dense");
  FabricInstance& product = workload.instances[0];
  product.a.width = product.b.width = 2;
  product.held_bytes = 8192;
  const RunResult result = run_fabric(buffet, workload);
  CHECK(result.statistics.traffic.at("dram").at("A").read_bytes == 2 * 64 * 2048);
  CHECK(result.statistics.traffic.at("dram").at("B").read_bytes == 2 * 64 * 2048);
  // Its siblings: wide values, room that others hold, K of few steps.
  for (const char* off : {"tailors", "swiftiles", "hss"}) {
    const FabricSpec machine = load_fabric("lacuna", {fmt::format("features.{}=false", off)});
    for (const std::uint64_t m : {16U, 64U, 200U}) {
      for (const std::uint64_t n : {16U, 64U, 200U}) {
        for (const std::uint64_t k : {16U, 40U, 512U, 2048U, 4096U}) {
          workload = pattern_workload(m, n, k, "dense", "dense");
          FabricInstance& one = workload.instances[0];
          for (const double width : {1.0, 2.0, 4.0}) {
            for (const double held : {0.0, 8192.0, 100000.0, 200000.0}) {
              one.a.width = one.b.width = width;
              one.held_bytes = held;
              CAPTURE(off, m, n, k, width, held);
              const FabricPlan plan = compile_fabric(machine, workload.instances);
              CHECK(plan.a_tile_bytes + plan.b_tile_bytes <= machine.glb_bytes());
            }
          }
        }
      }
    }
  }
}

TEST_CASE(
    "fault: beyond K 3,800 the dense machine moved half as much again as a hand mapping: the "
    "mapper finds what a hand mapping finds") {
  double last = 0;
  for (const std::uint64_t k : std::vector<std::uint64_t>{3500, 3800, 3900, 4096}) {
    const RunResult result = run_fabric(load_fabric("tc"), large(4096, 4096, k, "dense", "dense"));
    const double bytes = dram_bytes(result);
    INFO("K " << k << ": " << bytes / 1e6 << " MB");
    CHECK(static_cast<double>(result.statistics.cycles.count()) <=
          1.001 * static_cast<double>(result.statistics.cycles_bound.count()) + 1e4);
    // What stays is narrower by K, and longer.
    const double by_k = bytes / static_cast<double>(k * k);
    if (last > 0) CHECK(by_k <= 1.05 * last);
    last = by_k;
  }
  const FabricWorkload workload = large(4096, 4096, 4096, "dense", "dense");
  const RunResult hand = run_fabric(
      with_mapping("tc", "{m: 4096, n: 4096, k: 4096, tile_rows: 16, tile_columns: 128, outer: A}"),
      workload);
  const RunResult ours = run_fabric(load_fabric("tc"), workload);
  CHECK(dram_bytes(hand) == test::Approx(1.107e9).epsilon(0.001));
  CHECK(dram_bytes(ours) <= dram_bytes(hand));
  CHECK(ours.energy.total_picojoules <= hand.energy.total_picojoules);
  CHECK(static_cast<double>(ours.statistics.cycles.count()) <=
        1.001 * static_cast<double>(hand.statistics.cycles.count()));
}

TEST_CASE(
    "fault: the tile of the outer-product machine was chosen without its lanes: it is the one that "
    "takes fewer cycles") {
  for (const char* a : {"uniform:0.1", "uniform:0.3", "uniform:0.03"}) {
    for (const char* b : {"dense", "uniform:0.5", "uniform:0.1"}) {
      const auto workload = pattern_workload(512, 512, 512, a, b);
      const auto cycles = [&](const std::string& tiles) {
        const auto settings = tiles.empty() ? std::vector<std::string>{}
                                            : std::vector{"arrays.tiles=[" + tiles + "]"};
        return static_cast<double>(
            run_fabric(load_fabric("dstc", settings), workload).statistics.cycles.count());
      };
      const double tall = cycles("{rows: 64, columns: 32}");
      const double wide = cycles("{rows: 32, columns: 64}");
      INFO("A " << a << " B " << b << ": " << tall << " and " << wide);
      CHECK(cycles("") <= 1.05 * std::min(tall, wide));
    }
  }
}

}  // namespace lacuna
