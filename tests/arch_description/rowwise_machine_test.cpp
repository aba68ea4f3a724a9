// SPDX-License-Identifier: Apache-2.0
// What a machine of row-wise products is read as, and what it may not say yet.
#include "arch/description/read_spec.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;

namespace {

RowwiseSpec spec_of(const std::string& folder, const std::string& name,
                    const std::vector<std::string>& settings = {}) {
  ConfigTree tree = ConfigTree::load(lacuna::test::source_dir() / folder / (name + ".yaml"));
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader = machine_reader(std::move(tree));
  auto spec = std::get<RowwiseSpec>(read_any_machine(reader));
  reader.finish();
  return spec;
}

std::string rowwise_refusal(const std::string& name, const std::vector<std::string>& settings) {
  return error_of([&] { (void)spec_of("configs/arch", name, settings); });
}

}  // namespace

TEST_CASE("operands that meet as leader and follower make a machine of row-wise products") {
  for (const char* folder : {"configs/arch", "docs/decisions/016-machines"}) {
    const RowwiseSpec gamma = spec_of(folder, "gamma");
    CHECK(gamma.merges());
    CHECK(gamma.elements.radix == 64);
    CHECK(gamma.elements.count == 32);
    CHECK_FALSE(gamma.leader_is_b);
    REQUIRE(gamma.level.has_value());
    CHECK(gamma.level->policy == BufferPolicy::cache);
    CHECK(gamma.level->holds_partials);
    CHECK(gamma.b.nonzero_bits() == 96);
    const RowwiseSpec element = spec_of(folder, "eyeriss-v2-pe");
    CHECK_FALSE(element.merges());
    CHECK(element.leader_is_b);
    CHECK_FALSE(element.level.has_value());
    CHECK(element.elements.follower_room == Bytes(288));
    CHECK(element.tiles.follower_part == 32);
    CHECK(element.z.plain);
  }
}

TEST_CASE("what no run of row-wise products takes is refused at its key") {
  const auto says = [](const char* machine, const char* setting, const char* message) {
    INFO(machine << " with " << setting);
    CHECK_THAT(rowwise_refusal(machine, {setting}), contains(message));
  };
  says("gamma", "precision.B=fp32", "operands of one precision");
  says("gamma", "strict=true", "strict");
  says("gamma", "overlap=true", "overlap");
  says("gamma", "memory.burst=32B", "fibers come to the byte");
  says("gamma", "dataflow.lookahead=4", "pairs_in_flight");
  says("gamma", "dataflow.loops=[N, M, K]", "rows of A are merged by the loops M K N or K1 M K0 N");
  says("gamma", "dataflow.spatial={M: {over: pe}}", "M: {over: pe, dispatch: any-idle}");
  says("gamma", "intersect.K.per_cycle=1", "never waited for");
  says("gamma", "intersect.K.at=fiber-cache", "elements look up what they fetch");
  says("gamma", "levels.fiber-cache.line=128B", "64 B at most");
  says("gamma", "levels.fiber-cache.line=24B", "power of two");
  says("gamma", "levels.fiber-cache.holds.Z.ways=8", "the ways of B");
  says("gamma", "levels.fiber-cache.holds.Z.policy=buffet", "stay in a cache or pass by");
  says("gamma", "levels.fiber-cache.holds={A: {policy: cache, below: M}, B: {policy: cache}}",
       "the leader passes by");
  says("gamma", "levels.pe.ports.read=8 B/cycle", "never waited for");
  says("gamma", "outputs.Z.on_evict=spill-partial", "merged");
  says("gamma", "memory.holds.B.format.ranks=[\"UOP(32b)\", B]", "pointers and lists of nonzeros");
  says("gamma", "memory.holds.B.format.order=[N, K]", "list of fibers along N");
  says("eyeriss-v2-pe", "dataflow.partition.M0=64", "64 sums of 20 bits");
  says("eyeriss-v2-pe", "units.multiplier.lanes=2", "one pair a cycle");
  says("eyeriss-v2-pe", "dataflow.loops=[K1, M1, N1, N0, K0, M0]", "sums stand while the loops");
  says("eyeriss-v2-pe", "dataflow.partition.K0=swiftiles(B, 0.1)", "a number of coordinates");
}
