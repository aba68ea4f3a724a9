// SPDX-License-Identifier: Apache-2.0
// What the program itself makes of odd files: an answer, or one line that says why not.
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "run/product/workload.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::Finished;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;
using lacuna::test::shared_data;

namespace {

namespace fs = std::filesystem;

Finished in_folder(const fs::path& folder, const std::vector<std::string>& arguments) {
  return run_lacuna(arguments,
                    {.folder = folder, .largest_file = 0, .output_to = {}, .ready_to_signal = {}});
}

/// Exit code 2, nothing on standard output, one line that names the file.
void refused(const fs::path& folder, const std::vector<std::string>& arguments,
             const std::string& expected) {
  const Finished f = in_folder(folder, arguments);
  CAPTURE(arguments, f.out, f.err);
  CHECK(f.code == 2);
  CHECK(f.out.empty());
  CHECK(f.err.rfind("lacuna: ", 0) == 0);
  CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
  CHECK(f.err.find(expected) != std::string::npos);
}

}  // namespace

TEST_CASE("fault: stored zeros count as nonzeros, and the result says how many") {
  const fs::path folder = scratch("zeros");
  std::ofstream(folder / "zero.mtx") << "%%MatrixMarket matrix coordinate real general\n"
                                        "4 4 4\n1 1 0\n2 2 1\n3 3 0.0\n4 4 1\n";
  std::ofstream(folder / "full.mtx") << "%%MatrixMarket matrix coordinate real general\n"
                                        "4 4 2\n2 2 1\n4 4 1\n";
  const std::string rule = "stored zeros of A count as nonzeros: they occupy storage and move";
  for (const char* machine : {"extensor-ob", "tc"}) {
    INFO(machine);
    const auto warnings = [&](const std::string& matrix, const std::string& out) {
      const Finished f =
          in_folder(folder, {"run", "--arch", machine, "--matrix", matrix, "--out", out});
      INFO(f.err);
      REQUIRE(f.code == 0);
      const auto json = nlohmann::json::parse(read_file(folder / out / "result.json"));
      const auto& run = json.contains("runs") ? json["runs"][0] : json;
      return run["provenance"]["warnings"].dump();
    };
    CHECK_THAT(warnings("zero.mtx", fmt::format("{}-zero", machine)), contains("2 " + rule));
    CHECK(warnings("full.mtx", fmt::format("{}-full", machine)).find("zeros") == std::string::npos);
  }
  WorkloadSpec spec;
  spec.matrix = (folder / "full.mtx").string();
  spec.matrix_b = (folder / "zero.mtx").string();
  const ProductWorkload workload = make_workload(spec, false, {});
  REQUIRE(workload.notes.size() == 1);
  CHECK_THAT(workload.notes[0], contains("2 stored zeros of B count"));
}

TEST_CASE("fault: hostile files end every command with one line and exit code 2") {
  const fs::path folder = scratch("hostile");
  std::ofstream(folder / "counts.json") << "{\"logical_count\":\n[[1e999]]}";
  std::ofstream(folder / "wide.smtx") << "1, 400000000, 1\n0 1\n5\n";
  std::ofstream(folder / "deep.json") << "{\"a\":" << std::string(100'000, '[');
  fs::create_symlink("/dev/zero", folder / "zero.npy");
  fs::create_directory(folder / "folder.mtx");
  refused(folder, {"routing", "counts.json"}, "counts.json:2: logical_count: not valid JSON");
  refused(folder, {"routing", "zero.npy"}, "zero.npy: binary data of no known format");
  refused(folder, {"routing", "folder.mtx"}, "is a folder");
  refused(folder, {"model", "deep.json"}, "deep.json:1: nested deeper than 64 levels");
  refused(folder, {"model", "/dev/zero"}, "/dev/zero: holds more than");
  refused(folder, {"prune", "zero.npy", "--pattern", "2:4"}, "it is not an .npy file");
  refused(folder, {"run", "--arch", "extensor-ob", "--matrix", "wide.smtx", "--bt"},
          "number of columns 400000000 is too large");
  refused(folder, {"run", "--arch", "extensor-ob", "--matrix", "/dev/zero"},
          "is neither a Matrix Market nor an SMTX file");
  refused(folder, {"run", "--arch", "extensor-ob", "--matrix", "folder.mtx"}, "is a folder");
}

TEST_CASE("every file of the shared data is read, or refused with one line, by every command") {
  LACUNA_NEEDS_SHARED();
  const fs::path folder = scratch("every_file");
  for (const char* where : {"odd-files", "traces", "odd-files/nvfp4dir"}) {
    for (const auto& entry : fs::directory_iterator(shared_data() / where)) {
      if (entry.is_directory()) continue;
      const std::string file = entry.path().string();
      for (const std::vector<std::string>& arguments :
           {std::vector<std::string>{"routing", file},
            {"model", file},
            {"prune", file, "--pattern", "2:4"},
            {"run", "--arch", "extensor-ob", "--matrix", file}}) {
        const Finished f = in_folder(folder, arguments);
        CAPTURE(arguments, f.err);
        CHECK((f.code == 0 || f.code == 2));
        if (f.code == 2) CHECK(std::count(f.err.begin(), f.err.end(), '\n') == 1);
      }
    }
  }
}
