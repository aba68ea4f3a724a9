// SPDX-License-Identifier: Apache-2.0
// The machine that joins the three ideas, and products that run as one operation.
#include <algorithm>
#include <numeric>

#include "arch/system/array_system.hpp"
#include "dataflows/fabric_tiling.hpp"
#include "run/fabric/run.hpp"
#include "run/product/workload.hpp"
#include "sparse_formats/pattern_occupancy.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

using test::Approx;

const std::vector<std::string> kNoOverbooking{"features.tailors=false", "features.swiftiles=false"};

/// Columns of B, some full and most nearly empty: what a tiler cannot know from the mean.
BitMatrix skewed(std::uint64_t n, std::uint64_t k) {
  BitMatrix bits(n, k);
  for (std::uint64_t row = 0; row < n; ++row) {
    // Runs of 128 columns are alike: one in eight of them full, the others nearly empty.
    const std::uint64_t filled = row / 128 * 5 % 8 == 0 ? k : k / (8 + row % 7);
    bits.set_range(row, 0, filled);
  }
  return bits;
}

FabricWorkload skewed_workload(std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  return {"skewed",
          {single({make_occupancy(parse_pattern("C1(4:8)->C0(2:4)"), m, k, 1, {}), skewed(n, k)})},
          {},
          1,
          nullptr};
}

void same_run(const RunResult& x, const RunResult& y) {
  CHECK(x.statistics.cycles == y.statistics.cycles);
  CHECK(x.statistics.cycles_bound == y.statistics.cycles_bound);
  CHECK(x.statistics.traffic == y.statistics.traffic);
  CHECK(x.statistics.actions == y.statistics.actions);
  CHECK(x.energy.total_picojoules == y.energy.total_picojoules);
}

std::uint64_t reads(const RunResult& result, const char* tensor) {
  return result.statistics.traffic.at("dram").at(tensor).read_bytes;
}

}  // namespace

TEST_CASE("where everything fits, lacuna without overbooking is highlight") {
  const FabricSpec lacuna = load_fabric("lacuna", kNoOverbooking);
  const FabricSpec highlight = load_fabric("highlight");
  for (const char* a : {"C1(4:8)->C0(2:4)", "2:4", "dense", "uniform:0.3"}) {
    for (const char* b : {"dense", "uniform:0.5", "uniform:0.1"}) {
      INFO("A " << a << " B " << b);
      const auto workload = pattern_workload(192, 200, 512, a, b);
      same_run(run_fabric(lacuna, workload), run_fabric(highlight, workload));
    }
  }
}

TEST_CASE("with hierarchical sparsity off as well it is the dense machine with compressed B") {
  auto settings = kNoOverbooking;
  settings.emplace_back("features.hss=false");
  const FabricSpec lacuna = load_fabric("lacuna", settings);
  const FabricSpec tc = load_fabric("tc", {"operands.B.storage=bitmask"});
  for (const char* b : {"dense", "uniform:0.5", "uniform:0.1"}) {
    INFO("B " << b);
    const auto workload = pattern_workload(192, 200, 512, "C1(4:8)->C0(2:4)", b);
    same_run(run_fabric(lacuna, workload), run_fabric(tc, workload));
  }
}

TEST_CASE("an overflowing tile of B is fetched by the rule of its buffer") {
  const auto workload = skewed_workload(1024, 8192, 1024);
  for (const bool tailors : {true, false}) {
    // One full run of 128 columns in eight: its tiles overflow.
    std::vector<std::string> settings{
        "glb.capacity=192KiB", "glb.metadata=0B",
        "mappings=[{m: 1024, n: 8192, k: 1024, tile_columns: 128, outer: B}]"};
    if (!tailors) settings.emplace_back("features.tailors=false");
    const FabricSpec spec = load_fabric("lacuna", settings);
    const FabricPlan plan = compile_fabric(spec, workload.instances);
    const FabricPart& part = plan.parts.at(0);
    REQUIRE(part.mapping.b_resident);
    REQUIRE(part.schedule->use().overbooked > 0);
    const double room = part.mapping.b_room, window = tailors ? 16384 : room;
    const double walks = static_cast<double>(ceil_div(1024, part.mapping.rows));
    double again = 0;
    std::uint64_t stored = 0;
    for (const std::uint64_t bytes : part.schedule->use().bytes) {
      stored += bytes;
      const auto n = static_cast<double>(bytes);
      if (n > room) again += (walks - 1) * (n - std::floor(room - window));
    }
    // The machine moves what the plan says, whatever stalls are injected.
    FabricOptions options;
    options.stalls = {.probability = 0.5, .longest = 5000, .seed = 7};
    const RunResult calm = run_fabric(spec, workload),
                    stalled = run_fabric(spec, workload, options);
    CHECK(static_cast<double>(calm.beside.at("b_refetched_bytes")) == Approx(again).epsilon(1e-6));
    CHECK(reads(calm, "B") == stored + calm.beside.at("b_refetched_bytes"));
    CHECK(calm.statistics.traffic == stalled.statistics.traffic);
    CHECK(calm.statistics.cycles < stalled.statistics.cycles);
  }
}

TEST_CASE("each switch does what it says") {
  const auto workload = skewed_workload(1024, 8192, 1024);
  const auto run = [&](std::vector<std::string> off) {
    for (const char* setting :
         {"glb.capacity=192KiB", "glb.metadata=0B",
          "mappings=[{m: 1024, n: 8192, k: 1024, tile_columns: 128, outer: B}]"}) {
      off.emplace_back(setting);
    }
    return run_fabric(load_fabric("lacuna", off), workload);
  };
  const RunResult all = run({}), no_tailors = run({"features.tailors=false"}),
                  prescient = run({"features.swiftiles=false"}),
                  dense = run({"features.hss=false"});
  // The same tiles, but what does not fit comes again whole.
  CHECK(all.tiling.at("B").shape == no_tailors.tiling.at("B").shape);
  CHECK(all.tiling.at("B").overbooked_fraction > 0);
  CHECK(reads(no_tailors, "B") > reads(all, "B"));
  // A tile that always fits is narrower: A comes more often, B once.
  CHECK(prescient.tiling.at("B").overbooked_fraction == 0);
  CHECK(prescient.tiling.at("B").shape[0] < all.tiling.at("B").shape[0]);
  CHECK(prescient.beside.at("b_refetched_bytes") == 0);
  CHECK(reads(prescient, "A") > reads(all, "A"));
  CHECK(prescient.tiling.at("B").work_nonzeros > all.tiling.at("B").work_nonzeros);
  // Dense A takes four times the compute.
  CHECK(dense.statistics.bounds.at("compute").count() ==
        4 * all.statistics.bounds.at("compute").count());
}

TEST_CASE("the prescient width is the largest that fits everywhere") {
  const std::vector<ColumnGroups> products{{{4, 1, 1, 1, 6, 1}, 1}, {{2, 2}, 3}};
  CHECK(prescient_columns(products, 7).groups == 4);   // 4 1 1 1 | 6 1 and 2 2; five are 13
  CHECK(prescient_columns(products, 14).groups == 6);  // all of both
  CHECK(prescient_columns(products, 5).groups == 0);   // one group holds 6
}

TEST_CASE("swiftiles scales its samples so that a share y overflows") {
  // 400 groups, one in four twice as full: at y = 10 % about one tile in ten may overflow.
  std::vector<double> bytes(4000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i / 8 % 4 == 0 ? 200 : 100;
  FabricSpec::Tiling tiling;
  const ColumnTile tile = swiftiles_columns({{bytes, 1}}, 1000, tiling);
  CHECK(tile.seen.size() == 100);
  CHECK(tile.groups == 5);  // mean 125: w0 = 8, Q = 1600
  const ColumnTile again = swiftiles_columns({{bytes, 1}}, 1000, tiling);
  CHECK(again.seen == tile.seen);
}

TEST_CASE("swiftiles draws only tiles that hold something") {
  // Runs of eight groups are full or empty: tiles of the initial width are one or the other.
  std::vector<double> bytes(4000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i / 8 % 2 == 0 ? 100 : 0;
  FabricSpec::Tiling tiling;
  tiling.overbooked_share = 0.6;
  const ColumnTile tile = swiftiles_columns({{bytes, 1}}, 400, tiling);
  // Counting empty ones, 60 % of the tiles would be expected to overflow when half hold nothing.
  CHECK(std::count(tile.seen.begin(), tile.seen.end(), 0.0) == 0);
  CHECK(tile.groups == 4);  // w0 = 400 / 50 = 8, of 800 bytes each
}

TEST_CASE("products that run as one operation cost what they cost alone, but for fill and drain") {
  const FabricSpec spec = load_fabric("highlight");
  const auto one = pattern_workload(128, 48, 512, "2:4", "uniform:0.5", 1);
  const auto other = pattern_workload(128, 80, 512, "2:4", "uniform:0.5", 2);
  FabricWorkload both{"both", {one.instances[0], other.instances[0]}, {}, 1, nullptr};
  both.instances[0].times = 3;
  const RunResult x = run_fabric(spec, one), y = run_fabric(spec, other);
  const RunResult sum = run_fabric(spec, both);
  for (const char* tensor : {"A", "B"}) {
    CHECK(reads(sum, tensor) == 3 * reads(x, tensor) + reads(y, tensor));
  }
  CHECK(sum.statistics.macs_effectual ==
        3 * x.statistics.macs_effectual + y.statistics.macs_effectual);
  const auto dynamic = [](const RunResult& r) {
    return r.energy.total_picojoules - r.energy.static_picojoules;
  };
  CHECK(dynamic(sum) == Approx(3 * dynamic(x) + dynamic(y)));
  CHECK(sum.statistics.cycles <= 3 * x.statistics.cycles + y.statistics.cycles);
  CHECK(sum.statistics.cycles >= x.statistics.cycles + y.statistics.cycles_bound);
}

TEST_CASE("a repeated sample counts like the matrix that it repeats") {
  const BitMatrix sample = make_occupancy(parse_pattern("uniform:0.3"), 24, 512, 1, {});
  BitMatrix whole(100, 512);
  for (std::uint64_t r = 0; r < 100; ++r) {
    std::copy(sample.row(r % 24).begin(), sample.row(r % 24).end(), whole.row(r).begin());
  }
  const Occupancy repeated = Occupancy::repeated(sample, 100);
  CHECK(repeated.count() == whole.count());
  CHECK(repeated.count(20, 77, 100, 300) == whole.count(20, 77, 100, 300));
  CHECK(repeated.col_counts() == whole.col_counts());
  CHECK(repeated.density_error() > 0);
  CHECK(Occupancy(whole).density_error() == 0);
  const BitMatrix b = make_occupancy(parse_pattern("uniform:0.4"), 90, 512, 2, {});
  for (const char* machine : {"highlight", "dstc", "lacuna", "tc", "stc-flexible-dual"}) {
    INFO(machine);
    const FabricSpec spec = load_fabric(machine);
    same_run(run_fabric(spec, {"x", {single({repeated, b})}, {}, 1, nullptr}),
             run_fabric(spec, {"x", {single({whole, b})}, {}, 1, nullptr}));
    same_run(run_fabric(spec, {"x", {single({b, repeated})}, {}, 1, nullptr}),
             run_fabric(spec, {"x", {single({b, whole})}, {}, 1, nullptr}));
  }
}

TEST_CASE("operands on chip cost no off-chip traffic and leave less room") {
  const FabricSpec spec = load_fabric("highlight");
  FabricWorkload workload = pattern_workload(512, 64, 512, "2:4", "dense");
  const RunResult away = run_fabric(spec, workload);
  workload.instances[0].b.on_chip = true;
  workload.instances[0].z_on_chip = true;
  const RunResult near = run_fabric(spec, workload);
  CHECK(reads(near, "B") == 0);
  CHECK(near.statistics.traffic.at("dram").at("Z").write_bytes == 0);
  CHECK(reads(near, "A") == reads(away, "A"));
  CHECK(near.energy.total_picojoules < away.energy.total_picojoules);
  workload = pattern_workload(1024, 512, 512, "2:4", "dense");
  workload.instances[0].z_on_chip = true;
  CHECK_THROWS_AS(run_fabric(spec, workload), InputError);
}

TEST_CASE("stored widths and scales are in the traffic") {
  const FabricSpec spec = load_fabric("tc");
  FabricWorkload workload = pattern_workload(128, 128, 512, "dense", "dense");
  workload.instances[0].a.width = 0.5;             // four bits on an 8-bit machine
  workload.instances[0].a.scale_words = 1 / 32.0;  // one byte for 32 values
  workload.instances[0].b.width = 2;
  workload.instances[0].z_width = 2;
  workload.instances[0].b_footprint = 0.25;
  const RunResult result = run_fabric(spec, workload);
  CHECK(reads(result, "A") == 128 * 512 / 2 + 128 * 512 / 32);
  CHECK(reads(result, "B") == 128 * 512 * 2 / 4);
  CHECK(result.statistics.traffic.at("dram").at("Z").write_bytes == 2 * 128 * 128);
  CHECK(result.statistics.traffic.at("glb").at("B").read_bytes == 2 * 128 * 512 * 2);
}

}  // namespace lacuna
