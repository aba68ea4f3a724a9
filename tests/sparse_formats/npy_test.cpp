// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/npy.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

const Place kPlace{"t.npy", 0, {}};

/// A file as numpy.save writes it.
std::string npy_text(const std::string& header, const std::string& data, int version = 1) {
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(version);
  out += '\0';
  std::string text = header;
  const std::size_t fixed = version == 1 ? 10 : 12;
  text.append(63 - (fixed + text.size()) % 64, ' ');
  text += '\n';
  for (std::size_t i = 0; i < fixed - 8; ++i) {
    out += static_cast<char>(text.size() >> (8 * i) & 0xffU);
  }
  return out + text + data;
}

template <class T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
  }
  return out;
}

std::string dict(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }";
}

std::vector<double> values(const std::string& descr, const std::string& data, std::size_t n) {
  return parse_npy(npy_text(dict(descr, fmt::format("({},)", n)), data), kPlace).values;
}

void refused(const std::string& content, std::string_view part) {
  const std::string message = error_of([&] { (void)parse_npy(content, kPlace); });
  INFO(message);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("every simple type is read") {
  using List = std::vector<double>;
  CHECK(values("<f8", raw<double>({1.5, -2}), 2) == List{1.5, -2});
  CHECK(values("<f4", raw<float>({1.5F, -2}), 2) == List{1.5, -2});
  CHECK(values("=f4", raw<float>({1.5F}), 1) == List{1.5});
  CHECK(values("<f2", raw<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555}), 5) ==
        List{1, -2, 0x1p-24, 65504, 0.333251953125});
  CHECK(values("|V2", raw<std::uint16_t>({0x3f80, 0xc000, 0x4049}), 3) == List{1, -2, 3.140625});
  CHECK(values("<i8", raw<std::int64_t>({-5, 1LL << 53}), 2) == List{-5, 0x1p53});
  CHECK(values("<i4", raw<std::int32_t>({-5}), 1) == List{-5});
  CHECK(values("<i2", raw<std::int16_t>({-5}), 1) == List{-5});
  CHECK(values("|i1", raw<std::int8_t>({-5}), 1) == List{-5});
  CHECK(values("<u8", raw<std::uint64_t>({5}), 1) == List{5});
  CHECK(values("<u4", raw<std::uint32_t>({0xffffffffU}), 1) == List{4294967295.0});
  CHECK(values("<u2", raw<std::uint16_t>({65535}), 1) == List{65535});
  CHECK(values("|u1", raw<std::uint8_t>({255}), 1) == List{255});
  CHECK(values(">u1", raw<std::uint8_t>({255}), 1) == List{255});
  CHECK(values("|b1", raw<std::uint8_t>({0, 1}), 2) == List{0, 1});
  const auto half = values("<f2", raw<std::uint16_t>({0x7c00, 0xfc00, 0x7e00}), 3);
  CHECK(half[0] == std::numeric_limits<double>::infinity());
  CHECK(half[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(half[2]));
}

TEST_CASE("eight-bit floats decode as specified") {
  const auto e4m3 = [](std::uint8_t code) {
    return decode_elements(raw<std::uint8_t>({code}), DType::f8_e4m3, kPlace)[0];
  };
  CHECK(e4m3(0x38) == 1);
  CHECK(e4m3(0x7e) == 448);
  CHECK(e4m3(0x01) == 0x1p-9);
  CHECK(e4m3(0xfe) == -448);
  CHECK(std::isnan(e4m3(0x7f)));
  const auto e5m2 = [](std::uint8_t code) {
    return decode_elements(raw<std::uint8_t>({code}), DType::f8_e5m2, kPlace)[0];
  };
  CHECK(e5m2(0x3c) == 1);
  CHECK(e5m2(0x7b) == 57344);
  CHECK(e5m2(0x01) == 0x1p-16);
  CHECK(std::isinf(e5m2(0x7c)));
  CHECK(std::isnan(e5m2(0x7d)));
}

TEST_CASE("headers are read in any order and version, shapes of any rank") {
  const std::string data = raw<float>({1, 2, 3, 4, 5, 6});
  for (int version = 1; version <= 3; ++version) {
    const auto tensor = parse_npy(npy_text(dict("<f4", "(2, 3)"), data, version), kPlace);
    CHECK(tensor.shape == std::vector<std::uint64_t>{2, 3});
    CHECK(tensor.values == std::vector<double>{1, 2, 3, 4, 5, 6});
  }
  CHECK(parse_npy(npy_text("{\"shape\":(2,3),'fortran_order':False,'descr':'<f4'}", data), kPlace)
            .values.size() == 6);
  CHECK(parse_npy(npy_text(dict("<f4", "(6L,)"), data), kPlace).shape.size() == 1);
  CHECK(parse_npy(npy_text(dict("<f4", "()"), raw<float>({7})), kPlace).values ==
        std::vector<double>{7});
  CHECK(parse_npy(npy_text(dict("<f4", "(0, 5)"), ""), kPlace).values.empty());
  const auto turned = parse_npy(npy_text(dict("<f4", "(2, 3)", true), data), kPlace);
  CHECK(turned.values == std::vector<double>{1, 3, 5, 2, 4, 6});
  const auto cube = parse_npy(
      npy_text(dict("|u1", "(2, 2, 2)", true), raw<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7})),
      kPlace);
  CHECK(cube.values == std::vector<double>{0, 4, 2, 6, 1, 5, 3, 7});
}

TEST_CASE("what is not a plain array is refused with its reason") {
  const std::string data = raw<float>({1, 2});
  refused(npy_text(dict("|O", "(2,)"), data), "pickled Python objects");
  refused(npy_text("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", data),
          "structured array");
  refused(npy_text(dict(">f4", "(2,)"), data), "big-endian; convert it: array.astype('<f4')");
  refused(npy_text(dict("<c8", "(1,)"), data), "'<c8' is not a plain number");
  refused(npy_text(dict("<U2", "(1,)"), data), "'<U2' is not a plain number");
  refused(npy_text(dict("|V1", "(8,)"), data), "'|V1' is not a plain number");
  refused(npy_text(dict("", "(8,)"), data), "descr is empty");
  refused(npy_text(dict("<f4", "(3,)"), data),
          "needs 12 bytes, the file holds 8; the file is cut short");
  refused(npy_text(dict("<f4", "(1,)"), data), "needs 4 bytes, the file holds 8");
  refused(npy_text(dict("<f4", "(-1,)"), data), "not a tuple of sizes");
  refused(npy_text(dict("<f4", "2"), data), "expected '('");
  refused(npy_text(dict("<f4", "(18446744073709551615, 18446744073709551615)"), data), "too large");
  refused(npy_text(dict("<f4", "(99999999999999999999,)"), data), "not a tuple of sizes");
  refused(npy_text("{'descr': '<f4', 'shape': (2,)}", data), "misses 'fortran_order'");
  refused(npy_text("{'descr': '<f4', 'descr': '<f4'}", data), "repeated key 'descr'");
  refused(npy_text(dict("<f4", "(2,)") + "x", data), "text after");
  refused(npy_text(dict("<f4", "(2,)"), data, 9), "version 9 is unknown");
  refused(npy_text(dict("<i8", "(1,)"), raw<std::int64_t>({(1LL << 53) + 2})), "beyond 2^53");
  refused("PK\x03\x04", "not an .npy file");
  refused("", "not an .npy file");
}

TEST_CASE("an .npy file that was written reads back as itself") {
  const auto folder = lacuna::test::scratch("npy");
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i64}) {
    TensorData tensor{"w", dtype, {2, 3}, {0, -1.5, 2, 1e6, -0.0078125, 3}};
    write_npy(folder / "w.npy", tensor);
    const TensorData back = read_npy(folder / "w.npy");
    CHECK(back.name == "w");
    CHECK(back.shape == tensor.shape);
    CHECK(back.values == tensor.values);
    CHECK(back.dtype == written_dtype(dtype));
  }
  const std::string file = format_npy({"w", DType::f32, {5}, {1, 2, 3, 4, 5}});
  CHECK((file.size() - 20) % 64 == 0);
  CHECK(parse_npy(file, kPlace).shape == std::vector<std::uint64_t>{5});
  CHECK(parse_npy(format_npy({"s", DType::f64, {}, {2.5}}), kPlace).values ==
        std::vector<double>{2.5});
}

TEST_CASE("a damaged .npy file never does worse than an error") {
  const std::string whole = npy_text(dict("<f4", "(2, 2)", true), raw<float>({1, 2, 3, 4}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(parse_npy(std::string_view(whole).substr(0, size), kPlace), InputError);
  }
  int accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      try {
        accepted += parse_npy(flipped, kPlace).values.size() == 4 ? 1 : 0;
      } catch (const InputError&) {
      }
    }
  }
  CHECK(accepted >= 3 * 16);  // flips in the data change values only
}
