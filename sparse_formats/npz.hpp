// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz: a ZIP archive of .npy members. Sizes come from the central directory only: NumPy
// writes 0xFFFFFFFF or 0 into the local headers (force_zip64, streaming).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sparse_formats/npy.hpp"

namespace lacuna {

/// Names of the arrays, in the order of the directory, without ".npy".
[[nodiscard]] std::vector<std::string> npz_names(const std::filesystem::path& path);
/// One array; with an empty name the only one. Stored and deflated members, ZIP64 included; the CRC
/// is checked. Throws InputError when the name is absent or ambiguous (with the names there are),
/// or the archive is damaged, encrypted or of another method, or a member inflates beyond
/// kInflatedRatio (base/limits.hpp).
[[nodiscard]] TensorData read_npz(const std::filesystem::path& path, const std::string& name = {});
/// Both of an archive in memory; `file` names it in errors.
[[nodiscard]] std::vector<std::string> parse_npz_names(std::string_view content, const Place& file);
[[nodiscard]] TensorData parse_npz(std::string_view content, const Place& file,
                                   const std::string& name = {});
/// Stored, not compressed; the same bytes for the same tensors. Throws InputError when a member
/// reaches 4 GiB or a name is empty or given twice.
void write_npz(const std::filesystem::path& path, const std::vector<TensorData>& tensors);

}  // namespace lacuna
