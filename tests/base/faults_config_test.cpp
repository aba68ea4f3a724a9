// SPDX-License-Identifier: Apache-2.0
// Configurations that once took the program down, or all of its memory or time.
#include <fstream>

#include "base/config.hpp"
#include "base/config_yaml.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;

namespace {

namespace fs = std::filesystem;

std::string refusal(const std::string& text) {
  return error_of([&] { (void)ConfigTree::parse(text, "a.yaml"); });
}

std::string refused_setting(const std::string& assignment) {
  ConfigTree tree = ConfigTree::parse("buffers: {llb: {line: 8 B}}\n", "a.yaml");
  return error_of([&] { tree.set(assignment); });
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

ConfigReader faulty(const std::string& text) {
  return ConfigReader(ConfigTree::parse(text, "a.yaml"));
}

}  // namespace

TEST_CASE("fault: a YAML alias to itself is refused with its line") {
  CHECK_THAT(refusal("a: &x [*x]\n"), contains("a.yaml:1: an alias stands inside the value"));
  CHECK_THAT(refusal("a:\n  b: &x\n    c: {d: *x}\n"), contains("a.yaml:3: an alias stands"));
  CHECK_THAT(refused_setting("buffers=&x [*x]"), contains("--set buffers=&x [*x]: an alias"));
  CHECK_THAT(refusal("a: *y\n"), contains("a.yaml:1: not valid YAML"));
}

TEST_CASE("aliases to values that are complete are read") {
  const ConfigTree tree =
      ConfigTree::parse("a: &x [1, 2]\nb: *x\nc: {d: &y 7, e: *y}\n*y : 3\n", "a.yaml");
  CHECK(tree.find("b")->items.size() == 2);
  CHECK(tree.find("c")->find("e")->scalar == "7");
  CHECK(tree.find("7")->scalar == "3");
}

TEST_CASE("fault: a YAML of nested aliases is refused before it takes memory") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            repeated("*a" + std::to_string(i - 1) + ", ", 10) + "]\n";
  }
  CHECK_THAT(refusal(text), contains("more than 200,000 values"));
  // Few values, but long ones.
  CHECK_THAT(
      refusal("a: &a " + std::string(1U << 20, 'x') + "\nb: [" + repeated("*a, ", 1000) + "]\n"),
      contains("more than 64 MiB of text"));
  CHECK_THAT(refused_setting("buffers=[" + repeated("1,", 250'000) + "1]"),
             contains("more than 200,000 values"));
}

TEST_CASE("fault: a file that others extend is read once, and their number is bounded") {
  const auto folder = lacuna::test::scratch("extends");
  // Twenty levels of two names each are a million ways to the last one.
  for (int i = 0; i < 20; ++i) {
    const std::string next = "b" + std::to_string(i + 1) + ".yaml";
    write(folder / ("b" + std::to_string(i) + ".yaml"),
          "extends: [" + next + ", " + next + "]\nk" + std::to_string(i) + ": 1\n");
  }
  write(folder / "b20.yaml", "last: 1\n");
  const ConfigTree tree = ConfigTree::load(folder / "b0.yaml");
  CHECK(tree.children.size() == 21);
  CHECK(tree.find("extends") == nullptr);
  for (int i = 0; i < 100; ++i) {
    write(folder / ("c" + std::to_string(i) + ".yaml"),
          "extends: c" + std::to_string(i + 1) + ".yaml\n");
  }
  CHECK_THAT(error_of([&] { (void)ConfigTree::load(folder / "c0.yaml"); }),
             contains("c63.yaml:1: extends: more than 64 files extend one another"));
}

TEST_CASE("fault: values nested without end are refused") {
  CHECK_THAT(refusal("a: " + std::string(100'000, '[')), contains("nested more than 64 deep"));
  CHECK_THAT(refusal(repeated("{a: ", 100'000)), contains("nested more than 64 deep"));
  CHECK_THAT(refusal(repeated("- ", 100'000)), contains("nested more than 64 deep"));
  CHECK_THAT(refusal(repeated("? ", 100'000)), contains("nested more than 64 deep"));
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  CHECK_THAT(refusal(chain), contains("nested more than 64 deep"));
  std::string path = "a";
  for (int i = 0; i < 50'000; ++i) path += ".a";
  CHECK_THAT(refused_setting(path + "=1"), contains("not a path of names"));
  CHECK_THAT(refused_setting("a..b=1"), contains("not a path of names"));
}

TEST_CASE("fault: a device or a file without an end is refused as a configuration") {
  CHECK_THAT(error_of([] { (void)ConfigTree::load("/dev/zero"); }),
             contains("/dev/zero: larger than 4 MiB"));
  const auto folder = lacuna::test::scratch("large");
  write(folder / "large.yaml", "a: " + std::string(5U << 20, 'x') + "\n");
  write(folder / "top.yaml", "extends: /dev/zero\n");
  CHECK_THAT(error_of([&] { (void)ConfigTree::load(folder / "large.yaml"); }),
             contains("large.yaml: larger than 4 MiB"));
  CHECK_THAT(error_of([&] { (void)ConfigTree::load(folder / "top.yaml"); }),
             contains("/dev/zero: larger than 4 MiB"));
}

TEST_CASE("what a parser would take for an end of the text is refused, not cut off") {
  CHECK_THAT(refusal("a: 1\n\x04\nb: 2\n"), contains("a.yaml:2: not plain text"));
  CHECK_THAT(refusal(std::string("a: 1\n\0b: 2\n", 11)), contains("control character"));
  CHECK_THAT(refusal("a: 1\n---\nb: 2\n"), contains("a second document"));
  CHECK_THAT(refusal("[a, b]: 1\n"), contains("a key must be plain text"));
  std::string keys;
  for (int i = 0; i < 5000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  CHECK_THAT(refusal(keys), contains("more than 4,096 keys"));
}

TEST_CASE("names of the user's own may hold dots and brackets") {
  const auto config = faulty("by_workload: {'a.b[0]': {m1: 3}, '[': {m1: 4}}\n");
  const auto by_workload = config.mapping("by_workload");
  REQUIRE(by_workload.keys() == std::vector<std::string>{"a.b[0]", "["});
  CHECK(by_workload.mapping("a.b[0]").integer("m1", {1, 9}) == 3);
  CHECK(by_workload.mapping("[").integer("m1", {1, 9}) == 4);
  config.finish();
  const auto again = faulty(config.resolved().to_yaml());
  CHECK(again.mapping("by_workload").mapping("a.b[0]").integer("m1", {1, 9}) == 3);
}

TEST_CASE("fault: a key in capitals is suggested before another key of one letter") {
  const auto config = faulty("M: 3\nn: 4\nk: 5\n");
  CHECK_THAT(error_of([&] { (void)config.integer("m", {1, 9}); }), contains("'M' is written 'm'"));
  CHECK(nearest("M", {"k", "m", "n"}) == "m");
  CHECK(nearest("x", {"k", "m", "n"}).empty());
  CHECK(nearest("Capacity", {"capability", "capacity"}) == "capacity");
  CHECK(nearest(std::string(1U << 20, 'x'), {"capacity"}).empty());
}

TEST_CASE("fault: every quantity has a range, and its message says it") {
  const auto config = faulty(
      "a: 1e-30 B/cycle\nb: 1e14 cycles\nc: 1 Hz\nd: 1e308 pJ/bit\ne: 2 EiB\nf: 2000 TiB\n"
      "g: 1e308 TiB/s\nh: 1e300 ns\n");
  const Hertz clock(1e9);
  CHECK_THAT(error_of([&] { (void)config.bandwidth("a", clock); }),
             contains("a.yaml:1: a: '1e-30 B/cycle' is out of range") &&
                 contains("from 0.001 to 1e+09 B/cycle"));
  CHECK_THAT(error_of([&] { (void)config.cycles("b", clock); }),
             contains("out of range") && contains("from 0 to 1e+09 cycles"));
  CHECK_THAT(error_of([&] { (void)config.hertz("c"); }),
             contains("out of range") && contains("from 1 MHz to 100 GHz"));
  CHECK_THAT(error_of([&] { (void)config.picojoules_per_bit("d"); }),
             contains("out of range") && contains("from 0 to 1e+06 pJ/bit"));
  CHECK_THAT(error_of([&] { (void)config.bytes("e"); }), contains("from 0 B to 1 PiB"));
  CHECK_THAT(error_of([&] { (void)config.bytes("f"); }),
             contains("out of range") && contains("from 0 B to 1 PiB"));
  CHECK_THAT(error_of([&] { (void)config.bandwidth("g", clock); }), contains("a.yaml:7: g"));
  CHECK_THAT(error_of([&] { (void)config.cycles("h", clock); }), contains("a.yaml:8: h"));
}

TEST_CASE("what the user wrote is repeated in a message of bounded length") {
  const std::string message = refusal("a: &x 1\n" + std::string(100'000, 'k') + ": *y\n");
  CHECK(message.size() < 5000);
  const auto config = faulty("a: " + std::string(100'000, '7') + "\n");
  CHECK(error_of([&] { (void)config.integer("a", {0, 9}); }).size() < 500);
}
