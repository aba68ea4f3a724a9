// SPDX-License-Identifier: Apache-2.0
#include "arch/dram/dram_module.hpp"

#include <algorithm>
#include <limits>

namespace lacuna {

DramModule::DramModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                       const DramSpec& spec)
    : sc_core::sc_module(name),
      socket("socket"),
      simulation_(simulation),
      latency_(spec.latency),
      port_(spec.bytes_per_cycle) {
  socket.register_b_transport(this, &DramModule::transport);
}

void DramModule::transport(int /*initiator*/, tlm::tlm_generic_payload& payload,
                           sc_core::sc_time& delay) {
  const auto* extension = payload.get_extension<TensorExtension>();
  LACUNA_CHECK(extension != nullptr, "a DRAM request without its tensor");
  const std::uint64_t bytes = payload.get_data_length();
  Moved& moved = moved_[static_cast<std::size_t>(extension->tensor)];
  (payload.is_write() ? moved.write_bytes : moved.read_bytes) += bytes;
  const sim::Ticks begin = std::max(simulation_.now_ticks(), port_.free_at());
  const sim::Ticks done = port_.transfer(simulation_.now_ticks(), bytes);
  meter_.crossed(begin, done, bytes);
  const Cycles complete = sim::to_cycles_up(done) + latency_ + simulation_.stall();
  delay += simulation_.time_of(complete - simulation_.now());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

DramClient::DramClient(const char* name, sim::Simulation& simulation)
    : socket(name), simulation_(simulation), extension_(new TensorExtension) {
  payload_.set_extension(extension_);
}

DramClient::~DramClient() {
  payload_.clear_extension(extension_);
  delete extension_;
}

Cycles DramClient::request(Tensor tensor, bool write, std::uint64_t bytes) {
  LACUNA_CHECK(bytes > 0 && bytes <= std::numeric_limits<unsigned>::max(), "request of {} bytes",
               bytes);
  extension_->tensor = tensor;
  payload_.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload_.set_data_length(static_cast<unsigned>(bytes));
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(payload_, delay);
  LACUNA_CHECK(payload_.is_response_ok(), "the memory refused a request of {} bytes", bytes);
  return simulation_.now() + simulation_.cycles_of(delay);
}

}  // namespace lacuna
