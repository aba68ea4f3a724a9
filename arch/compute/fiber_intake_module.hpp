// SPDX-License-Identifier: Apache-2.0
// How an element comes by fibers: as a stream of bytes in the order of asking, from a level that
// keeps fibers (whole fibers are asked for, nothing is held here), or from memory into a buffer of
// its own.
#pragma once

#include <deque>
#include <vector>

#include "arch/buffer/residency.hpp"
#include "arch/buffer/stream_module.hpp"
#include "arch/memory/memory_port.hpp"
#include "arch/program/rowwise_program.hpp"

namespace lacuna {

class IFiberIntake {
 public:
  virtual ~IFiberIntake() = default;
  /// Returns the position of their end; `walks` times in the same order.
  virtual std::uint64_t request(const std::vector<StoredRange>& fibers, std::uint64_t walks) = 0;
  [[nodiscard]] virtual std::uint64_t requested() const = 0;
  /// Everything up to here is there.
  [[nodiscard]] virtual std::uint64_t arrived() = 0;
  /// What was asked for from `begin` to `end` is at work: the part that room was not enough for
  /// leaves as it comes, all of it when it is `over`.
  virtual void use(std::uint64_t begin, std::uint64_t end, bool over) = 0;
  [[nodiscard]] virtual sc_core::sc_event& arrival() = 0;
};

/// From who keeps fibers: requests of several whole ones, some `chunk` bytes each. With `cut`,
/// from a memory: of at most `chunk` bytes.
class FiberIntake final : public IFiberIntake {
 public:
  FiberIntake(const char* name, sim::Simulation& simulation, Tensor tensor,
              const MemoryClient& client, bool cut)
      : port_(name, simulation, client.memory, client.rank),
        tensor_(tensor),
        base_(client.regions.of(tensor)),
        chunk_(client.chunk),
        limit_(client.outstanding),
        cut_(cut) {}
  std::uint64_t request(const std::vector<StoredRange>& fibers, std::uint64_t walks) override;
  [[nodiscard]] std::uint64_t requested() const override { return requested_; }
  [[nodiscard]] std::uint64_t arrived() override;
  void use(std::uint64_t, std::uint64_t, bool) override {}
  [[nodiscard]] sc_core::sc_event& arrival() override { return port_.answered(); }

 private:
  struct Asking {
    std::vector<AddressRange> ranges;
    std::uint64_t bytes = 0;
  };
  void add(AddressRange range);
  void close();
  void send();
  MemoryPort port_;
  Tensor tensor_;
  std::uint64_t base_, chunk_, limit_;
  bool cut_;
  Asking open_;
  std::deque<Asking> to_send_;
  std::uint64_t requested_ = 0, sent_ = 0, arrived_ = 0;
  std::deque<std::uint64_t> ends_;  // of the requests under way
};

/// From memory, through a buffer.
class BufferIntake final : public IFiberIntake {
 public:
  BufferIntake(const char* name, sim::Simulation& simulation, Tensor tensor, Bytes room,
               const MemoryClient& client, sim::BufferMeter* whole)
      : room_(room.count()),
        residency_(BufferPolicy::buffet, Bytes(0)),
        stream_(name, simulation, tensor, room_, client, {StreamSink{whole, {}}}) {}
  std::uint64_t request(const std::vector<StoredRange>& fibers, std::uint64_t walks) override;
  [[nodiscard]] std::uint64_t requested() const override { return stream_.requested(); }
  [[nodiscard]] std::uint64_t arrived() override { return stream_.arrived(); }
  void use(std::uint64_t begin, std::uint64_t end, bool over) override;
  [[nodiscard]] sc_core::sc_event& arrival() override { return stream_.arrival(); }
  [[nodiscard]] const StreamModule& stream() const { return stream_; }

 private:
  std::uint64_t room_;
  Residency residency_;
  StreamModule stream_;
  std::uint64_t released_ = 0;
};

}  // namespace lacuna
