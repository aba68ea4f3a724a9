// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/safetensors.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

#include "base/file.hpp"
#include "base/json_text.hpp"
#include "base/limits.hpp"

namespace lacuna {
namespace {

using Json = nlohmann::json;

[[noreturn]] void damaged(const Place& place, const std::string& what) {
  throw InputError(place, "the .safetensors file is damaged: " + what);
}

std::uint64_t bits_of(const std::string& dtype, const Place& place) {
  static const std::map<std::string, std::uint64_t> bits{
      {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6}, {"BOOL", 8},    {"U8", 8},
      {"I8", 8},          {"F8_E5M2", 8},     {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},
      {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"U16", 16},    {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"U32", 32},        {"F32", 32},    {"C64", 64},    {"F64", 64},
      {"I64", 64},        {"U64", 64}};
  const auto found = bits.find(dtype);
  if (found != bits.end()) return found->second;
  throw InputError(place, fmt::format("the type '{}' is not known to safetensors", dtype));
}

std::optional<DType> decoded(std::string_view dtype) {
  for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
    if (name_of(static_cast<DType>(i)) == dtype) return static_cast<DType>(i);
  }
  return {};
}

/// Parses an object and refuses names that are given twice at any one level.
Json parse_object(std::string_view text, const Place& place) {
  const JsonOrigin origin{place.file, 0, limits::kSafetensorsHeaderBytes};
  Json out = parse_json(text, origin);
  if (!out.is_object()) damaged(place, "the header is not a JSON object");
  visit_json_keys(text, origin);
  return out;
}

SafetensorsEntry entry_of(const std::string& name, const Json& json, Place place) {
  place.field = name;
  const auto sizes = [&](const char* key) {
    std::vector<std::uint64_t> out;
    if (!json.is_object() || !json.contains(key) || !json[key].is_array()) {
      damaged(place, fmt::format("{} is not a list", key));
    }
    for (const Json& item : json[key]) {
      if (!item.is_number_unsigned()) damaged(place, fmt::format("{} holds no sizes", key));
      out.push_back(item.get<std::uint64_t>());
      constexpr std::size_t kMaxRank = 64;
      if (out.size() > kMaxRank) damaged(place, fmt::format("{} has over 64 entries", key));
    }
    return out;
  };
  SafetensorsEntry out;
  out.shape = sizes("shape");
  const auto range = sizes("data_offsets");
  if (json.size() != 3 || !json.contains("dtype") || !json["dtype"].is_string()) {
    damaged(place, "expected dtype, shape and data_offsets");
  }
  out.dtype = json["dtype"].get<std::string>();
  if (range.size() != 2 || range[0] > range[1]) damaged(place, "data_offsets is not a range");
  out.begin = range[0];
  out.end = range[1];
  const std::uint64_t bits = element_count(out.shape, place) * bits_of(out.dtype, place);
  if (bits % 8 != 0 || out.end - out.begin != bits / 8) {
    damaged(place, fmt::format("the shape {} of {} does not fill its {} bytes",
                               shape_text(out.shape), out.dtype, out.end - out.begin));
  }
  return out;
}

void check_ranges(const SafetensorsIndex& index, std::uint64_t file_size, const Place& place) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, entry] : index.tensors) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t end = 0;
  for (const auto& range : ranges) {
    if (range.first != end) {
      damaged(place, fmt::format("the data has a hole or an overlap at byte {}", end));
    }
    end = range.second;
  }
  const std::uint64_t held = file_size - index.data_start;
  if (end == held) return;
  const std::string both =
      fmt::format("the header describes {} bytes of data, the file holds {}", end, held);
  if (held < end) damaged(place, both + ": it is cut short");
  throw InputError(place, fmt::format("{} bytes follow the last tensor: {}", held - end, both),
                   fmt::format("the format allows none; the file should end at byte {}",
                               index.data_start + end));
}

std::string read_range(std::ifstream& stream, std::uint64_t at, std::uint64_t size,
                       const Place& place) {
  std::string out(size, '\0');
  stream.seekg(static_cast<std::streamoff>(at));
  stream.read(out.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uint64_t>(stream.gcount()) != size) {
    throw InputError(place, "cannot read the file to its end");
  }
  return out;
}

bool is_sharded(const std::filesystem::path& path) {
  return path.string().ends_with(".safetensors.index.json");
}

/// TensorData name -> file name of a sharded checkpoint.
std::map<std::string, std::string> weight_map(const std::filesystem::path& path) {
  const Place place{path.string(), 0, "weight_map"};
  const Json json = parse_object(read_small_file(path, limits::kSafetensorsHeaderBytes,
                                                 "an index of tensors, {\"weight_map\": {...}}"),
                                 place);
  if (!json.contains("weight_map") || !json["weight_map"].is_object()) {
    throw InputError(place, "the index has no weight_map");
  }
  std::map<std::string, std::string> out;
  for (const auto& [name, file] : json["weight_map"].items()) {
    const std::string shard = file.is_string() ? file.get<std::string>() : std::string();
    if (!shard.ends_with(".safetensors") || shard.find('/') != std::string::npos) {
      throw InputError(place,
                       fmt::format("'{}' does not name a .safetensors file beside it", name));
    }
    out[name] = shard;
  }
  return out;
}

}  // namespace

SafetensorsIndex read_safetensors_index(const std::filesystem::path& path) {
  const Place place{path.string(), 0, {}};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw InputError(place,
                     std::filesystem::exists(path, error) ? "is not a regular file, expected one"
                                                          : "cannot read the file: it is missing",
                     "tensors are read from their places in it");
  }
  const std::uint64_t file_size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) throw InputError(place, "cannot read the file");
  if (file_size < 8) throw InputError(place, "the .safetensors file is cut short");
  const std::string raw = read_range(stream, 0, 8, place);
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(raw[i]);
  if (length > file_size - 8) {
    throw InputError(place, fmt::format("its header would take {} bytes of {}", length, file_size),
                     "it is cut short or not a .safetensors file");
  }
  if (length > limits::kSafetensorsHeaderBytes) {
    throw InputError(place, fmt::format("its header takes {} bytes", length),
                     fmt::format("at most {} are read", limits::kSafetensorsHeaderBytes));
  }
  const std::string header = read_range(stream, 8, length, place);
  if (!header.starts_with('{')) damaged(place, "the header does not start with '{'");
  SafetensorsIndex index;
  index.data_start = 8 + length;
  const Json json = parse_object(header, place);
  for (const auto& [name, item] : json.items()) {
    if (name != "__metadata__") {
      index.tensors.emplace(name, entry_of(name, item, place));
      continue;
    }
    const bool texts = item.is_object() && std::all_of(item.begin(), item.end(),
                                                       [](const Json& v) { return v.is_string(); });
    if (!texts) damaged(place, "__metadata__ holds more than texts");
  }
  check_ranges(index, file_size, place);
  return index;
}

std::vector<std::string> safetensors_names(const std::filesystem::path& path) {
  std::vector<std::string> out;
  if (is_sharded(path)) {
    for (const auto& [name, file] : weight_map(path)) out.push_back(name);
  } else {
    for (const auto& [name, entry] : read_safetensors_index(path).tensors) out.push_back(name);
  }
  return out;
}

TensorData read_safetensors(const std::filesystem::path& path, const std::string& name) {
  Place place{path.string(), 0, {}};
  const auto names = safetensors_names(path);
  if (names.empty()) throw InputError(place, "the file holds no tensors");
  if (name.empty() && names.size() > 1) {
    std::string some = fmt::format(
        "{}", fmt::join(names.begin(),
                        names.begin() + std::min<std::ptrdiff_t>(8, std::ssize(names)), ", "));
    throw InputError(place, fmt::format("the file holds {} tensors", names.size()),
                     fmt::format("name one of: {}{}", some, names.size() > 8 ? ", ..." : ""));
  }
  const std::string& chosen = name.empty() ? names.front() : name;
  if (!std::binary_search(names.begin(), names.end(), chosen)) {
    std::string best = nearest(chosen, names);
    throw InputError(place, fmt::format("there is no tensor '{}' among {}", chosen, names.size()),
                     best.empty() ? "" : fmt::format("did you mean '{}'?", best));
  }
  if (is_sharded(path)) {
    return read_safetensors(path.parent_path() / weight_map(path).at(chosen), chosen);
  }
  const SafetensorsIndex index = read_safetensors_index(path);
  const SafetensorsEntry& entry = index.tensors.at(chosen);
  place.field = chosen;
  const auto dtype = decoded(entry.dtype);
  if (!dtype) {
    throw InputError(place, fmt::format("elements of type {} cannot be read", entry.dtype),
                     "convert the tensor to F32 or BF16");
  }
  check_tensor_size(element_count(entry.shape, place), place);
  std::ifstream stream(path, std::ios::binary);
  TensorData out{chosen, *dtype, entry.shape, {}};
  out.values = decode_elements(
      read_range(stream, index.data_start + entry.begin, entry.end - entry.begin, place), *dtype,
      place);
  return out;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors) {
  Json header = Json::object();
  std::string data;
  for (const TensorData& tensor : tensors) {
    const DType dtype = written_dtype(tensor.dtype);
    if (tensor.name.empty() || tensor.name == "__metadata__" || header.contains(tensor.name)) {
      throw InputError(Place{path.string(), 0, {}},
                       fmt::format("'{}' cannot name a tensor of the file", tensor.name),
                       "every tensor needs a name of its own");
    }
    const std::uint64_t begin = data.size();
    data += encode_elements(tensor.values, dtype);
    header[tensor.name] = {{"dtype", std::string(name_of(dtype))},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(text.size() >> (8 * i) & 0xffU);
  write_file(path, out + text + data);
}

}  // namespace lacuna
