// SPDX-License-Identifier: Apache-2.0
// The .safetensors file (huggingface/safetensors README.md): u64 header length, JSON header, data.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sparse_formats/npy.hpp"

namespace lacuna {

/// One tensor of a file; begin and end are byte offsets into the file's data part.
struct SafetensorsEntry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsIndex {
  std::uint64_t data_start = 0;
  std::map<std::string, SafetensorsEntry> tensors;
};

/// Reads and checks the header alone: names unique, ranges contiguous from 0 without holes and up
/// to the end of the file, sizes equal to shape x type; at most kSafetensorsHeaderBytes. The file
/// must be a regular one.
[[nodiscard]] SafetensorsIndex read_safetensors_index(const std::filesystem::path& path);
[[nodiscard]] std::vector<std::string> safetensors_names(const std::filesystem::path& path);
/// One tensor; with an empty name the only one. Reads no more than its own bytes. A path that ends
/// in
/// ".safetensors.index.json" finds the shard beside it. Types F64, F32, F16, BF16, F8_E4M3,
/// F8_E5M2, all integers and BOOL; others are refused by name.
[[nodiscard]] TensorData read_safetensors(const std::filesystem::path& path,
                                          const std::string& name = {});
/// F32, or F64 where F32 would lose digits (written_dtype).
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors);

}  // namespace lacuna
