// SPDX-License-Identifier: Apache-2.0
// Does the program end soon after the user asked, whatever it does, and leave nothing half-written?
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "base/file.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using lacuna::test::everything_in;
using lacuna::test::Finished;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;

namespace {

using Words = std::vector<std::string>;

/// SIGTERM in the middle of a command that would take many seconds.
void heeds(const std::string& name, const Words& arguments) {
  const auto folder = scratch(name);
  const auto before = everything_in(folder);
  constexpr int kAfter = 400;  // ms
  const auto start = std::chrono::steady_clock::now();
  const Finished f = run_lacuna(arguments, {.folder = folder,
                                            .output_to = {},
                                            .signal_after_ms = kAfter,
                                            .signal = 15,
                                            .ready_to_signal = {}});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CAPTURE(arguments, f.out, f.err);
  CHECK(f.code == 130);
  // A machine that hardly answers may not let the program poll in its time; then it is ended, and
  // what it was at stays under names that the next run clears.
  const bool ended = f.err == "lacuna: interrupted\n";
  CHECK((ended || f.err == "lacuna: interrupted, nothing was written\n"));
  CHECK(took.count() < 4);  // it takes a tenth of a second on a machine that does nothing else
  if (!ended) CHECK(everything_in(folder) == before);
  for (const std::string& left : everything_in(folder)) {
    CAPTURE(left);
    const bool hidden = left.find("/.lacuna-") != std::string::npos;
    CHECK((hidden || std::filesystem::is_directory(folder / left)));
  }
}

}  // namespace

TEST_CASE("fault: Ctrl-C is heeded by prune, generators, tiling and the reading of a pipe") {
  heeds("prune", {"prune", "synthetic:8192x16384", "--pattern", "2:4", "--out", "P.npy"});
  heeds("rmat", {"run", "--arch", "extensor-ob", "--matrix", "rmat:rows=4194304,edges=5e7"});
  heeds("uniform", {"run", "--arch", "tc", "--matrix", "uniform:rows=1e6,cols=1e6,density=1e-4",
                    "--out", "results"});
  heeds("pattern", {"run", "--arch", "tc", "--gemm", "32768x32768x32768", "--a", "uniform:0.5",
                    "--out", "results"});
  heeds("tiling", {"tile", "rmat:rows=524288,edges=4e6", "--arch", "extensor-p", "--out", "tiles"});
}

TEST_CASE("fault: Ctrl-C is heeded by figures, the dial, validation and networks") {
  heeds("gemm", {"figure", "gemm-2048", "--out", "figure"});
  heeds("tokens", {"figure", "token-tiles", "--out", "figure"});
  heeds("sweep", {"figure", "sparsity-sweep", "--edge", "4096", "--out", "figure"});
  heeds("all", {"figure", "--all", "--out", "figures"});
  heeds("overbooking", {"figure", "overbooking", "--only", "lattice-m1024", "--out", "figure"});
  heeds("dial", {"dial", "--arch", "tc", "--batch", "65536", "--out", "dial"});
  heeds("validate", {"validate", "--only", "highlight"});
  heeds("network", {"run", "--arch", "dstc", "--network", "resnet50", "--images", "16", "--weights",
                    "uniform:0.3", "--activations", "uniform:0.4", "--out", "results"});
}

TEST_CASE("fault: Ctrl-C is heeded by a program that waits for a pipe nobody writes to") {
  const auto folder = scratch("pipe");
  REQUIRE(::mkfifo((folder / "pipe.mtx").c_str(), 0600) == 0);
  const Finished f =
      run_lacuna({"run", "--arch", "tc", "--matrix", "pipe.mtx"}, {.folder = folder,
                                                                   .output_to = {},
                                                                   .signal_after_ms = 200,
                                                                   .signal = 15,
                                                                   .ready_to_signal = {}});
  CHECK(f.code == 130);
  CHECK(f.err == "lacuna: interrupted, nothing was written\n");
}
