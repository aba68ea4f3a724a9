// SPDX-License-Identifier: Apache-2.0
#include "arch/fabric/fabric_module.hpp"

#include <algorithm>
#include <cmath>

#include "arch/buffer/stream_module.hpp"
#include "arch/limits/physical_limits.hpp"
#include "arch/machine/metered.hpp"

namespace lacuna {
namespace {

DramSpec channel(const FabricSpec& spec, double words) {
  DramSpec dram;
  dram.bytes_per_cycle = words * spec.word_bytes();
  dram.latency = spec.dram.latency;
  dram.chunk = spec.dram.chunk;
  dram.outstanding = spec.dram.outstanding;
  return dram;
}

/// The arrays with their sequencer: in order, one instruction at a time.
class ArraysModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(ArraysModule);
  ArraysModule(const sc_core::sc_module_name& name, sim::Simulation& simulation,
               const FabricProgram& program, StreamModule& a, StreamModule& b, DrainModule& z)
      : sc_core::sc_module(name),
        simulation_(simulation),
        program_(program),
        a_(a),
        b_(b),
        z_(z),
        row_(simulation.timeline() != nullptr ? simulation.timeline()->row("arrays") : 0),
        wake_("wake") {
    LACUNA_METHOD(step);
    sensitive << wake_ << a.arrival() << b.arrival() << z.progress();
    simulation.watch(this->name(), [this] { return blocked_on(); });
  }

  void start() {
    a_.request(program_.a_bytes);
    b_.request(program_.b_bytes);
    more_ = program_.next(current_);
    if (more_) simulation_.issue();
    wake_.notify(sc_core::SC_ZERO_TIME);
  }
  [[nodiscard]] const FabricTiming& timing() const { return timing_; }
  [[nodiscard]] const sim::PortMeter& macs() const { return macs_; }
  [[nodiscard]] const sim::PortMeter& glb() const { return glb_; }
  [[nodiscard]] Cycles ended() const { return sim::to_cycles_up(free_at_); }

 private:
  LACUNA_PROCESS(step) {
    const Cycles now = simulation_.now();
    if (running_) {
      if (sim::to_cycles_up(free_at_) > now) return;
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
  std::uint64_t* waiting() {
    if (a_.arrived() < current_.a_needed) return &timing_.wait_a;
    if (b_.arrived() < current_.b_needed) return &timing_.wait_b;
    if (z_.pending() > program_.z_backlog) return &timing_.wait_z;
    return nullptr;
  }

  void begin(Cycles now) {
    // Without a wait the next instruction follows at once, within the cycle.
    sim::Ticks start = free_at_;
    if (waits_for_ != nullptr) {
      start = std::max(free_at_, sim::to_ticks(now));
      const std::uint64_t waited = (start - free_at_) >> sim::kTickBits;
      if (timing_.instructions == 0) {
        timing_.fill = waited;
      } else {
        *waits_for_ += waited;
      }
      waits_for_ = nullptr;
    }
    free_at_ = sim::sum(start, sim::to_ticks(current_.cycles));
    macs_.crossed(start, free_at_, current_.multiplies);
    glb_.crossed(start, free_at_, current_.glb_bytes);
    timing_.busy += current_.cycles;
    ++timing_.instructions;
    running_ = true;
    if (auto* timeline = simulation_.timeline()) {
      timeline->slice(row_, "step", Cycles(start >> sim::kTickBits), sim::to_cycles_up(free_at_),
                      static_cast<std::uint64_t>(current_.cycles), "cycles");
    }
    simulation_.at(std::max(now, sim::to_cycles_up(free_at_)), wake_);
  }

  void finish() {
    running_ = false;
    a_.release(current_.a_release);
    b_.release(current_.b_release);
    z_.write(Tensor::z, current_.z_bytes);
    more_ = program_.next(current_);
    if (!more_) simulation_.retire();
  }

  [[nodiscard]] std::string blocked_on() const {
    if (!more_ || running_) return {};
    return fmt::format("A {} of {}, B {} of {}, {} bytes of Z pending", a_.arrived(),
                       current_.a_needed, b_.arrived(), current_.b_needed, z_.pending());
  }

  sim::Simulation& simulation_;
  const FabricProgram& program_;
  StreamModule& a_;
  StreamModule& b_;
  DrainModule& z_;
  unsigned row_;
  sc_core::sc_event wake_;
  FabricStep current_;
  FabricTiming timing_;
  sim::PortMeter macs_, glb_;
  sim::Ticks free_at_ = 0;
  std::uint64_t* waits_for_ = nullptr;
  bool running_ = false, more_ = false;
};

}  // namespace

FabricTiming run_fabric_program(const FabricSpec& spec, const FabricProgram& program,
                                const FabricRunOptions& options) {
  sim::SimulationOptions simulation_options;
  simulation_options.clock = spec.clock;
  simulation_options.stalls = options.stalls;
  simulation_options.timeline = options.timeline;
  sim::Simulation simulation(simulation_options);
  // Reads and writes have a channel each, as in the released designs.
  const DramSpec read = channel(spec, spec.dram.read_words);
  const DramSpec write = channel(spec, spec.dram.write_words);
  DramModule dram_read("dram_read", simulation, read);
  DramModule dram_write("dram_write", simulation, write);
  sim::BufferMeter glb;
  StreamModule a("a_stream", simulation, Tensor::a, program.a_capacity, read, &glb);
  StreamModule b("b_stream", simulation, Tensor::b, program.b_capacity, read, &glb);
  DrainModule z("z_drain", simulation, write);
  a.dram.socket.bind(dram_read.socket);
  b.dram.socket.bind(dram_read.socket);
  z.dram.socket.bind(dram_write.socket);
  ArraysModule arrays("arrays", simulation, program, a, b, z);
  arrays.start();
  simulation.run();

  FabricTiming timing = arrays.timing();
  timing.cycles = std::max(simulation.now(), arrays.ended());
  timing.drain = (timing.cycles - arrays.ended()).count();
  timing.dram_a = dram_read.moved()[static_cast<std::size_t>(Tensor::a)];
  timing.dram_b = dram_read.moved()[static_cast<std::size_t>(Tensor::b)];
  timing.dram_z = dram_write.moved()[static_cast<std::size_t>(Tensor::z)];
  timing.activations = simulation.activations();
  timing.a_walks = program.a_walks;
  timing.b_walks = program.b_walks;
  LACUNA_CHECK(
      timing.dram_a.read_bytes == program.a_bytes && timing.dram_b.read_bytes == program.b_bytes,
      "{} and {} bytes of A and B came, {} and {} were to", timing.dram_a.read_bytes,
      timing.dram_b.read_bytes, program.a_bytes, program.b_bytes);
  timing.meters.ports = {{"dram_read", use_of(dram_read.meter())},
                         {"dram_write", use_of(dram_write.meter())},
                         {"glb", use_of(arrays.glb())},
                         {"mac", use_of(arrays.macs())}};
  timing.meters.high_water = {{"glb", glb.high_water()},
                              {"glb.A", a.meter().high_water()},
                              {"glb.B", b.meter().high_water()}};
  check_limits(limits_of(spec), timing.meters, arrays.macs().total(), timing.cycles);
  return timing;
}

}  // namespace lacuna
