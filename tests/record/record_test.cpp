// SPDX-License-Identifier: Apache-2.0
// Does every run of the record still report what it reported when the record was frozen, value by
// value? scripts/record writes it anew (LACUNA_RECORD=write); each value that changes needs a line
// in CHANGELOG.md that says why.
#include "tests/record/record.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

#include "base/file.hpp"
#include "tests/app/command.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

namespace fs = std::filesystem;

const char* const kGroups[] = {"extensor", "extensor-options", "extensor-elements", "patterns",
                               "arrays",   "array-elements",   "published",         "networks",
                               "models",   "layers",           "contention",        "clusters",
                               "overlap",  "memories",         "rowwise",           "gallery"};
constexpr std::size_t kMostShown = 60;

fs::path folder() {
  return source_dir() / "tests" / "record";
}

Record run_group(const std::string& group) {
  Record record;
  const auto groups = parse_runs(read_file(folder() / "runs.txt"));
  for (const ListedRun& run : groups.at(group)) {
    std::vector<std::string> arguments{"run", "--json"};
    // Apart from the groups that are about them, ports are passed alone and operations do not
    // overlap.
    const bool steps = group == "overlap";
    if (group != "contention" && group != "memories" && !steps) {
      arguments.insert(arguments.end(), {"--set", "contention=false"});
    }
    if (!steps) arguments.insert(arguments.end(), {"--set", "overlap=false"});
    arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
    const Ran ran = run_lacuna("record", arguments);
    INFO("run " << run.name << ": " << ran.err);
    REQUIRE(ran.code == 0);
    record.merge(parse_results(run.name, ran.out));
  }
  return record;
}

/// Compares, or writes when scripts/record asks for it.
void hold(const std::string& group) {
  const Record now = run_group(group);
  const fs::path file = folder() / (group + ".txt");
  const char* const mode = std::getenv("LACUNA_RECORD");
  if (mode != nullptr && std::string_view(mode) == "write") {
    std::ofstream(file, std::ios::binary) << to_text(now);
    SUCCEED("written");
    return;
  }
  const auto lines = differences(parse_record(read_file(file)), now);
  std::string message;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostShown); ++i) message += lines[i] + '\n';
  if (lines.size() > kMostShown) message += fmt::format("and {} more\n", lines.size() - kMostShown);
  if (lines.empty()) {
    SUCCEED("nothing differs");
  } else {
    FAIL(message << "When the change is meant: scripts/record, and a line in CHANGELOG.md");
  }
}

}  // namespace

TEST_CASE("the record holds: sparse products on the ExTensor machines") {
  hold("extensor");
}
TEST_CASE("the record holds: parameters of ExTensor machines") {
  hold("extensor-options");
}
TEST_CASE("the record holds: ExTensor element by element") {
  hold("extensor-elements");
}
TEST_CASE("the record holds: structured patterns on the MAC arrays") {
  hold("patterns");
}
TEST_CASE("the record holds: unstructured operands and parameters of MAC arrays") {
  hold("arrays");
}
TEST_CASE("the record holds: MAC arrays element by element") {
  hold("array-elements");
}
TEST_CASE("the record holds: the published MAC-array machines") {
  hold("published");
}
TEST_CASE("the record holds: networks") {
  hold("networks");
}
TEST_CASE("the record holds: steps of models") {
  hold("models");
}
TEST_CASE("the record holds: layers of models with routing, layout and sparsity") {
  hold("layers");
}
TEST_CASE("the record holds: ports that several pass") {
  hold("contention");
}

TEST_CASE("the record holds: banks of memories and of buffers") {
  hold("memories");
}

TEST_CASE("the record holds: clusters behind a shared level") {
  hold("clusters");
}
TEST_CASE("the record holds: a leader and its followers") {
  hold("rowwise");
}

TEST_CASE("the record holds: the machines of the gallery") {
  hold("gallery");
}
TEST_CASE("the record holds: operations of a step that overlap") {
  hold("overlap");
}

TEST_CASE("every group of the record has its case and its file, and no file is left over") {
  std::set<std::string> known(std::begin(kGroups), std::end(kGroups)), listed, files;
  for (const auto& [group, runs] : parse_runs(read_file(folder() / "runs.txt"))) {
    listed.insert(group);
    CHECK_FALSE(runs.empty());
  }
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (entry.path().extension() == ".txt") files.insert(entry.path().stem().string());
  }
  CHECK(files.erase("runs") == 1);
  CHECK(listed == known);
  CHECK(files == known);
}

TEST_CASE("every shipped machine stands in the record") {
  std::set<std::string> machines, used;
  const fs::path arch = source_dir() / "configs" / "arch";
  for (const auto& entry : fs::recursive_directory_iterator(arch)) {
    if (entry.path().extension() != ".yaml") continue;
    machines.insert(fs::relative(entry.path(), arch).replace_extension().string());
  }
  for (const auto& [group, runs] : parse_runs(read_file(folder() / "runs.txt"))) {
    for (const ListedRun& run : runs) {
      for (std::size_t i = 0; i + 1 < run.arguments.size(); ++i) {
        if (run.arguments[i] == "--arch") used.insert(run.arguments[i + 1]);
      }
    }
  }
  CHECK(used == machines);
}

TEST_CASE("a record tells which value of which run changed, and which run is missing or new") {
  const Record recorded = parse_record(
      "run a\n  cycles = 10\n  energy_pj.total = 1.5\nrun b\n  cycles = 3\n  gone = 1\n");
  Record now = recorded;
  CHECK(differences(recorded, now).empty());
  now["a"]["energy_pj.total"] = "1.5000000000000002";
  now["b"].erase("gone");
  now["b"]["come"] = "7";
  now["c"]["cycles"] = "1";
  CHECK(differences(recorded, now) ==
        std::vector<std::string>{
            "run c: not recorded", "run a: energy_pj.total: recorded 1.5, now 1.5000000000000002",
            "run b: come: recorded nothing, now 7", "run b: gone: recorded 1, now nothing"});
  now.erase("a");
  CHECK(differences(recorded, now)[1] == "run a: recorded, and no longer run");
}

TEST_CASE("a record is what it was after it is written and read") {
  const Record record =
      parse_results("x", R"([{"name": "m", "cycles": 5, "zero": 0, "host": {"wall_s": 1},
                "energy_pj": {"total": 0.1, "components": {"dram": 1e22}},
                "actions": {"mac": {"compute": {"count": 3, "energy_pj": 0.5},
                                    "gated": {"count": 0}}},
                "operations": [{"name": "up", "cycles": 7, "macs": 0, "bound": "dram"}]},
               {"name": "n", "unsupported": "no", "cycles": null}])");
  CHECK(to_text(record) ==
        "run x, m\n"
        "  actions.mac.compute = count 3, energy_pj 0.5\n"
        "  cycles = 5\n"
        "  energy_pj.components.dram = 1e+22\n"
        "  energy_pj.total = 0.1\n"
        "  operation 000 up = bound dram, cycles 7\n"
        "run x, n\n"
        "  unsupported = yes\n");
  CHECK(parse_record(to_text(record)) == record);
  for (const char* text :
       {"cycles = 3\n", "run a\n  cycles 3\n", "run a\n  x = 1\n  x = 1\n", "run a\nrun a\n"}) {
    CHECK_THROWS(parse_record(text));
  }
}
