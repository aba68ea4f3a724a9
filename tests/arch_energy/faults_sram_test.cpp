// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::table_45;

TEST_CASE("fault: a whole line of a last-level buffer of 30 MiB costs of the order of CACTI's") {
  // 30 MiB x 4096 b at 45 nm: 20.5 to 22.7 nJ for 1 to 16 banks (computed with CACTI 7); as 16
  // memories side by side, without wires, 5.45.
  const double read = sram_cost(table_45(), {Bytes(30ULL << 20U), 4096, 4}).read.count();
  CHECK(read > 4e3);
  CHECK(read < 30e3);
}
