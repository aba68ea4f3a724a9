// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/safetensors.hpp"

#include "base/file.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

namespace {

std::string file(const std::string& header, const std::string& data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xffU);
  return out + header + data;
}

}  // namespace

TEST_CASE("tensors of several types are read by name") {
  const auto folder = lacuna::test::scratch("safetensors");
  write_file(folder / "m.safetensors",
             file(R"({"__metadata__":{"format":"pt"},)"
                  R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                  R"("s":{"dtype":"I64","shape":[],"data_offsets":[4,12]},)"
                  R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]},)"
                  R"("q":{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[12,16]},)"
                  R"("f":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[16,17]}}  )",
                  std::string("\x80\x3f\x00\xc0\x07\0\0\0\0\0\0\0\x38\xb8\x00\x7e\x7f", 17)));
  const auto path = folder / "m.safetensors";
  CHECK(safetensors_names(path) == std::vector<std::string>{"b", "e", "f", "q", "s"});
  CHECK(read_safetensors(path, "b").values == std::vector<double>{1, -2});
  CHECK(read_safetensors(path, "s").values == std::vector<double>{7});
  CHECK(read_safetensors(path, "s").shape.empty());
  CHECK(read_safetensors(path, "e").values.empty());
  CHECK(read_safetensors(path, "q").values == std::vector<double>{1, -1, 0, 448});
  CHECK(error_of([&] { (void)read_safetensors(path, "f"); }).find("type F8_E8M0") !=
        std::string::npos);
  CHECK(error_of([&] { (void)read_safetensors(path); }).find("name one of: b, e, f, q, s") !=
        std::string::npos);
  CHECK(error_of([&] { (void)read_safetensors(path, "layer"); }).find("no tensor 'layer'") !=
        std::string::npos);
}

TEST_CASE("a header that contradicts itself or the file is refused") {
  const auto folder = lacuna::test::scratch("safetensors");
  const auto message = [&](const std::string& content) {
    write_file(folder / "x.safetensors", content);
    return error_of([&] { (void)read_safetensors(folder / "x.safetensors"); });
  };
  const std::string four(4, '\0');
  const std::pair<std::string, const char*> cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "does not fill its 4 bytes"},
      {R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", "describes 0 bytes"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", "hole or an overlap at byte 0"},
      {R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
       R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       "hole or an overlap at byte 3"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
       R"("a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       "'a' is given twice"},
      {R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", "'F33' is not known"},
      {R"({"a":{"dtype":"F4","shape":[7],"data_offsets":[0,4]}})", "does not fill"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "not a range"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "shape holds no sizes"},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", "shape holds no sizes"},
      {R"({"a":{"dtype":"F32","shape":[9223372036854775807,16],"data_offsets":[0,4]}})",
       "too large"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", "expected dtype"},
      {R"({"a":7})", "shape is not a list"},
      {R"({"__metadata__":{"a":1}})", "more than texts"},
      {R"([])", "does not start with '{'"},
      {R"({"a")", "not valid JSON"},
      {R"({})", "describes 0 bytes"},
  };
  for (const auto& [header, part] : cases) {
    const std::string text = message(file(header, four));
    INFO(header << " gave: " << text);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(message("").find("cut short") != std::string::npos);
  CHECK(message(std::string(8, '\xff')).find("its header would take") != std::string::npos);
  CHECK(message(file("{}", "")).find("no tensors") != std::string::npos);
  CHECK(error_of([&] { (void)read_safetensors(folder / "absent"); }).find("cannot read") !=
        std::string::npos);
}

TEST_CASE("a .safetensors file that was written reads back as itself") {
  const auto path = lacuna::test::scratch("safetensors") / "w.safetensors";
  const TensorData a{"layer.weight", DType::bf16, {2, 2}, {1, -2, 0.5, 0}};
  const TensorData b{"bias", DType::f64, {3}, {1e-300, 0.1, -3}};
  write_safetensors(path, {a, b});
  CHECK((read_safetensors_index(path).data_start) % 8 == 0);
  CHECK(read_safetensors(path, "layer.weight").values == a.values);
  CHECK(read_safetensors(path, "layer.weight").shape == a.shape);
  CHECK(read_safetensors(path, "bias").values == b.values);
  CHECK_THROWS_AS(write_safetensors(path, {a, a}), InputError);
}

TEST_CASE("a sharded checkpoint finds its tensors beside the index") {
  const auto folder = lacuna::test::scratch("safetensors");
  write_safetensors(folder / "one.safetensors", {{"a", DType::f32, {1}, {1}}});
  write_safetensors(folder / "two.safetensors", {{"b", DType::f32, {1}, {2}}});
  const auto index = folder / "model.safetensors.index.json";
  write_file(index, R"({"metadata":{"total_size":8},)"
                    R"("weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  CHECK(safetensors_names(index) == std::vector<std::string>{"a", "b"});
  CHECK(read_safetensors(index, "b").values == std::vector<double>{2});
  for (const char* bad :
       {R"({"weight_map":{"a":"model.safetensors.index.json"}})",
        R"({"weight_map":{"a":"../one.safetensors"}})", R"({"weight_map":{"a":3}})",
        R"({"weight_map":[]})", R"({})", "x", R"({"weight_map":{"a":"two.safetensors"}})"}) {
    write_file(index, bad);
    CHECK_THROWS_AS(read_safetensors(index, "a"), InputError);
  }
}

TEST_CASE("a damaged .safetensors file never does worse than an error") {
  const auto folder = lacuna::test::scratch("safetensors");
  const std::string whole =
      file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", std::string(4, '\0'));
  const auto path = folder / "x.safetensors";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(path, std::string_view(whole).substr(0, size));
    CHECK_THROWS_AS(read_safetensors(path), InputError);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 2, 5, 7}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      write_file(path, flipped);
      std::size_t count = 0;
      try {
        count = read_safetensors(path).values.size();
      } catch (const InputError&) {
      }
      CHECK(count <= 4);
    }
  }
}
