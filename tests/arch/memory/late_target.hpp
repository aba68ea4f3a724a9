// SPDX-License-Identifier: Apache-2.0
// A TLM-2.0 target in the approximately timed style, with a clock of its own: it ends request
// phases late, answers after random times and so out of order, one response phase at a time, and
// breaks the run when the initiator does not keep to the base protocol.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <map>
#include <set>
#include <systemc>
#include <tlm>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"

namespace lacuna::test {

struct LateTargetOptions {
  double accept_ns = 0.7;              // until the request phase ends
  double least_ns = 20, most_ns = 21;  // from then to the response
  std::uint64_t seed = 1;
  enum class Style { kFourPhases, kNoEndReq, kUpdated, kCompleted } style = Style::kFourPhases;
  std::uint64_t capacity = std::uint64_t{1} << 40;  // beyond: an address error
  bool restless = false;                            // a clock of its own, for ever
};

class LateTarget : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(LateTarget);
  LateTarget(const sc_core::sc_module_name& name, const LateTargetOptions& options)
      : sc_core::sc_module(name),
        socket("socket"),
        options_(options),
        random_(options.seed, "late target") {
    socket.register_nb_transport_fw(this, &LateTarget::forward);
    SC_METHOD(act);
    sensitive << wake_;
    dont_initialize();
    SC_METHOD(tick);
  }

  tlm_utils::simple_target_socket<LateTarget> socket;
  std::vector<std::uint64_t> asked, answered;  // addresses, in their order
  std::uint64_t bytes = 0;
  std::size_t most_at_once = 0;

 private:
  using Style = LateTargetOptions::Style;
  using Payload = tlm::tlm_generic_payload;

  tlm::tlm_sync_enum forward(Payload& transaction, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    if (phase == tlm::BEGIN_REQ) return begin(transaction, phase, delay);
    if (phase != tlm::END_RESP || &transaction != responding_) {
      throw ModelError("a phase that the protocol does not have here");
    }
    responding_ = nullptr;
    live_.erase(&transaction);
    transaction.release();
    wake_.notify(sc_core::SC_ZERO_TIME);
    return tlm::TLM_COMPLETED;
  }

  tlm::tlm_sync_enum begin(Payload& transaction, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    if (requesting_ != nullptr) throw ModelError("a request within another one's request phase");
    if (!live_.insert(&transaction).second) throw ModelError("a transaction that is under way");
    most_at_once = std::max(most_at_once, live_.size());
    asked.push_back(transaction.get_address());
    bytes += transaction.get_data_length();
    const bool inside =
        transaction.get_address() + transaction.get_data_length() <= options_.capacity;
    transaction.set_response_status(inside ? tlm::TLM_OK_RESPONSE
                                           : tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (options_.style == Style::kCompleted) {
      delay += ns(options_.least_ns);
      live_.erase(&transaction);
      answered.push_back(transaction.get_address());
      return tlm::TLM_COMPLETED;
    }
    transaction.acquire();
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    const sc_core::sc_time accepted = now + ns(options_.accept_ns);
    due_.emplace(accepted + ns(options_.least_ns +
                               (options_.most_ns - options_.least_ns) * random_.uniform()),
                 &transaction);
    tlm::tlm_sync_enum answer = tlm::TLM_ACCEPTED;
    if (options_.style == Style::kUpdated) {
      phase = tlm::END_REQ;
      delay += ns(options_.accept_ns);
      answer = tlm::TLM_UPDATED;
    } else {
      requesting_ = &transaction;
      if (options_.style == Style::kFourPhases) end_request_at_ = accepted;
    }
    look();
    return answer;
  }

  void tick() {
    if (options_.restless) next_trigger(ns(0.7));
  }
  void act() {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    if (options_.style == Style::kFourPhases && requesting_ != nullptr && end_request_at_ <= now) {
      Payload& transaction = *requesting_;
      requesting_ = nullptr;
      back(transaction, tlm::END_REQ);
    }
    if (responding_ == nullptr && !due_.empty() && due_.begin()->first <= now) {
      responding_ = due_.begin()->second;
      due_.erase(due_.begin());
      if (responding_ == requesting_) requesting_ = nullptr;  // its response says so
      answered.push_back(responding_->get_address());
      back(*responding_, tlm::BEGIN_RESP);
    }
    look();
  }
  void back(Payload& transaction, tlm::tlm_phase phase) {
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    if (socket->nb_transport_bw(transaction, phase, delay) != tlm::TLM_ACCEPTED) {
      throw ModelError("the initiator ends phases at once");
    }
  }
  void look() {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    const auto at = [&](const sc_core::sc_time& when) {
      wake_.notify(when > now ? when - now : sc_core::SC_ZERO_TIME);
    };
    if (options_.style == Style::kFourPhases && requesting_ != nullptr) at(end_request_at_);
    if (responding_ == nullptr && !due_.empty()) at(due_.begin()->first);
  }
  static sc_core::sc_time ns(double value) { return {value, sc_core::SC_NS}; }

  LateTargetOptions options_;
  RandomStream random_;
  Payload* requesting_ = nullptr;
  Payload* responding_ = nullptr;
  sc_core::sc_time end_request_at_;
  std::multimap<sc_core::sc_time, Payload*> due_;
  std::set<Payload*> live_;
  sc_core::sc_event wake_;
};

}  // namespace lacuna::test
