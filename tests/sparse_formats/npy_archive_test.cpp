// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include "base/file.hpp"
#include "sparse_formats/npz.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xffU);
}

std::string deflated(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(content.size() + 100, '\0');
  std::string in = content;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

struct Options {
  bool deflate = false;
  bool wide_directory = false;  // ZIP64 in the central directory and at the end
  bool streamed = false;        // sizes 0 in the local header, as written to a pipe
  std::uint64_t flags = 0;
  std::uint64_t claim = 0;  // a wrong uncompressed size
};

/// One member as numpy writes it: the local header's sizes are never the true ones.
std::string archive(const std::string& name, const std::string& content, Options options) {
  const std::string packed = options.deflate ? deflated(content) : content;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  const std::uint64_t size = options.claim != 0 ? options.claim : content.size();
  const std::uint64_t k32 = 0xffffffff;
  std::string common;
  put(common, 45, 2);
  put(common, options.flags | (options.streamed ? 8U : 0U), 2);
  put(common, options.deflate ? 8 : 0, 2);
  put(common, 0, 4);
  put(common, crc, 4);
  std::string out = "PK\x03\x04" + common;
  put(out, options.streamed ? 0 : k32, 4);
  put(out, options.streamed ? 0 : k32, 4);
  put(out, name.size(), 2);
  put(out, 20, 2);
  out += name;
  put(out, 1, 2);
  put(out, 16, 2);
  put(out, options.streamed ? 0 : content.size(), 8);
  put(out, options.streamed ? 0 : packed.size(), 8);
  out += packed;
  const std::uint64_t start = out.size();
  out += std::string("PK\x01\x02\x2d\x03", 6) + common;
  put(out, options.wide_directory ? k32 : packed.size(), 4);
  put(out, options.wide_directory ? k32 : size, 4);
  put(out, name.size(), 2);
  put(out, options.wide_directory ? 32 : 0, 2);
  out.append(10, '\0');
  put(out, options.wide_directory ? k32 : 0, 4);
  out += name;
  if (options.wide_directory) {
    put(out, 0x7075, 2);  // some other field first
    put(out, 0, 2);
    put(out, 1, 2);
    put(out, 24, 2);
    put(out, size, 8);
    put(out, packed.size(), 8);
    put(out, 0, 8);
  }
  const std::uint64_t length = out.size() - start;
  if (options.wide_directory) {
    const std::uint64_t record = out.size();
    out += "PK\x06\x06";
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 8);
    put(out, 1, 8);
    put(out, 1, 8);
    put(out, length, 8);
    put(out, start, 8);
    out += "PK\x06\x07";
    put(out, 0, 4);
    put(out, record, 8);
    put(out, 1, 4);
  }
  out += "PK\x05\x06";
  put(out, 0, 4);
  put(out, options.wide_directory ? 0xffff : 1, 2);
  put(out, options.wide_directory ? 0xffff : 1, 2);
  put(out, options.wide_directory ? k32 : length, 4);
  put(out, options.wide_directory ? k32 : start, 4);
  put(out, 7, 2);
  return out + "comment";
}

const TensorData kTensor{"w", DType::f32, {2, 3}, {0, 1, 2, 3, 4, -5}};

}  // namespace

TEST_CASE("archives as NumPy writes them are read through their directory") {
  const auto folder = lacuna::test::scratch("npz");
  const std::string member = format_npy(kTensor);
  for (int kind = 0; kind < 8; ++kind) {
    const Options options{(kind & 1) != 0, (kind & 2) != 0, (kind & 4) != 0, 0, 0};
    write_file(folder / "a.npz", archive("w.npy", member, options));
    const TensorData back = read_npz(folder / "a.npz");
    CHECK(back.name == "w");
    CHECK(back.values == kTensor.values);
    CHECK(back.shape == kTensor.shape);
  }
}

TEST_CASE("an archive that was written reads back, array by array") {
  const auto folder = lacuna::test::scratch("npz");
  const TensorData mask{"mask", DType::boolean, {2, 3}, {0, 1, 1, 1, 1, 1}};
  write_npz(folder / "a.npz", {kTensor, mask});
  CHECK(npz_names(folder / "a.npz") == std::vector<std::string>{"w", "mask"});
  CHECK(read_npz(folder / "a.npz", "w").values == kTensor.values);
  CHECK(read_npz(folder / "a.npz", "mask").values == mask.values);
  const auto message = [&](const std::string& name) {
    return error_of([&] { (void)read_npz(folder / "a.npz", name); });
  };
  CHECK(message("").find("holds 2 arrays; name one of: w, mask") != std::string::npos);
  CHECK(message("masc").find("did you mean 'mask'?") != std::string::npos);
  write_npz(folder / "none.npz", {});
  CHECK(error_of([&] { (void)read_npz(folder / "none.npz"); }).find("no arrays") !=
        std::string::npos);
  CHECK_THROWS_AS(write_npz(folder / "b.npz", {mask, mask}), InputError);
  CHECK_FALSE(std::filesystem::exists(folder / "b.npz"));
}

TEST_CASE("archives that lie or are foreign are refused") {
  const auto folder = lacuna::test::scratch("npz");
  const std::string member = format_npy(kTensor);
  const auto message = [&](const std::string& content) {
    write_file(folder / "x.npz", content);
    const std::string text = error_of([&] { (void)read_npz(folder / "x.npz"); });
    INFO(text);
    CHECK(text.find("x.npz") != std::string::npos);
    return text;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(message(archive("w.npy", member, {true, false, false, 0, 1U << 31})),
            "inflate to 2147483648"));
  CHECK(has(message(archive("w.npy", member, {false, true, false, 0, 1ULL << 60})), "size of"));
  CHECK(has(message(archive("w.npy", member, {false, false, false, 1, 0})), "encrypted"));
  CHECK(has(message(archive("w.txt", member, {})), "holds no arrays"));
  std::string wrong = archive("w.npy", member, {});
  wrong[200] = static_cast<char>(wrong[200] ^ 1);
  CHECK(has(message(wrong), "checksum"));
  std::string method = archive("w.npy", member, {});
  method[method.rfind("PK\x01\x02") + 10] = 12;
  CHECK(has(message(method), "ZIP method 12"));
  CHECK(has(message("not a zip"), "not an .npz archive"));
  CHECK(has(message(""), "not an .npz archive"));
}

TEST_CASE("a damaged archive never does worse than an error") {
  const auto folder = lacuna::test::scratch("npz");
  for (const bool deflate : {false, true}) {
    const std::string whole = archive("w.npy", format_npy(kTensor), {deflate, true, false, 0, 0});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      write_file(folder / "x.npz", std::string_view(whole).substr(0, size));
      CHECK_THROWS_AS(read_npz(folder / "x.npz"), InputError);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      write_file(folder / "x.npz", flipped);
      TensorData read = kTensor;
      try {
        read = read_npz(folder / "x.npz");
      } catch (const InputError&) {
      }
      CHECK(read.values == kTensor.values);  // the CRC guards what is not refused
    }
  }
}
