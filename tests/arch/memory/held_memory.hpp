// SPDX-License-Identifier: Apache-2.0
// A memory that answers when the test says so.
#pragma once

#include <vector>

#include "arch/memory/memory_port.hpp"

namespace lacuna::test {

class HeldMemory : public IMemory {
 public:
  struct Held {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    bool write;
    std::vector<AddressRange> ranges;
    std::uint64_t bytes;
  };
  std::vector<Held> requests;  // in the order in which they were sent

  void attach(const MemoryPort& /*port*/) override {}
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override {
    requests.push_back({&from,
                        id,
                        request.tensor,
                        request.write,
                        {request.ranges.begin(), request.ranges.end()},
                        request.bytes});
  }
  void answer(std::size_t index, Cycles when) {
    requests.at(index).from->answer(requests.at(index).id, when);
  }
  [[nodiscard]] MemoryCounts counts() const override {
    MemoryCounts counts;
    for (const Held& request : requests) {
      Moved& moved = counts.moved[static_cast<std::size_t>(request.tensor)];
      (request.write ? moved.write_bytes : moved.read_bytes) += request.bytes;
    }
    return counts;
  }
};

}  // namespace lacuna::test
