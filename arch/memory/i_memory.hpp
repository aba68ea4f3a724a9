// SPDX-License-Identifier: Apache-2.0
// Off-chip memory as units see it: requests with addresses, answers later. What stands behind it -
// a rate and a latency (fixed_memory.hpp), banks and rows, a TLM-2.0 target - is the business of
// whoever wires the machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "arch/program/statistics.hpp"

namespace lacuna {

class MemoryPort;

/// Contiguous bytes of the address space.
struct AddressRange {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  [[nodiscard]] std::uint64_t end() const { return address + bytes; }
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// One descriptor of a unit's transfers: ranges in the order in which they are wanted, answered as
/// a whole when the last byte of the last is there (read) or written.
struct MemoryRequest {
  Tensor tensor = Tensor::a;
  bool write = false;
  std::span<const AddressRange> ranges;  // none of them empty; valid while it is sent
  std::uint64_t bytes = 0;               // of all ranges
  bool continues = false;                // a piece of what is written in pieces, not its first
};

/// What a memory has moved, and what the meter beside its data pins read.
struct MemoryCounts {
  MovedByTensor moved{};  // by tensor
  PortUse port;
  std::optional<BankUse> banks;  // of a memory that has any

  [[nodiscard]] const Moved& of(Tensor tensor) const {
    return moved[static_cast<std::size_t>(tensor)];
  }
  [[nodiscard]] Moved all() const {
    Moved sum;
    for (const Moved& one : moved) {
      sum.read_bytes += one.read_bytes;
      sum.write_bytes += one.write_bytes;
    }
    return sum;
  }
};

/// A memory answers each request once, by MemoryPort::answer, in any order and as late as it likes.
/// What it answers may depend on the requests of a delta and on their ports' ranks, never on the
/// order in which they were sent within that delta: collect, decide at its end (sim/decision.hpp),
/// commit.
class IMemory {
 public:
  virtual ~IMemory() = default;

  /// Before the run: a client, whose rank no other client of this memory has.
  virtual void attach(const MemoryPort& port) = 0;
  /// A request of an attached client; `id` numbers the requests of each client from zero on.
  virtual void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) = 0;
  /// Counted when a request is served; complete when all are answered.
  [[nodiscard]] virtual MemoryCounts counts() const = 0;
};

}  // namespace lacuna
