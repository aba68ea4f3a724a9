// SPDX-License-Identifier: Apache-2.0
// Is every physical limit an error that names it, when counts claim too much, and when a machine or
// a program does?
#include "arch/description/read_spec.hpp"
#include "arch/limits/physical_limits.hpp"

#include "dataflows/fabric_product.hpp"
#include "tests/arch/products.hpp"
#include "tests/arch/scripted.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::machine;
using lacuna::test::random_matrix;
using lacuna::test::Step;

namespace {

template <class Body>
std::string broken_by(Body&& body) {
  try {
    body();
  } catch (const ModelError& error) {
    return error.what();
  }
  return "nothing";
}

PhysicalLimits some_limits() {
  PhysicalLimits limits;
  limits.machine = "m";
  limits.multiplies_per_cycle = 4;
  limits.ports = {{"dram", 8, "bytes"}};
  limits.buffers = {{"llb", 100}};
  return limits;
}

/// Of 2,048 cycles: as much as the limits above allow.
Meters full_meters() {
  Meters meters;
  meters.ports["dram"] = {2048 * 8, 16, 1024 * 8, 8, {}};
  meters.high_water["llb"] = 100;
  return meters;
}

std::string compare(const Meters& meters, std::uint64_t multiplies = 4 * 2048) {
  return broken_by([&] { check_limits(some_limits(), meters, multiplies, Cycles(2048)); });
}

FabricSpec fabric(const std::string& name) {
  const ConfigReader reader = machine_reader(
      ConfigTree::load(lacuna::test::source_dir() / "configs" / "arch" / (name + ".yaml")));
  return read_fabric(reader);
}

GemmOperands dense(std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  return {BitMatrix::full(m, k), BitMatrix::full(n, k)};
}

/// A program of one instruction after a fetch.
std::string run_step(const FabricSpec& spec, Step step) {
  step.a_release = step.a_needed;
  step.b_release = step.b_needed;
  lacuna::test::Script script;
  script.steps = {step};
  script.a_bytes = step.a_needed;
  script.b_bytes = step.b_needed;
  script.a_capacity = std::max<std::uint64_t>(1, step.a_needed);
  script.b_capacity = std::max<std::uint64_t>(1, step.b_needed);
  return broken_by([&] { (void)lacuna::test::run_script(spec, script); });
}

/// An ExTensor program that claims more multiplies for its rows than they have.
class Boaster : public TileProgram {
 public:
  Boaster(ExtensorProgram& honest, std::uint64_t factor) : honest_(honest), factor_(factor) {}
  bool next(PassInstruction& pass) override {
    if (!honest_.next(pass)) return false;
    for (RowInstruction& row : pass.rows) row.multiplies *= factor_;
    return true;
  }
  [[nodiscard]] const MicrotileGrid& a() const override { return honest_.a(); }
  [[nodiscard]] const MicrotileGrid& b() const override { return honest_.b(); }
  [[nodiscard]] const CsrMatrix& a_matrix() const override { return honest_.a_matrix(); }
  [[nodiscard]] const CsrMatrix& b_matrix_transposed() const override {
    return honest_.b_matrix_transposed();
  }

 private:
  ExtensorProgram& honest_;
  std::uint64_t factor_;
};

}  // namespace

TEST_CASE("a machine that is used to the full breaks no limit") {
  CHECK(compare(full_meters()) == "nothing");
}

TEST_CASE("a multiply more than the multipliers make breaks their limit") {
  const std::string message = compare(full_meters(), 4 * 2048 + 1);
  CHECK_THAT(message, contains("physical limit broken: m: 8193 multiplies in 2048 cycles, its 4 "
                               "multipliers make 8192 at most"));
}

TEST_CASE("two bytes more than a port's rate in one window break its limit") {
  Meters meters = full_meters();
  meters.ports["dram"].fullest += 1;  // parts of transfers are whole bytes
  CHECK(compare(meters) == "nothing");
  meters.ports["dram"].fullest += 1;
  CHECK_THAT(compare(meters), contains("port 'dram': 8194 bytes in 1,024 cycles, at 8 a cycle"));
}

TEST_CASE("two bytes more than a port's rate over the run break its limit") {
  Meters meters = full_meters();
  meters.ports["dram"].total += 2;
  CHECK_THAT(compare(meters), contains("port 'dram': 16386 bytes in 2048 cycles, at 8 a cycle"));
}

TEST_CASE("a byte more than a buffer has breaks its limit, whenever it was there") {
  Meters meters = full_meters();
  meters.high_water["llb"] += 1;
  CHECK_THAT(compare(meters), contains("buffer 'llb' held 101 bytes, it has 100"));
}

TEST_CASE("a port or a buffer without a meter is no port within its limit") {
  Meters meters = full_meters();
  meters.ports.clear();
  CHECK_THAT(compare(meters), contains("'dram' has no meter"));
  meters = full_meters();
  meters.high_water.clear();
  CHECK_THAT(compare(meters), contains("'llb' has no meter"));
}

TEST_CASE("less from DRAM than the effectual work touches, or less of Z to it, breaks a limit") {
  const LeastTraffic least{{"A", 100}, {"Z", 50}};
  std::map<std::string, Moved> traffic{{"A", {100, 0}}, {"Z", {0, 50}}};
  const auto compared = [&] { return broken_by([&] { check_traffic("m", least, traffic); }); };
  CHECK(compared() == "nothing");
  traffic["A"].read_bytes = 98;
  CHECK_THAT(compared(), contains("98 bytes of A came from DRAM, the effectual work touches 100"));
  traffic["A"].read_bytes = 100;
  traffic["Z"] = {50, 48};
  CHECK_THAT(compared(), contains("48 bytes of Z went to DRAM"));
}

TEST_CASE("less energy than the cheapest multiplies and the DRAM take breaks a limit") {
  const CheapestActions cheapest{2.0, 10.0};
  const auto compared = [&](double pj) {
    return broken_by([&] { check_energy("m", cheapest, 100, 7, pj); });
  };
  CHECK(compared(270) == "nothing");
  CHECK_THAT(compared(269), contains("269 pJ in all, 100 multiplies at 2 pJ"));
}

TEST_CASE("the cheapest actions are those of the component set") {
  ComponentSet set;
  ComponentEnergy mac, dram;
  mac.name = "mac";
  mac.actions = {{"compute", Picojoules(3)}, {"reused", Picojoules(2)}, {"gated", Picojoules(0)}};
  dram.name = "dram";
  dram.width_bits = 64;
  dram.actions = {{"read", Picojoules(512)}, {"write", Picojoules(640)}, {"idle", Picojoules(0)}};
  set.components = {mac, dram};
  const CheapestActions cheapest = cheapest_actions(set, "mac");
  CHECK(cheapest.multiply_pj == 2);
  CHECK(cheapest.dram_pj_per_byte == 64);
}

TEST_CASE("an instruction with more multiplies than its cycles allow ends the run") {
  const FabricSpec spec = fabric("tc");
  Step step;
  step.a_needed = step.b_needed = 1000;
  step.cycles = 100;
  step.multiplies = static_cast<double>(100 * spec.macs());
  CHECK(run_step(spec, step) == "nothing");
  step.cycles = 5000;
  step.multiplies = static_cast<double>(5000 * spec.macs() + 2000);
  CHECK_THAT(run_step(spec, step), contains("port 'mac': "));
}

TEST_CASE("an instruction with more bytes than the buffer's port passes ends the run") {
  const FabricSpec spec = fabric("tc");
  Step step;
  step.cycles = 4096;
  step.glb_words = step.cycles * spec.glb.words_per_cycle;
  CHECK(run_step(spec, step) == "nothing");
  step.glb_words += 100 / spec.word_bytes();
  CHECK_THAT(run_step(spec, step), contains("port 'glb': "));
}

TEST_CASE("a program whose shares are larger than the buffer ends its run") {
  const FabricSpec spec = fabric("tc");
  Step step;
  step.cycles = 10;
  step.a_needed = spec.glb_bytes() - 1000;
  step.b_needed = 1000;
  CHECK(run_step(spec, step) == "nothing");
  step.b_needed += 1;
  CHECK_THAT(run_step(spec, step), contains("buffer 'glb' held "));
}

TEST_CASE("a mapping of more rows than the arrays have breaks the limit of multiplies") {
  const FabricSpec spec = fabric("tc");
  const GemmOperands operands = dense(1024, 512, 256);
  const auto run = [&](std::uint64_t array_rows) {
    FabricInstance instance;
    instance.operands = std::shared_ptr<const GemmOperands>(std::shared_ptr<void>(), &operands);
    FabricProduct product(spec, instance);
    std::vector<std::string> warnings;
    REQUIRE(product.prepare(warnings).empty());
    // Made by hand, past every check of a mapping.
    FabricMapping mapping;
    mapping.array_rows = array_rows;
    mapping.array_columns = spec.arrays.columns;
    mapping.rows = array_rows * spec.arrays.across_m;
    mapping.columns = spec.arrays.columns * spec.arrays.across_n;
    mapping.tile_columns = mapping.columns;
    mapping.a_fetches = ceil_div(operands.n(), mapping.columns);
    mapping.b_fetches = ceil_div(operands.m(), mapping.rows);
    const FabricPart part = product.finish(mapping);
    return broken_by([&] {
      (void)run_array_program(spec, make_program({{{part.schedule}, 1}}, spec.glb_bytes()), {});
    });
  };
  CHECK(run(spec.arrays.rows) == "nothing");
  CHECK_THAT(run(4 * spec.arrays.rows), contains("physical limit broken: tc: "));
}

TEST_CASE("a program that claims more multiplies than the elements make ends its run") {
  const MachineSpec spec =
      machine("extensor", {"tiling.microtile={m0: 16, k0: 16, n0: 16}", "pes.count=2"});
  const ProductOperands operands(random_matrix(40, 40, 0.5, 1), random_matrix(40, 40, 0.5, 2),
                                 spec.microtile);
  const auto run = [&](std::uint64_t factor) {
    ExtensorProgram honest(operands, spec, {4, 4, 4});
    Boaster boaster(honest, factor);
    return broken_by([&] { (void)run_machine(spec, boaster, {}); });
  };
  CHECK(run(1) == "nothing");
  CHECK_THAT(run(1000), contains("multiplies in "));
}

TEST_CASE("a buffer held less than its share in a run, and each port less than its rate") {
  const MachineSpec spec = machine(
      "extensor", {"tiling.microtile={m0: 16, k0: 16, n0: 16}", "buffers.llb.capacity=16 KiB"});
  const ProductOperands operands(random_matrix(90, 90, 0.3, 1), random_matrix(90, 90, 0.3, 2),
                                 spec.microtile);
  const MachineStatistics s = lacuna::test::simulate(spec, operands, {4, 4, 4}).statistics;
  const auto& dram = s.traffic.at("dram");
  std::uint64_t moved = 0;
  for (const auto& [tensor, bytes] : dram) moved += bytes.read_bytes + bytes.write_bytes;
  CHECK(s.meters.ports.at("dram").total == moved);
  CHECK(s.meters.ports.at("llb").total == s.traffic.at("llb").at("A").read_bytes +
                                              s.traffic.at("llb").at("B").read_bytes +
                                              s.traffic.at("peb_spill").at("A+B").read_bytes);
  CHECK(s.meters.high_water.at("llb.B") > 0);
  CHECK(s.meters.high_water.at("llb") <= 16384);
}
