// SPDX-License-Identifier: Apache-2.0
// Does the program leave alone what is the user's, wherever its results go?
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.hpp"
#include "sparse_formats/npy.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using lacuna::read_file;
using lacuna::write_file;
using lacuna::test::everything_in;
using lacuna::test::Finished;
using lacuna::test::Launch;
using lacuna::test::refuses;
using lacuna::test::run_in;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words small_run(const std::string& out, const Words& more = {}) {
  Words words{"run",   "--arch", "extensor-ob", "--matrix", "mesh2d:nx=20,ny=20", "--no-plots",
              "--out", out};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Ran, and `out` holds a whole result.
void writes(const fs::path& folder, const Words& arguments, const fs::path& out) {
  const Finished f = run_in(folder, arguments);
  CAPTURE(arguments, f.err);
  REQUIRE(f.code == 0);
  const auto manifest = nlohmann::json::parse(read_file(out / "lacuna-manifest.json"));
  for (const auto& entry : manifest.at("files")) {
    CHECK(lacuna::sha256_of(out / entry.at("name").get<std::string>()) == entry.at("sha256"));
  }
}

fs::path weights_in(const fs::path& folder) {
  const fs::path file = folder / "W.npy";
  lacuna::write_npy(file, {"W", lacuna::DType::f32, {8, 8}, std::vector<double>(64, 1.5)});
  return file;
}

}  // namespace

TEST_CASE(
    "fault: a folder with another tool's result.json, or a dial.json with a schema key, stays as "
    "it is") {
  const fs::path folder = scratch("other_tools");
  fs::create_directory(folder / "thesis");
  write_file(folder / "thesis" / "thesis.tex", "years of work");
  for (const char* content : {"", "{\"accuracy\": 0.9}", "{\"schema\": \"lacuna.result/1\"}"}) {
    write_file(folder / "thesis" / "result.json", content);
    refuses(folder, small_run("thesis"), "thesis/result.json");
    CHECK(read_file(folder / "thesis" / "result.json") == content);
  }
  write_file(folder / "thesis" / "dial.json", "{\"schema\": \"lacuna.dial/1\"}");
  refuses(folder, {"dial", "--out", "thesis"}, "thesis/dial.json");
  fs::remove(folder / "thesis" / "result.json");
  writes(folder, small_run("thesis"), folder / "thesis");
  CHECK(read_file(folder / "thesis" / "thesis.tex") == "years of work");
  CHECK(read_file(folder / "thesis" / "dial.json") == "{\"schema\": \"lacuna.dial/1\"}");
}

TEST_CASE(
    "fault: notes, the input of the very run and other runs in an earlier result's folder stay") {
  const fs::path folder = scratch("earlier");
  writes(folder, small_run("out"), folder / "out");
  write_file(folder / "out" / "notes.md", "what it showed");
  write_file(folder / "out" / "A.mtx",
             "%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1.0\n2 3 2.0\n3 2 -1\n");
  writes(folder, small_run("out/b"), folder / "out" / "b");
  const auto inner = everything_in(folder / "out" / "b");
  writes(folder,
         {"run", "--arch", "extensor-ob", "--matrix", "out/A.mtx", "--no-plots", "--out", "out"},
         folder / "out");
  writes(folder, small_run("out"), folder / "out");
  CHECK(read_file(folder / "out" / "notes.md") == "what it showed");
  CHECK(read_file(folder / "out" / "A.mtx").size() > 50);
  CHECK(everything_in(folder / "out" / "b") == inner);
  writes(folder, small_run("out/b"), folder / "out" / "b");
}

TEST_CASE(
    "fault: --out with dots, a link, a slash, spaces or parents that are missing is written "
    "rightly") {
  const fs::path folder = scratch("names");
  fs::create_directory(folder / "keep");
  write_file(folder / "keep" / "notes", "x");
  writes(folder, small_run("keep/../keep"), folder / "keep");
  CHECK(read_file(folder / "keep" / "notes") == "x");
  CHECK(everything_in(folder).size() == everything_in(folder / "keep").size() + 1);
  writes(folder, small_run("."), folder);
  fs::create_directory_symlink("keep", folder / "link");
  writes(folder, small_run("link"), folder / "keep");
  CHECK(fs::is_symlink(folder / "link"));
  writes(folder, small_run("slash/"), folder / "slash");
  writes(folder, small_run("a b/c 'd'"), folder / "a b" / "c 'd'");
  writes(folder, small_run((folder / "x" / "y" / "z").string()), folder / "x" / "y" / "z");
}

TEST_CASE("fault: --out that cannot be written is told before the run, in every command") {
  const fs::path folder = scratch("unwritable");
  weights_in(folder);
  write_file(folder / "file", "x");
  fs::create_directory_symlink("nowhere", folder / "dangling");
  write_file(folder / "counts.json", "[[1, 2], [3, 4]]");
  const auto all = [&](const std::string& out, const std::string& expected) {
    refuses(folder, small_run(out), expected);
    refuses(folder, {"tile", "mesh2d:nx=20,ny=20", "--arch", "extensor-ob", "--out", out},
            expected);
    refuses(folder, {"dial", "--out", out}, expected);
    refuses(folder, {"model", "mixtral-8x7b", "--out", out}, expected);
    refuses(folder, {"routing", "counts.json", "--out", out}, expected);
    refuses(folder, {"figure", "dstc", "--out", out}, expected);
    refuses(folder, {"figure", "--all", "--out", out}, expected);
  };
  all("file", "not a folder");
  all("file/below", "cannot write");
  all("dangling", "not there");
  all("", "--out");
  all("/proc/lacuna", "cannot write");
  refuses(folder, {"prune", "W.npy", "--pattern", "2:4", "--out", "none/P.npy"}, "not there");
  refuses(folder, {"prune", "W.npy", "--pattern", "2:4", "--out", ""}, "--out");
}

TEST_CASE("fault: prune replaces no file unasked, and never its input") {
  const fs::path folder = scratch("prune");
  weights_in(folder);
  const std::string weights = read_file(folder / "W.npy");
  const auto prune = [](const std::string& out, const Words& more = {}) {
    Words words{"prune", "W.npy", "--pattern", "2:4", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  fs::create_symlink("W.npy", folder / "same.npy");
  for (const char* out : {"W.npy", "./W.npy", "same.npy"}) {
    refuses(folder, prune(out), "is what is read");
    refuses(folder, prune(out, {"--force"}), "is what is read");
  }
  CHECK(read_file(folder / "W.npy") == weights);
  write_file(folder / "notes.npy", "mine");
  refuses(folder, prune("notes.npy"), "exists already");
  CHECK(read_file(folder / "notes.npy") == "mine");
  REQUIRE(::mkfifo((folder / "pipe.npy").c_str(), 0600) == 0);
  refuses(folder, prune("pipe.npy", {"--force"}), "not a file");
  fs::create_symlink("notes.npy", folder / "link.npy");
  REQUIRE(run_in(folder, prune("link.npy", {"--force"})).code == 0);
  CHECK(fs::is_symlink(folder / "link.npy"));
  CHECK(lacuna::read_npy(folder / "notes.npy").values.size() == 64);
  refuses(folder, {"prune", "W.npy", "--pattern", "2:4", "--force"}, "--out");
}

TEST_CASE("fault: of two runs into one folder at once one wins and the other says so") {
  const fs::path folder = scratch("two_runs");
  const Words slow{"run",   "--arch", "extensor-ob", "--matrix", "rmat:rows=32768,edges=524288",
                   "--out", "out",    "--no-plots"};
  auto first = std::async(std::launch::async, [&] { return run_in(folder, slow); });
  while (!fs::exists(folder / "out" / ".lacuna-staging")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const Finished second = run_in(folder, small_run("out"));
  CHECK(second.code == 2);
  CHECK(second.err.find("another process is writing into this folder") != std::string::npos);
  CHECK(first.get().code == 0);
  CHECK(read_file(folder / "out" / "resolved.yaml").find("32768") != std::string::npos);
  writes(folder, small_run("out"), folder / "out");
}

TEST_CASE(
    "fault: what kill -9 leaves in an output folder is removed by the next run into that place") {
  const fs::path folder = scratch("kill_9");
  const Words slow{"run",     "--arch", "extensor-ob", "--matrix", "rmat:rows=32768,edges=524288",
                   "--check", "--out",  "results"};
  writes(folder, small_run("results"), folder / "results");
  const auto before = everything_in(folder);
  for (const int after_ms : {1, 50, 400}) {
    const Finished f = run_lacuna(slow, {.folder = folder,
                                         .output_to = {},
                                         .signal_after_ms = after_ms,
                                         .signal = 9,
                                         .ready_to_signal = {}});
    CHECK(f.code == 128 + 9);
    for (const std::string& name : before) CHECK(fs::exists(folder / name));
    writes(folder, small_run("results"), folder / "results");
    CHECK(everything_in(folder) == before);
  }
  // A single file as well.
  weights_in(folder);
  write_file(folder / ".P.npy.lacuna-tmp", "half a tens");
  REQUIRE(run_in(folder, {"prune", "W.npy", "--pattern", "2:4", "--out", "P.npy"}).code == 0);
  CHECK_FALSE(fs::exists(folder / ".P.npy.lacuna-tmp"));
}

TEST_CASE("fault: children of figure overbooking end with a parent that kill -9 ended") {
  const fs::path folder = scratch("children");
  // Orphans come to us, so that we see them end.
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const auto started = [&] { return fs::exists(folder / "out" / ".lacuna-staging"); };
  const Finished f = run_lacuna({"figure", "overbooking", "--only", "lattice-m1024", "--only",
                                 "rmat-rows32768-edges3e6-seed1", "--jobs", "2", "--out", "out"},
                                {.folder = folder,
                                 .output_to = {},
                                 .signal_after_ms = 300,
                                 .signal = 9,
                                 .ready_to_signal = started});
  CHECK(f.code == 128 + 9);
  int left = 1;
  for (int i = 0; i < 2000 && left != 0; ++i) {
    left = ::waitpid(-1, nullptr, WNOHANG) < 0 ? 0 : 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(left == 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("fault: --timeline without a folder to write it to is refused") {
  const fs::path folder = scratch("timeline");
  refuses(folder, {"run", "--arch", "tc", "--gemm", "64x64x64", "--timeline"}, "add --out");
}

TEST_CASE("fault: what prune writes is an operand of run (later: newcomer)", "[!shouldfail]") {
  const fs::path folder = scratch("operand");
  weights_in(folder);
  for (const char* out : {"P.npy", "P.npz", "P.safetensors"}) {
    REQUIRE(run_in(folder, {"prune", "W.npy", "--pattern", "2:4", "--out", out}).code == 0);
    CHECK(run_in(folder, {"run", "--arch", "extensor-ob", "--matrix", out}).code == 0);
  }
}

TEST_CASE("fault: slices on one row of a timeline never partly overlap (later: newcomer)",
          "[!shouldfail]") {
  const fs::path folder = scratch("rows");
  REQUIRE(run_in(folder, {"run", "--arch", "extensor-ob", "--matrix", "rmat:rows=1024,edges=8000",
                          "--no-plots", "--timeline", "--out", "out"})
              .code == 0);
  const auto trace = nlohmann::json::parse(read_file(folder / "out" / "timeline.json"));
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::pair<double, double>>> rows;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    const double begin = event.at("ts"), length = event.at("dur");
    rows[{event.at("pid"), event.at("tid")}].emplace_back(begin, begin + length);
  }
  std::size_t partly = 0;
  for (auto& [row, slices] : rows) {
    std::sort(slices.begin(), slices.end(), [](const auto& a, const auto& b) {
      return std::make_pair(a.first, -a.second) < std::make_pair(b.first, -b.second);
    });
    std::vector<double> open;  // ends of the slices around
    for (const auto& [begin, end] : slices) {
      while (!open.empty() && open.back() <= begin) open.pop_back();
      if (!open.empty() && end > open.back()) ++partly;
      open.push_back(end);
    }
  }
  CHECK(partly == 0);
}
