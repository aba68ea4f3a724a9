// SPDX-License-Identifier: Apache-2.0
// One writer for each place. A lock belongs to an open file, so that it ends with the process that
// holds it, however that ends: there are no stale locks.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

namespace lacuna {

/// A file that is open for writing and locked; both end with the object. The file stays.
class LockedFile {
 public:
  /// Makes the file when it is not there; never follows a link. Nothing, with errno set, when it
  /// cannot be opened or locked: EWOULDBLOCK when somebody else holds the lock.
  [[nodiscard]] static std::optional<LockedFile> open(const std::filesystem::path& path);
  LockedFile(LockedFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  LockedFile& operator=(LockedFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile();

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  explicit LockedFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace lacuna
