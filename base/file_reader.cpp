// SPDX-License-Identifier: Apache-2.0
#include "base/file_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"

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
  return std::min(size, limits::kLikelyRatio * stored);
}

[[noreturn]] void cannot_read(const fs::path& path) {
  throw InputError({path.string(), 0, {}},
                   fmt::format("cannot read the file: {}", std::strerror(errno)));
}

/// Whether somebody holds the other end of the pipe, or has left something in it: tee() copies
/// without taking, and says "nothing, and nobody writes" by 0.
bool has_writer(int pipe) {
  std::array<int, 2> other{};
  if (::pipe2(other.data(), O_CLOEXEC | O_NONBLOCK) != 0) return true;
  const auto copied = ::tee(pipe, other[1], 1, SPLICE_F_NONBLOCK);
  ::close(other[0]);
  ::close(other[1]);
  return copied != 0;
}

/// Opening a named pipe waits for its writer, for ever when there is none.
int open_for_reading(const fs::path& path) {
  constexpr int kPatience = 10'000, kPause = 20;  // milliseconds
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    stop_if_requested();
    cannot_read(path);
  }
  struct stat about {};
  if (::fstat(descriptor, &about) == 0 && S_ISFIFO(about.st_mode)) {
    for (int waited = 0; !has_writer(descriptor); waited += kPause) {
      if (waited >= kPatience) {
        ::close(descriptor);
        throw InputError({path.string(), 0, {}}, "is a pipe that nobody writes into",
                         fmt::format("waited {} s for a writer", kPatience / 1000));
      }
      ::poll(nullptr, 0, kPause);
      if (stop_requested) ::close(descriptor);
      stop_if_requested();
    }
  }
  const int flags = ::fcntl(descriptor, F_GETFL);
  ::fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
  return descriptor;
}

constexpr std::uint64_t kLeastBuffer = 1U << 12, kLargestBuffer = 1U << 18;

/// Small files are many, and a buffer that is mapped and given back costs more than reading one.
unsigned buffer_for(std::uint64_t stored) {
  return static_cast<unsigned>(std::bit_ceil(std::clamp(stored, kLeastBuffer, kLargestBuffer)));
}

}  // namespace

void FileReader::Close::operator()(void* file) const {
  gzclose(as_gz(file));
}

FileReader::FileReader(const fs::path& path, Use use) : path_(path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw InputError({path.string(), 0, {}}, "is a folder, expected a file");
  }
  errno = 0;
  const int descriptor = open_for_reading(path);
  file_.reset(gzdopen(descriptor, "rb"));
  if (!file_) {
    const int saved = errno;
    ::close(descriptor);
    errno = saved;
    cannot_read(path);
  }
  const bool regular = fs::is_regular_file(path, ignored);
  if (regular) stored_ = fs::file_size(path, ignored);
  gzbuffer(as_gz(file_.get()), buffer_for(regular ? stored_ : kLargestBuffer));
  most_ = use == Use::streamed ? std::numeric_limits<std::uint64_t>::max()
          : regular            ? limits::kContentBytes
                               : limits::kPipeBytes;
  most_inflated_ = most_;
  // A pipe has no size, and nobody but the reader may take bytes from it.
  if (!regular) return;
  most_inflated_ = std::max(limits::kInflatedFloor, limits::kInflatedRatio * stored_);
  if (stored_ > 0) {
    expected_ = gzdirect(as_gz(file_.get())) != 0 ? stored_ : inflated_size(path, stored_);
  }
}

FileReader::~FileReader() = default;

/// No more than what is still to come, and one byte to find the end: small files are many. What a
/// gzip file says of that is believed up to a few times its own size, then as much as it has given.
std::size_t FileReader::next_piece() const {
  if (stored_ == 0) return kPiece;
  const std::uint64_t left = given_ <= expected_ ? expected_ - given_ + 1 : given_;
  const std::uint64_t believed = std::max(4 * stored_, given_);
  return std::clamp<std::uint64_t>(std::min(left, believed), kLeastPiece, kPiece);
}

bool FileReader::read(std::string& content) {
  stop_if_requested();
  const gzFile file = as_gz(file_.get());
  const std::size_t before = content.size();
  const std::size_t piece = next_piece();
  content.resize(before + piece);
  const int got = gzread(file, content.data() + before, static_cast<unsigned>(piece));
  content.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  int status = Z_OK;
  const char* message = gzerror(file, &status);
  if (got < 0 || (got == 0 && status == Z_BUF_ERROR)) {
    stop_if_requested();
    throw InputError({path_.string(), 0, {}}, fmt::format("cannot inflate the file: {}",
                                                          got < 0 ? message : "it is cut short"));
  }
  given_ += static_cast<std::uint64_t>(got);
  check_size();
  return got > 0;
}

void FileReader::expect_at_most(std::uint64_t bytes, std::string reason) {
  if (bytes >= most_) return;
  most_ = bytes;
  reason_ = std::move(reason);
  check_size();
}

void FileReader::check_size() const {
  if (given_ > most_) {
    if (!reason_.empty()) throw InputError({path_.string(), 0, {}}, reason_);
    throw InputError({path_.string(), 0, {}},
                     fmt::format("holds more than {} bytes", grouped(most_)),
                     stored_ == 0 ? "a pipe or device may not give more: save it to a file first"
                                  : "larger files are not read into memory");
  }
  if (given_ > most_inflated_) {
    throw InputError({path_.string(), 0, {}},
                     fmt::format("its {} bytes inflate to more than {}", grouped(stored_),
                                 grouped(most_inflated_)),
                     fmt::format("over {} times is no data; if it is, inflate the file first",
                                 limits::kInflatedRatio));
  }
}

double FileReader::share() const {
  if (stored_ == 0) return 0;
  return static_cast<double>(gzoffset(as_gz(file_.get()))) / static_cast<double>(stored_);
}

}  // namespace lacuna
