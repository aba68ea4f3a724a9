// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/limits.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/npy.hpp"

namespace lacuna {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

/// Small floats: one sign bit, then exponent and mantissa; `finite_top`: the largest exponent holds
/// numbers too, and only all ones is NaN (F8_E4M3).
double small_float(std::uint32_t code, int exponent_bits, int mantissa_bits, bool finite_top) {
  const std::uint32_t mantissa = code & ((1U << mantissa_bits) - 1);
  const std::uint32_t top = (1U << exponent_bits) - 1;
  const std::uint32_t exponent = code >> mantissa_bits & top;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = (code >> (exponent_bits + mantissa_bits) & 1U) != 0 ? -1.0 : 1.0;
  if (exponent == top && finite_top && mantissa == (1U << mantissa_bits) - 1) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == top && !finite_top) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1U << mantissa_bits),
                           static_cast<int>(exponent) - bias - mantissa_bits);
}

template <class Stored, class Decode>
std::vector<double> decode_as(std::string_view bytes, Decode decode) {
  std::vector<double> out(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = decode(stored);
  }
  return out;
}

template <class Integer>
std::vector<double> decode_integers(std::string_view bytes, const Place& place) {
  return decode_as<Integer>(bytes, [&](Integer value) {
    const auto exact = static_cast<double>(value);
    if constexpr (sizeof(Integer) == 8) {
      if (std::abs(exact) > 0x1p53) {
        throw InputError(place, fmt::format("the integer {} is beyond 2^53", value),
                         "store smaller integers or floating point");
      }
    }
    return exact;
  });
}

}  // namespace

std::string_view name_of(DType dtype) {
  constexpr std::string_view names[] = {"F64",     "F32", "F16", "BF16", "F8_E4M3",
                                        "F8_E5M2", "I64", "I32", "I16",  "I8",
                                        "U64",     "U32", "U16", "U8",   "BOOL"};
  return names[static_cast<std::size_t>(dtype)];
}

std::uint64_t bytes_of(DType dtype) {
  constexpr std::uint8_t sizes[] = {8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 8, 4, 2, 1, 1};
  return sizes[static_cast<std::size_t>(dtype)];
}

std::uint64_t element_count(const std::vector<std::uint64_t>& shape, const Place& place) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 48;
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::uint64_t size : shape) {
    empty = empty || size == 0;
    if (size == 0) continue;
    if (size > kMax || count > kMax / size) {
      throw InputError(place, fmt::format("the shape {} is too large", shape_text(shape)));
    }
    count *= size;
  }
  return empty ? 0 : count;
}

void check_tensor_size(std::uint64_t elements, const Place& place) {
  if (elements <= limits::kTensorElements) return;
  throw InputError(
      place, fmt::format("{} elements are too many", grouped(elements)),
      fmt::format("at most {} are read, 8 GiB as doubles", grouped(limits::kTensorElements)));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<double> decode_elements(std::string_view bytes, DType dtype, const Place& place) {
  LACUNA_CHECK(bytes.size() % bytes_of(dtype) == 0, "{} bytes of {}", bytes.size(), name_of(dtype));
  switch (dtype) {
    case DType::f64:
      return decode_as<double>(bytes, [](double value) { return value; });
    case DType::f32:
      return decode_as<float>(bytes, [](float value) { return static_cast<double>(value); });
    case DType::f16:
      return decode_as<std::uint16_t>(
          bytes, [](std::uint16_t code) { return small_float(code, 5, 10, false); });
    case DType::bf16:
      return decode_as<std::uint16_t>(bytes, [](std::uint16_t code) {
        return static_cast<double>(std::bit_cast<float>(std::uint32_t{code} << 16));
      });
    case DType::f8_e4m3:
      return decode_as<std::uint8_t>(
          bytes, [](std::uint8_t code) { return small_float(code, 4, 3, true); });
    case DType::f8_e5m2:
      return decode_as<std::uint8_t>(
          bytes, [](std::uint8_t code) { return small_float(code, 5, 2, false); });
    case DType::i64:
      return decode_integers<std::int64_t>(bytes, place);
    case DType::i32:
      return decode_integers<std::int32_t>(bytes, place);
    case DType::i16:
      return decode_integers<std::int16_t>(bytes, place);
    case DType::i8:
      return decode_integers<std::int8_t>(bytes, place);
    case DType::u64:
      return decode_integers<std::uint64_t>(bytes, place);
    case DType::u32:
      return decode_integers<std::uint32_t>(bytes, place);
    case DType::u16:
      return decode_integers<std::uint16_t>(bytes, place);
    case DType::u8:
      return decode_integers<std::uint8_t>(bytes, place);
    case DType::boolean:
      break;
  }
  return decode_as<std::uint8_t>(bytes, [](std::uint8_t code) { return code != 0 ? 1.0 : 0.0; });
}

DType written_dtype(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
    case DType::i32:
    case DType::u64:
    case DType::u32:
      return DType::f64;
    default:
      return DType::f32;
  }
}

std::string encode_elements(const std::vector<double>& values, DType dtype) {
  LACUNA_CHECK(dtype == DType::f64 || dtype == DType::f32, "writing {}", name_of(dtype));
  std::string out(values.size() * bytes_of(dtype), '\0');
  if (dtype == DType::f64) {
    if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
    return out;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto narrow = static_cast<float>(values[i]);
    std::memcpy(out.data() + i * sizeof narrow, &narrow, sizeof narrow);
  }
  return out;
}

}  // namespace lacuna
