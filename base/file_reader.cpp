// SPDX-License-Identifier: Apache-2.0
#include "base/file_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

gzFile as_gz(void* file) {
  return static_cast<gzFile>(file);
}

/// The size a gzip file says it inflates to (its last four bytes), as a hint: it counts modulo 2^32
/// and for the last member only, and a wrong one must not cost memory, so it is held to deflate's
/// largest ratio.
std::uint64_t inflated_size(const fs::path& path, std::uint64_t stored) {
  std::array<unsigned char, 4> bytes{};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file || std::fseek(file.get(), -4, SEEK_END) != 0 ||
      std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
    return 0;
  }
  const std::uint64_t size = bytes[0] | std::uint64_t{bytes[1]} << 8 |
                             std::uint64_t{bytes[2]} << 16 | std::uint64_t{bytes[3]} << 24;
  return std::min(size, 1032 * stored);
}

}  // namespace

void FileReader::Close::operator()(void* file) const {
  gzclose(as_gz(file));
}

FileReader::FileReader(const fs::path& path) : path_(path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw InputError({path.string(), 0, {}}, "is a folder, expected a file");
  }
  errno = 0;
  file_.reset(gzopen(path.c_str(), "rb"));
  if (!file_) {
    stop_if_requested();  // a pipe that nobody writes to is waited for until a signal
    throw InputError({path.string(), 0, {}},
                     fmt::format("cannot read the file: {}", std::strerror(errno)));
  }
  gzbuffer(as_gz(file_.get()), 1U << 18);
  // A pipe has no size, and nobody but the reader may take bytes from it.
  if (!fs::is_regular_file(path, ignored)) return;
  stored_ = fs::file_size(path, ignored);
  if (stored_ > 0) {
    expected_ = gzdirect(as_gz(file_.get())) != 0 ? stored_ : inflated_size(path, stored_);
  }
}

FileReader::~FileReader() = default;

bool FileReader::read(std::string& content) {
  stop_if_requested();
  const gzFile file = as_gz(file_.get());
  const std::size_t before = content.size();
  content.resize(before + kPiece);
  const int got = gzread(file, content.data() + before, kPiece);
  content.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  int status = Z_OK;
  const char* message = gzerror(file, &status);
  if (got < 0 || (got == 0 && status == Z_BUF_ERROR)) {
    stop_if_requested();
    throw InputError({path_.string(), 0, {}}, fmt::format("cannot inflate the file: {}",
                                                          got < 0 ? message : "it is cut short"));
  }
  return got > 0;
}

double FileReader::share() const {
  if (stored_ == 0) return 0;
  return static_cast<double>(gzoffset(as_gz(file_.get()))) / static_cast<double>(stored_);
}

}  // namespace lacuna
