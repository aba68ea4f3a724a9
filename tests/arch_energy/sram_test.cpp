// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram.hpp"

#include <cmath>
#include <iomanip>
#include <iostream>

#include "base/quantity_text.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::near;
using lacuna::test::table_45;
using lacuna::test::table_65;

namespace {

SramShape shape_of(const SramPoint& point) {
  return {point.capacity, point.width_bits, point.banks, point.ports};
}

bool any(const SramCost& cost, const std::string& text) {
  for (const auto& flag : cost.flags) {
    if (flag.find(text) != std::string::npos) return true;
  }
  return false;
}

SramCost at(double kib, unsigned width, unsigned ports = 1) {
  return sram_cost(table_45(),
                   {Bytes(static_cast<std::uint64_t>(std::llround(kib * 1024))), width, 1, ports});
}

}  // namespace

TEST_CASE("a published memory costs exactly what was published") {
  for (const auto& point : table_45().sram.points) {
    INFO(to_text(point.capacity) << " x " << point.width_bits << " b");
    const auto cost = sram_cost(table_45(), shape_of(point));
    CHECK(cost.read.count() == point.read_pj);
    CHECK(cost.write.count() == point.write_pj);
    CHECK_FALSE(any(cost, "read energy"));
    if (point.idle_pj) CHECK(cost.idle.count() == *point.idle_pj);
    if (point.area_um2) CHECK(cost.area.count() == *point.area_um2);
    if (point.idle_pj && point.area_um2) CHECK(cost.flags.empty());
  }
  for (const auto& point : table_65().sram.at_node) {
    const auto cost = sram_cost(table_65(), shape_of(point));
    CHECK(cost.read.count() == point.read_pj);
    CHECK(cost.area.count() == *point.area_um2);
    CHECK(cost.flags.empty());
  }
}

TEST_CASE("between two published sizes the energy lies on the log-log line and rises") {
  // 64 KiB and 128 KiB of 64 bits.
  const double middle = std::sqrt(25.8695 * 32.2859);
  CHECK(at(64 * std::sqrt(2.0), 64).read.count() == lacuna::test::Approx(middle).epsilon(1e-5));
  double read = 0;
  double write = 0;
  double area = 0;
  for (double kib = 64; kib <= 128; kib += 4) {
    const auto cost = at(kib, 64);
    CHECK(cost.flags.empty());
    CHECK(cost.read.count() > read);
    CHECK(cost.write.count() > write);
    CHECK(cost.area.count() > area);
    read = cost.read.count();
    write = cost.write.count();
    area = cost.area.count();
  }
  CHECK(read == near(32.2859));
  for (double kib = 256; kib < 512; kib += 16) {
    CHECK(at(kib, 256).read.count() < at(kib + 16, 256).read.count());
  }
}

TEST_CASE("between two published widths the energy rises with the width") {
  // 64 KiB is inside the 32-bit row (to 64 KiB) and the 64-bit row (from 64 KiB).
  double read = at(64, 32).read.count();
  CHECK(read == lacuna::test::Approx(14.0361 / (0.7 * 28 / 32 + 0.3)));
  for (unsigned width = 36; width <= 64; width += 4) {
    const auto cost = at(64, width);
    CHECK_FALSE(any(cost, "read energy"));
    CHECK(cost.read.count() > read);
    read = cost.read.count();
  }
  CHECK(read == near(25.8695));
}

TEST_CASE("what leaves the published points is flagged with its distance") {
  const auto llb = at(30 * 1024, 2048 * 8);
  CHECK(any(llb,
            "read energy of a 30 MiB x 16384 b SRAM: capacity 60x above the 512 KiB of the "
            "256-bit points"));
  CHECK(any(llb, "read energy of a 30 MiB x 16384 b SRAM: width 64x above 256 bits"));
  CHECK(any(llb, "area"));
  CHECK(llb.read.count() > at(512, 256).read.count());
  CHECK(any(at(256, 64), "capacity 2x above the 128 KiB of the 64-bit points"));
  CHECK(any(at(32, 64), "capacity 2x below the 64 KiB of the 64-bit points"));
  CHECK(any(sram_cost(table_45(), {Bytes(256 << 10), 512, 2, 4}), "4 ports, points have 2"));
  CHECK_FALSE(any(at(96, 64), "extrapolated"));
  // Power laws beyond: the energy keeps growing with capacity, width and ports.
  CHECK(at(1024, 256).read.count() == near(140.09584 * std::pow(2, 0.670)));
  CHECK(at(512, 512).read.count() == near(140.09584 * std::pow(2, 0.581)));
  CHECK(sram_cost(table_45(), {Bytes(256 << 10), 512, 2, 4}).read.count() ==
        near(285.71464 * std::pow(2, 0.458)));
}

TEST_CASE("memories below CACTI's limits are shares of the smallest legal one") {
  // 64 words of 8 bits in one bank against 64 words of 32.
  const auto small = sram_cost(table_45(), {Bytes(64), 8, 1, 1});
  const auto legal = sram_cost(table_45(), {Bytes(256), 32, 1, 1});
  CHECK(small.read.count() == near(legal.read.count() * (0.7 / 4 + 0.3)));
  CHECK(small.idle.count() == near(legal.idle.count() / 4));
  CHECK(small.area.count() == near(legal.area.count() / 4));
  const auto shallow = sram_cost(table_45(), {Bytes(128), 32, 1, 1});
  CHECK(shallow.write.count() == near(legal.write.count() * std::pow(0.5, 0.78)));
  CHECK(shallow.area.count() == near(legal.area.count() / 2));
}

TEST_CASE("small memories are register files, larger ones SRAM") {
  CHECK(memory_cost(table_45(), 64, 16).read.count() ==
        lacuna::test::Approx(0.49218).epsilon(1e-4));
  CHECK(memory_cost(table_45(), 64, 16).area.count() == near(935.68));
  CHECK(memory_cost(table_45(), 32, 20).read.count() ==
        lacuna::test::Approx(0.32508).epsilon(1e-4));
  CHECK(memory_cost(table_45(), 32, 20).area.count() ==
        sram_cost(table_45(), {Bytes(80), 20, 1, 1}).area.count());
  CHECK(memory_cost(table_45(), 192, 8).read.count() == 0.47678);
  CHECK(memory_cost(table_45(), 2048, 8, 16, 2).read.count() == 1.65889);
  CHECK(memory_cost(table_45(), 64, 33).read.count() ==
        sram_cost(table_45(), {Bytes(264), 33, 1, 1}).read.count());
}

TEST_CASE("65 nm memories are the 45 nm ones by CACTI's own ratio, flagged") {
  const SramShape metadata{Bytes(64 << 10), 64, 1, 1};
  const auto cost = sram_cost(table_65(), metadata);
  CHECK(cost.read.count() == near(25.8695 * 1.88));
  CHECK(cost.write.count() == near(19.6486 * 1.89));
  CHECK(any(cost, "scaled: SRAM read energy from 45 nm, x1.88"));
  // The ratios are those of the two memories published at both nodes.
  const SramShape smem{Bytes(256 << 10), 512, 2, 2};
  const SramShape rf{Bytes(2 << 10), 8, 16, 2};
  const auto ratio = [](Picojoules a, Picojoules b) { return a.count() / b.count(); };
  const auto smem_65 = sram_cost(table_65(), smem);
  const auto smem_45 = sram_cost(table_45(), smem);
  CHECK(ratio(smem_65.read, smem_45.read) == lacuna::test::Approx(1.88).margin(0.005));
  CHECK(ratio(smem_65.write, smem_45.write) == lacuna::test::Approx(1.89).margin(0.005));
  CHECK(ratio(smem_65.idle, smem_45.idle) == lacuna::test::Approx(8.03).margin(0.005));
  CHECK(sram_cost(table_65(), rf).area.count() / sram_cost(table_45(), rf).area.count() ==
        lacuna::test::Approx(2.08).margin(0.005));
}

TEST_CASE("leaving one published memory out, the others meet it within the stated error") {
  struct Sum {
    double log_error = 0;
    double worst = 0;
    int points = 0;
    void add(double got, double published) {
      const double error = std::abs(std::log(got / published));
      log_error += error;
      worst = std::max(worst, error);
      ++points;
    }
    double mean() const { return 100 * (std::exp(log_error / points) - 1); }
  };
  Sum read, write, idle, area;
  for (std::size_t i = 0; i < table_45().sram.points.size(); ++i) {
    const auto point = table_45().sram.points[i];
    if (!point.interpolate) continue;
    EnergyTable rest = table_45();
    rest.sram.points.erase(rest.sram.points.begin() + static_cast<std::ptrdiff_t>(i));
    std::erase_if(rest.sram.points, [](const auto& p) { return !p.interpolate; });
    const auto cost = sram_cost(rest, shape_of(point));
    std::cout << std::setw(8) << point.capacity.count() << " B x " << std::setw(3)
              << point.width_bits << " b, " << point.ports << " ports: read "
              << std::setprecision(3) << 100 * (cost.read.count() / point.read_pj - 1)
              << " %, write " << 100 * (cost.write.count() / point.write_pj - 1) << " %\n";
    read.add(cost.read.count(), point.read_pj);
    write.add(cost.write.count(), point.write_pj);
    if (point.idle_pj) idle.add(cost.idle.count(), *point.idle_pj);
    if (point.area_um2) area.add(cost.area.count(), *point.area_um2);
  }
  std::cout << "leave-one-out, geometric mean (worst): read " << read.mean() << " % ("
            << 100 * (std::exp(read.worst) - 1) << "), write " << write.mean() << " % ("
            << 100 * (std::exp(write.worst) - 1) << "), idle " << idle.mean() << " % ("
            << 100 * (std::exp(idle.worst) - 1) << "), area " << area.mean() << " % ("
            << 100 * (std::exp(area.worst) - 1) << ")\n";
  CHECK(read.mean() < 42);
  CHECK(write.mean() < 31);
  CHECK(idle.mean() < 10);
  CHECK(area.mean() < 36);
  for (const auto& sum : {read, write, idle, area}) CHECK(sum.worst < std::log(2.0));
}

TEST_CASE("impossible memories are refused") {
  CHECK_THROWS_AS(sram_cost(table_45(), {Bytes(0), 8, 1, 1}), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), {Bytes(8), 0, 1, 1}), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), {Bytes(8), 8, 0, 1}), InputError);
  CHECK_THROWS_AS(sram_cost(table_45(), {Bytes(8), 65, 1, 1}), InputError);
  CHECK_THROWS_AS(memory_cost(table_45(), 0, 8), InputError);
  CHECK_THROWS_AS(memory_cost(table_45(), std::uint64_t{1} << 60, 64), InputError);
}
