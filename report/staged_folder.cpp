// SPDX-License-Identifier: Apache-2.0
#include "report/staged_folder.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kLock = ".lacuna-lock";
constexpr const char* kRecord = ".lacuna-commit";

[[noreturn]] void cannot_write(const fs::path& path, const std::error_code& error) {
  errno = error.value();
  lacuna::cannot_write(path);
}

/// Where the user's name leads, whatever links and dots are in it.
fs::path resolved(const fs::path& target) {
  std::error_code error;
  if (fs::is_symlink(target, error) && !fs::exists(target, error)) {
    throw InputError({target.string(), 0, {}}, "is a link to something that is not there",
                     "choose another name with --out");
  }
  const fs::path path = fs::weakly_canonical(fs::absolute(target), error);
  if (error) cannot_write(target, error);
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    throw InputError({target.string(), 0, {}}, "exists and is not a folder",
                     "choose another name with --out");
  }
  return path.has_filename() || path == path.root_path() ? path : path.parent_path();
}

/// Every file below, by its name relative to the folder.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(folder).string());
  }
  // The manifest last: it must not promise what is not there.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(a == kManifestFile, a) < std::make_pair(b == kManifestFile, b);
  });
  return names;
}

/// `name`.kept, numbered where that is taken.
std::string kept_name(const fs::path& folder, const std::string& name) {
  std::string candidate = name + ".kept";
  std::error_code error;
  for (unsigned n = 2; fs::exists(fs::symlink_status(folder / candidate, error)); ++n) {
    candidate = fmt::format("{}.kept-{}", name, n);
  }
  return candidate;
}

/// The steps from the earlier result to the new one, beside the files that are staged.
struct CommitRecord {
  std::map<std::string, std::string> aside;     // what is not ours: its name, and the one it gets
  std::map<std::string, ManifestEntry> remove;  // of the earlier result, and not of the new one
};

std::string record_json(const CommitRecord& record) {
  OrderedJson json{
      {"schema", "lacuna.commit/1"}, {"aside", record.aside}, {"remove", OrderedJson::array()}};
  for (const auto& [name, entry] : record.remove) {
    json["remove"].push_back({{"name", name}, {"size", entry.size}, {"sha256", entry.sha256}});
  }
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace);
}

CommitRecord read_record(const fs::path& file) {
  try {
    const OrderedJson json = OrderedJson::parse(read_file(file));
    CommitRecord record;
    json.at("aside").get_to(record.aside);
    for (const OrderedJson& entry : json.at("remove")) {
      record.remove[entry.at("name").get<std::string>()] = {entry.at("size").get<std::uint64_t>(),
                                                            entry.at("sha256").get<std::string>()};
    }
    return record;
  } catch (const OrderedJson::exception&) {
    throw InputError({file.string(), 0, {}}, "is not a commit record that Lacuna wrote",
                     "choose another folder with --out, or move the file away");
  }
}

CommitRecord plan(const fs::path& folder, const Manifest& earlier, const Manifest& now) {
  CommitRecord record;
  for (const auto& [name, entry] : now.files) {
    const auto obstacle = in_the_way(folder, name);
    if (!obstacle) continue;
    const auto ours = earlier.files.find(name);
    if (ours != earlier.files.end() && as_written(folder, name, ours->second)) continue;
    record.aside.emplace(*obstacle, kept_name(folder, *obstacle));
  }
  for (const auto& [name, entry] : earlier.files) {
    if (!now.files.contains(name) && as_written(folder, name, entry)) record.remove[name] = entry;
  }
  return record;
}

void remove_file(const fs::path& folder, const std::string& name) {
  std::error_code error;
  fs::remove(folder / name, error);
  // A folder that is empty now was made for it.
  for (fs::path at = fs::path(name).parent_path(); !at.empty(); at = at.parent_path()) {
    if (!fs::remove(folder / at, error)) return;
  }
}

/// From the record on; every step may have been done before.
void finish(const fs::path& folder, const CommitRecord& record) {
  const fs::path staging = folder / kStagingFolder;
  std::error_code error;
  const auto there = [&](const fs::path& path) {
    return fs::exists(fs::symlink_status(path, error));
  };
  const auto put = [&](const fs::path& from, const fs::path& to) {
    fs::rename(from, to, error);
    if (error) cannot_write(to, error);
  };
  for (const auto& [name, kept] : record.aside) {
    const bool waits = there(staging / name) && there(folder / name);
    if (waits && !there(folder / kept)) put(folder / name, folder / kept);
  }
  if (there(staging)) {
    for (const std::string& name : files_below(staging)) {
      const fs::path to = folder / name;
      fs::create_directories(to.parent_path(), error);
      if (error) cannot_write(to, error);
      put(staging / name, to);
    }
  }
  for (const auto& [name, entry] : record.remove) {
    if (as_written(folder, name, entry)) remove_file(folder, name);
  }
  fs::remove_all(staging, error);
  fs::remove(folder / kRecord, error);
  if (error) cannot_write(folder, error);
}

/// Does the work in a process that a kill -9 of this one, or of its group, does not reach; false
/// when it did not come to its end there.
bool done_out_of_reach(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::setpgid(0, 0);
    try {
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

FolderClaim::FolderClaim(const fs::path& target) : folder_(resolved(target)) {
  try {
    // Again when the one who made the folder takes it away between the two steps, or is about to
    // end; but nobody waits for a whole run.
    constexpr int kTimes = 50;
    for (int times = 0; times < kTimes; ++times) {
      make_folders();
      lock_ = LockedFile::open(folder_ / kLock);
      if (lock_ || (errno != ENOENT && errno != EWOULDBLOCK)) break;
      ::usleep(10'000);
    }
    if (!lock_ && errno == EWOULDBLOCK) {
      throw InputError({target.string(), 0, {}}, "another process is writing into this folder",
                       "wait for it, or choose another folder with --out");
    }
    if (!lock_) lacuna::cannot_write(target);
  } catch (...) {
    remove_folders();
    throw;
  }
}

void FolderClaim::make_folders() {
  std::error_code error;
  for (fs::path at = folder_; !at.empty() && !fs::exists(at, error); at = at.parent_path()) {
    made_ = at;
  }
  fs::create_directories(folder_, error);
  if (error) cannot_write(folder_, error);
}

/// From the folder to the topmost that was made, as long as they are empty.
void FolderClaim::remove_folders() const {
  if (made_.empty()) return;
  std::error_code error;
  for (fs::path at = folder_;; at = at.parent_path()) {
    if (!fs::remove(at, error) && fs::exists(at, error)) return;
    if (at == made_) return;
  }
}

FolderClaim::~FolderClaim() {
  std::error_code error;
  // With a record, the next process needs what is staged.
  if (!fs::exists(folder_ / kRecord, error)) fs::remove_all(folder_ / kStagingFolder, error);
  fs::remove(folder_ / kLock, error);
  if (!kept_) remove_folders();
}

StagedFolder::StagedFolder(const fs::path& target, const std::string& command,
                           const std::vector<std::string>& names)
    : claim_(target), staging_(claim_.folder() / kStagingFolder), command_(command) {
  const fs::path& folder = claim_.folder();
  std::error_code error;
  if (fs::exists(folder / kRecord, error)) finish(folder, read_record(folder / kRecord));
  fs::remove_all(staging_, error);
  if (const auto manifest = read_manifest(folder)) earlier_ = *manifest;
  if (!earlier_.files.empty() && earlier_.command != command) {
    throw InputError({target.string(), 0, {}},
                     fmt::format("the folder holds a result of `lacuna {}`", earlier_.command),
                     "choose another folder with --out");
  }
  expect(names);
  if (!fs::create_directory(staging_, error)) cannot_write(folder, error);
}

void StagedFolder::expect(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    const auto obstacle = in_the_way(claim_.folder(), name);
    if (!obstacle || earlier_.files.contains(*obstacle)) continue;
    throw InputError({(claim_.folder() / *obstacle).string(), 0, {}},
                     "stands where a file of the result belongs, and Lacuna did not write it",
                     "choose another folder with --out, or move it away");
  }
}

std::vector<std::string> StagedFolder::commit() {
  const fs::path& folder = claim_.folder();
  Manifest now{command_, {}};
  for (const std::string& name : files_below(staging_)) now.files[name] = entry_of(staging_ / name);
  const CommitRecord record = plan(folder, earlier_, now);
  write_file(staging_ / kManifestFile, manifest_json(now));
  write_file(staging_ / kRecord, record_json(record));
  stop_if_requested();
  claim_.keep();
  std::error_code error;
  fs::rename(staging_ / kRecord, folder / kRecord, error);
  if (error) cannot_write(folder, error);
  if (!done_out_of_reach([&] { finish(folder, record); })) finish(folder, record);
  std::vector<std::string> notes;
  for (const auto& [name, kept] : record.aside) {
    notes.push_back(fmt::format("{} was not as Lacuna wrote it; it is kept as {}", name, kept));
  }
  return notes;
}

}  // namespace lacuna
