// SPDX-License-Identifier: Apache-2.0
// A memory that remembers what it was asked for.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <utility>

#include "arch/memory/i_memory.hpp"

namespace lacuna::test {

/// Remembers which addresses of each tensor were read and written, and how often.
class Mapped final : public IMemory {
 public:
  using Seen = std::map<std::uint64_t, std::uint64_t>;  // address of a byte, times
  struct Log {
    std::array<Seen, kTensorNames.size()> read, written;
  };

  Mapped(std::unique_ptr<IMemory> behind, Log& log) : behind_(std::move(behind)), log_(log) {}
  void attach(const MemoryPort& port) override { behind_->attach(port); }
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override {
    Seen& seen =
        (request.write ? log_.written : log_.read)[static_cast<std::size_t>(request.tensor)];
    for (const AddressRange& range : request.ranges) {
      for (std::uint64_t i = 0; i < range.bytes; ++i) ++seen[range.address + i];
    }
    behind_->send(from, id, request);
  }
  [[nodiscard]] MemoryCounts counts() const override { return behind_->counts(); }

 private:
  std::unique_ptr<IMemory> behind_;
  Log& log_;
};

/// Lie the addresses without a gap from the region's beginning on?
inline bool dense_from(const Mapped::Seen& seen, std::uint64_t base) {
  return seen.empty() ||
         (seen.begin()->first == base && seen.rbegin()->first == base + seen.size() - 1);
}

}  // namespace lacuna::test
