// SPDX-License-Identifier: Apache-2.0
// Somebody else's memory model behind our interface: TLM-2.0, base protocol, approximately timed.
// Requests become transactions of at most `transaction` bytes, which go out one request phase at a
// time in the order of the ranges; the target answers late and in any order. A request is answered
// when its last transaction has responded, in the first whole cycle from then on. Bytes have no
// values here: payloads point at a buffer that nobody looks at.
//
// BEGIN_REQ goes forward when the request phase is free and no more than `under_way` transactions
// wait. END_REQ, or BEGIN_RESP without one, frees the phase; BEGIN_RESP is accepted and END_RESP
// sent in the cycle in which the response is seen. A target may end phases early (TLM_UPDATED,
// TLM_COMPLETED), as the protocol allows.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <deque>
#include <memory>
#include <string>
#include <tlm>
#include <vector>

#include "arch/memory/memory_port.hpp"
#include "arch/memory/page_table.hpp"
#include "sim/meter.hpp"
#include "sim/simulation.hpp"

namespace lacuna {

struct TlmMemoryOptions {
  Bytes transaction{64};        // the target's largest, and its alignment
  std::size_t under_way = 256;  // transactions without a response, at most
  /// Of the target: tensors are given pages of it in the order in which they are touched.
  std::uint64_t capacity = std::uint64_t{1} << 40;
  Bytes page{1 << 21};
  /// The target never rests (a clock, a refresh): the run ends with the work. What such a target
  /// never answers is then a run without end, where otherwise it is found as a deadlock.
  bool restless = false;
};

class TlmMemory : public sc_core::sc_module, public IMemory {
 public:
  SC_HAS_PROCESS(TlmMemory);
  TlmMemory(const sc_core::sc_module_name& name, sim::Simulation& simulation,
            const TlmMemoryOptions& options);
  ~TlmMemory() override;

  /// To be bound to the target's.
  tlm_utils::simple_initiator_socket<TlmMemory> socket;

  void attach(const MemoryPort& port) override;
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override;
  [[nodiscard]] MemoryCounts counts() const override;

 private:
  struct Waiting {
    MemoryPort* from;
    std::uint64_t id;
    Tensor tensor;
    bool write;
    std::size_t first_range, ranges;
    std::uint64_t bytes;
  };
  /// A request of which transactions are still to be sent or to respond.
  struct Request {
    MemoryPort* from;
    std::uint64_t id;
    std::uint64_t left;  // transactions
    bool begun = false;
    Cycles first;  // response
  };
  struct Piece {
    std::shared_ptr<Request> request;
    std::uint64_t address, bytes;
    bool write;
  };
  class Transactions;
  struct Phase {
    tlm::tlm_generic_payload* transaction;
    tlm::tlm_phase phase;
    Cycles when;
  };

  LACUNA_PROCESS(pump);
  void decide();
  void cut(const Waiting& request);
  tlm::tlm_sync_enum backward(tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                              sc_core::sc_time& delay);
  void note(tlm::tlm_generic_payload& transaction, const tlm::tlm_phase& phase,
            const sc_core::sc_time& delay);
  void take_phases();
  void respond(tlm::tlm_generic_payload& transaction);
  void end_response(tlm::tlm_generic_payload& transaction);
  void begin_request();
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  TlmMemoryOptions options_;
  PageTable pages_;
  std::unique_ptr<Transactions> transactions_;
  tlm::tlm_generic_payload* requesting_ = nullptr;  // in its request phase
  std::vector<Phase> phases_;                       // that the target has begun, until they are due
  std::deque<Piece> pieces_;                        // still to be sent
  MovedByTensor moved_{};
  sim::PortMeter meter_;
  sim::Ticks metered_ = 0;
  std::vector<unsigned> ranks_;
  std::vector<Waiting> waiting_;      // sent in this delta
  std::vector<AddressRange> ranges_;  // of those
  sim::Decision decision_;
  sc_core::sc_event wake_;
};

}  // namespace lacuna
