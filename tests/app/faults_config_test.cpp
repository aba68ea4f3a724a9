// SPDX-License-Identifier: Apache-2.0
// Configurations and options that once crashed the program, gave wrong numbers or wrong words.
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using lacuna::test::Finished;
using lacuna::test::run_lacuna;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Case {
  std::vector<std::string> arguments;
  std::vector<std::string> said;  // parts of the message
};

lacuna::test::Launch launch_in(const fs::path& folder, std::uint64_t address_space = 0) {
  lacuna::test::Launch launch;
  launch.folder = folder;
  launch.address_space = address_space;
  return launch;
}

/// Exit code 2 and one message with every part.
void refuses(const fs::path& folder, const Case& c) {
  const Finished f = run_lacuna(c.arguments, launch_in(folder));
  CAPTURE(c.arguments, f.out, f.err);
  CHECK(f.code == 2);
  CHECK(f.err.starts_with("lacuna: "));
  CHECK(f.err.find("internal error") == std::string::npos);
  for (const std::string& part : c.said) {
    CAPTURE(part);
    CHECK(f.err.find(part) != std::string::npos);
  }
}

std::vector<std::string> gemm(const std::string& arch, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"run", "--arch", arch, "--gemm", "64x64x64"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> product(const std::vector<std::string>& settings) {
  std::vector<std::string> arguments{"run", "--arch", "extensor-ob", "--matrix",
                                     "uniform:rows=400,cols=400,density=0.02"};
  for (const auto& setting : settings) {
    arguments.emplace_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

Json run_json(const fs::path& folder, std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Finished f = run_lacuna(arguments, launch_in(folder));
  CAPTURE(arguments, f.err);
  REQUIRE(f.code == 0);
  const Json json = Json::parse(f.out);
  return json.contains("runs") ? json["runs"][0] : json.is_array() ? json[0] : json;
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("fault: an alias to itself as machine, run, energy table or network is refused") {
  const fs::path folder = lacuna::test::scratch("alias");
  write(folder / "self.yaml", "a: &x [*x]\n");
  const std::string said = "self.yaml:1: an alias stands inside the value";
  refuses(folder, {gemm("self.yaml", {}), {said}});
  refuses(folder, {{"run", "self.yaml"}, {said}});
  refuses(folder, {product({"energy.ert=self.yaml"}), {said}});
  refuses(folder, {{"run", "--arch", "tc", "--network", "self.yaml"}, {said}});
  refuses(folder, {product({"buffers=&x [*x]"}), {"--set buffers=&x [*x]: an alias stands"}});
}

TEST_CASE("fault: a device without an end as run, machine, extended file or table is refused") {
  const fs::path folder = lacuna::test::scratch("endless");
  write(folder / "top.yaml", "extends: /dev/zero\n");
  for (const Case& c : {Case{{"run", "/dev/zero"}, {"/dev/zero: larger than 4 MiB"}},
                        Case{gemm("/dev/zero", {}), {"/dev/zero: larger than 4 MiB"}},
                        Case{gemm("top.yaml", {}), {"/dev/zero: larger than 4 MiB"}},
                        Case{product({"energy.ert=/dev/zero"}), {"/dev/zero: larger than 4 MiB"}},
                        Case{product({"energy.table=/dev/zero"}), {"/dev/zero: larger"}},
                        Case{{"run", "--arch", "tc", "--network", "/dev/zero"}, {"/dev/zero"}},
                        Case{{"run", "--arch", "tc", "--workload", "/dev/zero"}, {"/dev/zero"}}}) {
    refuses(folder, c);
  }
}

TEST_CASE("fault: bandwidths and latencies at which simulated time ends are refused") {
  const fs::path folder = lacuna::test::scratch("time");
  refuses(folder, {product({"dram.bandwidth=1e-30 B/cycle"}),
                   {"--set dram.bandwidth=1e-30 B/cycle: memory.bandwidth", "out of range"}});
  refuses(folder,
          {product({"buffers.llb.bandwidth=1e-30 B/cycle"}),
           {"--set buffers.llb.bandwidth=1e-30 B/cycle: levels[0].ports.read", "out of range"}});
  refuses(folder, {product({"network.latency=1e14 cycles"}), {"network.latency", "out of range"}});
  // Within the range, but for too long a run: 1 MHz ends after 1.8e10 cycles.
  refuses(folder, {product({"clock=1 MHz", "network.latency=1e9 cycles", "dram.latency=1e9 cycles",
                            "buffers.peb.pairs_in_flight=1", "pes.count=1"}),
                   {"the run takes longer than"}});
}

TEST_CASE("the slowest machine within the ranges is as slow as its rates say") {
  const fs::path folder = lacuna::test::scratch("slow");
  const Json run = run_json(folder, product({"dram.bandwidth=0.001 B/cycle"}));
  const double bytes = run["traffic"]["dram"]["A"]["read_bytes"].get<double>() +
                       run["traffic"]["dram"]["B"]["read_bytes"].get<double>();
  CHECK(run["cycles"].get<double>() >= 1000 * bytes);
}

TEST_CASE("fault: lanes below a block of a pattern, slow clocks and endless energies are refused") {
  const fs::path folder = lacuna::test::scratch("ranges");
  refuses(folder,
          {gemm("highlight", {"--a", "2:4", "--set", "arrays.lanes=1"}),
           {"--set arrays.lanes=1: units[0].lanes", "1 lanes hold no block of the pattern"}});
  refuses(folder, {gemm("tc", {"--set", "clock=1 Hz"}), {"clock", "from 1 MHz to 100 GHz"}});
  refuses(folder, {product({"dram.energy=1e308 pJ/bit"}), {"dram.energy", "out of range"}});
}

TEST_CASE("fault: a register file without a word for each row is refused") {
  const fs::path folder = lacuna::test::scratch("rf");
  refuses(folder, {gemm("tc", {"--set", "arrays.rf_words=15"}),
                   {"--set arrays.rf_words=15: levels[1].capacity",
                    "registers of 15 words hold no partial sum for each of the 16 rows"}});
}

TEST_CASE("fault: a machine moves the same bytes in a second at any precision") {
  const fs::path folder = lacuna::test::scratch("bytes");
  // Bound by DRAM: time follows the bytes.
  const auto cycles = [&](const std::string& precision) {
    const Json run = run_json(folder, {"run", "--arch", "tc-xl", "--gemm", "4096x4x4096", "--set",
                                       "precision=" + precision});
    return run["cycles"].get<double>();
  };
  const double narrow = cycles("fp8");
  CHECK(cycles("bf16") >= 1.9 * narrow);
  CHECK(cycles("fp32") >= 3.8 * narrow);
  CHECK(cycles("int4") <= 0.6 * narrow);
  CHECK(cycles("int4") >= 0.45 * narrow);
}

TEST_CASE("fault: a precision is as if the machine were stated in words of its width") {
  const fs::path folder = lacuna::test::scratch("precision");
  const std::vector<std::string> stated{"--set", "precision=bf16",
                                        "--set", "word_bits=16",
                                        "--set", "dram.read_words_per_cycle=16",
                                        "--set", "dram.write_words_per_cycle=16",
                                        "--set", "glb.line_words=32",
                                        "--set", "glb.words_per_cycle=38",
                                        "--set", "glb.write_words_per_cycle=38",
                                        "--set", "arrays.rf_words=1024"};
  const Json restated = run_json(folder, gemm("tc", stated)),
             converted = run_json(folder, gemm("tc", {"--set", "precision=bf16"})),
             narrow = run_json(folder, gemm("tc", {}));
  for (const char* key : {"cycles", "traffic", "energy_pj", "actions", "macs"}) {
    CAPTURE(key);
    CHECK(converted[key] == restated[key]);
  }
  CHECK(converted["cycles"].get<double>() >= narrow["cycles"].get<double>());
  CHECK(run_json(folder, gemm("tc", {"--set", "precision=fp8"}))["cycles"] == narrow["cycles"]);
  refuses(folder, {gemm("tc", {"--set", "precision=fp32", "--set", "glb.line_words=3"}),
                   {"glb.line_words", "a line of 3 B holds 0.75 operands of 32 bits"}});
}

TEST_CASE("fault: the line of a PE buffer is one parameter, in energy and in counts") {
  const fs::path folder = lacuna::test::scratch("line");
  const auto counts = [&](const std::vector<std::string>& arguments) {
    const Json actions = run_json(folder, arguments)["actions"]["peb"];
    return Json{{"read", actions["read"]["count"]}, {"write", actions["write"]["count"]}};
  };
  const auto peb = [&](const char* line) {
    return counts(product({std::string("buffers.peb.line=") + line}));
  };
  const Json of_8 = peb("8 B"), of_64 = peb("64 B"), of_4 = peb("4 B");
  CHECK(of_64["write"].get<double>() < of_8["write"].get<double>());
  CHECK(of_64["read"].get<double>() < of_8["read"].get<double>());
  // Every word of 64 bits takes two accesses.
  CHECK(of_4["write"].get<double>() == 2 * of_8["write"].get<double>());
  CHECK(of_4["read"].get<double>() == 2 * of_8["read"].get<double>());
  refuses(folder, {product({"buffers.peb.line=24 B"}), {"power of two"}});
  // The same lines when every coordinate is stepped.
  auto stepped = product({"buffers.peb.line=64 B"});
  stepped.insert(stepped.end(), {"--fidelity", "element", "--check"});
  CHECK(counts(stepped) == of_64);
}

TEST_CASE("fault: a machine extends shipped names as well as files") {
  const fs::path folder = lacuna::test::scratch("shipped");
  write(folder / "mine.yaml", "extends: lacuna\nname: mine\nglb: {capacity: 512 KiB}\n");
  CHECK(run_json(folder, gemm("mine.yaml", {}))["name"] == "mine");
  write(folder / "wrong.yaml", "extends: lacunaa\nname: mine\n");
  refuses(folder, {gemm("wrong.yaml", {}), {"wrong.yaml:1: extends", "did you mean 'lacuna'?"}});
}

TEST_CASE("fault: a kind of machine that is not there names those that are") {
  const fs::path folder = lacuna::test::scratch("kind");
  write(folder / "gamma.yaml", "name: g\nkind: gamma\n");
  write(folder / "fabric.yaml", "name: g\nkind: mac-aray\n");
  refuses(folder, {gemm("gamma.yaml", {}),
                   {"gamma.yaml:2: levels: 'gamma' is no kind of machine", "extends: tc"}});
  refuses(folder, {gemm("fabric.yaml", {}), {"'mac-aray' is no kind of machine"}});
}

TEST_CASE("fault: a misspelt capital in a mapping suggests the key itself") {
  const fs::path folder = lacuna::test::scratch("capital");
  write(folder / "mine.yaml", "extends: tc\nname: mine\nmappings:\n  - {M: 3, n: 4, k: 5}\n");
  refuses(folder,
          {gemm("mine.yaml", {}), {"mine.yaml:4: dataflow.mappings[0].m", "'M' is written 'm'"}});
}

TEST_CASE("fault: a product of size zero is told that sizes start at one") {
  const fs::path folder = lacuna::test::scratch("gemm");
  const auto shape = [](const char* text) {
    return std::vector<std::string>{"run", "--arch", "tc", "--gemm", text};
  };
  refuses(folder, {shape("0x4x4"), {"--gemm 0x4x4: 0 is not a size", "each size from 1 to"}});
  refuses(folder, {shape("4x4x99999999999999999999"), {"is not a size", "each size from 1 to"}});
  refuses(folder, {shape("4x4"), {"expected three sizes"}});
  write(folder / "w.yaml", "gemm: 0x4x4\n");
  refuses(folder, {{"run", "--arch", "tc", "--workload", "w.yaml"}, {"w.yaml:1: gemm: 0 is not"}});
}

TEST_CASE("fault: a product too large for memory is refused before memory is taken") {
  const fs::path folder = lacuna::test::scratch("large");
  const Finished f = run_lacuna(
      {"run", "--arch", "extensor-ob", "--gemm", "100000x100000x100000", "--a", "uniform:0.5"},
      launch_in(folder, std::uint64_t{1} << 32));
  CAPTURE(f.err);
  if (f.err.find("AddressSanitizer") != std::string::npos) return;  // maps more than any limit
  CHECK(f.code == 2);
  CHECK(f.err.find("A and B have 1.5e+10 nonzeros") != std::string::npos);
}

TEST_CASE("fault: a bad precision or kind of DRAM has its file and line") {
  const fs::path folder = lacuna::test::scratch("places");
  write(folder / "p.yaml", "extends: tc\nname: mine\nprecision: int99\n");
  write(folder / "d.yaml", "extends: tc\nname: mine\ndram:\n  kind: lpddr5\n");
  refuses(folder, {gemm("p.yaml", {}), {"p.yaml:3: precision: 'int99' is not a precision"}});
  refuses(folder,
          {gemm("d.yaml", {}),
           {"d.yaml:4: memory.type", "no kind of DRAM named 'lpddr5'", "did you mean 'lpddr"}});
}

TEST_CASE("fault: a setting that breaks a relation is named, not a line of the shipped file") {
  const fs::path folder = lacuna::test::scratch("relation");
  refuses(folder, {product({"buffers.llb.capacity=64KiB"}),
                   {"--set buffers.llb.capacity=64KiB: levels[0].capacity",
                    "the streaming window (levels.llb.holds.A.window) of 64 KiB",
                    "levels.llb.holds.A.window="}});
  refuses(folder, {gemm("lacuna", {"--set", "glb.capacity=32KiB"}),
                   {"--set glb.capacity=32KiB: levels[0].capacity", "window"}});
}

TEST_CASE("fault: an inline machine is read once, with what is set of it") {
  const fs::path folder = lacuna::test::scratch("inline");
  write(folder / "mine.yaml", "extends: tc\nname: mine\n");
  const Finished first = run_lacuna(
      {"run", "--arch", "mine.yaml", "--gemm", "16x16x16", "--out", "first"}, launch_in(folder));
  CAPTURE(first.err);
  REQUIRE(first.code == 0);
  fs::path resolved;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "first")) {
    if (entry.path().filename().string().find("resolved") != std::string::npos) {
      resolved = entry.path();
    }
  }
  REQUIRE(!resolved.empty());
  // A setting that the machine itself lacks to be right: the second reading did not have it.
  std::ifstream in(resolved);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto at = text.find("capacity: 2 KiB");
  REQUIRE(at != std::string::npos);
  text.replace(at, 15, "capacity: 15 B ");
  write(folder / "run.yaml", text);
  refuses(folder, {{"run", "run.yaml"}, {"registers of 15 words"}});
  CHECK(run_json(folder, {"run", "run.yaml", "--set", "arrays.rf_words=2048"})["name"] == "mine");
  write(folder / "set.yaml", text + "set: [arrays.rf_words=2048]\n");
  CHECK(run_json(folder, {"run", "set.yaml"})["name"] == "mine");
}

TEST_CASE("fault: want of memory is a message and exit code 2, wherever it is noticed") {
  const fs::path folder = lacuna::test::scratch("memory");
  // AddressSanitizer maps more than any limit; then there is nothing to test.
  const Finished all = run_lacuna({"list"}, launch_in(folder, std::uint64_t{1} << 30));
  if (all.code != 0) return;
  // What the libraries take before anything of ours runs is not ours to tell.
  std::uint64_t least = 32;
  while (run_lacuna({"list"}, launch_in(folder, least << 20)).code != 0) least += 4;
  const std::vector<std::vector<std::string>> commands{
      {"run", "--arch", "extensor-ob", "--matrix", "uniform:rows=6000,cols=6000,density=0.02"},
      {"run", "--arch", "lacuna", "--gemm", "2048x2048x2048", "--a", "2:4", "--b", "uniform:0.5"},
      {"tile", "uniform:rows=6000,cols=6000,density=0.02", "--arch", "extensor-ob"}};
  unsigned refused = 0;
  for (const auto& command : commands) {
    for (const std::uint64_t megabytes : {least, least + 8}) {  // more is enough in the end
      const Finished f = run_lacuna(command, launch_in(folder, megabytes << 20));
      CAPTURE(command, megabytes, f.code, f.err);
      if (f.code == 0) continue;
      CHECK(f.code == 2);
      const bool told = f.err.find("not enough memory") != std::string::npos ||
                        f.err.find("out of memory") != std::string::npos;
      CHECK(told);
      ++refused;
    }
  }
  CHECK(refused > 0);
}
