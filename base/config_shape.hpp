// SPDX-License-Identifier: Apache-2.0
// What a configuration may hold, as remembered by the readers that asked for it: the code that
// reads a key stays the only list of keys, and an editor's schema is printed from what it did.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lacuna {

class ConfigDescriptions;

/// A closed interval for numbers; both ends are legal.
struct Range {
  double low;
  double high;
};

/// One way a value may be written.
struct ConfigValue {
  enum class Kind {
    text,
    choice,
    integer,
    number,
    boolean,
    bytes,
    hertz,
    bandwidth,
    cycles,
    picojoules_per_bit,
    texts,  // a list of scalars, or one alone
  };
  Kind kind = Kind::text;
  std::vector<std::string> choices{};
  std::optional<Range> range{};
  std::optional<std::string> default_text{};
};

/// A place in a configuration: a value, a mapping, a list of mappings, or whichever of them the
/// reader accepts. Nodes stay where they are while others are added.
struct ConfigShape {
  std::vector<ConfigValue> values;
  bool mapping = false;
  std::list<std::pair<std::string, ConfigShape>> keys;  // of the mapping, in the order asked
  std::list<ConfigShape> named;  // one: what stands under names of the user's own choice
  std::list<ConfigShape> items;  // one: the mappings of the list
  bool required = false;         // asked for without a default, and never after a look whether
  bool looked_for = false;       // it is there

  [[nodiscard]] const ConfigShape* find(std::string_view key) const;
  ConfigShape& at_or_add(std::string_view key);
  /// Notes that the key was read this way.
  void add(ConfigValue value, bool with_default);
  /// What either accepts; required is what both require.
  void merge(const ConfigShape& other);
};

/// JSON Schema (draft 2020-12) of a file of that shape, for editors. Quantities are strings with
/// their units; keys nobody reads are refused; a file that `extends:` others may leave out what is
/// required. Each key stands with what the descriptions say of it.
[[nodiscard]] std::string json_schema(const ConfigShape& shape, const std::string& title,
                                      const std::string& id,
                                      const ConfigDescriptions& descriptions);

}  // namespace lacuna
