// SPDX-License-Identifier: Apache-2.0
// As base/precompiled.hpp, for the tests: Catch2 is the largest header of all.
#pragma once

#include "base/precompiled.hpp"
#include "tests/catch.hpp"
