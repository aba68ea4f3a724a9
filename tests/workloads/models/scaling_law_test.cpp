// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/scaling_law.hpp"

#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Approx;

TEST_CASE("the loss of the scaling law has its known values") {
  const ScalingLaw law;
  CHECK(scaling_loss(law, 18.8e9, 110.2e9, 0.98) == Approx(2.169335).margin(1e-6));
  CHECK(scaling_loss(law, 1e9, 20e9, 0.0) == Approx(2.565681).margin(1e-6));
  CHECK(scaling_loss(law, 1e9, 20e9, 0.9) == Approx(2.701872).margin(1e-6));
}

TEST_CASE("the best total size at fixed training compute matches the iso-FLOP table") {
  const std::vector<std::tuple<double, double, double, double>> table{
      {1e19, 0.0, 3.0563, 0.18},  {1e19, 0.5, 2.9354, 0.29},   {1e19, 0.75, 2.8374, 0.47},
      {1e19, 0.9, 2.7361, 0.94},  {1e19, 0.95, 2.6765, 1.66},  {1e19, 0.98, 2.6146, 3.67},
      {1e20, 0.0, 2.5885, 0.64},  {1e20, 0.5, 2.5054, 1.07},   {1e20, 0.75, 2.4368, 1.84},
      {1e20, 0.9, 2.3638, 3.97},  {1e20, 0.95, 2.3191, 7.34},  {1e20, 0.98, 2.2708, 17.07},
      {1e21, 0.0, 2.2748, 2.46},  {1e21, 0.5, 2.2103, 4.34},   {1e21, 0.75, 2.1555, 7.90},
      {1e21, 0.9, 2.0952, 18.08}, {1e21, 0.95, 2.0570, 34.60}, {1e21, 0.98, 2.0143, 83.25}};
  for (const auto& [flops, sparsity, loss, billions] : table) {
    INFO(flops << " FLOP, S = " << sparsity);
    const IsoFlopOptimum best = iso_flop_optimum({}, flops, sparsity);
    CHECK(best.loss == Approx(loss).margin(1e-4));
    // 2 %, or half a digit of the table where that is coarser.
    CHECK(best.parameters / 1e9 == Approx(billions).epsilon(0.02).margin(0.0051));
    CHECK(best.active_parameters == Approx((1 - sparsity) * best.parameters));
    CHECK(6 * best.active_parameters * best.tokens == Approx(flops));
  }
}

TEST_CASE("the optimum grows in total size and shrinks in active size with sparsity") {
  IsoFlopOptimum before = iso_flop_optimum({}, 1e20, 0.0);
  for (const double sparsity : {0.3, 0.6, 0.9, 0.95, 0.98}) {
    const IsoFlopOptimum best = iso_flop_optimum({}, 1e20, sparsity);
    CHECK(best.parameters > before.parameters);
    CHECK(best.active_parameters < before.active_parameters);
    CHECK(best.loss < before.loss);
    before = best;
  }
}

TEST_CASE("the scaling law refuses what lies outside its domain") {
  CHECK_THROWS_AS(scaling_loss({}, 0, 1e9, 0.5), InputError);
  CHECK_THROWS_AS(scaling_loss({}, 1e9, 1e9, 1.0), InputError);
  CHECK_THROWS_AS(iso_flop_optimum({}, -1, 0.5), InputError);
  CHECK_THROWS_AS(iso_flop_optimum({}, 1e20, -0.1), InputError);
}
