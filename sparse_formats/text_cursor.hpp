// SPDX-License-Identifier: Apache-2.0
// A cursor over the text of a matrix file: numbers and words separated by blanks, with lines that
// mean something. The text is in memory, or read as the cursor goes, some whole lines at a time.
// The line number is counted only where something is wrong or a piece of the text is left behind.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file_reader.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

class TextCursor {
 public:
  /// `text` must outlive the cursor; `file` is what errors name.
  TextCursor(std::string_view text, std::string file)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        whole_(end_),
        bytes_(text.size()),
        file_(std::move(file)) {}
  /// `head` is what has been read of the file so far. `reader` must outlive the cursor.
  TextCursor(FileReader& reader, std::string head, std::string file);
  TextCursor(const TextCursor&) = delete;
  TextCursor& operator=(const TextCursor&) = delete;

  /// Moves to the first word of the next line that holds one, over blank lines and lines that start
  /// with '%'. False at the end of the text.
  bool next_line() {
    while (true) {
      if (at_ >= whole_ && !refill()) return false;
      skip_blanks();
      if (at_ == end_) return false;
      if (*at_ == '%') {
        skip_line();
      } else if (*at_ == '\n') {
        ++at_;
      } else {
        return true;
      }
    }
  }

  /// After next_line(): the line starts with `mark`.
  [[nodiscard]] bool at_comment(char mark) const { return at_ != end_ && *at_ == mark; }

  /// Skips blanks; true when the line or the text ends here.
  bool line_ended() {
    skip_blanks();
    return at_ == end_ || *at_ == '\n';
  }

  /// Moves behind the end of the current line.
  void skip_line();

  /// The next word of the line, empty at its end. Separators are blanks.
  std::string_view word();

  /// A non-negative integer; `what` names it in the error.
  std::uint64_t unsigned_integer(const char* what) {
    skip_blanks();
    std::uint64_t value = 0;
    const auto [after, error] = std::from_chars(at_, end_, value);
    if (error != std::errc{} || !separates(after)) [[unlikely]]
      bad_unsigned(what);
    at_ = after;
    return value;
  }

  /// A finite real number in decimal notation.
  double real(const char* what) {
    skip_blanks();
    double value = 0;
    const char* const digits = skip_plus();
    const auto [after, error] = std::from_chars(digits, end_, value);
    if (error != std::errc{} || !separates(after) || !(value - value == 0.0)) [[unlikely]] {
      value = odd_real(what);
      return value;
    }
    at_ = after;
    return value;
  }

  /// An integer that a double holds exactly (|value| <= 2^53).
  double integer(const char* what);

  /// Throws unless the line ends here. `what` is what was read before.
  void expect_line_end(const char* what) {
    if (!line_ended()) [[unlikely]]
      trailing(what);
  }

  /// How much has been read, 0 to 1.
  [[nodiscard]] double share() const;
  /// Bytes of the whole text; of a file that inflates, about.
  [[nodiscard]] std::uint64_t size() const { return bytes_; }
  /// Of these, about how many are to come.
  [[nodiscard]] std::uint64_t remaining() const {
    const auto passed = passed_bytes_ + static_cast<std::uint64_t>(at_ - begin_);
    return bytes_ - std::min(bytes_, passed);
  }

  /// InputError at the current line.
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion = {}) const;

 private:
  static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  void skip_blanks() {
    while (at_ != end_ && blank(*at_)) ++at_;
  }
  bool separates(const char* after) const {
    return after == end_ || blank(*after) || *after == '\n';
  }
  /// from_chars takes no plus sign, files written by Fortran have it.
  const char* skip_plus() const {
    return end_ - at_ > 1 && *at_ == '+' && at_[1] != '-' && at_[1] != '+' ? at_ + 1 : at_;
  }
  /// Reads on until a line is whole, leaving behind what has been passed; false at the end. A line
  /// of more than kTableLineBytes is refused.
  bool refill();
  void view_buffer(std::size_t at);
  double odd_real(const char* what);
  [[noreturn]] void bad_unsigned(const char* what);
  [[noreturn]] void trailing(const char* what);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* whole_;  // behind the last whole line in memory
  std::uint64_t bytes_;
  std::string file_;
  FileReader* reader_ = nullptr;
  bool all_read_ = false;                              // the reader has no more
  std::string buffer_;                                 // when there is a reader
  std::uint64_t passed_bytes_ = 0, passed_lines_ = 0;  // left behind
};

/// A number of rows or columns that the text states, within what its bytes can make good and what a
/// matrix may have (base/limits.hpp).
[[nodiscard]] Coordinate checked_extent(const TextCursor& cursor, const char* what,
                                        std::uint64_t value);
/// Likewise a number of stored entries.
void check_entries(const TextCursor& cursor, std::uint64_t value);

/// A word of the user's text as it may appear in a message: quoted, shortened, printable.
[[nodiscard]] std::string shown(std::string_view word);

}  // namespace lacuna
