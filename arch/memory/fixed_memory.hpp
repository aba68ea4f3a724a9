// SPDX-License-Identifier: Apache-2.0
// Memory as one channel of fixed bandwidth and fixed latency: first come, first served, of those
// that come in one delta by rank. Addresses do not matter to it: no banks, no refresh, no
// turnaround between reads and writes.
#pragma once

#include <string>
#include <vector>

#include "arch/memory/memory_port.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"
#include "sim/stall.hpp"

namespace lacuna {

class FixedMemory final : public IMemory {
 public:
  FixedMemory(std::string name, sim::Simulation& simulation, const DramSpec& spec);

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  [[nodiscard]] MemoryCounts counts() const override;

 private:
  struct Waiting {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    bool write;
    std::uint64_t bytes;
  };
  void decide();
  void serve(const Waiting& request);

  std::string name_;
  sim::Simulation& simulation_;
  Cycles latency_;
  sim::BandwidthPort port_;
  sim::PortMeter meter_;
  MovedByTensor moved_{};
  sim::StallSource stalls_;
  std::vector<unsigned> ranks_;
  std::vector<Waiting> waiting_;  // sent in this delta
  sim::Decision decision_;
};

}  // namespace lacuna
