// SPDX-License-Identifier: Apache-2.0
// The entry of libFuzzer. LACUNA_FUZZ_TARGET names the target of this process (scripts/fuzz).
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.hpp"

namespace {

const lacuna::fuzz::Target& chosen() {
  const char* const name = std::getenv("LACUNA_FUZZ_TARGET");
  const auto* target = name == nullptr ? nullptr : lacuna::fuzz::find_target(name);
  if (target == nullptr) {
    std::fprintf(stderr, "LACUNA_FUZZ_TARGET must be one of:\n%s",
                 lacuna::fuzz::target_names().c_str());
    std::exit(2);
  }
  return *target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const lacuna::fuzz::Target& target = chosen();
  lacuna::fuzz::run_target(target, std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
