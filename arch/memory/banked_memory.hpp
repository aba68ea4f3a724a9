// SPDX-License-Identifier: Apache-2.0
// Memory as channels of banks (dram_channel.hpp), first come, first served, of those that come in
// one delta by rank. A request's ranges are cut into runs of bursts, one for each channel and
// stripe of rows, and answered once, when the last byte has passed: one activation, however long.
#pragma once

#include <string>
#include <vector>

#include "arch/memory/dram_channel.hpp"
#include "arch/memory/memory_port.hpp"
#include "arch/memory/page_table.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"
#include "sim/stall.hpp"

namespace lacuna {

class BankedMemory final : public IMemory {
 public:
  /// `spec.banked` is given.
  BankedMemory(std::string name, sim::Simulation& simulation, const DramSpec& spec);

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  [[nodiscard]] MemoryCounts counts() const override;

 private:
  struct Channel {
    DramChannel dram;
    sim::PortMeter meter;
  };
  struct Waiting {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    bool write;
    std::size_t first_range, ranges;
    std::uint64_t bytes;
  };
  /// Clocks in which the data of a request pass.
  struct Passing {
    std::uint64_t begin, end;
  };
  void decide();
  void serve(const Waiting& request);
  void serve_bursts(std::uint64_t at, bool write, std::uint64_t begin, std::uint64_t end,
                    Passing& passing);
  [[nodiscard]] std::uint64_t to_clocks_up(sim::Ticks ticks) const;
  [[nodiscard]] sim::Ticks to_ticks(std::uint64_t clocks) const;

  std::string name_;
  sim::Simulation& simulation_;
  BankedSpec spec_;
  sim::WideTicks clock_;  // of the DRAM, in 2^-40 ticks
  AddressMap map_;
  PageTable pages_;
  std::vector<Channel> channels_;
  MovedByTensor moved_{};
  sim::StallSource stalls_;
  std::vector<unsigned> ranks_;
  std::vector<Waiting> waiting_;      // sent in this delta
  std::vector<AddressRange> ranges_;  // of those
  std::vector<std::uint64_t> touched_;
  std::vector<DramChannel::Piece> pieces_;
  sim::Decision decision_;
};

}  // namespace lacuna
