// SPDX-License-Identifier: Apache-2.0
#include "base/large_array.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace lacuna {

void advise_huge_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::uintptr_t kHuge = std::uintptr_t{2} << 20;
  if (bytes < 2 * kHuge) return;
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = (address + kHuge - 1) & ~(kHuge - 1);
  const std::uintptr_t last = (address + bytes) & ~(kHuge - 1);
  // A hint: without such pages the call fails, and nothing depends on it.
  (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace lacuna
