// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <fstream>

#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {
ConfigReader reader(const std::string& text) {
  return ConfigReader(ConfigTree::parse(text, "a.yaml"));
}
}  // namespace

TEST_CASE("a misspelt key is rejected with its line and the nearest legal one") {
  auto config = reader("llb:\n  capacity: 30 MiB\n  polcy: buffet\n");
  auto llb = config.mapping("llb");
  CHECK(llb.bytes("capacity") == Bytes(30 << 20));
  CHECK(llb.text("policy", "buffet") == "buffet");
  const auto message = error_of([&] { config.finish(); });
  CHECK(message == "a.yaml:3: llb.polcy: unknown key 'polcy'; did you mean 'policy'?");
}

TEST_CASE("a missing key is reported where its mapping stands") {
  auto config = reader("llb:\n  capacty: 30 MiB\n");
  const auto message = error_of([&] { (void)config.mapping("llb").bytes("capacity"); });
  CHECK(
      message ==
      "a.yaml:2: llb.capacity: 'capacity' is required: expected a size, like 64 KiB; is 'capacty' "
      "meant?");
}

TEST_CASE("wrong units and impossible values are refused") {
  auto config = reader("a: 30 MB/s\nb: -1\nc: 1.5\nd: 3 GiB/s\ne: maybe\nf: -4 KiB\n");
  CHECK_THROWS_AS(config.bytes("a"), InputError);
  CHECK_THROWS_AS(config.integer("b", {0, 10}), InputError);
  CHECK_THROWS_AS(config.integer("c", {0, 10}), InputError);
  CHECK_THROWS_AS(config.hertz("d"), InputError);
  CHECK_THROWS_AS(config.boolean("e"), InputError);
  CHECK_THROWS_AS(config.bytes("f"), InputError);
  CHECK(config.bandwidth("d", Hertz(1e9)) == lacuna::test::Approx(3.221225472));
}

TEST_CASE("overrides make their path, win over the file and are named in messages") {
  ConfigTree tree = ConfigTree::parse("buffers:\n  llb:\n    capacity: 1 MiB\n", "a.yaml");
  tree.set("buffers.llb.capacity=15MiB");
  tree.set("buffers.lib.capacity=1KiB");
  const ConfigReader config(tree);
  CHECK(config.mapping("buffers").mapping("llb").bytes("capacity") == Bytes(15 << 20));
  CHECK(error_of([&] { config.finish(); }) ==
        "--set buffers.lib.capacity=1KiB: buffers.lib: unknown key 'lib'; did you mean 'llb'?");
  CHECK_THROWS_AS(tree.set("nonsense"), InputError);
}

TEST_CASE("extends merges mappings, the nearer file wins, cycles are found") {
  const auto folder = lacuna::test::scratch("extends");
  std::ofstream(folder / "base.yaml") << "a: {x: 1, y: 2}\nb: 1\n";
  std::ofstream(folder / "top.yaml") << "extends: base.yaml\na: {y: 3}\n";
  std::ofstream(folder / "loop.yaml") << "extends: loop.yaml\n";
  const ConfigReader config(ConfigTree::load(folder / "top.yaml"));
  CHECK(config.mapping("a").integer("x", {0, 9}) == 1);
  CHECK(config.mapping("a").integer("y", {0, 9}) == 3);
  CHECK(config.integer("b", {0, 9}) == 1);
  CHECK_THROWS_AS(ConfigTree::load(folder / "loop.yaml"), InputError);
  CHECK_THROWS_AS(ConfigTree::load(folder / "none.yaml"), InputError);
}

TEST_CASE("a new entry of a named list stands before the one that follows it") {
  const auto folder = lacuna::test::scratch("named");
  std::ofstream(folder / "base.yaml")
      << "levels: [{name: glb, x: 1}, {name: rf, x: 2}]\n"
         "links: [{from: dram, to: glb, y: 3}, {from: glb, to: rf}]\n";
  std::ofstream(folder / "top.yaml")
      << "extends: base.yaml\n"
         "levels: [{name: l3}, {name: l2}, {name: glb, x: 7}, {name: last}]\n"
         "links: [{from: dram, to: l2}, {from: l2, to: glb}]\n";
  ConfigTree tree = ConfigTree::load(folder / "top.yaml");
  tree.set("links.glb.y=9");
  const ConfigReader config(std::move(tree));
  std::string names, links;
  for (const auto& level : config.mappings("levels")) names += level.text("name") + " ";
  for (const auto& link : config.mappings("links")) {
    links += link.text("from") + ">" + link.text("to") + link.text("y", "") + " ";
  }
  CHECK(names == "l3 l2 glb rf last ");
  CHECK(links == "dram>l2 l2>glb9 glb>rf ");
}

TEST_CASE("the resolved configuration holds defaults and reads back to the same values") {
  auto config = reader("a:\n  size: 64 KiB\nlist: [1, 2]\n");
  (void)config.mapping("a").bytes("size");
  (void)config.mapping("a").integer("count", {0, 99}, 7);
  (void)config.texts("list");
  const std::string yaml = config.resolved().to_yaml();
  auto again = reader(yaml);
  CHECK(again.mapping("a").bytes("size") == Bytes(65536));
  CHECK(again.mapping("a").integer("count", {0, 99}) == 7);
  CHECK(again.texts("list") == std::vector<std::string>{"1", "2"});
  again.finish();
}

TEST_CASE("broken YAML and duplicate keys name the line") {
  CHECK(error_of([] { (void)ConfigTree::parse("a: [1, 2\nb: 3\n", "a.yaml"); }).find("a.yaml:") ==
        0);
  CHECK(error_of([] { (void)ConfigTree::parse("a: 1\na: 2\n", "a.yaml"); }) ==
        "a.yaml:2: a: the key is given twice; keep one of them");
}
