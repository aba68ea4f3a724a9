// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/error.hpp"
#include "base/file_reader.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::strerror(errno);
}

/// The path that a user asked for: a folder being staged goes by the name it will have.
fs::path shown(const fs::path& path) {
  const std::string tail = fmt::format(".{}.", ::getpid());
  fs::path out;
  for (const fs::path& part : path) {
    const std::string name = part.string();
    const auto at = name.rfind(tail);
    const bool staged = name.starts_with('.') && name.ends_with(".tmp") && at != std::string::npos;
    out /= staged ? fs::path(name.substr(1, at - 1)) : part;
  }
  return out;
}

[[noreturn]] void cannot_write(const fs::path& path) {
  throw InputError({shown(path).string(), 0, {}}, "cannot write: " + reason(),
                   "choose another folder with --out, or free some space");
}

/// Unique beside the target, so that the rename stays on one file system.
fs::path temporary_name(const fs::path& target) {
  static unsigned counter = 0;
  return target.parent_path() /
         fmt::format(".{}.{}.{}.tmp", target.filename().string(), ::getpid(), counter++);
}

/// result.json goes by its name; other main files may be somebody else's.
bool is_result(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || file.filename() == "result.json") return static_cast<bool>(stream);
  std::string head(256, '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.find("\"schema\": \"lacuna.") != std::string::npos;
}

}  // namespace

std::string read_file(const fs::path& path, const std::function<void(double)>& progress) {
  FileReader reader(path);
  std::string content;
  // One piece more than the content, so that the read which finds the end moves nothing.
  if (reader.expected_bytes() > 0) content.reserve(FileReader::kPiece + reader.expected_bytes());
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

void write_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = temporary_name(path);
  errno = 0;
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) cannot_write(path);
  const auto give_up = [&] {
    const int saved = errno;
    ::close(descriptor);
    ::unlink(temporary.c_str());
    errno = saved;
    cannot_write(path);
  };
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up();
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(descriptor) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int saved = errno;
    ::unlink(temporary.c_str());
    errno = saved;
    cannot_write(path);
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

std::string sha256_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return "unknown: a pipe";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw InputError({path.string(), 0, {}}, "cannot read the file: " + reason());
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  LACUNA_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1,
               "SHA-256 is not available");
  std::array<unsigned char, 1U << 16> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    EVP_DigestUpdate(context.get(), buffer.data(), got);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  std::string text = "sha256:";
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

StagedFolder::StagedFolder(fs::path target, const std::string& marker)
    : target_(std::move(target)) {
  if (target_.filename().empty()) target_ = target_.parent_path();
  std::error_code error;
  if (fs::exists(target_, error)) {
    if (!fs::is_directory(target_, error)) {
      throw InputError({target_.string(), 0, {}}, "exists and is not a folder",
                       "choose another name with --out");
    }
    if (!fs::is_empty(target_, error) && !is_result(target_ / marker)) {
      throw InputError(
          {target_.string(), 0, {}},
          fmt::format("the folder holds files that are not an earlier result ({})", marker),
          "choose a new or empty folder with --out");
    }
    if (::access(target_.c_str(), W_OK) != 0) cannot_write(target_);
  }
  const auto fail = [&] {
    remove_made_parents();
    errno = error.value();
    cannot_write(target_);
  };
  for (fs::path parent = target_.parent_path(); !parent.empty() && !fs::exists(parent, error);
       parent = parent.parent_path()) {
    made_ = parent;
  }
  if (!target_.parent_path().empty()) {
    fs::create_directories(target_.parent_path(), error);
    if (error) fail();
  }
  staging_ = temporary_name(target_);
  if (!fs::create_directory(staging_, error)) fail();
}

/// From the nearest to the topmost, as long as they are empty.
void StagedFolder::remove_made_parents() const {
  if (made_.empty()) return;
  std::error_code error;
  for (fs::path parent = target_.parent_path();; parent = parent.parent_path()) {
    if (!fs::remove(parent, error) && fs::exists(parent, error)) return;
    if (parent == made_ || parent.empty()) return;
  }
}

StagedFolder::~StagedFolder() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  remove_made_parents();
}

void StagedFolder::commit() {
  // The earlier result is out of the way only while its name is given to the new one, and back when
  // that fails.
  const fs::path aside = staging_.string() + ".old";
  std::error_code error, ignored;
  const bool replaces = fs::exists(target_, ignored);
  if (replaces) fs::rename(target_, aside, error);
  if (!error) {
    fs::rename(staging_, target_, error);
    if (error && replaces) fs::rename(aside, target_, ignored);
  }
  if (error) {
    errno = error.value();
    cannot_write(target_);
  }
  committed_ = true;
  if (replaces) fs::remove_all(aside, ignored);
}

}  // namespace lacuna
