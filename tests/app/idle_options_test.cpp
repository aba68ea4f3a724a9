// SPDX-License-Identifier: Apache-2.0
// Is every option used, or refused with what it is for? None may be ignored.
#include <fstream>

#include "base/file.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using lacuna::test::everything_in;
using lacuna::test::Finished;
using lacuna::test::refuses;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words plus(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("what tells the second operand of a matrix is refused without one, and in pairs") {
  const fs::path folder = scratch("operands");
  const std::string mesh = "mesh2d:nx=9,ny=9";
  const std::vector<Words> workloads{
      {"--gemm", "8x8x8"}, {"--model", "mixtral-8x7b"}, {"--network", "resnet50"}};
  for (const Words& workload : workloads) {
    for (const Words& option :
         {Words{"--matrix-b", mesh}, Words{"--bt"}, Words{"--dense-b", "4"}}) {
      refuses(folder, plus(plus({"run", "--arch", "tc"}, workload), option),
              option.front() + " is of a matrix, and " + workload.front() + " says what B is");
    }
  }
  refuses(folder, {"run", "--arch", "tc", "--matrix", mesh, "--dense-b", "4", "--bt"}, "--dense-b");
  refuses(folder, {"run", "--arch", "tc", "--matrix", mesh, "--dense-b", "4", "--matrix-b", mesh},
          "--dense-b");
  refuses(folder, {"run", "--arch", "tc", "--matrix", mesh, "--dense-b", "0"}, "--dense-b");
  refuses(folder, {"run", "--arch", "tc", "--matrix", mesh, "--a", "2:4"}, "--gemm");
  refuses(folder, {"run", "--arch", "tc", "--matrix", mesh, "--batch", "4"}, "--model");
  refuses(folder, {"run", "--arch", "tc", "--gemm", "8x8x8", "--images", "4"}, "--network");
  refuses(folder, {"run", "--arch", "tc", "--gemm", "8x8x8", "--seed", "4"}, "--seed");
  refuses(folder, {"run", "--arch", "tc", "--gemm", "8x8x8", "--check", "--no-check"}, "--check");
}

TEST_CASE("what the layers of a folder and of a table have no use for is refused") {
  const fs::path folder = scratch("networks");
  fs::create_directory(folder / "layers");
  std::ofstream(folder / "layers" / "a.smtx") << "2, 2, 2\n0 1 2\n0 1\n";
  const Words pruned{"run", "--arch", "tc", "--network", "dlmc:layers"};
  refuses(folder, plus(pruned, {"--weights", "2:4"}), "--weights");
  refuses(folder, plus(pruned, {"--images", "2"}), "--images");
  const Words table{"run", "--arch", "tc", "--network", "resnet50"};
  refuses(folder, plus(table, {"--n", "5"}), "--n");
  refuses(folder, plus(table, {"--columns", "layers/a.smtx"}), "--columns");
  refuses(folder, plus(table, {"--re-prune"}), "--re-prune");
}

TEST_CASE("a timeline is refused where none is recorded, and said where one machine has none") {
  const fs::path folder = scratch("timelines");
  refuses(folder, {"run", "--arch", "tc", "--network", "resnet50", "--timeline", "--out", "out"},
          "--timeline");
  const Words model{"run",   "--model", "deepseek-v2-lite", "--layers", "1-1", "--timeline",
                    "--out", "out",     "--no-plots"};
  refuses(folder, plus(model, {"--arch", "extensor-ob"}), "--timeline");
  const Finished both = run_lacuna(plus(model, {"--arch", "extensor-ob", "--arch", "tc"}),
                                   {.folder = folder, .output_to = {}, .ready_to_signal = {}});
  CHECK(both.code == 0);
  CHECK(both.out.find("note: extensor-ob records no timeline of a model") != std::string::npos);
  CHECK(fs::exists(folder / "out" / "tc" / "timeline.json"));
}

TEST_CASE("a tiling in microtiles is refused on a machine without them") {
  const fs::path folder = scratch("tilings");
  std::ofstream(folder / "w.yaml") << "matrix: mesh2d:nx=9,ny=9\ntiling: {m1: 1, k1: 1, n1: 1}\n";
  refuses(folder, {"run", "--arch", "tc", "--workload", "w.yaml"}, "microtiles");
}

TEST_CASE("what a figure, a group of numbers, weights or a model have no use for is refused") {
  const fs::path folder = scratch("others");
  const auto figure = [&](const std::string& name, const Words& option) {
    refuses(folder, plus({"figure", name, "--out", "out"}, option), option.front());
  };
  for (const Words& option : {Words{"--edge", "64"}, Words{"--matrices", "."}, Words{"--only", "x"},
                              Words{"--jobs", "2"}, Words{"--limit", "5"}, Words{"--set", "a=1"}}) {
    figure("dstc", option);
  }
  figure("attention-forms", {"--edge", "64"});
  figure("sparsity-sweep", {"--set", "a=1"});
  refuses(folder, {"validate", "--only", "models", "--matrices", "."}, "--matrices");
  lacuna::write_file(folder / "W.npy", "x");
  refuses(folder, {"prune", "W.npy", "--pattern", "2:4", "--seed", "3"}, "--seed");
  refuses(folder, {"prune", "synthetic:8x8", "--pattern", "2:4", "--tensor", "w"}, "--tensor");
  refuses(folder, {"model", "mixtral-8x7b", "--seed", "3"}, "--seed");
  refuses(folder, {"dial", "--layers", "3"}, "--arch");
}
