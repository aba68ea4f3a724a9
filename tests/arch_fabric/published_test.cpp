// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "app/fabric_published.hpp"
#include "tests/catch.hpp"

namespace lacuna {

TEST_CASE("released TC and STC runs are met to one cycle and half a percent of energy") {
  std::size_t rows = 0;
  for (const PublishedRow& row : sparseloop_rows()) {
    if (row.machine == "published/dstc") continue;
    INFO(row.label);
    if (row.quantity == "cycles_bound") {
      CHECK(std::abs(row.simulated - row.published) <= 1);
    } else {
      CHECK(std::abs(row.error()) <= 0.005);
    }
    ++rows;
  }
  CHECK(rows == 80);
}

TEST_CASE("released DSTC runs are met within 0.3 % in the mean") {
  double worst = 0;
  for (const PublishedRow& row : sparseloop_rows()) {
    if (row.machine != "published/dstc") continue;
    INFO(row.label << ": " << row.simulated << " for " << row.published);
    CHECK(std::abs(row.error()) <= (row.quantity == "cycles_bound" ? 0.003 : 0.005));
    worst = std::max(worst, std::abs(row.error()));
  }
  CHECK(worst > 0);
}

}  // namespace lacuna
