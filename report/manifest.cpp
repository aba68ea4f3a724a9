// SPDX-License-Identifier: Apache-2.0
#include "report/manifest.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/file.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kSchema = "lacuna.manifest/1";
constexpr std::uintmax_t kLargest = 64U << 20;  // bytes; some hundred thousand files

[[noreturn]] void not_ours(const fs::path& file) {
  throw InputError(Place{file.string(), 0, {}}, "is not a manifest that Lacuna wrote",
                   "it tells which files may be replaced: choose another folder with --out, or "
                   "move the file away");
}

/// Below the folder, and nowhere else.
bool is_safe(const fs::path& name) {
  if (name.empty() || name.is_absolute() || name.lexically_normal() != name) return false;
  return *name.begin() != ".." && name.has_filename() && name != ".";
}

}  // namespace

std::optional<Manifest> read_manifest(const fs::path& folder) {
  const fs::path file = folder / kManifestFile;
  std::error_code error;
  const auto status = fs::symlink_status(file, error);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  if (!fs::is_regular_file(status) || fs::file_size(file, error) > kLargest) not_ours(file);
  const OrderedJson json = OrderedJson::parse(read_file(file), nullptr, false);
  if (!json.is_object() || json.value("schema", OrderedJson()) != kSchema) not_ours(file);
  try {
    Manifest manifest{json.at("command").get<std::string>(), {}};
    for (const OrderedJson& entry : json.at("files")) {
      const auto name = entry.at("name").get<std::string>();
      if (!is_safe(name)) not_ours(file);
      manifest.files[name] = {entry.at("size").get<std::uint64_t>(),
                              entry.at("sha256").get<std::string>()};
    }
    return manifest;
  } catch (const OrderedJson::exception&) {
    not_ours(file);
  }
}

std::string manifest_json(const Manifest& manifest) {
  OrderedJson json{{"schema", kSchema},
                   {"version", LACUNA_VERSION},
                   {"command", manifest.command},
                   {"files", OrderedJson::array()}};
  for (const auto& [name, entry] : manifest.files) {
    json["files"].push_back({{"name", name}, {"size", entry.size}, {"sha256", entry.sha256}});
  }
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

ManifestEntry entry_of(const fs::path& file) {
  return {fs::file_size(file), sha256_of(file)};
}

bool as_written(const fs::path& folder, const std::string& name, const ManifestEntry& entry) {
  if (in_the_way(folder, name) != name) return false;
  const fs::path file = folder / name;
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(file, error))) return false;
  return fs::file_size(file, error) == entry.size && !error && sha256_of(file) == entry.sha256;
}

std::optional<std::string> in_the_way(const fs::path& folder, const std::string& name) {
  fs::path at;
  std::error_code error;
  for (const fs::path& part : fs::path(name)) {
    at /= part;
    const auto status = fs::symlink_status(folder / at, error);
    if (!fs::exists(status)) return std::nullopt;
    if (at == name || !fs::is_directory(status)) return at.string();
  }
  return std::nullopt;
}

}  // namespace lacuna
