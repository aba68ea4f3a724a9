// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/npz.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
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
  std::uint64_t method = 0;
  std::uint64_t flags = 0;
  std::uint64_t crc = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;

  [[nodiscard]] bool is_array() const { return name.ends_with(".npy"); }
  [[nodiscard]] std::string array_name() const { return name.substr(0, name.size() - 4); }
};

/// A ZIP archive in memory, which must outlive this; every read is checked against its size.
class Archive {
 public:
  Archive(std::string_view content, Place place) : place_(std::move(place)), content_(content) {
    directory();
  }

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::string extract(const Member& member) const;

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw InputError(place_, "the .npz archive is damaged: " + what);
  }
  [[nodiscard]] std::string_view bytes(std::uint64_t at, std::uint64_t size) const {
    if (at > content_.size() || size > content_.size() - at) {
      damaged(fmt::format("{} bytes at {} of {}", size, at, content_.size()));
    }
    return content_.substr(at, size);
  }
  [[nodiscard]] std::uint64_t number(std::uint64_t at, std::uint64_t size) const {
    const std::string_view raw = bytes(at, size);
    std::uint64_t value = 0;
    for (std::size_t i = raw.size(); i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(raw[i]);
    }
    return value;
  }
  [[nodiscard]] std::uint64_t end_record() const;
  void directory();
  void wide_sizes(Member& member, std::uint64_t at, std::uint64_t size) const;

  Place place_;
  std::string_view content_;
  std::vector<Member> members_;
};

/// The last "end of central directory" record whose comment ends with the file.
std::uint64_t Archive::end_record() const {
  constexpr std::uint64_t kRecord = 22;
  constexpr std::uint64_t kMaxComment = 65535;
  if (!content_.starts_with("PK")) {
    throw InputError(place_, "it is not an .npz archive", "expected a ZIP file");
  }
  const std::uint64_t size = content_.size();
  for (std::uint64_t back = kRecord; back <= std::min(size, kRecord + kMaxComment); ++back) {
    const std::uint64_t at = size - back;
    if (bytes(at, 4) == "PK\x05\x06" && number(at + 20, 2) == back - kRecord) return at;
  }
  damaged("it has no central directory, it is probably cut short");
}

void Archive::directory() {
  const std::uint64_t end = end_record();
  std::uint64_t entries = number(end + 10, 2);
  std::uint64_t at = number(end + 16, 4);
  if ((entries == k16 || at == k32) && end >= 20 && bytes(end - 20, 4) == "PK\x06\x07") {
    const std::uint64_t record = number(end - 20 + 8, 8);
    if (bytes(record, 4) != "PK\x06\x06") damaged("its ZIP64 record is missing");
    entries = number(record + 32, 8);
    at = number(record + 48, 8);
  }
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < entries; ++i) {
    if (bytes(at, 4) != "PK\x01\x02") damaged(fmt::format("directory entry {} is missing", i));
    Member member;
    member.flags = number(at + 8, 2);
    member.method = number(at + 10, 2);
    member.crc = number(at + 16, 4);
    member.packed = number(at + 20, 4);
    member.size = number(at + 24, 4);
    member.offset = number(at + 42, 4);
    const std::uint64_t name = number(at + 28, 2);
    const std::uint64_t extra = number(at + 30, 2);
    member.name = std::string(bytes(at + 46, name));
    wide_sizes(member, at + 46 + name, extra);
    at += 46 + name + extra + number(at + 32, 2);
    if (!seen.insert(member.name).second) damaged(fmt::format("'{}' occurs twice", member.name));
    members_.push_back(std::move(member));
  }
}

/// ZIP64: extra field 1 holds the values that do not fit, in a fixed order.
void Archive::wide_sizes(Member& member, std::uint64_t at, std::uint64_t size) const {
  const std::uint64_t end = at + size;
  while (at + 4 <= end) {
    const std::uint64_t id = number(at, 2);
    const std::uint64_t length = number(at + 2, 2);
    at += 4;
    if (length > end - at) damaged(fmt::format("an extra field of '{}'", member.name));
    if (id == 1) {
      std::uint64_t field = at;
      for (std::uint64_t* value : {&member.size, &member.packed, &member.offset}) {
        if (*value != k32) continue;
        if (field + 8 > at + length) damaged(fmt::format("the ZIP64 field of '{}'", member.name));
        *value = number(field, 8);
        field += 8;
      }
    }
    at += length;
  }
}

std::string Archive::extract(const Member& member) const {
  if ((member.flags & 1U) != 0) throw InputError(place_, member.name + " is encrypted");
  if (bytes(member.offset, 4) != "PK\x03\x04") {
    damaged(fmt::format("the header of '{}' is missing", member.name));
  }
  const std::uint64_t start =
      member.offset + 30 + number(member.offset + 26, 2) + number(member.offset + 28, 2);
  const std::string_view packed = bytes(start, member.packed);
  std::string out;
  if (member.method == 0) {
    if (member.packed != member.size) damaged(fmt::format("the size of '{}'", member.name));
    out = std::string(packed);
  } else if (member.method == 8) {
    if (member.size > std::max(limits::kInflatedFloor, limits::kInflatedRatio * member.packed)) {
      throw InputError(place_,
                       fmt::format("the {} bytes of '{}' inflate to {}", member.packed, member.name,
                                   member.size),
                       fmt::format("over {} times is no data; if it is, save it with numpy.savez",
                                   limits::kInflatedRatio));
    }
    out.resize(member.size);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) damaged("zlib does not start");
    constexpr std::uint64_t kChunk = std::uint64_t{1} << 30;  // zlib counts in 32 bits
    std::uint64_t in = 0;
    std::uint64_t done = 0;
    int status = Z_OK;
    while (status == Z_OK) {
      const auto take = std::min(kChunk, packed.size() - in);
      const auto room = std::min(kChunk, out.size() - done);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + in));
      stream.avail_in = static_cast<uInt>(take);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream.avail_out = static_cast<uInt>(room);
      status = inflate(&stream, Z_NO_FLUSH);
      in += take - stream.avail_in;
      done += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END || done != out.size()) {
      damaged(fmt::format("'{}' does not inflate", member.name));
    }
  } else {
    throw InputError(place_,
                     fmt::format("{} is compressed by ZIP method {}", member.name, member.method),
                     "save it with numpy.savez or numpy.savez_compressed");
  }
  const auto* raw = reinterpret_cast<const Bytef*>(out.data());
  if (crc32_z(crc32_z(0, nullptr, 0), raw, out.size()) != member.crc) {
    damaged(fmt::format("the checksum of '{}' differs", member.name));
  }
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

std::vector<std::string> parse_npz_names(std::string_view content, const Place& place) {
  const Archive archive(content, place);
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
