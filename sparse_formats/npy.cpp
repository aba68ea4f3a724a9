// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/npy.hpp"

#include <charconv>
#include <optional>

#include "base/file.hpp"
#include "base/file_reader.hpp"
#include "base/limits.hpp"

namespace lacuna {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

struct NpyHeader {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

/// The header's Python dictionary: three known keys, in any order.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const Place& place) : rest_(text), place_(place) {}

  NpyHeader parse() {
    NpyHeader out;
    need('{');
    while (!take('}')) {
      const std::string key = quoted();
      need(':');
      if (key == "descr" && !out.descr) {
        out.descr = descr();
      } else if (key == "fortran_order" && !out.fortran_order) {
        out.fortran_order = boolean();
      } else if (key == "shape" && !out.shape) {
        out.shape = tuple();
      } else {
        fail(fmt::format("unexpected or repeated key '{}' in the header", key));
      }
      if (take(',')) continue;
      need('}');
      break;
    }
    skip();
    if (!rest_.empty()) fail("text after the header's dictionary");
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const {
    throw InputError(place_, problem, suggestion);
  }
  void skip() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) {
    skip();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (!take(c)) fail(fmt::format("the header is damaged: expected '{}'", c));
  }
  std::string quoted() {
    skip();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const auto end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail("the header is damaged: expected a quoted text");
    std::string out(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::string descr() {
    skip();
    if (rest_.starts_with('[')) {
      fail("it holds a structured array", "save one field: numpy.save(path, array['field'])");
    }
    return quoted();
  }
  bool boolean() {
    skip();
    for (const auto& [word, value] : {std::pair{"True", true}, {"False", false}}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(std::string_view(word).size());
      return value;
    }
    fail("the header is damaged: fortran_order is not True or False");
  }
  std::vector<std::uint64_t> tuple() {
    constexpr std::size_t kMaxRank = 64;
    std::vector<std::uint64_t> out;
    need('(');
    while (!take(')')) {
      skip();
      std::uint64_t value = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
      if (error != std::errc{}) fail("the header is damaged: shape is not a tuple of sizes");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (rest_.starts_with('L')) rest_.remove_prefix(1);  // written by Python 2
      out.push_back(value);
      if (out.size() > kMaxRank) fail("the array has more than 64 dimensions");
      if (!take(',')) {
        need(')');
        break;
      }
    }
    return out;
  }

  std::string_view rest_;
  Place place_;
};

DType dtype_of(const std::string& descr, const Place& place) {
  if (descr.empty()) throw InputError(place, "the header is damaged: descr is empty");
  const char order = descr.front();
  const bool marked = order == '<' || order == '>' || order == '|' || order == '=';
  const std::string kind = marked ? descr.substr(1) : descr;
  if (kind.starts_with('O')) {
    throw InputError(place, "it holds pickled Python objects",
                     "save a numeric array: numpy.save(path, array.astype('<f4'))");
  }
  constexpr std::pair<std::string_view, DType> known[] = {
      {"f8", DType::f64},    {"f4", DType::f32}, {"f2", DType::f16}, {"V2", DType::bf16},
      {"i8", DType::i64},    {"i4", DType::i32}, {"i2", DType::i16}, {"i1", DType::i8},
      {"u8", DType::u64},    {"u4", DType::u32}, {"u2", DType::u16}, {"u1", DType::u8},
      {"b1", DType::boolean}};
  for (const auto& [name, dtype] : known) {
    if (kind != name) continue;
    if (order == '>' && bytes_of(dtype) > 1) {
      throw InputError(place, fmt::format("the type '{}' is big-endian", descr),
                       fmt::format("convert it: array.astype('<{}')", kind));
    }
    return dtype;
  }
  throw InputError(place, fmt::format("the type '{}' is not a plain number", descr),
                   "expected a float, integer or bool type such as '<f4', '<i8' or '|b1'");
}

/// From column-major to row-major.
std::vector<double> turned(const std::vector<double>& values,
                           const std::vector<std::uint64_t>& shape) {
  std::vector<double> out(values.size());
  std::vector<std::uint64_t> index(shape.size(), 0);
  std::vector<std::uint64_t> stride(shape.size(), 1);
  for (std::size_t d = shape.size() - 1; d-- > 0;) stride[d] = stride[d + 1] * shape[d + 1];
  std::uint64_t at = 0;
  for (const double value : values) {
    out[at] = value;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      at += stride[d];
      if (++index[d] < shape[d]) break;
      at -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

NpyLayout npy_layout(std::string_view content, const Place& place) {
  if (!content.starts_with(kMagic)) {
    throw InputError(place, "it is not an .npy file", "expected it to start with \\x93NUMPY");
  }
  const unsigned major = content.size() > 6 ? static_cast<unsigned char>(content[6]) : 0;
  if (content.size() > 6 && (major < 1 || major > 3)) {
    throw InputError(place, fmt::format("the .npy version {} is unknown", major),
                     "versions 1 to 3 are read");
  }
  const std::size_t start = major == 1 ? 10 : 12;
  if (content.size() < start) throw InputError(place, "the .npy file is cut short");
  const std::uint64_t length = little_endian(content.substr(8, start - 8));
  if (length > limits::kNpyHeaderBytes) {
    throw InputError(place, fmt::format("its header takes {} bytes", length),
                     fmt::format("at most {} are read", limits::kNpyHeaderBytes));
  }
  if (length > content.size() - start) {
    throw InputError(place, fmt::format("the .npy file is cut short: its header takes {} bytes, "
                                        "{} are left",
                                        length, content.size() - start));
  }
  const NpyHeader header = HeaderParser(content.substr(start, length), place).parse();
  if (!header.descr || !header.fortran_order || !header.shape) {
    throw InputError(place,
                     fmt::format("the header misses '{}'", !header.descr   ? "descr"
                                                           : !header.shape ? "shape"
                                                                           : "fortran_order"));
  }
  NpyLayout out;
  out.dtype = dtype_of(*header.descr, place);
  out.shape = *header.shape;
  out.column_major = *header.fortran_order;
  out.elements = element_count(out.shape, place);
  out.data_start = start + length;
  return out;
}

TensorData parse_npy(std::string_view content, const Place& place) {
  const NpyLayout layout = npy_layout(content, place);
  const std::string_view data = content.substr(layout.data_start);
  const std::uint64_t needed = layout.data_bytes();
  if (data.size() != needed) {
    throw InputError(
        place,
        fmt::format("the shape {} of {} needs {} bytes, the file holds {}",
                    shape_text(layout.shape), name_of(layout.dtype), needed, data.size()),
        data.size() < needed ? "the file is cut short" : "");
  }
  TensorData out;
  out.dtype = layout.dtype;
  out.shape = layout.shape;
  check_tensor_size(layout.elements, place);
  out.values = decode_elements(data, out.dtype, place);
  if (layout.column_major && out.shape.size() > 1 && layout.elements > 0) {
    out.values = turned(out.values, out.shape);
  }
  return out;
}

std::string read_npy_bytes(FileReader& reader, std::string head, const Place& place) {
  // The first piece holds the header: what it announces is the most that is taken.
  const NpyLayout layout = npy_layout(head, place);
  check_tensor_size(layout.elements, place);
  const std::uint64_t whole = layout.data_start + layout.data_bytes();
  reader.expect_at_most(
      whole, fmt::format("the shape {} of {} needs {} bytes, the file holds more",
                         shape_text(layout.shape), name_of(layout.dtype), layout.data_bytes()));
  while (reader.read(head)) {
  }
  return head;
}

TensorData read_npy(const std::filesystem::path& path) {
  const Place place{path.string(), 0, {}};
  FileReader reader(path, FileReader::Use::streamed);
  std::string head;
  (void)reader.read(head);
  TensorData out = parse_npy(read_npy_bytes(reader, std::move(head), place), place);
  out.name = path.stem().string();
  return out;
}

std::string format_npy(const TensorData& tensor) {
  const DType dtype = written_dtype(tensor.dtype);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                  dtype == DType::f64 ? "<f8" : "<f4", fmt::join(tensor.shape, ", "),
                  tensor.shape.size() == 1 ? "," : "");
  constexpr std::size_t kFixed = 10;  // magic, version, length; data starts at a multiple of 64
  header.append(63 - (kFixed + header.size()) % 64, ' ');
  header += '\n';
  std::string out(kMagic);
  out += '\x01';
  out += '\0';
  out += static_cast<char>(header.size() & 0xffU);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  return out + encode_elements(tensor.values, dtype);
}

void write_npy(const std::filesystem::path& path, const TensorData& tensor) {
  write_file(path, format_npy(tensor));
}

}  // namespace lacuna
