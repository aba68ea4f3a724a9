// SPDX-License-Identifier: Apache-2.0
// Lines and comma-separated tables as trace files write them: one header line, no quotes, a decimal
// point, LF or CRLF. Every complaint carries the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lacuna::routing {

/// At most 40 characters of `text`, unprintable ones replaced, in single quotes: for messages.
[[nodiscard]] std::string excerpt(std::string_view text);

/// The lines of a text, without their ends. The text must outlive it.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}
  /// The next line, counted from 1; false at the end.
  bool next();
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::uint64_t number_ = 0;
};

/// A CSV table, read row by row. Rows whose number of fields is not the header's, empty lines
/// between rows and fields that are not of the type asked for throw InputError, as do more columns
/// or longer lines than a table has (base/limits.hpp). The text must outlive it.
class TextTable {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  /// Reads the header line.
  TextTable(std::string file, std::string_view text);
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// The column's index; kNone when it is absent.
  [[nodiscard]] std::size_t find(std::string_view column) const;
  /// The column's index; throws when it is absent.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  /// Indices of prefix0, prefix1, ... as far as they go.
  [[nodiscard]] std::vector<std::size_t> numbered(std::string_view prefix) const;

  bool next();
  [[nodiscard]] std::string_view text(std::size_t column) const { return fields_[column]; }
  [[nodiscard]] std::int64_t integer(std::size_t column) const;
  /// A non-negative integer not above `most`.
  [[nodiscard]] std::uint64_t natural(std::size_t column, std::uint64_t most) const;
  /// A finite number.
  [[nodiscard]] double number(std::size_t column) const;
  [[nodiscard]] std::uint64_t line() const { return lines_.number(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const;

 private:
  void split_line();

  std::string file_;
  TextLines lines_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string_view, std::size_t> places_;  // by name, which lies in the text
  std::vector<std::string_view> fields_;
};

}  // namespace lacuna::routing
