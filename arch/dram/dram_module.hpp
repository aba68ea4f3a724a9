// SPDX-License-Identifier: Apache-2.0
// Off-chip memory behind a TLM-2.0 target socket, so that an existing DRAM simulator can take its
// place: first come first served at a fixed bandwidth, a fixed latency, no banks or refresh.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm>

#include <array>

#include "arch/program/statistics.hpp"
#include "arch/spec/machine_spec.hpp"
#include "sim/meter.hpp"
#include "sim/port.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

/// Travels with each transaction: whose bytes these are.
struct TensorExtension : tlm::tlm_extension<TensorExtension> {
  Tensor tensor = Tensor::a;
  [[nodiscard]] tlm::tlm_extension_base* clone() const override {
    return new TensorExtension(*this);
  }
  void copy_from(const tlm::tlm_extension_base& other) override {
    tensor = static_cast<const TensorExtension&>(other).tensor;
  }
};

class DramModule : public sc_core::sc_module {
 public:
  DramModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
             const DramSpec& spec);

  /// Any number of initiators, one per unit.
  tlm_utils::multi_passthrough_target_socket<DramModule> socket;

  [[nodiscard]] const std::array<Moved, 4>& moved() const { return moved_; }
  [[nodiscard]] const sim::BandwidthPort& port() const { return port_; }
  [[nodiscard]] const sim::PortMeter& meter() const { return meter_; }

 private:
  void transport(int initiator, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  sim::Simulation& simulation_;
  Cycles latency_;
  sim::BandwidthPort port_;
  sim::PortMeter meter_;
  std::array<Moved, 4> moved_{};
};

/// A unit's side of the DRAM edge: one payload, reused.
class DramClient {
 public:
  DramClient(const char* name, sim::Simulation& simulation);
  ~DramClient();
  DramClient(const DramClient&) = delete;
  DramClient& operator=(const DramClient&) = delete;

  tlm_utils::simple_initiator_socket<DramClient> socket;
  /// Issues one request now; returns the cycle at which it completes.
  Cycles request(Tensor tensor, bool write, std::uint64_t bytes);

 private:
  sim::Simulation& simulation_;
  tlm::tlm_generic_payload payload_;
  TensorExtension* extension_;
};

}  // namespace lacuna
