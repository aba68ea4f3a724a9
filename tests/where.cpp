// SPDX-License-Identifier: Apache-2.0
// The only file of the tests that knows where it was built: the others compile to the same bytes in
// every checkout, so that a compiler cache serves them all.
#include <cstdlib>

#include "tests/catch.hpp"

namespace lacuna::test {

std::filesystem::path source_dir() {
  return LACUNA_SOURCE_DIR;
}

std::filesystem::path binary_dir() {
  return LACUNA_BINARY_DIR;
}

std::filesystem::path shared_data() {
  const char* const folder = std::getenv("LACUNA_SHARED_DATA");
  return folder != nullptr ? folder : "";
}

}  // namespace lacuna::test
