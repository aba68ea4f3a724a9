// SPDX-License-Identifier: Apache-2.0
// Files in and out. Reading inflates gzip on the fly; writing goes to a temporary name that is
// renamed when complete, so that nobody ever sees half a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace lacuna {

/// The whole file, inflated when it is gzip (told by its first bytes, not its name). Throws
/// InputError as FileReader does. `progress`, when given, is called with the share of the file read
/// so far.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    const std::function<void(double)>& progress = {});
/// The same of a file that can only be small; a larger one is refused with `expected`, what it
/// should have been.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& path, std::uint64_t most,
                                          const std::string& expected);

/// Writes `content` under a temporary name in the same folder (.NAME.lacuna-tmp) and renames it.
/// Throws InputError when the folder cannot be written, the disk is full (the temporary file is
/// removed then) or another process is writing the same file.
void write_file(const std::filesystem::path& path, std::string_view content);

/// `content` as a gzip stream (its header holds no name and no time, so equal content gives equal
/// bytes).
[[nodiscard]] std::string gzip(std::string_view content);

/// "sha256:<hex>" of the file's bytes as stored; "unknown: a pipe" of what can be read only once.
[[nodiscard]] std::string sha256_of(const std::filesystem::path& path);
/// Of a text's bytes.
[[nodiscard]] std::string sha256_of_text(std::string_view text);

/// A folder of this name holds what will stand in the folder above it; messages leave it out.
inline constexpr std::string_view kStagingFolder = ".lacuna-staging";

/// Throws the InputError of a place that errno says cannot be written.
[[noreturn]] void cannot_write(const std::filesystem::path& path);

}  // namespace lacuna
