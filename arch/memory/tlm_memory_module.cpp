// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/tlm_memory_module.hpp"

#include <algorithm>
#include <tuple>

#include "arch/memory/metered.hpp"

namespace lacuna {
namespace {

/// Whose transaction a payload is.
struct Owner : tlm::tlm_extension<Owner> {
  std::shared_ptr<void> request;
  std::uint64_t number = 0;  // in the order of sending
  std::uint64_t bytes = 0;
  bool responded = false;

  [[nodiscard]] tlm::tlm_extension_base* clone() const override { return new Owner(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const Owner&>(other);
  }
};

Owner& owner_of(tlm::tlm_generic_payload& transaction) {
  Owner* const owner = transaction.get_extension<Owner>();
  LACUNA_CHECK(owner != nullptr, "a transaction that nobody sent");
  return *owner;
}

}  // namespace

/// Payloads, used again when target and initiator have both let go of them.
class TlmMemory::Transactions : public tlm::tlm_mm_interface {
 public:
  explicit Transactions(std::uint64_t largest) : data_(largest) {}

  tlm::tlm_generic_payload& make(const Piece& piece) {
    if (free_.empty()) {
      all_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
      all_.back()->set_extension(new Owner);
      free_.push_back(all_.back().get());
    }
    tlm::tlm_generic_payload& made = *free_.back();
    free_.pop_back();
    made.acquire();
    made.set_command(piece.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    made.set_address(piece.address);
    made.set_data_ptr(data_.data());
    made.set_data_length(static_cast<unsigned>(piece.bytes));
    made.set_streaming_width(static_cast<unsigned>(piece.bytes));
    made.set_byte_enable_ptr(nullptr);
    made.set_dmi_allowed(false);
    made.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    Owner& owner = owner_of(made);
    owner.request = piece.request;
    owner.number = made_++;
    owner.bytes = piece.bytes;
    owner.responded = false;
    ++under_way_;
    return made;
  }
  void let_go(tlm::tlm_generic_payload& transaction) {
    --under_way_;
    owner_of(transaction).request.reset();
    transaction.release();
  }
  void free(tlm::tlm_generic_payload* transaction) override { free_.push_back(transaction); }
  [[nodiscard]] std::size_t under_way() const { return under_way_; }

 private:
  std::vector<unsigned char> data_;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> all_;
  std::vector<tlm::tlm_generic_payload*> free_;
  std::uint64_t made_ = 0;
  std::size_t under_way_ = 0;
};

TlmMemory::TlmMemory(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                     const TlmMemoryOptions& options)
    : sc_core::sc_module(name),
      socket("socket"),
      simulation_(simulation),
      options_(options),
      pages_(this->name(), options.page, options.capacity),
      transactions_(std::make_unique<Transactions>(options.transaction.count())),
      decision_(simulation, [this] { decide(); }),
      wake_("wake") {
  LACUNA_CHECK(options.page.count() % options.transaction.count() == 0,
               "pages of {} bytes, transactions of {}", options.page.count(),
               options.transaction.count());
  if (options.restless) simulation.end_with_work();
  socket.register_nb_transport_bw(this, &TlmMemory::backward);
  LACUNA_METHOD(pump);
  sensitive << wake_;
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

TlmMemory::~TlmMemory() = default;

void TlmMemory::attach(const MemoryPort& port) {
  LACUNA_CHECK(std::find(ranks_.begin(), ranks_.end(), port.rank()) == ranks_.end(),
               "{}: two clients of rank {}", name(), port.rank());
  ranks_.push_back(port.rank());
}

void TlmMemory::send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) {
  waiting_.push_back({&from, id, request.tensor, request.write, ranges_.size(),
                      request.ranges.size(), request.bytes});
  ranges_.insert(ranges_.end(), request.ranges.begin(), request.ranges.end());
  decision_.due();
}

void TlmMemory::decide() {
  // A client's own requests stay in their order.
  std::sort(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
    return std::tuple(a.from->rank(), a.id) < std::tuple(b.from->rank(), b.id);
  });
  for (const Waiting& request : waiting_) cut(request);
  waiting_.clear();
  ranges_.clear();
  simulation_.wake(wake_);
}

/// Transactions do not cross a multiple of their largest size.
void TlmMemory::cut(const Waiting& request) {
  Moved& moved = moved_[static_cast<std::size_t>(request.tensor)];
  (request.write ? moved.write_bytes : moved.read_bytes) += request.bytes;
  const auto whole =
      std::make_shared<Request>(Request{request.from, request.id, 0, false, Cycles(0)});
  const std::uint64_t largest = options_.transaction.count();
  for (std::size_t i = 0; i < request.ranges; ++i) {
    AddressRange range = ranges_[request.first_range + i];
    while (range.bytes > 0) {
      const std::uint64_t bytes = std::min(range.bytes, largest - range.address % largest);
      pieces_.push_back({whole, pages_.find(range.address), bytes, request.write});
      range = {range.address + bytes, range.bytes - bytes};
      ++whole->left;
    }
  }
}

void TlmMemory::pump() {
  take_phases();
  while (requesting_ == nullptr && !pieces_.empty() &&
         transactions_->under_way() < options_.under_way) {
    begin_request();
  }
}

void TlmMemory::begin_request() {
  tlm::tlm_generic_payload& transaction = transactions_->make(pieces_.front());
  pieces_.pop_front();
  requesting_ = &transaction;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  switch (socket->nb_transport_fw(transaction, phase, delay)) {
    case tlm::TLM_ACCEPTED:
      break;
    case tlm::TLM_UPDATED:  // END_REQ or BEGIN_RESP
      note(transaction, phase, delay);
      break;
    case tlm::TLM_COMPLETED:  // the response comes at once, and its phases are over
      note(transaction, tlm::END_RESP, delay);
      break;
  }
}

/// The target's call; what it means is worked out in a process of ours.
tlm::tlm_sync_enum TlmMemory::backward(tlm::tlm_generic_payload& transaction, tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) {
  note(transaction, phase, delay);
  return tlm::TLM_ACCEPTED;
}

void TlmMemory::note(tlm::tlm_generic_payload& transaction, const tlm::tlm_phase& phase,
                     const sc_core::sc_time& delay) {
  // Its clock need not be ours: seen in our next whole cycle.
  const std::uint64_t period = simulation_.time_of(Cycles(1)).value();
  const Cycles when(ceil_div((sc_core::sc_time_stamp() + delay).value(), period));
  phases_.push_back({&transaction, phase, when});
  simulation_.at(when, wake_);  // the earliest of several counts
}

void TlmMemory::take_phases() {
  const Cycles now = simulation_.now();
  std::vector<Phase> due;
  std::erase_if(phases_, [&](const Phase& phase) {
    if (phase.when > now) return false;
    due.push_back(phase);
    return true;
  });
  // Whose calls came first within a delta is the kernel's business.
  std::stable_sort(due.begin(), due.end(), [](const Phase& a, const Phase& b) {
    return std::tuple(a.when, owner_of(*a.transaction).number) <
           std::tuple(b.when, owner_of(*b.transaction).number);
  });
  for (const Phase& one : due) {
    if (one.transaction == requesting_) requesting_ = nullptr;
    if (one.phase == tlm::END_REQ) continue;
    LACUNA_CHECK(one.phase == tlm::BEGIN_RESP || one.phase == tlm::END_RESP,
                 "{}: the target went to a phase of its own", name());
    if (one.phase == tlm::BEGIN_RESP) end_response(*one.transaction);
    respond(*one.transaction);
  }
  for (const Phase& phase : phases_) simulation_.at(phase.when, wake_);
}

void TlmMemory::end_response(tlm::tlm_generic_payload& transaction) {
  tlm::tlm_phase phase = tlm::END_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  (void)socket->nb_transport_fw(transaction, phase, delay);
}

void TlmMemory::respond(tlm::tlm_generic_payload& transaction) {
  Owner& owner = owner_of(transaction);
  LACUNA_CHECK(!std::exchange(owner.responded, true) && owner.request != nullptr,
               "{}: a transaction responds twice", name());
  if (!transaction.is_response_ok()) {
    throw InputError(fmt::format("{}: the target answers {} at address {:#x}", name(),
                                 transaction.get_response_string(), transaction.get_address()),
                     "is the memory as large as its options say?");
  }
  auto& request = *static_cast<Request*>(owner.request.get());
  const sim::Ticks now = simulation_.now_ticks();
  meter_.crossed(std::max(metered_, now), std::max(metered_, now), owner.bytes);
  metered_ = std::max(metered_, now);
  if (!std::exchange(request.begun, true)) request.first = simulation_.now();
  simulation_.progress();
  if (--request.left == 0) request.from->answer(request.id, simulation_.now(), request.first);
  transactions_->let_go(transaction);
}

std::string TlmMemory::blocked_on() const {
  if (transactions_->under_way() == 0 && pieces_.empty()) return {};
  return fmt::format("the TLM-2.0 target: {} transactions without a response, {} not sent",
                     transactions_->under_way(), pieces_.size());
}

MemoryCounts TlmMemory::counts() const {
  return {moved_, use_of(meter_), {}};
}

}  // namespace lacuna
