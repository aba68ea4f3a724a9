// SPDX-License-Identifier: Apache-2.0
// A unit with its sequencer: in order, one instruction at a time, each as soon as its operands are
// there and the outputs before it have left.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "arch/buffer/buffer_port.hpp"
#include "arch/buffer/drain_module.hpp"
#include "arch/buffer/residency.hpp"
#include "arch/compute/i_unit.hpp"
#include "sim/meter.hpp"

namespace lacuna {

/// Parts of a sum in whole numbers: what has been given is the rounded sum so far.
class WholeParts {
 public:
  std::uint64_t next(double part) {
    sum_ += part;
    const auto upto = static_cast<std::uint64_t>(sum_ + 0.5);
    return upto - std::exchange(given_, upto);
  }

 private:
  double sum_ = 0;
  std::uint64_t given_ = 0;
};

class ArraysModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(ArraysModule);
  /// One operand as it comes.
  struct Operand {
    StreamModule& stream;
    Residency residency;
    std::size_t consumer = 0;  // of the stream
  };
  /// A unit for each part of the program, in its order; null for a part that is idle throughout.
  /// Parts that are alike may have one.
  /// `write` is what it writes through into the buffer, `banks` what it reads, when others do too.
  ArraysModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
               const ArrayProgram& program, std::vector<std::shared_ptr<IUnit>> units,
               double word_bytes, Cycles latency, const Operand& a, const Operand& b,
               DrainModule& z, FillPort write, BufferBanks* banks = nullptr);

  void start();

  struct Waits {
    std::uint64_t a = 0, b = 0, z = 0;
    std::uint64_t fill = 0;  // before the first instruction
  };
  [[nodiscard]] const Waits& waits() const { return waits_; }
  /// An operation of the program, when it was over: what it came to until then.
  struct OperationEnd {
    Cycles ended;
    Waits waits;
    double busy = 0;
    sim::Ticks held_up = 0;
    std::uint64_t z_end = 0;  // bytes of outputs, its own and all before
  };
  [[nodiscard]] const std::vector<OperationEnd>& operations() const { return operations_; }
  /// For the port into the buffer, while others passed it.
  [[nodiscard]] std::uint64_t held_up() const { return held_up_ >> sim::kTickBits; }
  [[nodiscard]] double busy() const { return busy_; }
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
  [[nodiscard]] const sim::PortMeter& macs() const { return macs_; }
  [[nodiscard]] const sim::PortMeter& glb() const { return glb_; }
  [[nodiscard]] Cycles ended() const { return sim::to_cycles_up(free_at_); }
  /// Null: there was nothing to do in this part.
  [[nodiscard]] const IUnit* unit(std::size_t part) const { return units_[part].get(); }

 private:
  LACUNA_PROCESS(step);
  void advance();
  void next();
  void end_operation();
  void tell_streams();
  std::uint64_t* waiting();
  void begin(Cycles now);
  void execute(sim::Ticks start);
  void read_banks(sim::Ticks start, std::uint64_t bytes);
  void ends(sim::Ticks start, double cycles);
  void finish();
  [[nodiscard]] std::string blocked_on() const;

  sim::Simulation& simulation_;
  const ArrayProgram& program_;
  ArrayWalk walk_;
  std::vector<std::shared_ptr<IUnit>> units_;
  double word_bytes_;
  Cycles latency_;  // of the way from the buffer
  StreamModule& a_;
  StreamModule& b_;
  std::size_t a_consumer_, b_consumer_;
  DrainModule& z_;
  FillPort write_;
  BufferBanks* banks_;  // of the buffer, when they are contended for
  BufferBanks::Place read_place_ = 0;
  unsigned row_;
  sc_core::sc_event wake_;
  ArrayInstruction current_;
  std::vector<OperationEnd> operations_;
  std::size_t written_ = 0;  // of them, whose outputs are in memory
  StreamPositions a_positions_, b_positions_;
  StreamPositions::Position a_use_, b_use_;  // of the current instruction
  sim::PortMeter macs_, glb_;
  WholeParts pairs_, glb_bytes_, written_bytes_;
  std::uint64_t run_ = 0;
  Waits waits_;
  double busy_ = 0;
  std::uint64_t instructions_ = 0;
  sim::Ticks free_at_ = 0;
  std::uint64_t z_written_ = 0;  // bytes: the address of the next outputs
  std::uint64_t* waits_for_ = nullptr;
  sim::Ticks held_up_ = 0;
  bool running_ = false, end_known_ = false, more_ = false;
};

}  // namespace lacuna
