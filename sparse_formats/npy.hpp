// SPDX-License-Identifier: Apache-2.0
// Tensors with values, and NumPy's .npy file (format versions 1 to 3; numpy/lib/_format_impl.py).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lacuna {

class FileReader;

/// How a file stores an element. All are decoded to double.
enum class DType {
  f64,
  f32,
  f16,
  bf16,     // the upper half of an f32
  f8_e4m3,  // bias 7, no infinity, S.1111.111 is NaN, largest 448
  f8_e5m2,  // bias 15, with infinities
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

/// As safetensors spells it: "F32", "BF16", "F8_E4M3", "BOOL", ...
[[nodiscard]] std::string_view name_of(DType dtype);
[[nodiscard]] std::uint64_t bytes_of(DType dtype);

/// Values row-major; shape {} is a scalar. Integers beyond 2^53 are refused when read.
struct TensorData {
  std::string name;
  DType dtype = DType::f32;  // of the file it came from
  std::vector<std::uint64_t> shape;
  std::vector<double> values;
};

/// The product of the shape; throws InputError at `place` when it does not fit 2^48.
[[nodiscard]] std::uint64_t element_count(const std::vector<std::uint64_t>& shape,
                                          const Place& place);
/// Throws InputError when the tensor is larger than any that is read (base/limits.hpp).
void check_tensor_size(std::uint64_t elements, const Place& place);
/// "[512, 1024]".
[[nodiscard]] std::string shape_text(const std::vector<std::uint64_t>& shape);

/// Little-endian elements to doubles; bytes.size() must be a multiple of bytes_of(dtype).
[[nodiscard]] std::vector<double> decode_elements(std::string_view bytes, DType dtype,
                                                  const Place& place);
/// Elements as written by our writers: F64 for types that F32 does not hold exactly (F64 and
/// integers of 32 bits and more), F32 for all others.
[[nodiscard]] DType written_dtype(DType dtype);
[[nodiscard]] std::string encode_elements(const std::vector<double>& values, DType dtype);

/// What the header of an .npy file says.
struct NpyLayout {
  DType dtype = DType::f32;
  std::vector<std::uint64_t> shape;
  bool column_major = false;
  std::uint64_t elements = 0;
  std::uint64_t data_start = 0;
  [[nodiscard]] std::uint64_t data_bytes() const { return elements * bytes_of(dtype); }
};
/// From the first bytes of a file, which must hold its header.
[[nodiscard]] NpyLayout npy_layout(std::string_view content, const Place& place);
/// The whole file, of which `head` is the first piece; never more than its header announces.
[[nodiscard]] std::string read_npy_bytes(FileReader& reader, std::string head, const Place& place);

/// A whole .npy file in memory; `place.file` names it in errors. Column-major files are turned.
/// Throws InputError for anything that is not a plain numeric array: pickled objects, structured or
/// big-endian or complex types, a size that differs from what the header says. 'V2' (two raw bytes)
/// is read as BF16, the way NumPy writes arrays of that extension type.
[[nodiscard]] TensorData parse_npy(std::string_view content, const Place& place);
/// The tensor is named after the file.
[[nodiscard]] TensorData read_npy(const std::filesystem::path& path);

[[nodiscard]] std::string format_npy(const TensorData& tensor);
void write_npy(const std::filesystem::path& path, const TensorData& tensor);

}  // namespace lacuna
