// SPDX-License-Identifier: Apache-2.0
// Files in and out. Reading inflates gzip on the fly; writing goes to a temporary name that is
// renamed when complete, so that nobody ever sees half a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace lacuna {

/// The whole file, inflated when it is gzip (told by its first bytes, not its name). Throws
/// InputError as FileReader does. `progress`, when given, is called with the share of the file read
/// so far.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    const std::function<void(double)>& progress = {});
/// The same of a file that can only be small; a larger one is refused with `expected`, what it
/// should have been.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& path, std::uint64_t most,
                                          const std::string& expected);

/// Writes `content` under a temporary name in the same folder and renames it. Throws InputError
/// when the folder cannot be written or the disk is full; the temporary file is removed then.
void write_file(const std::filesystem::path& path, std::string_view content);

/// `content` as a gzip stream (its header holds no name and no time, so equal content gives equal
/// bytes).
[[nodiscard]] std::string gzip(std::string_view content);

/// "sha256:<hex>" of the file's bytes as stored; "unknown: a pipe" of what can be read only once.
[[nodiscard]] std::string sha256_of(const std::filesystem::path& path);

/// A folder that appears under its name only when commit() is called; until then everything is
/// written beside it under a temporary name, which the destructor removes, with the parent folders
/// that had to be made. An existing folder of that name is replaced by commit() only when it is
/// empty or holds an earlier result of the same kind, told by its main file: `marker`, which unless
/// it is result.json must also begin as a JSON of ours ("schema": "lacuna...").
class StagedFolder {
 public:
  explicit StagedFolder(std::filesystem::path target, const std::string& marker = "result.json");
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  /// Where to write; files given to write_file() below this path join the folder.
  [[nodiscard]] const std::filesystem::path& path() const { return staging_; }
  void commit();

 private:
  void remove_made_parents() const;
  std::filesystem::path target_;
  std::filesystem::path staging_;
  std::filesystem::path made_;  // the topmost parent that was not there
  bool committed_ = false;
};

}  // namespace lacuna
