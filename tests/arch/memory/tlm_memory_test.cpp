// SPDX-License-Identifier: Apache-2.0
// Does a TLM-2.0 target stand behind the memory interface: one that answers late and out of order,
// that ends phases early, that refuses an address?
#include "arch/memory/tlm_memory_module.hpp"

#include <algorithm>

#include "tests/arch/memory/asker.hpp"
#include "tests/arch/memory/late_target.hpp"
#include "tests/arch/random_runs.hpp"
#include "tests/arch/same_run.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

using Times = std::vector<std::uint64_t>;
using Style = LateTargetOptions::Style;

struct TlmRig {
  sim::Simulation simulation;
  TlmMemory memory;
  LateTarget target;
  Asker first{"first", simulation, memory, 3}, second{"second", simulation, memory, 7};

  explicit TlmRig(const LateTargetOptions& options, const TlmMemoryOptions& tlm = {})
      : memory("dram", simulation, tlm), target("target", options) {
    memory.socket.bind(target.socket);
  }
  void run(const std::function<void(Process&)>& body) {
    Process process("process", simulation, body);
    simulation.run();
  }
};

/// What a factory gives to a machine: the adapter and, behind it, the target.
class WithTarget : public IMemory {
 public:
  WithTarget(const std::string& name, sim::Simulation& simulation, const LateTargetOptions& options)
      : memory_(name.c_str(), simulation, tlm_of(options)),
        target_((name + "_target").c_str(), options) {
    memory_.socket.bind(target_.socket);
  }
  void attach(const MemoryPort& port) override { memory_.attach(port); }
  void send(MemoryPort& from, std::uint64_t id, const MemoryRequest& request) override {
    memory_.send(from, id, request);
  }
  [[nodiscard]] MemoryCounts counts() const override { return memory_.counts(); }

 private:
  static TlmMemoryOptions tlm_of(const LateTargetOptions& options) {
    TlmMemoryOptions tlm;
    tlm.restless = options.restless;
    return tlm;
  }

  TlmMemory memory_;
  LateTarget target_;
};

bool out_of_order(const LateTarget& target) {
  return target.asked != target.answered;
}

}  // namespace

// The request phase ends at 0.7 ns, the response begins at 20.7: in the cycle at 21.
TEST_CASE("by hand: a transaction goes through its four phases on the target's clock") {
  LateTargetOptions options;
  options.most_ns = options.least_ns;
  TlmRig rig(options);
  rig.run([&](Process&) { rig.first.read(64); });
  CHECK(rig.first.answers == Times{21});
  CHECK(rig.target.bytes == 64);
}

// Sixteen transactions, a request phase of one cycle each (0.7 ns and up to the next), then 20.7
// ns.
TEST_CASE("by hand: a request is answered with its last transaction, phases one after another") {
  LateTargetOptions options;
  options.most_ns = options.least_ns;
  TlmRig rig(options);
  rig.run([&](Process&) { rig.first.ask(Tensor::b, false, 1000, 1 << 12); });
  CHECK(rig.first.answers == Times{15 + 21});
  CHECK(rig.target.asked.size() == 16);
  CHECK(rig.target.bytes == 1000);
  CHECK(rig.memory.counts().of(Tensor::b) == Moved{1000, 0});
}

TEST_CASE("a target that answers out of order is seen in order, each request once") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    LateTargetOptions options{0.7, 5, 400, seed, Style::kFourPhases};
    TlmRig rig(options);
    rig.run([&](Process& process) {
      rig.first.ask(Tensor::a, false, 700, 100);
      rig.second.ask(Tensor::z, true, 300, kRegionBytes + 17);
      if (rig.simulation.now() < Cycles(3000)) process.sleep(100);
    });
    CHECK(rig.first.answers.size() == 31);
    CHECK(rig.second.answers.size() == 31);
    CHECK(out_of_order(rig.target));
    CHECK(rig.target.bytes == 31 * 1000);
    std::vector<std::uint64_t> asked = rig.target.asked, answered = rig.target.answered;
    std::sort(asked.begin(), asked.end());
    std::sort(answered.begin(), answered.end());
    CHECK(asked == answered);
  }
}

TEST_CASE("phases that a target ends early or leaves out are understood") {
  LateTargetOptions options;
  options.most_ns = options.least_ns;
  for (const Style style : {Style::kNoEndReq, Style::kUpdated, Style::kCompleted}) {
    options.style = style;
    TlmRig rig(options);
    rig.run([&](Process&) { rig.first.ask(Tensor::a, false, 256, 0); });
    // Without END_REQ a request waits for the response to the one before it.
    const std::uint64_t all = style == Style::kNoEndReq  ? 4 * 21
                              : style == Style::kUpdated ? 3 + 21
                                                         : 4 * 20;
    CHECK(rig.first.answers == Times{all});
    CHECK(rig.target.asked.size() == 4);
  }
}

TEST_CASE("no more transactions are under way than the target is said to take") {
  LateTargetOptions options{0.7, 100, 300, 1, Style::kFourPhases};
  TlmMemoryOptions tlm;
  tlm.under_way = 5;
  TlmRig rig(options, tlm);
  rig.run([&](Process&) { rig.first.ask(Tensor::a, false, 64 * 50, 0); });
  CHECK(rig.target.most_at_once == 5);
}

TEST_CASE("an address that the target does not have ends the run with a message") {
  LateTargetOptions options;
  options.capacity = 1 << 21;
  TlmRig rig(options);
  const std::string error = error_of([&] {
    rig.run([&](Process&) {
      rig.first.read(64);
      rig.first.ask(Tensor::z, true, 64, kRegionBytes);  // on the second page
    });
  });
  CHECK_THAT(error, contains("TLM_ADDRESS_ERROR_RESPONSE"));
  TlmMemoryOptions tlm;
  tlm.capacity = 1 << 21;
  TlmRig small(options, tlm);
  const std::string full = error_of([&] {
    small.run([&](Process&) {
      small.first.read(64);
      small.first.ask(Tensor::z, true, 64, kRegionBytes);
    });
  });
  CHECK_THAT(full, contains("the tensors take more"));
}

TEST_CASE(
    "random runs: a machine before a TLM-2.0 target counts what it counts before any memory") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    RandomRun run = random_run(seed);
    run.spec.dram.bytes_per_cycle = 1e6;  // the target is what bounds it
    INFO(run.text);
    const ProductOperands operands(run.a, run.b_transposed, run.spec.microtile);
    const RunOutcome fixed = simulate(run.spec, operands, run.tiles);
    RunOptions options;
    bool restless = false;
    options.memory = [&restless, seed](const std::string& name, sim::Simulation& simulation,
                                       const DramSpec&) {
      return std::make_unique<WithTarget>(name, simulation,
                                          LateTargetOptions{0.7, 10, 300, seed, Style::kFourPhases,
                                                            std::uint64_t{1} << 40, restless});
    };
    const RunOutcome other = simulate(run.spec, operands, run.tiles, options);
    check_same_counts(fixed.statistics, other.statistics);
    options.shuffle = seed;
    check_same_run(other.statistics, simulate(run.spec, operands, run.tiles, options).statistics);
    // A wake that changes nothing may be cut off with the target's clock.
    restless = true;
    const RunOutcome cut = simulate(run.spec, operands, run.tiles, options);
    check_same_counts(other.statistics, cut.statistics);
    REQUIRE(cut.statistics.cycles == other.statistics.cycles);
  }
}
