// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/release_queue.hpp"

#include <algorithm>

namespace lacuna {

void ReleaseQueue::push_far(const Element& element) {
  far_.push_back(element);
  std::push_heap(far_.begin(), far_.end(),
                 [](const Element& x, const Element& y) { return earlier(y, x); });
}

void ReleaseQueue::pop_far() {
  std::pop_heap(far_.begin(), far_.end(),
                [](const Element& x, const Element& y) { return earlier(y, x); });
  far_.pop_back();
}

}  // namespace lacuna
