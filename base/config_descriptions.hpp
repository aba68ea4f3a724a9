// SPDX-License-Identifier: Apache-2.0
// What the keys of a configuration mean, read from a file of lines "path: words". A path has a
// segment for each key, "[]" behind a list's entry; "*" stands for any one key.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/config.hpp"

namespace lacuna {

class ConfigDescriptions {
 public:
  using Path = std::vector<std::string>;

  ConfigDescriptions() = default;
  explicit ConfigDescriptions(const ConfigTree& tree);

  /// Of the entry that fits with the fewest "*"; empty when none does.
  [[nodiscard]] std::string find(const Path& path) const;
  /// Entries that find() has not given.
  [[nodiscard]] std::vector<std::string> unused() const;

 private:
  struct Entry {
    Path path;
    std::string words;
    mutable bool used = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace lacuna
