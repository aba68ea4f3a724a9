// SPDX-License-Identifier: Apache-2.0
// Seven machines written out in docs/decisions/016-machines, and what a machine may not say.
#include <regex>

#include "arch/description/machine.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;

namespace {

std::filesystem::path file_of(const std::string& name) {
  return lacuna::test::source_dir() / "docs" / "decisions" / "016-machines" / (name + ".yaml");
}

description::Machine read_with(const std::string& name, const std::vector<std::string>& settings) {
  ConfigTree tree = ConfigTree::load(file_of(name));
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader(std::move(tree));
  description::Machine machine = description::read(reader);
  reader.finish();
  return machine;
}

std::string refusal(const std::string& name, const std::vector<std::string>& settings) {
  return error_of([&] { (void)read_with(name, settings); });
}

}  // namespace

TEST_CASE("seven machines of different families are files of one kind") {
  for (const char* name :
       {"extensor", "highlight", "dstc", "gamma", "systolic-ws", "eyeriss-v2-pe", "lacuna-l2"}) {
    INFO(name);
    CHECK(refusal(name, {}) == "");
    CHECK(read_with(name, {}).name == name);
  }
}

TEST_CASE("what was read of a machine, defaults included, reads back as the same machine") {
  for (const char* name : {"extensor", "gamma", "lacuna-l2"}) {
    const ConfigReader first(ConfigTree::load(file_of(name)));
    (void)description::read(first);
    const std::string resolved = first.resolved().to_yaml();
    const ConfigReader second(ConfigTree::parse(resolved, "resolved.yaml"));
    INFO(resolved);
    CHECK(error_of([&] { (void)description::read(second); }) == "");
    CHECK(error_of([&] { second.finish(); }) == "");
    CHECK(second.resolved().to_yaml() == resolved);
  }
}

TEST_CASE("a level, a cluster, a policy and a loop order are changed by keys alone") {
  const auto machine = read_with(
      "gamma",
      {"dataflow.loops=[K1, M, K0, N]", "dataflow.partition.K0=auto",
       "levels=[{name: l2, capacity: 8 MiB, ports: {read: unbounded, write: unbounded}, "
       "below: K1, holds: {B: {policy: tailors, window: 64 KiB}}}, {name: pe, instances: "
       "32, capacity: 8 KiB, ports: {read: unbounded, write: unbounded}, below: M, holds: "
       "{A: {policy: buffet}, Z: {policy: buffet}}}]",
       "links=[{from: memory, to: l2, bandwidth: unbounded, latency: 0 cycles}, {from: "
       "l2, to: pe, bandwidth: 64 B/cycle, latency: 2 cycles}]",
       "intersect={K0: {at: pe, kind: leader-follower, leader: A, per_cycle: unbounded}}"});
  REQUIRE(machine.find_level("l2") != nullptr);
  CHECK(machine.find_level("l2")->find("B")->policy == description::Policy::kTailors);
  CHECK(machine.dataflow.loops.texts() == std::vector<std::string>{"K1", "M", "K0", "N"});
}

TEST_CASE("Tailors needs a tile that is a part of its tensor and is walked again") {
  const std::string never_cut =
      refusal("gamma", {"levels=[{name: fiber-cache, capacity: 3 MiB, ports: {read: unbounded, "
                        "write: unbounded}, below: M, holds: {B: {policy: tailors, window: 64 "
                        "KiB}}}, {name: pe, instances: 32, capacity: 8 KiB, ports: {read: "
                        "unbounded, write: unbounded}, below: M, holds: {A: {policy: buffet}, Z: "
                        "{policy: buffet}}}]"});
  CHECK_THAT(never_cut, contains("B in fiber-cache is never cut"));
  const std::string never_again =
      refusal("gamma", {"levels=[{name: fiber-cache, capacity: 3 MiB, ports: {read: unbounded, "
                        "write: unbounded}, below: K, holds: {B: {policy: tailors, window: 64 "
                        "KiB}}}, {name: pe, instances: 32, capacity: 8 KiB, ports: {read: "
                        "unbounded, write: unbounded}, below: K, holds: {A: {policy: buffet}, Z: "
                        "{policy: buffet}}}]"});
  CHECK_THAT(never_again, contains("no loop walks a tile of B again"));
}

TEST_CASE("what the parts of a machine say of each other is checked as a whole") {
  const auto says = [](const std::string& name, const std::string& setting,
                       const std::string& message) {
    INFO(name << " with " << setting);
    CHECK_THAT(refusal(name, {setting}), contains(message));
  };
  says("extensor", "dataflow.loops=[N2, K2, M2, M1, N1, K1, M0, N0]", "the rank K ends with K1");
  says("extensor", "dataflow.loops=[N2, N2, N1, N0, K2, K1, K0, M2, M1, M0]", "comes twice");
  says("extensor", "dataflow.loops=[N1, N2, N0, K2, K1, K0, M2, M1, M0]", "descend by one");
  says("extensor", "dataflow.loops=[N1, N0, M1, M0]", "no loop runs over the rank K");
  says("extensor", "dataflow.partition.K2=4", "K2 is the outermost loop of its rank");
  says("extensor", "dataflow.partition.M0=0", "at least one step");
  says("extensor", "dataflow.partition.M0=swiftiles(C, 0.1)", "'C' is not a tensor");
  says("extensor", "dataflow.partition.M0=swiftiles(B, 0.1)", "B has no rank M");
  says("extensor", "dataflow.partition.M0=swiftile(B)", "is not a size");
  says("extensor", "dataflow.spatial={}", "peb has 128 instances and no loop is spread over them");
  says("extensor", "dataflow.spatial.K1.over=pebs", "did you mean 'peb'");
  says("lacuna-l2", "dataflow.partition.M1=8", "8 steps are spread over 4 instances of rf");
  says("extensor", "intersect.M1={at: llb, kind: skip-ahead, per_cycle: 1}",
       "only one operand has the rank M");
  says("extensor", "intersect.K3={at: llb, kind: skip-ahead, per_cycle: 1}", "no loop K3");
  says("extensor", "outputs.Z.on_evict=refuse", "K2 is outside M2: tiles of Z leave");
  says("extensor", "outputs.Z.on_evict=merge", "nothing can merge");
  says("highlight", "outputs.Z.accumulate_at=glb", "glb does not hold Z");
  says("extensor", "links=[]", "no link from memory to llb");
  says("extensor", "links=[{from: memory, to: peb, bandwidth: unbounded, latency: 0 cycles}]",
       "'peb' is not the level inside 'memory'");
  says("lacuna-l2", "memory.energy=8 pJ/bit", "by `type` or by `energy`, once");
  says("highlight", "memory.bandwidth=64 B/cycle", "reads and writes share it");
  says("extensor", "precision.A=fp63", "precision.A");
  says("extensor", "units=[{name: x, class: mac-arrays, at: peb}]", "did you mean 'mac-array'");
  says("extensor", "units=[{name: peb, class: multiply-accumulate, at: peb, lanes: 1}]",
       "the name of two parts");
}

TEST_CASE("shares of a buffer never add up to more than there is") {
  const auto level = [](const std::string& a, const std::string& b) {
    return "levels=[{name: llb, capacity: 30 MiB, ports: {read: unbounded, write: unbounded}, "
           "below: M2, holds: {A: {policy: buffet" +
           a + "}, B: {policy: buffet" + b +
           "}}}, {name: peb, instances: 128, capacity: 64 KiB, ports: {read: unbounded, write: "
           "unbounded}, below: K1, holds: {Z: {policy: buffet}}}]";
  };
  CHECK(refusal("extensor", {level(", share: 0.5", ", share: 0.5")}) == "");
  CHECK_THAT(refusal("extensor", {level(", share: 0.5", ", share: 0.6")}),
             contains("add up to 1.1"));
  CHECK_THAT(refusal("extensor", {level(", share: 0.5", "")}), contains("give each a share"));
  CHECK_THAT(refusal("extensor", {level(", capacity: 1 MiB", "")}), contains("give a share of it"));
}

TEST_CASE("no key of a machine file names a published design") {
  const std::regex design(
      R"(\b(extensor|highlight|s2ta|dstc|stc|gamma|eyeriss|tailors|tpu|teaal)\b)",
      std::regex::icase);
  for (const char* name :
       {"extensor", "highlight", "dstc", "gamma", "systolic-ws", "eyeriss-v2-pe", "lacuna-l2"}) {
    const ConfigReader reader(ConfigTree::load(file_of(name)));
    (void)description::read(reader);
    const std::function<void(const ConfigTree&)> look = [&](const ConfigTree& tree) {
      for (const auto& [key, value] : tree.children) {
        INFO(name << ": " << key);
        CHECK_FALSE(std::regex_search(key, design));
        look(value);
      }
      for (const ConfigTree& item : tree.items) look(item);
    };
    look(reader.resolved());
  }
}

TEST_CASE(
    "a memory of banks follows from a type of DRAM and its channels, and nothing is said twice") {
  std::vector<std::string> settings{"memory.kind=banked", "memory.type=hbm2", "memory.channels=4",
                                    "memory.controller=30 cycles"};
  CHECK_THAT(refusal("lacuna-l2", settings), contains("follows from `type` and `channels`"));
  for (const char* key : {"bandwidth", "read", "write", "latency", "capacity"}) {
    settings.push_back(fmt::format("memory.{}=null", key));
  }
  const auto with = [&](const std::string& setting) {
    std::vector<std::string> all = settings;
    all.push_back(setting);
    return all;
  };
  const auto machine = read_with("lacuna-l2", settings);
  // Four times 64 bits at 2 Gb/s, at 1 GHz; 12 + 18 + 2 ns to the last byte of a burst.
  CHECK(machine.memory.read == 64);
  CHECK(machine.memory.latency == Cycles(30 + 32));
  CHECK(machine.memory.capacity == Bytes(std::uint64_t{1} << 30));
  CHECK(machine.memory.price == "hbm2");
  CHECK(read_with("lacuna-l2", with("memory.price=lpddr4")).memory.price == "lpddr4");
  CHECK_THAT(refusal("lacuna-l2", with("memory.type=hbm22")), contains("no type of DRAM"));
  CHECK_THAT(refusal("lacuna-l2", with("memory.type=ddr4-3200")), contains("what an access costs"));
  CHECK_THAT(refusal("lacuna-l2", with("memory.page=1 KiB + 1")), contains("page"));
  CHECK_THAT(refusal("lacuna-l2", with("memory.channels=0")), contains("channels"));
}
