// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/npz.hpp"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "base/file.hpp"
#include "base/file_reader.hpp"
#include "base/limits.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t k32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t k16 = std::numeric_limits<std::uint16_t>::max();

struct Member {
  std::string name;  // as in the archive
  zip_stat_t is;     // by the directory

  [[nodiscard]] bool is_array() const { return name.ends_with(".npy"); }
  [[nodiscard]] std::string array_name() const { return name.substr(0, name.size() - 4); }
};

/// A ZIP archive in memory, which must outlive this; libzip reads it.
class Archive {
 public:
  Archive(std::string_view content, Place place) : place_(std::move(place)), content_(content) {
    if (!content.starts_with("PK")) {
      throw InputError(place_, "it is not an .npz archive", "expected a ZIP file");
    }
    open();
    directory();
  }

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::string extract(const Member& member) const;

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw InputError(place_, "the .npz archive is damaged: " + what);
  }
  void open();
  void directory();
  void check(const Member& member) const;

  Place place_;
  std::string_view content_;
  std::unique_ptr<zip_t, decltype(&zip_discard)> zip_{nullptr, &zip_discard};
  std::vector<Member> members_;
};

void Archive::open() {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source =
      zip_source_buffer_create(content_.data(), content_.size(), 0, &error);
  if (source != nullptr) zip_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (zip_ != nullptr) return;
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  zip_source_free(source);
  damaged(why + ", it is probably cut short");
}

void Archive::directory() {
  std::set<std::string> seen;
  const auto entries = static_cast<zip_uint64_t>(zip_get_num_entries(zip_.get(), 0));
  for (zip_uint64_t i = 0; i < entries; ++i) {
    Member member;
    const char* const name = zip_get_name(zip_.get(), i, ZIP_FL_ENC_RAW);
    if (name == nullptr || zip_stat_index(zip_.get(), i, 0, &member.is) != 0) {
      damaged(fmt::format("directory entry {}", i));
    }
    member.name = name;
    if (!seen.insert(member.name).second) damaged(fmt::format("'{}' occurs twice", member.name));
    members_.push_back(std::move(member));
  }
}

/// Before memory is taken for it.
void Archive::check(const Member& member) const {
  const zip_stat_t& is = member.is;
  if (is.encryption_method != ZIP_EM_NONE) {
    throw InputError(place_, member.name + " is encrypted");
  }
  if (is.comp_method != ZIP_CM_STORE && is.comp_method != ZIP_CM_DEFLATE) {
    throw InputError(place_,
                     fmt::format("{} is compressed by ZIP method {}", member.name, is.comp_method),
                     "save it with numpy.savez or numpy.savez_compressed");
  }
  if (is.comp_size > content_.size() ||
      (is.comp_method == ZIP_CM_STORE && is.comp_size != is.size)) {
    damaged(fmt::format("the size of '{}'", member.name));
  }
  if (is.size <= std::max(limits::kInflatedFloor, limits::kInflatedRatio * is.comp_size)) return;
  throw InputError(
      place_, fmt::format("the {} bytes of '{}' inflate to {}", is.comp_size, member.name, is.size),
      fmt::format("over {} times is no data; if it is, save it with numpy.savez",
                  limits::kInflatedRatio));
}

std::string Archive::extract(const Member& member) const {
  check(member);
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file{
      zip_fopen_index(zip_.get(), member.is.index, 0), &zip_fclose};
  if (file == nullptr) {
    damaged(fmt::format("'{}': {}", member.name, zip_strerror(zip_.get())));
  }
  std::string out(member.is.size, '\0');
  // At the end libzip compares the checksum; a byte more would be beyond what the directory says.
  zip_int64_t got = zip_fread(file.get(), out.data(), out.size());
  char beyond = 0;
  const bool complete = got >= 0 && static_cast<zip_uint64_t>(got) == out.size();
  if (complete) got = zip_fread(file.get(), &beyond, 1);
  if (got < 0 && zip_error_code_zip(zip_file_get_error(file.get())) == ZIP_ER_CRC) {
    damaged(fmt::format("the checksum of '{}' differs", member.name));
  }
  if (!complete || got != 0) damaged(fmt::format("'{}' does not inflate", member.name));
  return out;
}

/// What cannot be an archive is not read to its end.
std::string read_archive(const std::filesystem::path& path) {
  FileReader reader(path);
  std::string content;
  (void)reader.read(content);
  while (content.starts_with("PK") && reader.read(content)) {
  }
  return content;
}

/// Little-endian, at most 8 bytes.
void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

}  // namespace

std::vector<std::string> parse_npz_names(std::string_view content, const Place& file) {
  const Archive archive(content, file);
  std::vector<std::string> out;
  for (const Member& member : archive.members()) {
    if (member.is_array()) out.push_back(member.array_name());
  }
  return out;
}

TensorData parse_npz(std::string_view content, const Place& file, const std::string& name) {
  const Archive archive(content, file);
  std::vector<std::string> names;
  const Member* chosen = nullptr;
  for (const Member& member : archive.members()) {
    if (!member.is_array()) continue;
    names.push_back(member.array_name());
    if (name.empty() || names.back() == name) chosen = &member;
  }
  if (names.empty()) throw InputError(archive.place(), "the archive holds no arrays");
  if (name.empty() && names.size() > 1) {
    throw InputError(archive.place(), fmt::format("the archive holds {} arrays", names.size()),
                     fmt::format("name one of: {}", fmt::join(names, ", ")));
  }
  if (chosen == nullptr) {
    throw InputError(archive.place(), fmt::format("there is no array '{}'", name),
                     suggest(name, names));
  }
  Place place = archive.place();
  place.field = chosen->array_name();
  TensorData out = parse_npy(archive.extract(*chosen), place);
  out.name = chosen->array_name();
  return out;
}

std::vector<std::string> npz_names(const std::filesystem::path& path) {
  return parse_npz_names(read_archive(path), Place{path.string(), 0, {}});
}

TensorData read_npz(const std::filesystem::path& path, const std::string& name) {
  return parse_npz(read_archive(path), Place{path.string(), 0, {}}, name);
}

void write_npz(const std::filesystem::path& path, const std::vector<TensorData>& tensors) {
  std::string out;
  std::string directory;
  std::set<std::string> seen;
  for (const TensorData& tensor : tensors) {
    if (tensor.name.empty() || tensor.name.size() > k16 - 4 || !seen.insert(tensor.name).second) {
      throw InputError(Place{path.string(), 0, {}},
                       fmt::format("'{}' cannot name an array of the archive", tensor.name),
                       "every array needs a name of its own");
    }
    const std::string member = tensor.name + ".npy";
    const std::string content = format_npy(tensor);
    if (content.size() >= k32 || out.size() >= k32 - content.size()) {
      throw InputError(Place{path.string(), 0, {}}, "the arrays together exceed 4 GiB",
                       "write .npy or .safetensors");
    }
    const auto* raw = reinterpret_cast<const Bytef*>(content.data());
    std::string common;  // version to name length, the same in both headers
    put(common, 20, 2);
    put(common, 0x800, 2);       // UTF-8 names
    put(common, 0, 2);           // stored
    put(common, 0x00210000, 4);  // 1980-01-01: the same bytes on every day
    put(common, crc32_z(crc32_z(0, nullptr, 0), raw, content.size()), 4);
    put(common, content.size(), 4);
    put(common, content.size(), 4);
    put(common, member.size(), 2);
    put(common, 0, 2);
    directory += std::string_view("PK\x01\x02\x14\x00", 6);
    directory += common;
    directory.append(10, '\0');  // comment, disk, attributes
    put(directory, out.size(), 4);
    directory += member;
    out += std::string_view("PK\x03\x04", 4);
    out += common;
    out += member;
    out += content;
  }
  const std::uint64_t start = out.size();
  out += directory;
  out += std::string_view("PK\x05\x06\0\0\0\0", 8);
  put(out, seen.size(), 2);
  put(out, seen.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, 0, 2);
  write_file(path, out);
}

}  // namespace lacuna
