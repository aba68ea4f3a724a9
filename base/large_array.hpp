// SPDX-License-Identifier: Apache-2.0
// Arrays of many megabytes, which are filled once: first touching their pages can take longer than
// what is done with them.
#pragma once

#include <cstddef>
#include <vector>

namespace lacuna {

/// Asks for huge pages for what lies in [begin, begin + bytes), where the system has them; without
/// them, and for little memory, nothing changes.
void advise_huge_pages(void* begin, std::size_t bytes);

template <class T>
void reserve_large(std::vector<T>& array, std::size_t count) {
  array.reserve(count);
  advise_huge_pages(array.data(), array.capacity() * sizeof(T));
}

template <class T>
void resize_large(std::vector<T>& array, std::size_t count) {
  reserve_large(array, count);
  array.resize(count);
}

}  // namespace lacuna
