// SPDX-License-Identifier: Apache-2.0
// Do small runs on the MAC-array machines take the cycles, and count the actions, that one computes
// by hand? All of them share: int8, 32 bytes a cycle from memory and 32 to it, each 100 cycles
// late, in requests of 2 KiB; 76 words a cycle from the global buffer; 4 arrays of 16 x 16.
#include <fmt/format.h>

#include "run/fabric/run.hpp"
#include "run/fabric/vector.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

MachineStatistics run(const FabricSpec& machine, std::uint64_t m, std::uint64_t n, std::uint64_t k,
                      const std::string& a) {
  const RunResult result = run_fabric(machine, pattern_workload(m, n, k, a, "dense"));
  REQUIRE(result.unsupported.empty());
  return result.statistics;
}

MachineStatistics vector_operation(unsigned latency) {
  const FabricSpec machine = load_fabric("tc", {fmt::format("dram.latency={} cycles", latency)});
  VectorTraffic traffic;
  traffic.dram_read = traffic.buffer_read = 3200;
  traffic.dram_write = 320;
  traffic.buffer_write = 3520;
  return run_vector(machine, traffic, {}).statistics;
}

}  // namespace

// The rows of A fill the four arrays; K takes 2 steps of 16 lanes, each an instruction.
//   66   A's 64 x 32 and B's 2 x 32 bytes have left memory: 2112 / 32
//   166  they are there
//   An instruction takes a cycle for each of 2 columns, but its 64 x 16 + 2 x 16 = 1056 words take
//   1056 / 76 = 13.89 cycles of the buffer's port: two end at 166 + 27.79, which is 194.
//   298  64 x 2 bytes of outputs are in memory: 194 + 128 / 32 + 100
TEST_CASE("by hand: a dense product on the dense tensor core") {
  const MachineStatistics s = run(load_fabric("tc"), 64, 2, 32, "dense");
  CHECK(s.cycles == Cycles(298));
  CHECK(s.bounds.at("compute") == Cycles(2 * 2));
  CHECK(s.bounds.at("glb") == Cycles(28));
  CHECK(s.bounds.at("dram") == Cycles(66));
  CHECK(s.traffic.at("dram").at("A") == Moved{2048, 0});
  CHECK(s.traffic.at("dram").at("B") == Moved{64, 0});
  CHECK(s.traffic.at("dram").at("Z") == Moved{0, 128});
  // A multiply takes its B through a register, and A's values are put there once. Each of the 128
  // psums is written twice and once more to start, and read once. Lines: 8 words of memory, 64 of
  // the buffer.
  const ActionCounts expected{{"mac", {{"compute", 64 * 2 * 32}}},
                              {"lrf", {{"read", 64 * 2 * 32 + 64 * 32}}},
                              {"rf", {{"write", 128 * 3}, {"read", 128}}},
                              {"smem", {{"read", 2112 / 64}, {"write", 2112 / 64}}},
                              {"dram", {{"read", 2112 / 8}, {"write", 128 / 8}}}};
  for (const auto& [component, actions] : expected) {
    for (const auto& [action, count] : actions) {
      CAPTURE(component, action);
      CHECK(s.actions.at(component).at(action) == count);
    }
  }
}

// A at 2:4 keeps 64 x 16 values and a quarter of a word of metadata for each, 1280 words, and K is
// one step. 1280 + 64 bytes: 42 + 100 = 142. 1344 words through the port: 17.68, to 160; 160 + 104.
TEST_CASE("by hand: a 2:4 operand on the sparse tensor core") {
  const MachineStatistics s = run(load_fabric("stc"), 64, 2, 32, "2:4");
  CHECK(s.cycles == Cycles(264));
  CHECK(s.traffic.at("dram").at("A") == Moved{1280, 0});
  CHECK(s.actions.at("mac").at("compute") == 64 * 2 * 16);
  CHECK(s.actions.at("saf").at("rank0_select") == 64 * 2 * 16);
  CHECK(s.bounds.at("compute") == Cycles(2));
}

// Psum tiles of 32 x 64: two arrays take 32 rows each, the other two have no columns left. Each of
// 8 steps of K takes 2 x 4 issue slots of an array, and its 32 x 64 products 8 cycles of the psum
// port (256 words); the operands' 128 words take 1.7 cycles of the buffer's. After the last the
// tile leaves through the psum port: 2048 / 256 = 8.
//   132  2 x 512 bytes are there: 1024 / 32 + 100
//   204  8 x 8 + 8 cycles later
//   432  64 x 64 bytes are in memory: 204 + 4096 / 32 + 100
TEST_CASE("by hand: a dense outer product") {
  const FabricSpec machine = load_fabric("dstc", {"arrays.tiles=[{rows: 32, columns: 64}]"});
  const MachineStatistics s = run(machine, 64, 64, 8, "dense");
  CHECK(s.cycles == Cycles(432));
  CHECK(s.bounds.at("compute") == Cycles(8 * 2 * 8 / 4));  // as if all four worked
  CHECK(s.bounds.at("psum") == Cycles(64 * 64 * 8 / (4 * 256)));
  CHECK(s.actions.at("mac").at("compute") == 64 * 64 * 8);
  CHECK(s.actions.at("rf").at("write") == 64 * 64 * 8 + 64 * 64);
  CHECK(s.actions.at("rf").at("read") == 64 * 64 * 7);
}

// 3200 bytes in, 320 out, in 8 pieces of 400 and 40. The buffer's port moves what is read from the
// buffer and what is written to it, 3200 + 3520 bytes: 88.42 cycles in all, 11.05 a piece. From a
// memory without latency:
//   64   the first request of 2048 bytes is there, enough for 5 pieces; the rest at 100, before it
//   is
//        needed
//   153  all pieces are done: 64 + 88.42
//   155  the last 40 bytes are in memory
TEST_CASE("by hand: an operation that is no product") {
  const MachineStatistics s = vector_operation(0);
  CHECK(s.cycles == Cycles(155));
  CHECK(s.stalls.wait_output == 0);
  CHECK(s.bounds.at("dram") == Cycles(100));
  CHECK(s.bounds.at("glb") == Cycles(89));
  CHECK(s.actions.at("dram").at("read") == 3200 / 8);
  CHECK(s.actions.at("dram").at("write") == 320 / 8);
  CHECK(s.actions.at("smem").at("read") == 3200 / 64);
  CHECK(s.actions.at("smem").at("write") == 3520 / 64);
}

// With a latency of 100 the first piece begins at 164, and the outputs of at most two pieces may be
// on their way when one begins. The outputs of a piece that ends at t, rounded up, are there at t +
// 102:
//   pieces 1 to 3  from 164 to 197.16; their outputs are there at 278, 289 and 300
//   pieces 4 to 6  from 278 to 311.16; theirs at 392, 403 and 414
//   pieces 7, 8    from 392 to 414.11; the last outputs are there at 415 + 102
TEST_CASE("by hand: an operation that is no product waits for its outputs to leave") {
  const MachineStatistics s = vector_operation(100);
  CHECK(s.cycles == Cycles(517));
  CHECK(s.stalls.wait_output == 2 * 80);  // 278 - 197.16 and 392 - 311.16
}
