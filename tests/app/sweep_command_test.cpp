// SPDX-License-Identifier: Apache-2.0
// `lacuna sweep` as a user runs it: tables, resuming after a kill, single points, what is refused.
#include <signal.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "app/slurm_text.hpp"
#include "base/random.hpp"
#include "study/sweep/store.hpp"
#include "tests/app/command.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

namespace fs = std::filesystem;

std::string sweep_file(const std::string& name, int steps, const std::string& more = "") {
  const fs::path file = scratch("sweep-command/" + name) / "sweep.yaml";
  std::ofstream(file) << fmt::format(
      "machines: [tc, highlight, lacuna]\n"
      "workloads:\n  - {{gemm: 96x96x256, b: \"uniform:0.5\"}}\n"
      "axes:\n"
      "  - {{key: workload.a, values: [dense, 2:4]}}\n"
      "  - {{key: levels.glb.capacity, from: 64 KiB, to: 1 MiB, steps: {}, scale: linear}}\n"
      "objectives: [cycles, energy, area]\n{}",
      steps, more);
  return file.string();
}

/// The table without what is of the host.
std::string table(const fs::path& folder) {
  std::istringstream in(read_file(folder / "points.csv"));
  std::string out;
  for (std::string line; std::getline(in, line);) {
    out += line.substr(0, line.rfind(',')) + '\n';
  }
  return out;
}

/// Starts the program and ends it without a chance to do anything.
void kill_after(const std::vector<std::string>& arguments, std::chrono::milliseconds when) {
  std::vector<std::string> all{(binary_dir() / "app" / "lacuna").string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t id = 0;
  REQUIRE(posix_spawn(&id, argv[0], &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  std::this_thread::sleep_for(when);
  kill(id, SIGKILL);
  int status = 0;
  waitpid(id, &status, 0);
}

}  // namespace

TEST_CASE("a sweep leaves a table of its points, the front and scripts that draw them") {
  const fs::path folder = scratch("sweep-command/tables") / "out";
  const Ran ran = run_lacuna("sweep", {"sweep", sweep_file("tables", 4), "--out", folder.string()});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("24 of 24 points finished, 0 failed"));
  for (const char* name : {"points.csv", "points.sqlite", "front.csv", "sensitivity.csv",
                           "heat.csv", "parallel.csv", "front.gp", "heat.gp"}) {
    INFO(name);
    CHECK(fs::exists(folder / name));
  }
  std::istringstream in(table(folder));
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  CHECK(lines == 25);
}

TEST_CASE("a search that is killed again and again ends with the table of one that is not") {
  const std::string file =
      sweep_file("search", 40, "search: {algorithm: nsga2, budget: 60, population: 12}\n");
  const fs::path killed = scratch("sweep-command/search-killed") / "out";
  const fs::path whole = scratch("sweep-command/search-whole") / "out";
  for (int i = 0; i < 4; ++i) {
    kill_after({"sweep", file, "--out", killed.string(), "--no-plots", "--jobs", "2"},
               std::chrono::milliseconds(60 + 60 * i));
  }
  const Ran end = run_lacuna("search-end", {"sweep", file, "--out", killed.string(), "--no-plots"});
  const Ran one = run_lacuna("search-one", {"sweep", file, "--out", whole.string(), "--no-plots"});
  INFO(end.err << one.err);
  REQUIRE(end.code == 0);
  REQUIRE(one.code == 0);
  CHECK(end.out.substr(0, end.out.find("results:")) == one.out.substr(0, one.out.find("results:")));
  CHECK_THAT(one.out, Catch::Matchers::Contains("60 of 240 points finished"));
  CHECK_THAT(one.out, Catch::Matchers::Contains("reference point"));
  CHECK_THAT(one.err, Catch::Matchers::Contains("60 of 240 points, chosen by nsga2"));
  CHECK(table(killed) == table(whole));
}

TEST_CASE("a space within the budget of its search is run as a whole, and the user is told") {
  const std::string file = sweep_file("search-small", 2, "search: {budget: 500}\n");
  const fs::path folder = scratch("sweep-command/search-small-out") / "out";
  const Ran ran =
      run_lacuna("search-small", {"sweep", file, "--out", folder.string(), "--no-plots"});
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, Catch::Matchers::Contains("12 points are within the budget of 500"));
  CHECK_THAT(ran.out, Catch::Matchers::Contains("12 of 12 points finished"));
}

TEST_CASE("a sweep that is killed again and again ends with the table of one that is not") {
  const std::string file = sweep_file("killed", 12);
  const fs::path killed = scratch("sweep-command/killed-out") / "out";
  const fs::path whole = scratch("sweep-command/whole-out") / "out";
  for (int i = 0; i < 8; ++i) {
    kill_after({"sweep", file, "--out", killed.string(), "--no-plots", "--jobs", "2"},
               std::chrono::milliseconds(40 + 37 * i));
  }
  const Ran end = run_lacuna("sweep-end", {"sweep", file, "--out", killed.string(), "--no-plots"});
  const Ran one = run_lacuna("sweep-one", {"sweep", file, "--out", whole.string(), "--no-plots"});
  INFO(end.err << one.err);
  REQUIRE(end.code == 0);
  REQUIRE(one.code == 0);
  CHECK(table(killed) == table(whole));
}

TEST_CASE("fifty kills at random moments cost no point and double none", "[slow]") {
  const std::string file = sweep_file("killed-often", 120);
  const fs::path killed = scratch("sweep-command/killed-often-out") / "out";
  const fs::path whole = scratch("sweep-command/whole-often-out") / "out";
  RandomStream random(7, "kills");
  for (int i = 0; i < 50; ++i) {
    kill_after({"sweep", file, "--out", killed.string(), "--no-plots", "--jobs", "2"},
               std::chrono::milliseconds(5 + random.below(120)));
  }
  const Ran end = run_lacuna("sweep-end", {"sweep", file, "--out", killed.string(), "--no-plots"});
  const Ran one = run_lacuna("sweep-one", {"sweep", file, "--out", whole.string(), "--no-plots"});
  INFO(end.err << one.err);
  REQUIRE(end.code == 0);
  REQUIRE(one.code == 0);
  CHECK(table(killed) == table(whole));
  const auto content = [&](const fs::path& folder) {
    const SweepSpec spec = load_sweep(file);
    SweepStore store(folder / "points.sqlite", spec);
    std::string text;
    store.each([&](const SweepRow& row) {
      text += fmt::format("{} {} {}", row.point.index, row.result.id, row.result.message);
      for (const double value : row.result.values) text += fmt::format(" {}", value);
      for (const ComponentShare& share : store.shares(row.result.id)) {
        text +=
            fmt::format(" {} {} {} {}", share.component, share.access_j, share.static_j, share.mm2);
      }
      text += '\n';
    });
    return text;
  };
  CHECK(content(killed) == content(whole));
}

TEST_CASE("points can be run one by one, and the table is made of what is there") {
  const std::string file = sweep_file("single", 2);
  const fs::path folder = scratch("sweep-command/single-out") / "out";
  const Ran list = run_lacuna("sweep-list", {"sweep", file, "--out", folder.string(), "--list"});
  REQUIRE(list.code == 0);
  std::size_t commands = 0;
  std::istringstream in(list.out);
  for (std::string line; std::getline(in, line); ++commands) {
    CHECK_THAT(line, Catch::Matchers::Contains(fmt::format("--point {}", commands)));
  }
  CHECK(commands == 12);
  for (const char* point : {"3", "7"}) {
    const Ran ran =
        run_lacuna("sweep-point", {"sweep", file, "--out", folder.string(), "--point", point});
    INFO(ran.err);
    CHECK(ran.code == 0);
  }
  const Ran all = run_lacuna("sweep-rest", {"sweep", file, "--out", folder.string(), "--no-plots"});
  REQUIRE(all.code == 0);
  CHECK_THAT(all.err, Catch::Matchers::Contains("2 known before"));
}

TEST_CASE("prices that are not published can be moved, and are tables only when they are") {
  const std::string file = sweep_file("perturbed", 4);
  const fs::path folder = scratch("sweep-command/perturbed-out") / "out";
  const std::vector<std::string> plain{"sweep", file, "--out", folder.string(), "--no-plots"};
  std::vector<std::string> moved = plain;
  moved.insert(moved.end(), {"--perturb", "30%", "--draws", "20"});
  const Ran ran = run_lacuna("sweep-perturb", moved);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("20 draws"));
  CHECK(fs::exists(folder / "perturbed.csv"));
  CHECK(fs::exists(folder / "perturbed-points.csv"));
  REQUIRE(run_lacuna("sweep-plain", plain).code == 0);
  CHECK_FALSE(fs::exists(folder / "perturbed.csv"));
}

TEST_CASE("jobs of Slurm have tasks that run for minutes, within what an array may have") {
  CHECK(slurm_tasks(1000, 6, 5, 1001) == 20);
  CHECK(slurm_tasks(1000, 0.001, 5, 1001) == 1);
  CHECK(slurm_tasks(1000, 3600, 5, 1001) == 1000);
  CHECK(slurm_tasks(100'000, 60, 5, 1001) == 1000);
  CHECK(slurm_tasks(3, 3600, 5, 1001) == 3);
  CHECK(slurm_tasks(10, std::nan(""), 5, 6) == 5);
  SlurmSweep sweep;
  sweep.name = "a sweep's name";
  sweep.program = "/opt/it's here/lacuna";
  sweep.tasks = 7;
  const std::string script = slurm_points_script(sweep);
  CHECK_THAT(script, Catch::Matchers::Contains("--array=1-7\n"));
  CHECK_THAT(script, Catch::Matchers::Contains("--job-name=a-sweep-s-name-points\n"));
  CHECK_THAT(script, Catch::Matchers::Contains("program='/opt/it'\\''s here/lacuna'\n"));
  const fs::path folder = scratch("sweep-command/slurm") / "cluster";
  const std::string file = sweep_file("slurm", 4);
  const Ran ran = run_lacuna("sweep-slurm", {"sweep", file, "--slurm", folder.string()});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("1 tasks"));
  CHECK((fs::status(folder / "slurm" / "submit").permissions() & fs::perms::owner_exec) !=
        fs::perms::none);
}

TEST_CASE("what a sweep cannot do is refused") {
  const std::string file = sweep_file("refused", 2);
  const std::string out = (scratch("sweep-command/refused-out") / "out").string();
  check_refused("sweep-no-out", {"sweep", file}, "--out");
  check_refused("sweep-shard", {"sweep", file, "--out", out, "--shard", "3/2"}, "part");
  check_refused("sweep-shard-text", {"sweep", file, "--out", out, "--shard", "two"}, "part");
  check_refused("sweep-point", {"sweep", file, "--out", out, "--point", "12"}, "12 points");
  check_refused("sweep-merge", {"sweep", file, "--out", out, "--merge", out + "/nowhere"}, "sweep");
  check_refused("sweep-perturb-all", {"sweep", file, "--out", out, "--perturb", "130%"}, "30%");
  check_refused("sweep-perturb-text", {"sweep", file, "--out", out, "--perturb", "much"}, "30%");
  check_refused("sweep-draws", {"sweep", file, "--out", out, "--draws", "7"}, "--perturb");
  check_refused("sweep-tasks", {"sweep", file, "--out", out, "--tasks", "3"}, "--slurm");
  check_refused("sweep-slurm-out", {"sweep", file, "--out", out, "--slurm", out}, "--out");
  const std::string searched = sweep_file("refused-search", 40, "search: {budget: 60}\n");
  check_refused("search-shard", {"sweep", searched, "--out", out, "--shard", "1/2"}, "chosen");
  check_refused("search-slurm", {"sweep", searched, "--slurm", out}, "chosen");
  check_refused("search-list", {"sweep", searched, "--out", out, "--list"}, "chosen");
  check_refused("sweep-file", {"sweep", "nothing.yaml", "--out", out}, "nothing.yaml");
}
