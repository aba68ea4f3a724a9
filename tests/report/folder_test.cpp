// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "report/gnuplot_text.hpp"
#include "report/plots.hpp"
#include "report/result_folder.hpp"
#include "report/result_json.hpp"
#include "tests/catch.hpp"
#include "tests/report/samples.hpp"

using namespace lacuna;
using namespace lacuna::report;
namespace fs = std::filesystem;
using lacuna::test::contains;

namespace {

/// PATH for the length of a scope.
class SearchPath {
 public:
  explicit SearchPath(const std::string& value) {
    if (const char* old = std::getenv("PATH")) old_ = old;
    ::setenv("PATH", value.c_str(), 1);
  }
  ~SearchPath() { ::setenv("PATH", old_.c_str(), 1); }
  SearchPath(const SearchPath&) = delete;
  SearchPath& operator=(const SearchPath&) = delete;

 private:
  std::string old_;
};

/// A folder with a program called gnuplot that does as told.
fs::path fake_gnuplot(const fs::path& folder, const std::string& body) {
  fs::create_directories(folder);
  std::ofstream(folder / "gnuplot") << "#!/bin/sh\n" << body << "\n";
  fs::permissions(folder / "gnuplot", fs::perms::owner_all);
  return folder;
}

bool has_gnuplot() {
  return std::system("command -v gnuplot >/dev/null 2>&1") == 0;
}

std::vector<RunResult> three() {
  return {test::sample_result("extensor"), test::sample_result(test::kHostileName, 0.3, 1),
          test::sample_unsupported("highlight")};
}

std::vector<std::string> write(const fs::path& folder, const std::vector<RunResult>& results,
                               bool plots = true) {
  StagedFolder staged(folder, "run");
  return write_results(staged, results, plots);
}

std::size_t entries_of(const fs::path& folder) {
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++entries;
  return entries;
}

}  // namespace

TEST_CASE("one result is a flat folder, several have one each below") {
  const auto root = test::scratch("report_folder");
  auto one = test::sample_result("extensor");
  one.timeline = "{\"traceEvents\":[]}";
  write(root / "one", {one}, false);
  CHECK(result_json(parse_result_json(read_file(root / "one" / "result.json"))) ==
        result_json(one));
  CHECK_THAT(read_file(root / "one" / "resolved.yaml"), contains("clock: 1 GHz"));
  CHECK(read_file(root / "one" / "timeline.json") == one.timeline);
  for (const char* name : {"energy", "traffic", "occupancy", "pe_load", "stalls"}) {
    CHECK(fs::exists(root / "one" / (std::string(name) + ".csv")));
    CHECK(fs::exists(root / "one" / (std::string(name) + ".gp")));
  }
  write(root / "several", three(), false);
  CHECK(parse_results_json(read_file(root / "several" / "result.json")).size() == 3);
  CHECK(parse_result_json(read_file(root / "several" / "extensor" / "result.json")).name ==
        "extensor");
  CHECK(fs::exists(root / "several" / "extensor" / "resolved.yaml"));
  CHECK_FALSE(fs::exists(root / "several" / "highlight" / "resolved.yaml"));
  CHECK(entries_of(root) == 2);           // nothing went to ../a
  write(root / "several", {one}, false);  // an earlier result is replaced whole
  CHECK_FALSE(fs::exists(root / "several" / "highlight"));
}

TEST_CASE("the files of a result are known before it is there") {
  auto one = test::sample_result("extensor");
  one.timeline = "{}";
  for (const std::vector<RunResult>& results : {std::vector<RunResult>{one}, three()}) {
    const auto root = test::scratch("report_names");
    write(root / "out", results, has_gnuplot());
    const auto names =
        result_names(results, {.operations = false, .timeline = true, .plots = true});
    for (const auto& entry : fs::recursive_directory_iterator(root / "out")) {
      const std::string name = fs::relative(entry.path(), root / "out").string();
      if (entry.is_directory() || name == kManifestFile) continue;
      CAPTURE(name);
      CHECK(std::find(names.begin(), names.end(), name) != names.end());
    }
  }
}

TEST_CASE("gnuplot draws every figure, whatever the names hold") {
  if (!has_gnuplot()) {
    WARN("skipped: gnuplot is not installed");
    return;
  }
  const auto root = test::scratch("report_plots");
  CHECK(write(root / "several", three()).empty());
  CHECK(write(root / "one", {test::sample_result("m", 1, 1)}).empty());
  for (const char* run : {"several", "one"}) {
    for (const char* name : {"energy", "traffic", "occupancy", "pe_load", "stalls"}) {
      CHECK_THAT(read_file(root / run / (std::string(name) + ".svg")), contains("</svg>"));
      CHECK(fs::file_size(root / run / (std::string(name) + ".png")) > 5000);
    }
  }
  const std::string svg = read_file(root / "several" / "energy.svg");
  CHECK_THAT(svg, contains("&lt;d>") && contains("`touch x` $(e) @f {g} %s"));
  CHECK_FALSE(fs::exists(root / "several" / "x"));  // nothing in a name was run
}

TEST_CASE("a result without numbers has no figures and breaks nothing") {
  for (const Figure& figure : figures({test::sample_unsupported("m"), RunResult{}})) {
    CHECK(figure.script.empty());
    CHECK(figure.csv.find('\n') == figure.csv.size() - 1);
  }
  CHECK(figures({}).size() == 5);
}

TEST_CASE("without gnuplot a note names the scripts") {
  const auto root = test::scratch("report_no_gnuplot");
  const SearchPath path(root.string());
  const auto notes = write(root / "out", {test::sample_result("m")});
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], contains("gnuplot is not installed") && contains("energy.gp"));
  CHECK(fs::exists(root / "out" / "energy.gp"));
}

TEST_CASE("what gnuplot complains about becomes a warning and half a picture goes") {
  const auto root = test::scratch("report_bad_gnuplot");
  // Called as `gnuplot -d SCRIPT`; the scripts run at the same time, so each keeps to its own file.
  const std::string body = "echo half > \"${2%.gp}.png\"; echo 'no font' >&2; exit 3";
  const SearchPath path(fake_gnuplot(root / "bin", body).string());
  const auto notes = write(root / "out", {test::sample_result("m")});
  REQUIRE_FALSE(notes.empty());
  CHECK_THAT(notes.front(), contains("energy.gp: gnuplot: no font"));
  CHECK_FALSE(fs::exists(root / "out" / "energy.png"));
  CHECK(fs::exists(root / "out" / "result.json"));
}

TEST_CASE("a folder that cannot be written is the user's to know, and nothing is left") {
  const auto root = test::scratch("report_unwritable");
  std::ofstream(root / "file") << "x";
  CHECK_THROWS_AS(write(root / "file", three(), false), InputError);
  CHECK_THROWS_AS(write(root / "file" / "below", three(), false), InputError);
  CHECK(entries_of(root) == 1);
  if (::geteuid() != 0) {  // root may write anywhere
    fs::create_directory(root / "locked");
    fs::permissions(root / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    CHECK_THROWS_AS(write(root / "locked" / "out", three(), false), InputError);
    fs::permissions(root / "locked", fs::perms::owner_all);
  }
}

TEST_CASE("a disk that fills up leaves the earlier result and nothing half-written") {
  const auto root = test::scratch("report_full_disk");
  write(root / "out", {test::sample_result("first")}, false);
  // A limit on the size of files fails a write in its middle, as a full disk does.
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2000, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string error = test::error_of([&] { write(root / "out", three(), false); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  CHECK_THAT(error, contains("cannot write"));
  CHECK(parse_result_json(read_file(root / "out" / "result.json")).name == "first");
  CHECK(entries_of(root) == 1);
}

TEST_CASE("strings of scripts are literal") {
  CHECK(gnuplot::quoted("it's") == "'it''s'");
  CHECK(gnuplot::quoted("a\nb") == "'a b'");
  CHECK(gnuplot::joined({"a", "b"}) == "'a'.\"\\n\".'b'");
  CHECK(gnuplot::joined_tic({"10 %"}) == "'10 %%'");
}
