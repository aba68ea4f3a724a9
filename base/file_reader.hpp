// SPDX-License-Identifier: Apache-2.0
// A file from front to back, piece by piece, so that a large text need not be held whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace lacuna {

/// Inflates gzip on the fly, told by the file's first bytes, not its name. Throws InputError when
/// the file is missing, a folder, a pipe that nobody writes into, unreadable, a truncated gzip
/// stream, or holds more than it may (base/limits.hpp).
class FileReader {
 public:
  /// A file that stays in memory holds at most kContentBytes, or kPipeBytes when it has no size;
  /// one that goes by in pieces is `streamed` and may be of any size. Beyond kInflatedFloor gzip
  /// may not inflate to more than kInflatedRatio times its size in either case.
  enum class Use { held, streamed };
  explicit FileReader(const std::filesystem::path& path, Use use = Use::held);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  static constexpr std::size_t kPiece = std::size_t{1} << 20;
  static constexpr std::size_t kLeastPiece = 4096;
  /// Appends the next piece, at most kPiece bytes of content; false at the end of the file.
  bool read(std::string& content);
  /// Lowers the limit to what the content itself announces; more is refused with `reason`.
  void expect_at_most(std::uint64_t bytes, std::string reason);

  /// Bytes of content to expect: of a plain file its size; of a gzip file what its trailer says,
  /// within what deflate can reach. The trailer counts modulo 2^32 and the last member alone, so
  /// this is a hint. 0 for what has no size, such as a pipe.
  [[nodiscard]] std::uint64_t expected_bytes() const { return expected_; }
  /// Bytes of the file as stored, 0 for what has no size.
  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_; }
  /// How much of the file has been read, 0 to 1.
  [[nodiscard]] double share() const;

 private:
  struct Close {
    void operator()(void* file) const;
  };
  void check_size() const;
  [[nodiscard]] std::size_t next_piece() const;

  std::filesystem::path path_;
  std::unique_ptr<void, Close> file_;
  std::uint64_t stored_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t given_ = 0;  // bytes of content so far
  std::uint64_t most_ = 0;
  std::uint64_t most_inflated_ = 0;
  std::string reason_;  // of a limit that the content announced
};

}  // namespace lacuna
