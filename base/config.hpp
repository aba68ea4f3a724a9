// SPDX-License-Identifier: Apache-2.0
// The strict configuration reader. A file becomes a tree whose nodes know their file and line; a
// ConfigReader is asked for keys by name and type, remembers what it was asked for, and finish()
// rejects everything else. So the code that reads a key is the only list of keys there is. What was
// read, defaults included, is the resolved configuration that is written beside every result.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config_shape.hpp"
#include "base/error.hpp"
#include "base/message_text.hpp"
#include "base/units.hpp"

namespace lacuna {

/// A parsed YAML (or JSON) value. Mappings keep their order.
struct ConfigTree {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  std::string scalar;
  std::vector<ConfigTree> items;                             // sequence
  std::vector<std::pair<std::string, ConfigTree>> children;  // mapping
  std::string file;
  std::uint64_t line = 0;

  // Defined where the type is complete: clang 14 asks for a pair's size too early otherwise.
  ConfigTree();
  ConfigTree(const ConfigTree& other);
  ConfigTree(ConfigTree&& other) noexcept;
  ConfigTree& operator=(const ConfigTree& other);
  ConfigTree& operator=(ConfigTree&& other) noexcept;
  ~ConfigTree();

  [[nodiscard]] const ConfigTree* find(std::string_view key) const;
  ConfigTree& at_or_add(std::string_view key);
  /// A scalar under the key.
  void put(std::string_view key, std::string value);

  /// Where a name after `extends:` that is no file beside the extending one is found; throws
  /// InputError when it is nowhere.
  using FindBase =
      std::function<std::filesystem::path(const std::string& name, const Place& asked_by)>;

  /// Reads a file and the files it `extends:` (relative to it, one or a list; later and nearer
  /// win), each once and all within the limits of config_yaml.hpp.
  static ConfigTree load(const std::filesystem::path& path, const FindBase& find_base = {});
  static ConfigTree parse(const std::string& text, const std::string& name);
  /// Applies "a.b.c=value"; the value is YAML. Missing mappings on the way are made, so that a
  /// misspelt path is caught by finish() with its suggestion.
  void set(std::string_view assignment);
  /// Puts a value where a path of names leads, through lists whose entries are named.
  void put_at(std::string_view path, ConfigTree value);
  /// Mappings merge key by key, anything else is replaced.
  void merge(const ConfigTree& other);
  [[nodiscard]] std::string to_yaml() const;

 private:
  [[nodiscard]] ConfigTree& reach(std::string_view path, const std::string& origin);
};

/// A place that a setting (--set) gave, not a file.
[[nodiscard]] bool is_setting(const Place& place);
/// Of the places of values that do not go together, the one to name: a setting before a file's
/// line, else the first.
[[nodiscard]] Place blamed(std::initializer_list<Place> places);

/// Parameters: what a quantity may be where its reader says nothing narrower. Wide enough for any
/// machine, narrow enough that sums and products of them stay within 64 bits and finite.
inline constexpr Range kAnyBytes{0, 1125899906842624.0};   // 1 PiB
inline constexpr Range kSomeBytes{1, 1125899906842624.0};  // not zero
inline constexpr Range kAnyClock{1e6, 1e11};               // Hz
inline constexpr Range kAnyBandwidth{1e-3, 1e9};           // B/cycle
inline constexpr Range kAnyCycles{0, 1e9};
inline constexpr Range kAnyPicojoulesPerBit{0, 1e6};

/// One mapping of a configuration while it is being read. Cheap to copy; copies share their memory
/// of what was asked.
class ConfigReader {
 public:
  explicit ConfigReader(ConfigTree root);

  [[nodiscard]] bool has(std::string_view key) const;
  /// The value was given and is a plain scalar (not a mapping or a list).
  [[nodiscard]] bool is_scalar(std::string_view key) const;
  [[nodiscard]] bool is_sequence(std::string_view key) const;
  /// Keys that are present, in order: for mappings whose keys are the user's own names. Each key so
  /// returned counts as asked for.
  [[nodiscard]] std::vector<std::string> keys() const;

  /// A nested mapping; an absent one reads as empty, so its required keys are what is reported.
  [[nodiscard]] ConfigReader mapping(std::string_view key) const;
  /// The mappings of a list (absent: none).
  [[nodiscard]] std::vector<ConfigReader> mappings(std::string_view key) const;
  /// The scalars of a list; a single scalar counts as a list of one (absent: none).
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;

  // Each getter: without a default the key is required. Quantities are given with their unit.
  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> def = {}) const;
  [[nodiscard]] std::uint64_t integer(std::string_view key, Range range,
                                      std::optional<std::uint64_t> def = {}) const;
  [[nodiscard]] double number(std::string_view key, Range range,
                              std::optional<double> def = {}) const;
  [[nodiscard]] bool boolean(std::string_view key, std::optional<bool> def = {}) const;
  [[nodiscard]] Bytes bytes(std::string_view key, std::optional<Bytes> def = {},
                            Range range = kAnyBytes) const;
  [[nodiscard]] Hertz hertz(std::string_view key, std::optional<Hertz> def = {},
                            Range range = kAnyClock) const;
  /// "64 B/cycle" or "68.256 GiB/s", in bytes per cycle; "unbounded" is infinity when allowed.
  [[nodiscard]] double bandwidth(std::string_view key, Hertz clock, std::optional<double> def = {},
                                 Range range = kAnyBandwidth) const;
  [[nodiscard]] Cycles cycles(std::string_view key, Hertz clock, std::optional<Cycles> def = {},
                              Range range = kAnyCycles) const;
  [[nodiscard]] double picojoules_per_bit(std::string_view key, std::optional<double> def = {},
                                          Range range = kAnyPicojoulesPerBit) const;

  template <class Enum>
  using Choices = std::initializer_list<std::pair<std::string_view, Enum>>;
  /// `elsewhere`: names that other readers take, for the suggestion.
  template <class Enum>
  [[nodiscard]] Enum choice(std::string_view key, Choices<Enum> choices,
                            std::optional<Enum> def = {},
                            std::initializer_list<std::string_view> elsewhere = {}) const {
    std::vector<std::string> names;
    std::optional<std::string> def_name;
    for (const auto& [name, value] : choices) {
      names.emplace_back(name);
      if (def && *def == value) def_name = std::string(name);
    }
    const std::string given = named(key, names, def_name);
    for (const auto& [name, value] : choices) {
      if (name == given) return value;
    }
    names.insert(names.end(), elsewhere.begin(), elsewhere.end());
    fail(key, fmt::format("'{}' is not a value of {}", shortened(given), key),
         suggest(given, names));
  }

  /// Rejects every key, at any depth, that nobody asked for.
  void finish() const;
  /// What was read, with defaults filled in and units written out.
  [[nodiscard]] ConfigTree resolved() const;
  /// What was asked for, whether or not it was given.
  [[nodiscard]] ConfigShape shape() const;
  [[nodiscard]] Place place(std::string_view key = {}) const;
  [[noreturn]] void fail(std::string_view key, const std::string& problem,
                         const std::string& suggestion = {}) const;

 private:
  struct Memory;
  ConfigReader(std::shared_ptr<Memory> memory, std::string path, ConfigShape* shape);
  [[nodiscard]] const ConfigTree* node() const;
  [[nodiscard]] const ConfigTree* child(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> scalar(std::string_view key) const;
  [[nodiscard]] std::string named(std::string_view key, const std::vector<std::string>& choices,
                                  const std::optional<std::string>& def) const;
  [[nodiscard]] std::string plain(std::string_view key,
                                  const std::optional<std::string>& def) const;
  void note(std::string_view key, const std::string& value) const;
  /// Where the shape remembers this key.
  [[nodiscard]] ConfigShape& remembered(std::string_view key) const;
  void looked_for(std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[noreturn]] void missing(std::string_view key, std::string_view expected) const;

  std::shared_ptr<Memory> memory_;
  std::string path_;
  ConfigShape* shape_;  // of this mapping, in memory_
};

}  // namespace lacuna
