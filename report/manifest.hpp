// SPDX-License-Identifier: Apache-2.0
// What in a result folder is ours: lacuna-manifest.json lists every file that Lacuna wrote there,
// with its size and SHA-256. Nothing else in the folder is ever replaced or removed, and a listed
// file only while it is as we wrote it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace lacuna {

inline constexpr const char* kManifestFile = "lacuna-manifest.json";

struct ManifestEntry {
  std::uint64_t size = 0;
  std::string sha256;  // as sha256_of() says it
};

struct Manifest {
  std::string command;                         // of lacuna, that wrote the folder
  std::map<std::string, ManifestEntry> files;  // by their names relative to the folder
};

/// The folder's; nothing when it has none. Throws InputError when the file of that name is not a
/// manifest: then it is not ours either.
[[nodiscard]] std::optional<Manifest> read_manifest(const std::filesystem::path& folder);

[[nodiscard]] std::string manifest_json(const Manifest& manifest);

/// What a file is now.
[[nodiscard]] ManifestEntry entry_of(const std::filesystem::path& file);

/// The file is a regular one, reached through real folders, and its bytes are those of the entry.
[[nodiscard]] bool as_written(const std::filesystem::path& folder, const std::string& name,
                              const ManifestEntry& entry);

/// The first thing on the way from the folder to `name` that keeps a file from being put there
/// anew: a file or a link where a folder is needed, or whatever has the name itself.
[[nodiscard]] std::optional<std::string> in_the_way(const std::filesystem::path& folder,
                                                    const std::string& name);

}  // namespace lacuna
