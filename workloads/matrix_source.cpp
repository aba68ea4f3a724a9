// SPDX-License-Identifier: Apache-2.0
#include "workloads/matrix_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/mask_text.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "workloads/generators.hpp"

namespace lacuna {
namespace {

/// The "key=value,..." behind a generator's name. It remembers what was asked for, so finish()
/// needs no second list of names.
class Parameters {
 public:
  Parameters(std::string generator, std::string_view text) : generator_(std::move(generator)) {
    while (!text.empty()) {
      const std::string_view item = text.substr(0, text.find(','));
      text.remove_prefix(std::min(text.size(), item.size() + 1));
      const auto equals = item.find('=');
      if (equals == std::string_view::npos || equals == 0 || equals + 1 == item.size()) {
        fail({}, fmt::format("'{}' is not of the form parameter=value", item));
      }
      const std::string key(item.substr(0, equals));
      if (find(key) != nullptr) fail(key, "is given twice");
      given_.emplace_back(key, item.substr(equals + 1));
    }
  }

  std::uint64_t integer(const char* key, std::optional<std::uint64_t> def = {}) {
    const std::string* text = ask(key, def.has_value());
    if (text == nullptr) return *def;
    const auto value = parse_integer(*text);
    if (!value) fail(key, fmt::format("'{}' is not a non-negative integer", *text));
    return *value;
  }

  std::string text(const char* key) { return *ask(key, false); }

  double number(const char* key, std::optional<double> def = {}) {
    const std::string* text = ask(key, def.has_value());
    if (text == nullptr) return *def;
    const auto value = parse_number(*text);
    if (!value) fail(key, fmt::format("'{}' is not a number", *text));
    return *value;
  }

  bool boolean(const char* key, bool def) {
    const std::string* text = ask(key, true);
    if (text == nullptr) return def;
    if (*text != "true" && *text != "false") {
      fail(key, fmt::format("'{}' is neither true nor false", *text));
    }
    return *text == "true";
  }

  /// Rejects what nobody asked for, then what is required and absent: a misspelt name is reported
  /// as that.
  void finish() const {
    for (const auto& [key, value] : given_) {
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
        fail(key, "is not a parameter of this generator", suggest(key, asked_));
      }
    }
    if (!missing_.empty()) {
      fail(missing_.front(), "is required",
           fmt::format("the parameters are {}", fmt::join(asked_, ", ")));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& problem,
                         const std::string& suggestion = {}) const {
    throw InputError(
        Place{{}, 0, key.empty() ? generator_ : fmt::format("{}: {}", generator_, key)}, problem,
        suggestion);
  }

  const std::string* find(std::string_view key) const {
    for (const auto& [name, value] : given_) {
      if (name == key) return &value;
    }
    return nullptr;
  }

  /// A required value that is absent reads as 1 until finish() reports it.
  const std::string* ask(const char* key, bool optional) {
    asked_.emplace_back(key);
    const std::string* text = find(key);
    if (text != nullptr || optional) return text;
    missing_.emplace_back(key);
    static const std::string one = "1";
    return &one;
  }

  std::string generator_;
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> asked_;
  std::vector<std::string> missing_;
};

CsrMatrix make_rmat(Parameters& given) {
  RmatParameters p;
  p.rows = given.integer("rows");
  p.edges = given.integer("edges");
  p.a = given.number("a", p.a);
  p.b = given.number("b", p.b);
  p.c = given.number("c", p.c);
  p.d = given.number("d", p.d);
  p.seed = given.integer("seed", p.seed);
  p.permuted = given.boolean("permuted", p.permuted);
  given.finish();
  return rmat(p);
}

CsrMatrix make_uniform(Parameters& given) {
  const auto rows = given.integer("rows");
  const auto cols = given.integer("cols");
  const auto density = given.number("density");
  const auto seed = given.integer("seed", 1);
  given.finish();
  return uniform_matrix(rows, cols, density, seed);
}

CsrMatrix make_banded(Parameters& given) {
  const auto rows = given.integer("rows");
  const auto half_bandwidth = given.integer("half-bandwidth");
  const auto fill = given.number("fill", 1.0);
  const auto seed = given.integer("seed", 1);
  given.finish();
  return banded_matrix(rows, half_bandwidth, fill, seed);
}

CsrMatrix make_block_diagonal(Parameters& given) {
  const auto blocks = given.integer("blocks");
  const auto size = given.integer("size");
  const auto density = given.number("density", 1.0);
  const auto seed = given.integer("seed", 1);
  given.finish();
  return block_diagonal(blocks, size, density, seed);
}

CsrMatrix make_mesh_2d(Parameters& given) {
  const auto nx = given.integer("nx");
  const auto ny = given.integer("ny");
  given.finish();
  return mesh_2d(nx, ny);
}

CsrMatrix make_mesh_3d(Parameters& given) {
  const auto nx = given.integer("nx");
  const auto ny = given.integer("ny");
  const auto nz = given.integer("nz");
  given.finish();
  return mesh_3d(nx, ny, nz);
}

CsrMatrix make_lattice(Parameters& given) {
  const auto m = given.integer("m");
  given.finish();
  return triangular_lattice(m);
}

CsrMatrix make_mask(Parameters& given) {
  const std::string file = given.text("file");
  const std::uint64_t columns = given.integer("columns", 0);
  given.finish();
  return read_mask_text(file, columns);
}

struct Generator {
  std::string_view name;
  CsrMatrix (*make)(Parameters&);
};

constexpr std::array<Generator, 8> kGenerators{{{"rmat", make_rmat},
                                                {"uniform", make_uniform},
                                                {"banded", make_banded},
                                                {"block-diagonal", make_block_diagonal},
                                                {"mesh2d", make_mesh_2d},
                                                {"mesh3d", make_mesh_3d},
                                                {"lattice", make_lattice},
                                                {"mask", make_mask}}};

const Generator* find_generator(std::string_view name) {
  for (const Generator& generator : kGenerators) {
    if (generator.name == name) return &generator;
  }
  return nullptr;
}

std::string_view generator_part(std::string_view source) {
  return source.substr(0, source.find(':'));
}

}  // namespace

bool is_generated(const std::string& source) {
  std::error_code ignored;
  if (std::filesystem::exists(source, ignored)) return false;
  const std::string_view name = generator_part(source);
  if (find_generator(name) != nullptr) return true;
  // An unknown word with parameters is a misspelt generator, anything else a missing file.
  const bool word =
      !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
  return word && name.size() < source.size() && source.find('=') != std::string::npos;
}

CsrMatrix make_matrix(const std::string& source, const std::function<void(double)>& progress) {
  if (!is_generated(source)) return load_matrix(source, progress);
  const std::string_view name = generator_part(source);
  const Generator* generator = find_generator(name);
  if (generator == nullptr) {
    std::vector<std::string> names;
    for (const Generator& known : kGenerators) names.emplace_back(known.name);
    throw InputError(
        fmt::format("'{}': '{}' is neither a file nor a matrix generator", source, name),
        suggest(name, names));
  }
  Parameters parameters(std::string(name),
                        std::string_view(source).substr(std::min(source.size(), name.size() + 1)));
  CsrMatrix matrix = generator->make(parameters);
  if (progress) progress(1.0);
  return matrix;
}

std::string matrix_file(const std::string& source) {
  if (!is_generated(source)) return source;
  constexpr std::string_view kMask = "mask:", kFile = "file=";
  if (!source.starts_with(kMask)) return {};
  std::string_view rest = std::string_view(source).substr(kMask.size());
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    if (item.starts_with(kFile)) return std::string(item.substr(kFile.size()));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
  }
  return {};
}

std::string matrix_name(const std::string& source) {
  if (is_generated(source) && !matrix_file(source).empty()) {
    const std::filesystem::path stem = matrix_stem(matrix_file(source));
    return (stem.extension() == ".txt" ? stem.stem() : stem).string();
  }
  if (!is_generated(source)) return matrix_stem(source);
  std::string name;
  for (const char c : source) {
    if (c == ':' || c == ',') {
      name += '-';
    } else if (c != '=') {
      name += c;
    }
  }
  return name;
}

}  // namespace lacuna
