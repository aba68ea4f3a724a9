// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.hpp"

#include "tests/catch.hpp"

using namespace lacuna;

TEST_CASE("a poll throws from the moment that the user wants an end, and not before") {
  CHECK_NOTHROW(stop_if_requested());
  stop_requested = true;
  CHECK_THROWS_AS(stop_if_requested(), Interrupted);
  CHECK_THROWS_AS(stop_if_requested(), Interrupted);
  stop_requested = false;
  CHECK_NOTHROW(stop_if_requested());
}
