// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "base/file_reader.hpp"
#include "base/interrupt.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::strerror(errno);
}

/// The path that a user asked for: what is being staged goes by the name it will have.
fs::path shown(const fs::path& path) {
  fs::path out;
  for (const fs::path& part : path) {
    if (part != kStagingFolder) out /= part;
  }
  return out;
}

}  // namespace

std::string read_file(const fs::path& path, const std::function<void(double)>& progress) {
  FileReader reader(path);
  std::string content;
  // A piece more than the content, so that the read which finds the end moves nothing.
  if (reader.expected_bytes() > 0) {
    content.reserve(FileReader::kLeastPiece + 1 + reader.expected_bytes());
  }
  while (reader.read(content)) {
    if (progress && reader.stored_bytes() > 0) progress(reader.share());
  }
  return content;
}

std::string read_small_file(const fs::path& path, std::uint64_t most, const std::string& expected) {
  FileReader reader(path);
  reader.expect_at_most(
      most, fmt::format("holds more than {} bytes; expected {}", grouped(most), expected));
  std::string content;
  while (reader.read(content)) {
  }
  return content;
}

void cannot_write(const fs::path& path) {
  throw InputError({shown(path).string(), 0, {}}, "cannot write: " + reason(),
                   "choose another place with --out, or free some space");
}

void write_file(const fs::path& path, std::string_view content) {
  // Beside the target, so that the rename stays on one file system; and by a fixed name, so that
  // what a killed process left is found and used up.
  const fs::path temporary =
      path.parent_path() / fmt::format(".{}.lacuna-tmp", path.filename().string());
  const auto file = LockedFile::open(temporary);
  if (!file && errno == EWOULDBLOCK) {
    throw InputError({shown(path).string(), 0, {}}, "another process is writing this file",
                     "wait for it, or choose another name with --out");
  }
  if (!file) cannot_write(path);
  try {
    const auto check = [&](bool good) {
      if (!good) cannot_write(path);
    };
    check(::ftruncate(file->descriptor(), 0) == 0);
    constexpr std::size_t kPiece = std::size_t{16} << 20;
    while (!content.empty()) {
      stop_if_requested();
      const auto written =
          ::write(file->descriptor(), content.data(), std::min(content.size(), kPiece));
      if (written < 0 && errno == EINTR) continue;
      check(written >= 0);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    // A network's file system tells of a full disk only when a descriptor is closed; the lock
    // stays.
    check(::close(::dup(file->descriptor())) == 0);
    check(std::rename(temporary.c_str(), path.c_str()) == 0);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string gzip(std::string_view content) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;  // +16 asks zlib for gzip framing
  LACUNA_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8,
                            Z_DEFAULT_STRATEGY) == Z_OK,
               "zlib cannot start a stream");
  std::string out;
  constexpr std::size_t chunk = std::size_t{1} << 20;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0 && !content.empty()) {
      const std::string_view piece = content.substr(0, chunk);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      content.remove_prefix(piece.size());
    }
    const std::size_t before = out.size();
    out.resize(before + chunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(chunk);
    status = deflate(&stream, content.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

namespace {

/// SHA-256 of bytes as they come.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    LACUNA_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                 "SHA-256 is not available");
  }
  void add(const void* bytes, std::size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  [[nodiscard]] std::string text() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string text = "sha256:";
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return "unknown: a pipe";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw InputError({path.string(), 0, {}}, "cannot read the file: " + reason());
  Sha256 sum;
  std::array<unsigned char, 1U << 16> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    sum.add(buffer.data(), got);
  }
  return sum.text();
}

std::string sha256_of_text(std::string_view text) {
  Sha256 sum;
  sum.add(text.data(), text.size());
  return sum.text();
}

}  // namespace lacuna
