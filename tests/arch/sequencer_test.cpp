// SPDX-License-Identifier: Apache-2.0
// Does the sequencer ask the streams for what the rows use, in order, no further ahead than its
// channel is deep, and does each walk of a tile that is larger than its share bring again what the
// buffer's policy could not keep?
#include "arch/machine/sequencer_module.hpp"

#include <limits>
#include <stdexcept>

#include "tests/arch/buffer/streams.hpp"
#include "tests/catch.hpp"
#include "tests/sim/process.hpp"

using namespace lacuna;
using lacuna::test::client_of;
using lacuna::test::Process;

namespace {

/// Passes given one by one; no operands behind them.
class ListedPasses : public TileProgram {
 public:
  std::vector<PassInstruction> passes;

  bool next(PassInstruction& pass) override {
    if (at_ == passes.size()) return false;
    pass = passes[at_++];
    return true;
  }
  [[nodiscard]] const MicrotileGrid& a() const override { return none(); }
  [[nodiscard]] const MicrotileGrid& b() const override { return none(); }
  [[nodiscard]] const CsrMatrix& a_matrix() const override { return matrix_; }
  [[nodiscard]] const CsrMatrix& b_matrix_transposed() const override { return matrix_; }

 private:
  [[noreturn]] static const MicrotileGrid& none() { throw std::logic_error("no operands"); }
  CsrMatrix matrix_;
  std::size_t at_ = 0;
};

/// A pass of `rows` rows, each with 8 bytes of A and 3 of returning outputs.
PassInstruction pass_of(std::uint64_t tile_bytes, std::size_t rows, bool first = true,
                        bool last = true) {
  auto tile = std::make_shared<StationaryTile>();
  tile->bytes = tile_bytes;
  PassInstruction pass;
  pass.stationary = tile;
  pass.loads_stationary = first;
  pass.last_of_stationary = last;
  pass.k2_tries = 5;
  for (std::size_t i = 0; i < rows; ++i) {
    RowInstruction row;
    row.a_first = i;
    row.a_end = i + 1;
    pass.a_segments.push_back({Tensor::a, 100 * i, 6, 2});
    row.a_bytes = 8;
    row.z_read_bytes = 3;
    row.z_peb_spill_bytes = 4;
    pass.rows.push_back(row);
  }
  return pass;
}

LlbSpec buffer(BufferPolicy policy, std::uint64_t window) {
  LlbSpec llb;
  llb.policy = policy;
  llb.window = llb.a_window = Bytes(window);
  return llb;
}

DramSpec instant() {
  DramSpec dram;
  dram.bytes_per_cycle = std::numeric_limits<double>::infinity();
  return dram;
}

/// A sequencer between three streams of a memory without delay and a channel.
struct SequencerRig {
  static constexpr std::uint64_t kShare = 60;  // of B

  ListedPasses program;
  sim::Simulation simulation;
  sim::Channel<RowCommand> rows;
  FixedMemory dram;
  StreamModule a, b, z;
  SequencerModule sequencer;
  std::vector<RowCommand> taken;

  SequencerRig(const LlbSpec& llb, std::vector<PassInstruction> passes, std::size_t depth = 100)
      : rows(simulation, "rows", depth),
        dram("dram", simulation, instant()),
        a("a", simulation, Tensor::a, 1000, client_of(dram, 0, instant())),
        b("b", simulation, Tensor::b, kShare, client_of(dram, 1, instant())),
        z("z", simulation, Tensor::z_partial, 1000, client_of(dram, 2, instant())),
        sequencer("sequencer", simulation, program, llb, a, b, z, rows) {
    program.passes = std::move(passes);
  }
  /// Takes everything that comes.
  void run() {
    Process process("process", simulation, [this](Process& self) {
      while (rows.ready()) {
        taken.push_back(rows.pop());
        simulation.retire();
      }
      if (simulation.now() < Cycles(50)) self.sleep(1);
    });
    simulation.run();
  }
};

}  // namespace

TEST_CASE("a tile that fits its share is fetched once, however often it is walked") {
  SequencerRig rig(buffer(BufferPolicy::buffet, 0), {pass_of(60, 3)});
  rig.run();
  REQUIRE(rig.taken.size() == 3);
  CHECK(rig.b.requested() == 60);
  for (std::size_t i = 0; i < 3; ++i) {
    const RowCommand& row = rig.taken[i];
    CHECK(row.walk.resident == 60);
    CHECK(row.walk.needed(60) == (i == 0 ? 60 : 0));
    CHECK(row.new_tile == (i == 0));
    CHECK(row.walk.last == (i == 2));
    CHECK(row.a_end == 8 * (i + 1));
    CHECK(row.z_end == 3 * (i + 1));
  }
}

// A share of 60 with a window of 20 keeps the first 40 of 100 bytes; each later walk brings 60.
TEST_CASE("a Tailors buffer keeps the head of a larger tile, and its tail comes with each walk") {
  SequencerRig rig(buffer(BufferPolicy::tailors, 20), {pass_of(100, 3)});
  rig.run();
  REQUIRE(rig.taken.size() == 3);
  CHECK(rig.b.requested() == 100 + 2 * 60);
  const std::vector<std::uint64_t> base{0, 100, 160}, begin{0, 40, 40};
  for (std::size_t i = 0; i < 3; ++i) {
    const Walk& walk = rig.taken[i].walk;
    CHECK(walk.resident == 40);
    CHECK(walk.base == base[i]);
    CHECK(walk.begin == begin[i]);
    CHECK(walk.needed(40) == (i == 0 ? 40 : 0));  // the head is there after the first walk
    CHECK(walk.needed(41) == (i == 0 ? 41 : base[i] + 1));
    CHECK(walk.needed(100) == (i == 0 ? 100 : base[i] + 60));
  }
}

TEST_CASE("a buffet keeps nothing of a larger tile: each walk brings all of it") {
  SequencerRig rig(buffer(BufferPolicy::buffet, 20), {pass_of(100, 3)});
  rig.run();
  REQUIRE(rig.taken.size() == 3);
  CHECK(rig.b.requested() == 300);
  CHECK(rig.taken[2].walk.resident == 0);
  CHECK(rig.taken[2].walk.needed(1) == 201);
}

TEST_CASE("the next tile starts a walk of its own behind the one before it") {
  SequencerRig rig(buffer(BufferPolicy::tailors, 20), {pass_of(100, 2), pass_of(30, 1)});
  rig.run();
  REQUIRE(rig.taken.size() == 3);
  CHECK(rig.taken[1].walk.last);
  CHECK(rig.taken[2].new_tile);
  CHECK(rig.taken[2].walk.base == 160);
  CHECK(rig.taken[2].walk.begin == 0);
  CHECK(rig.taken[2].walk.needed(30) == 190);
}

TEST_CASE("passes of one tile are one series of walks, its head given back after the last") {
  SequencerRig rig(buffer(BufferPolicy::tailors, 20),
                   {pass_of(100, 1, true, false), pass_of(100, 1, false, true)});
  rig.run();
  REQUIRE(rig.taken.size() == 2);
  CHECK_FALSE(rig.taken[0].walk.last);
  CHECK_FALSE(rig.taken[1].new_tile);
  CHECK(rig.taken[1].walk.begin == 40);
  CHECK(rig.taken[1].walk.last);
}

TEST_CASE("rows are decoded as far ahead as the channel is deep, and no further") {
  for (const std::size_t depth : {1U, 2U, 5U}) {
    SequencerRig rig(buffer(BufferPolicy::buffet, 0), {pass_of(20, 4), pass_of(20, 4)}, depth);
    std::vector<std::uint64_t> asked;  // of A, after 0, 1, 2, ... rows were taken
    Process process("process", rig.simulation, [&](Process& self) {
      if (rig.simulation.now() > Cycles(0)) {
        asked.push_back(rig.a.requested());
        if (rig.rows.ready()) {
          (void)rig.rows.pop();
          rig.simulation.retire();
        }
      }
      if (rig.simulation.now() < Cycles(12)) self.sleep(1);
    });
    rig.simulation.run();
    for (std::uint64_t taken = 0; taken < asked.size(); ++taken) {
      CHECK(asked[taken] == 8 * std::min<std::uint64_t>(8, taken + depth));
    }
  }
}

TEST_CASE("the sequencer counts the trips of its loops") {
  SequencerRig rig(buffer(BufferPolicy::buffet, 0),
                   {pass_of(20, 4, true, false), pass_of(20, 1, false, true), pass_of(20, 2)});
  rig.run();
  const std::map<std::string, std::uint64_t> trips{{"N2", 1}, {"K2", 2}, {"M2", 3}, {"M1", 7}};
  CHECK(rig.sequencer.iterations() == trips);
  CHECK(rig.sequencer.k2_tries() == 15);
  CHECK(rig.sequencer.z_peb_spill_bytes() == 28);
}
