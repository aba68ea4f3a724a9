// SPDX-License-Identifier: Apache-2.0
// A table of comma-separated values that is written row by row.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/csv_text.hpp"
#include "base/error.hpp"

namespace lacuna {

/// A field on one line, because gnuplot reads line by line.
[[nodiscard]] inline std::string csv_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return csv_field(text);
}

class CsvTable {
 public:
  /// Throws InputError for a file that cannot be written; so do the others.
  explicit CsvTable(const std::filesystem::path& file)
      : file_(std::fopen(file.c_str(), "w"), std::fclose), name_(file.string()) {
    if (!file_) throw InputError({name_, 0, {}}, "cannot write the file");
  }
  /// Fields as csv_field() gives them.
  void row(const std::vector<std::string>& fields) {
    put(fmt::format("{}\n", fmt::join(fields, ",")));
  }
  void put(const std::string& text) {
    if (std::fputs(text.c_str(), file_.get()) < 0) {
      throw InputError({name_, 0, {}}, "cannot write the file", "is the disk full?");
    }
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string name_;
};

}  // namespace lacuna
