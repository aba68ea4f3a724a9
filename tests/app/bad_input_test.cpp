// SPDX-License-Identifier: Apache-2.0
// Does each bad input end with exit code 2, one line that says what to do, and nothing left behind?
#include <unistd.h>

#include <fstream>

#include "base/file.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using lacuna::test::everything_in;
using lacuna::test::Finished;
using lacuna::test::refuses;
using lacuna::test::run_lacuna;

namespace {

namespace fs = std::filesystem;

constexpr const char* kSmall =
    "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1.0\n2 3 2.0\n3 2 -1\n";

fs::path folder_with_matrix(const std::string& name) {
  const fs::path folder = lacuna::test::scratch(name);
  std::ofstream(folder / "small.mtx") << kSmall;
  return folder;
}

std::vector<std::string> small_run(std::vector<std::string> more) {
  std::vector<std::string> arguments{"run",       "--arch", "extensor-ob", "--matrix",
                                     "small.mtx", "--out",  "results"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

bool root() {
  return ::geteuid() == 0;
}

}  // namespace

TEST_CASE("program: settings that make no sense are refused") {
  const fs::path folder = folder_with_matrix("bad_settings");
  const auto set = [&](const std::string& setting, const std::string& expected) {
    refuses(folder, small_run({"--set", setting}), expected);
  };
  set("buffers.llb.capcity=1MiB", "did you mean 'buffers.llb.capacity'");
  set("bufers.llb.capacity=1MiB", "unknown key 'bufers'");
  set("buffers.llb.capacity=1 MHz", "buffers.llb.capacity");
  set("buffers.llb.capacity=-1 MiB", "buffers.llb.capacity");
  set("buffers.llb.capacity=0 B", "larger than the room of A, 0 B");
  set("buffers.llb.window=1 GiB", "window");
  set("buffers.llb.shares.A=0.9", "shares");
  set("buffers.llb.line=100 B", "power of two");
  set("dram.bandwidth=fast", "dram.bandwidth");
  set("dram.chunk=0 B", "chunk");
  set("dram.outstanding=0", "outstanding");
  set("pes.count=0", "pes.count");
  set("pes.count=many", "pes.count");
  set("clock=1 Hz", "clock");
  set("clock=-1 GHz", "clock");
  set("tiling.m1=0", "tiling.m1");
  set("tiling.strategy=switfiles", "did you mean 'swiftiles'");
  set("tiling.microtile.k0=129", "k0");
  set("tiling.overbooked_share=1.5", "overbooked_share");
  set("energy.table=46nm", "46nm");
  set("intersect.k1.tries_per_cycle=0", "tries_per_cycle");
  set("nonsense", "nonsense");
  set("=1", "=1");
  set("buffers=3", "buffers");
}

TEST_CASE("program: machines that are not there or not machines are refused") {
  const fs::path folder = folder_with_matrix("bad_machines");
  std::ofstream(folder / "broken.yaml") << "name: [x\nclock: 1 GHz\n";
  std::ofstream(folder / "short.yaml") << "name: short\nclock: 1 GHz\n";
  std::ofstream(folder / "loop.yaml") << "extends: loop.yaml\n";
  std::ofstream(folder / "typo.yaml") << "extends: " << lacuna::test::source_dir().string()
                                      << "/configs/arch/extensor.yaml\nbuffers:\n  llb:\n"
                                         "    polcy: tailors\n";
  const auto arch = [&](const std::string& name, const std::string& expected) {
    refuses(folder, {"run", "--arch", name, "--matrix", "small.mtx", "--out", "results"}, expected);
  };
  arch("extensor-obb", "did you mean 'extensor-ob'");
  arch("broken.yaml", "broken.yaml:");
  arch("short.yaml", "a machine has levels of buffers");
  arch("loop.yaml", "loop.yaml");
  arch("typo.yaml",
       "typo.yaml:4: buffers.llb.polcy: 'buffers.llb.polcy' is not a key of a described machine; "
       "did "
       "you mean 'buffers.llb.policy'");
  refuses(folder, {"run", "--matrix", "small.mtx"}, "no machine is given");
  refuses(folder, {"run", "nowhere.yaml"}, "nowhere.yaml");
}

TEST_CASE("program: matrices that are missing, damaged or do not fit are refused") {
  const fs::path folder = folder_with_matrix("bad_matrices");
  std::ofstream(folder / "letters.mtx") << "%%MatrixMarket matrix coordinate real general\n2 2 1\n"
                                           "1 x 1.0\n";
  std::ofstream(folder / "complex.mtx")
      << "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n";
  std::ofstream(folder / "wide.mtx") << "%%MatrixMarket matrix coordinate real general\n2 5 1\n"
                                        "1 1 1.0\n";
  std::ofstream(folder / "short.mtx") << "%%MatrixMarket matrix coordinate real general\n2 2 2\n"
                                         "1 1 1.0\n";
  std::ofstream(folder / "outside.mtx") << "%%MatrixMarket matrix coordinate real general\n2 2 1\n"
                                           "3 1 1.0\n";
  std::ofstream(folder / "empty.mtx") << "";
  std::ofstream(folder / "huge.mtx") << "%%MatrixMarket matrix coordinate real general\n"
                                        "4000000000 4000000000 4000000000000\n1 1 1\n";
  std::string packed = lacuna::gzip(std::string(kSmall) + std::string(5000, '\n'));
  std::ofstream(folder / "cut.mtx.gz", std::ios::binary) << packed.substr(0, packed.size() - 12);
  const auto matrix = [&](const std::string& name, const std::string& expected) {
    refuses(folder, {"run", "--arch", "extensor-ob", "--matrix", name, "--out", "results"},
            expected);
  };
  matrix("nowhere.mtx", "nowhere.mtx");
  matrix("letters.mtx", "letters.mtx:3");
  matrix("complex.mtx", "complex");
  matrix("short.mtx", "short.mtx");
  matrix("outside.mtx", "outside.mtx:3");
  matrix("empty.mtx", "empty.mtx");
  matrix("huge.mtx", "huge.mtx");
  matrix("cut.mtx.gz", "cut short");
  matrix("wide.mtx", "--bt");
  matrix(".", "folder");
  matrix("rmat:rows=1000,edges=5", "rows");
  matrix("rmat:rws=1024,edges=5", "rows");
  refuses(folder,
          {"run", "--arch", "extensor-ob", "--matrix", "small.mtx", "--matrix-b", "wide.mtx",
           "--out", "results"},
          "the columns of A must equal the rows of B");
  refuses(folder, {"run", "--arch", "extensor-ob", "--gemm", "10x10", "--out", "results"},
          "expected three sizes");
  refuses(folder, {"run", "--arch", "extensor-ob", "--gemm", "8x8x8", "--a", "unifrm:0.5"}, "--a");
  refuses(folder, {"run", "--arch", "extensor-ob"}, "no workload is given");
  refuses(folder, {"run", "--arch", "extensor-ob", "--gemm", "8x8x8", "--matrix", "small.mtx"},
          "either");
}

TEST_CASE("program: options it does not know are refused") {
  const fs::path folder = folder_with_matrix("bad_options");
  refuses(folder, small_run({"--fidelty", "tile"}), "--fidelty");
  refuses(folder, small_run({"--fidelity", "elemnt"}), "did you mean 'element'");
  refuses(folder, {"rum"}, "'rum' is not a command; did you mean 'run'");
  refuses(folder, {}, "subcommand");
  refuses(folder, {"run", "--arch"}, "--arch");
  refuses(folder, small_run({"--dense-b", "x"}), "--dense-b");
}

TEST_CASE("program: a folder that cannot be written is told before the run, and nothing is made") {
  const fs::path folder = folder_with_matrix("bad_folders");
  std::ofstream(folder / "file") << "not a folder";
  const auto out = [&](const std::string& name, const std::string& expected) {
    refuses(folder, {"run", "--arch", "extensor-ob", "--matrix", "small.mtx", "--out", name},
            expected);
    refuses(folder, {"tile", "small.mtx", "--arch", "extensor-ob", "--out", name}, expected);
  };
  out("file", "not a folder");
  out("file/below", "file/below");
  out("/proc/lacuna-results", "cannot write");
  if (!root()) {
    fs::create_directories(folder / "locked");
    fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    out("locked/results", "cannot write");
    fs::permissions(folder / "locked", fs::perms::owner_all);
  }
  // Parents that were made for a run that then fails go again.
  refuses(folder, {"run", "--arch", "extensor-ob", "--matrix", "nowhere.mtx", "--out", "a/b/c"},
          "nowhere.mtx");
}

TEST_CASE("program: strict mode refuses what does not fit and says which buffer") {
  const fs::path folder = folder_with_matrix("bad_strict");
  refuses(
      folder,
      {"run", "--arch", "extensor", "--matrix", "uniform:rows=256,cols=256,density=0.9", "--set",
       "buffers.strict=true", "--set", "buffers.peb.capacity=4 KiB", "--out", "results"},
      "buffers.peb.capacity is 4 KiB");
}

TEST_CASE("program: a disk that fills up while results are written leaves nothing") {
  const fs::path folder = folder_with_matrix("bad_disk");
  const auto arguments = small_run({"--no-plots"});
  refuses(folder, arguments, "cannot write", 100);
  refuses(folder, arguments, "cannot write", 4000);
  refuses(folder, {"run", "--arch", "extensor-ob", "--matrix", "small.mtx", "--out", "x/y/z"},
          "cannot write", 2000);
  // Its table is printed before the folder is written: that part may stand.
  const auto before = everything_in(folder);
  const Finished tile =
      run_lacuna({"tile", "small.mtx", "--arch", "extensor-ob", "--out", "tiles"},
                 {.folder = folder, .largest_file = 20, .output_to = {}, .ready_to_signal = {}});
  CHECK(tile.code == 2);
  CHECK(tile.err.find("cannot write") != std::string::npos);
  CHECK(everything_in(folder) == before);
  const Finished f =
      run_lacuna({"run", "--arch", "extensor-ob", "--matrix", "small.mtx", "--json"},
                 {.folder = folder, .output_to = "/dev/full", .ready_to_signal = {}});
  CHECK(f.code == 2);
  CHECK(f.err == "lacuna: cannot write to the standard output\n");
}
