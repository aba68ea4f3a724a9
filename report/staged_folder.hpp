// SPDX-License-Identifier: Apache-2.0
// A result folder that is written whole or not at all, among whatever else the user keeps in it.
//
// While it is being written, the folder holds beside the user's files and an earlier result:
//   .lacuna-lock      locked by the process that writes: a second one is refused at once, and a
//                     killed one holds no lock
//   .lacuna-staging/  the new files, the new manifest among them
//   .lacuna-commit    the commit record, there only for the moment between "all is written" and
//                     "all has its name"
// Until the record stands, the earlier result is untouched. From then on it is replaced: each new
// file is renamed to its place, the earlier result's other files are removed, the record last of
// all. Every step can be repeated, so a process killed at any moment leaves either no record, and
// whoever comes next throws the staging away, or a record, and whoever comes next ends its work. A
// kill -9 of lacuna does not even interrupt that work: a process of its own does it.
//
// Only files that the folder's manifest lists, and that are still as we wrote them, are replaced or
// removed (manifest.hpp). What a user made of one of ours is the user's: where the new result needs
// its name, it is kept as NAME.kept, and commit() says so; otherwise it stays as it is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file_lock.hpp"
#include "report/manifest.hpp"

namespace lacuna {

/// A folder that is there, and ours alone to write. Folders made for it go again, with everything
/// of ours in them, unless kept.
class FolderClaim {
 public:
  explicit FolderClaim(const std::filesystem::path& target);
  ~FolderClaim();
  FolderClaim(const FolderClaim&) = delete;
  FolderClaim& operator=(const FolderClaim&) = delete;

  /// Links, "." and ".." resolved.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  void keep() { kept_ = true; }

 private:
  void make_folders();
  void remove_folders() const;
  std::filesystem::path folder_;
  std::filesystem::path made_;  // the topmost folder that was not there
  std::optional<LockedFile> lock_;
  bool kept_ = false;
};

class StagedFolder {
 public:
  /// Claims `target` for a result of this command; `names` are the files that it will write there,
  /// as in expect(). Throws InputError when the folder cannot be written, another process writes
  /// into it, or it holds the result of another command. Ends or throws away what a killed process
  /// left.
  StagedFolder(const std::filesystem::path& target, const std::string& command,
               const std::vector<std::string>& names = {});

  /// Throws InputError when something that is not ours stands where one of `names` belongs.
  void expect(const std::vector<std::string>& names) const;

  /// Where to write; files given to write_file() below this path join the folder.
  [[nodiscard]] const std::filesystem::path& path() const { return staging_; }

  /// Makes the result what its folder holds, unless the user wants an end; what the user should
  /// know about files kept aside.
  std::vector<std::string> commit();

 private:
  FolderClaim claim_;
  std::filesystem::path staging_;
  Manifest earlier_;
  std::string command_;
};

}  // namespace lacuna
