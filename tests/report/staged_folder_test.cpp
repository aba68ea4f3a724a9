// SPDX-License-Identifier: Apache-2.0
#include "report/staged_folder.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/catch.hpp"
#include "tests/report/killed.hpp"

using namespace lacuna;
namespace fs = std::filesystem;
using lacuna::test::contains;
using lacuna::test::error_of;

namespace {

using Files = std::map<std::string, std::string>;

/// Every file below and what it holds; a link's target for a link.
Files files_in(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path().parent_path(), folder).string() + "/" +
                             entry.path().filename().string();
    const std::string shown = name.starts_with("./") ? name.substr(2) : name;
    if (entry.is_symlink()) {
      files[shown] = "-> " + fs::read_symlink(entry.path()).string();
    } else if (!entry.is_directory()) {
      files[shown] = read_file(entry.path());
    }
  }
  return files;
}

/// Those of the user's and the result's own, without the manifest.
Files without_manifest(Files files) {
  files.erase(kManifestFile);
  return files;
}

std::vector<std::string> names_of(const Files& files) {
  std::vector<std::string> names;
  for (const auto& [name, content] : files) names.push_back(name);
  return names;
}

std::vector<std::string> write(const fs::path& folder, const Files& files,
                               const std::string& command = "run") {
  StagedFolder staged(folder, command, names_of(files));
  for (const auto& [name, content] : files) {
    fs::create_directories((staged.path() / name).parent_path());
    write_file(staged.path() / name, content);
  }
  return staged.commit();
}

const Files kOld{
    {"result.json", "old"}, {"energy.csv", "old energy"}, {"tc/result.json", "old tc"}};
const Files kNew{{"result.json", "new"}, {"plot.gp", "new plot"}, {"hl/result.json", "new hl"}};

}  // namespace

TEST_CASE("a staged folder leaves nothing behind unless committed") {
  const auto folder = lacuna::test::scratch("staged");
  {
    StagedFolder staged(folder / "a" / "b" / "out", "run");
    write_file(staged.path() / "result.json", "{}");
  }
  CHECK(fs::is_empty(folder));
  CHECK(write(folder / "out", kOld).empty());
  CHECK(without_manifest(files_in(folder / "out")) == kOld);
  {
    StagedFolder staged(folder / "out", "run");
    write_file(staged.path() / "result.json", "half");
  }
  CHECK(without_manifest(files_in(folder / "out")) == kOld);
  CHECK(write(folder / "out", kNew).empty());
  CHECK(without_manifest(files_in(folder / "out")) == kNew);
  CHECK_FALSE(fs::exists(folder / "out" / "tc"));  // it held a file of ours alone
  write_file(folder / "file", "x");
  CHECK_THAT(error_of([&] { StagedFolder(folder / "file", "run"); }), contains("not a folder"));
  CHECK_THAT(error_of([&] { StagedFolder(folder / "file" / "out", "run"); }),
             contains("cannot write"));
}

TEST_CASE("the manifest lists every file with its size and hash, itself apart") {
  const auto folder = lacuna::test::scratch("manifest");
  write(folder, kOld);
  const auto json = nlohmann::json::parse(read_file(folder / kManifestFile));
  CHECK(json.at("schema") == "lacuna.manifest/1");
  CHECK(json.at("version").is_string());
  CHECK(json.at("command") == "run");
  REQUIRE(json.at("files").size() == kOld.size());
  for (const auto& entry : json.at("files")) {
    const std::string name = entry.at("name");
    REQUIRE(kOld.contains(name));
    CHECK(entry.at("size") == kOld.at(name).size());
    CHECK(entry.at("sha256") == sha256_of(folder / name));
  }
}

TEST_CASE("what is not ours in a result folder stays as it is") {
  const auto folder = lacuna::test::scratch("foreign");
  const Files theirs{
      {"notes.txt", "mine"}, {"tc/notes.txt", "mine too"}, {"other/result.json", "x"}};
  for (const auto& [name, content] : theirs) {
    fs::create_directories((folder / name).parent_path());
    write_file(folder / name, content);
  }
  fs::create_symlink("notes.txt", folder / "link");
  write(folder, kOld);
  write(folder / "inner", kOld);  // another run's result, with a manifest of its own
  write(folder, kNew);
  Files expected = kNew;
  expected.insert(theirs.begin(), theirs.end());
  expected["link"] = "-> notes.txt";
  for (const auto& [name, content] : kOld) expected["inner/" + name] = content;
  Files found = without_manifest(files_in(folder));
  found.erase(std::string("inner/") + kManifestFile);
  CHECK(found == expected);
}

TEST_CASE(
    "a file of ours that the user changed is kept, under another name where ours needs its own") {
  const auto folder = lacuna::test::scratch("edited");
  write(folder, kOld);
  write_file(folder / "result.json", "edited");
  write_file(folder / "energy.csv", "edited energy");
  const auto notes = write(folder, kNew);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes.front(), contains("result.json") && contains("kept as result.json.kept"));
  Files expected = kNew;
  expected["result.json.kept"] = "edited";
  expected["energy.csv"] = "edited energy";  // the new result has no such file
  CHECK(without_manifest(files_in(folder)) == expected);
  write_file(folder / "result.json", "edited again");
  CHECK(write(folder, kNew).size() == 1);
  expected["result.json.kept-2"] = "edited again";
  CHECK(without_manifest(files_in(folder)) == expected);
}

TEST_CASE("something of the user's where a file of ours belongs is refused by its name") {
  const auto folder = lacuna::test::scratch("in_the_way");
  const auto refused = [&](const fs::path& out, const std::string& name) {
    const Files before = files_in(folder);
    CHECK_THAT(error_of([&] { write(out, kOld); }),
               contains((out / name).string()) && contains("Lacuna did not write it"));
    CHECK(files_in(folder) == before);
  };
  fs::create_directories(folder / "file");
  write_file(folder / "file" / "result.json", "");
  refused(folder / "file", "result.json");
  fs::create_directories(folder / "folder" / "energy.csv");
  refused(folder / "folder", "energy.csv");
  fs::create_directories(folder / "no_folder");
  write_file(folder / "no_folder" / "tc", "x");
  refused(folder / "no_folder", "tc");
  fs::create_directories(folder / "link");
  fs::create_directory_symlink(folder / "file", folder / "link" / "tc");
  refused(folder / "link", "tc");
  fs::create_directories(folder / "manifest");
  for (const char* text :
       {"", "{}", "[]", "{\"schema\": \"lacuna.manifest/1\"}",
        "{\"schema\": \"lacuna.manifest/1\", \"command\": \"run\", \"files\": [{\"name\": "
        "\"../x\", "
        "\"size\": 1, \"sha256\": \"\"}]}",
        "{\"schema\": \"lacuna.manifest/1\", \"command\": \"run\", \"files\": [{\"name\": \"/x\", "
        "\"size\": 1, \"sha256\": \"\"}]}"}) {
    write_file(folder / "manifest" / kManifestFile, text);
    CHECK_THAT(error_of([&] { write(folder / "manifest", kOld); }),
               contains("is not a manifest that Lacuna wrote"));
    CHECK(read_file(folder / "manifest" / kManifestFile) == text);
  }
}

TEST_CASE("what comes to stand in the way while a result is made is kept under another name") {
  const auto folder = lacuna::test::scratch("late");
  StagedFolder staged(folder, "run", {"result.json"});
  write_file(staged.path() / "result.json", "ours");
  write_file(folder / "result.json", "theirs");
  CHECK(staged.commit().size() == 1);
  CHECK(read_file(folder / "result.json") == "ours");
  CHECK(read_file(folder / "result.json.kept") == "theirs");
}

TEST_CASE("a folder is replaced only by a result of its own command") {
  const auto folder = lacuna::test::scratch("kind");
  write(folder, kOld, "dial");
  CHECK_THAT(error_of([&] { write(folder, kNew, "run"); }), contains("`lacuna dial`"));
  CHECK(without_manifest(files_in(folder)) == kOld);
  CHECK(write(folder, kNew, "dial").empty());
}

TEST_CASE("of two that write into one folder the second is told") {
  const auto folder = lacuna::test::scratch("two");
  {
    const StagedFolder first(folder / "out", "run");
    CHECK_THAT(error_of([&] { write(folder / "out", kNew); }), contains("another process"));
    CHECK(write(folder / "out" / "inner", kNew).empty());
  }
  CHECK(write(folder / "out", kNew).empty());
}

TEST_CASE("a folder is written whatever way its name leads there") {
  const auto folder = lacuna::test::scratch("names");
  const auto written = [&](const fs::path& out, const fs::path& at) {
    CAPTURE(out);
    write(out, kOld);
    CHECK(without_manifest(files_in(at)) == kOld);
    fs::remove_all(at);
  };
  fs::create_directory(folder / "keep");
  write_file(folder / "keep" / "notes", "x");
  write(folder / "keep" / ".." / "keep", kOld);
  Files expected = kOld;
  expected["notes"] = "x";
  CHECK(without_manifest(files_in(folder / "keep")) == expected);
  written(folder / "slash" / "", folder / "slash");
  written(folder / "dot" / ".", folder / "dot");
  written(folder / "a name with spaces" / "'quotes'", folder / "a name with spaces" / "'quotes'");
  written(folder / "missing" / ".." / "there", folder / "there");
  CHECK_FALSE(fs::exists(folder / "missing"));
  fs::create_directory(folder / "real");
  fs::create_directory_symlink("real", folder / "link");
  write(folder / "link", kOld);
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(without_manifest(files_in(folder / "real")) == kOld);
  fs::create_directory_symlink("nowhere", folder / "dangling");
  CHECK_THAT(error_of([&] { write(folder / "dangling", kOld); }), contains("not there"));
  CHECK(fs::is_symlink(folder / "dangling"));
  const fs::path before = fs::current_path();
  fs::create_directory(folder / "here");
  fs::current_path(folder / "here");
  write(".", kOld);
  fs::current_path(before);
  CHECK(without_manifest(files_in(folder / "here")) == kOld);
}

TEST_CASE("fault: kill -9 at any moment leaves the old result or the new one") {
  const auto folder = lacuna::test::scratch("killed");
  const fs::path out = folder / "out";
  Files old = kOld, now = kNew;
  for (Files* files : {&old, &now}) (*files)["notes.txt"] = "mine";
  now["energy.csv"] = "edited";  // the user's by now, so it stays
  old["energy.csv"] = "edited";
  unsigned unfinished = 0;
  constexpr unsigned kStride = 5;  // of the calls; each by itself takes half a minute
  for (unsigned call = 0;; call += kStride) {
    fs::remove_all(folder);
    fs::create_directories(out);
    write_file(out / "notes.txt", "mine");
    write(out, kOld);
    write_file(out / "energy.csv", "edited");
    const auto how = test::kill_at_call(call, [&] { write(out, kNew); });
    if (how == test::Killed::cannot_trace) {
      WARN("LACUNA_SKIPPED: no process can be traced here");
      return;
    }
    CAPTURE(call);
    // Every file is whole as it stands, and without a commit record so is the result.
    const Files left = files_in(out);
    for (const auto& [name, content] : left) {
      if (name.starts_with('.') || name == kManifestFile) continue;
      const bool whole = (old.contains(name) && old.at(name) == content) ||
                         (now.contains(name) && now.at(name) == content);
      CHECK(whole);
    }
    CHECK(left.at("notes.txt") == "mine");
    if (left.contains(".lacuna-commit")) ++unfinished;
    { StagedFolder next(out, "run"); }  // the next run into that place, which fails
    const Files after = without_manifest(files_in(out));
    const bool either = after == old || after == now;
    CHECK(either);
    CHECK(after == (left.contains(".lacuna-commit") || how == test::Killed::ended_before ||
                            left.at("result.json") == "new"
                        ? now
                        : old));
    if (how == test::Killed::ended_before) break;
  }
  CHECK(unfinished > 1);  // so it has been tried
}

TEST_CASE(
    "fault: kill -9 before the first result leaves nothing or all of it, and the next run cleans "
    "up") {
  const auto folder = lacuna::test::scratch("killed_first");
  for (unsigned call = 0;; ++call) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    const auto how = test::kill_at_call(call, [&] { write(folder / "a" / "out", kNew); });
    if (how == test::Killed::cannot_trace) {
      WARN("LACUNA_SKIPPED: no process can be traced here");
      return;
    }
    CAPTURE(call);
    { StagedFolder next(folder / "a" / "out", "run"); }
    const Files after = fs::exists(folder / "a" / "out") ? files_in(folder / "a" / "out") : Files{};
    const bool either = after.empty() || without_manifest(after) == kNew;
    CHECK(either);
    if (how == test::Killed::ended_before) break;
  }
}
