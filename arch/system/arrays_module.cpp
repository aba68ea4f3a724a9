// SPDX-License-Identifier: Apache-2.0
#include "arch/system/arrays_module.hpp"

#include <algorithm>

namespace lacuna {

ArraysModule::ArraysModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
                           const ArrayProgram& program, std::vector<std::shared_ptr<IUnit>> units,
                           double word_bytes, Cycles latency, const Operand& a, const Operand& b,
                           DrainModule& z, FillPort write, BufferBanks* banks)
    : sc_core::sc_module(name),
      simulation_(simulation),
      program_(program),
      walk_(program.walk()),
      units_(std::move(units)),
      word_bytes_(word_bytes),
      latency_(latency),
      a_(a.stream),
      b_(b.stream),
      a_consumer_(a.consumer),
      b_consumer_(b.consumer),
      z_(z),
      write_(write),
      banks_(banks),
      row_(simulation.timeline() != nullptr ? simulation.timeline()->row(this->name()) : 0),
      wake_("wake"),
      a_positions_(a.residency),
      b_positions_(b.residency) {
  LACUNA_METHOD(step);
  sensitive << wake_ << a_.arrival() << b_.arrival() << z.progress();
  simulation.watch(this->name(), [this] { return blocked_on(); });
}

void ArraysModule::start() {
  next();
  if (more_) simulation_.issue();
  if (!more_) end_operation();
  simulation_.wake(wake_);
}

void ArraysModule::next() {
  more_ = walk_(current_);
  if (!more_) return;
  a_use_ = a_positions_.of(current_.a);
  b_use_ = b_positions_.of(current_.b);
}

void ArraysModule::step() {
  advance();
  tell_streams();
}

void ArraysModule::advance() {
  const Cycles now = simulation_.now();
  if (running_) {
    if (!end_known_ || sim::to_cycles_up(free_at_) > now) return;
    finish();
  }
  if (!more_) return;
  if (std::uint64_t* const reason = waiting(); reason != nullptr) {
    waits_for_ = reason;
    return;
  }
  begin(now);
}

/// The counter of what the current instruction waits for; null when it can begin.
std::uint64_t* ArraysModule::waiting() {
  if (a_.arrived() < a_use_.needed) return &waits_.a;
  if (b_.arrived() < b_use_.needed) return &waits_.b;
  if (z_.pending() > program_.operations[operations_.size()].shares.z_backlog) return &waits_.z;
  return nullptr;
}

void ArraysModule::begin(Cycles now) {
  // Without a wait the next instruction follows at once, within the cycle.
  sim::Ticks start = free_at_;
  if (waits_for_ != nullptr) {
    start = std::max(free_at_, sim::to_ticks(now + latency_));
    const std::uint64_t waited = (start - free_at_) >> sim::kTickBits;
    if (instructions_ == 0) {
      waits_.fill = waited;
    } else {
      *waits_for_ += waited;
    }
    waits_for_ = nullptr;
  }
  if (current_.run != run_) {  // each product rounds by itself
    run_ = current_.run;
    pairs_ = glb_bytes_ = written_bytes_ = {};
  }
  execute(start);
}

void ArraysModule::execute(sim::Ticks start) {
  const Execution execution =
      current_.idle ? Execution{} : units_[current_.part]->execute(current_);
  free_at_ = sim::sum(start, sim::to_ticks(execution.cycles));
  macs_.crossed(start, free_at_, pairs_.next(execution.multiplies));
  const std::uint64_t read = glb_bytes_.next(execution.glb_words * word_bytes_);
  glb_.crossed(start, free_at_, read);
  busy_ += execution.cycles;
  ++instructions_;
  running_ = true;
  end_known_ = false;
  if (banks_ != nullptr) read_banks(start, read);
  const std::uint64_t written =
      write_.port == nullptr ? 0 : written_bytes_.next(execution.written_words * word_bytes_);
  if (written == 0) return ends(start, execution.cycles);
  // It writes while it works, but no sooner than others let it.
  write_.port->write(write_.rank, start, free_at_, written,
                     [this, start, cycles = execution.cycles](sim::Ticks late) {
                       free_at_ = sim::sum(free_at_, late);
                       held_up_ = sim::sum(held_up_, late);
                       ends(start, cycles);
                     });
}

/// Operands come evenly while it works, and late from a bank that is taken.
void ArraysModule::read_banks(sim::Ticks start, std::uint64_t bytes) {
  banks_->forget(simulation_.now());
  const sim::Ticks end = banks_->access(read_place_, start, free_at_, bytes);
  held_up_ = sim::sum(held_up_, end - free_at_);
  free_at_ = end;
}

/// The end of the instruction is known.
void ArraysModule::ends(sim::Ticks start, double cycles) {
  if (auto* timeline = simulation_.timeline()) {
    timeline->slice(row_, "step", Cycles(start >> sim::kTickBits), sim::to_cycles_up(free_at_),
                    static_cast<std::uint64_t>(cycles), "cycles");
  }
  end_known_ = true;
  simulation_.at(std::max(simulation_.now(), sim::to_cycles_up(free_at_)), wake_);
}

void ArraysModule::finish() {
  running_ = false;
  a_.release(a_use_.release, a_consumer_);
  b_.release(b_use_.release, b_consumer_);
  z_.write(Tensor::z, {z_written_, current_.z_bytes});
  z_written_ += current_.z_bytes;
  simulation_.progress();
  next();
  if (!more_ || current_.part >= program_.operations[operations_.size()].parts_end) end_operation();
  if (!more_) simulation_.retire();
}

void ArraysModule::end_operation() {
  operations_.push_back({ended(), waits_, busy_, held_up_, z_written_});
}

/// What may be fetched ahead of a later operation.
void ArraysModule::tell_streams() {
  if (program_.operations.size() == 1) return;
  const std::uint64_t in_memory = z_written_ - z_.pending();
  while (written_ < operations_.size() && operations_[written_].z_end <= in_memory) ++written_;
  a_.over(operations_.size(), written_);
  b_.over(operations_.size(), written_);
}

std::string ArraysModule::blocked_on() const {
  if (!more_ || running_) return {};
  return fmt::format("A {} of {}, B {} of {}, {} bytes of Z pending", a_.arrived(), a_use_.needed,
                     b_.arrived(), b_use_.needed, z_.pending());
}

}  // namespace lacuna
