// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/text_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {

std::string shown(std::string_view word) {
  constexpr std::size_t longest = 40;
  std::string out = "'";
  for (const char c : word.substr(0, longest)) out += c >= ' ' && c <= '~' ? c : '?';
  if (word.size() > longest) out += "...";
  return out + "'";
}

TextCursor::TextCursor(FileReader& reader, std::string head, std::string file)
    : begin_(nullptr),
      at_(nullptr),
      end_(nullptr),
      whole_(nullptr),
      // Of a gzip file of several members the expectation is of the last one alone, and it may lie.
      bytes_(reader.expected_bytes() == reader.stored_bytes()
                 ? reader.stored_bytes()
                 : std::max(reader.expected_bytes(), 4 * reader.stored_bytes())),
      file_(std::move(file)),
      reader_(&reader),
      buffer_(std::move(head)) {
  view_buffer(0);
}

void TextCursor::view_buffer(std::size_t at) {
  begin_ = buffer_.data();
  at_ = begin_ + at;
  end_ = begin_ + buffer_.size();
  const std::size_t newline = buffer_.rfind('\n');
  whole_ = newline == std::string::npos ? begin_ : begin_ + newline + 1;
}

bool TextCursor::refill() {
  while (reader_ != nullptr && !all_read_) {
    const auto passed = static_cast<std::size_t>(at_ - begin_);
    if (!reader_->read(buffer_)) {
      // What has been passed stays, for a message about the last line.
      all_read_ = true;
      view_buffer(passed);
      whole_ = end_;  // the last line need not end
      break;
    }
    const auto kept = buffer_.begin() + static_cast<std::ptrdiff_t>(passed);
    passed_bytes_ += passed;
    passed_lines_ += static_cast<std::uint64_t>(std::count(buffer_.begin(), kept, '\n'));
    buffer_.erase(buffer_.begin(), kept);
    view_buffer(0);
    if (whole_ != begin_) break;
    if (buffer_.size() > limits::kTableLineBytes) {
      fail(fmt::format("a line of more than {} bytes", grouped(limits::kTableLineBytes)),
           "an entry of a matrix takes a line of its own");
    }
  }
  return at_ != end_;
}

double TextCursor::share() const {
  if (reader_ != nullptr) return reader_->share();
  return bytes_ == 0 ? 1.0 : 1.0 - static_cast<double>(remaining()) / static_cast<double>(bytes_);
}

void TextCursor::skip_line() {
  const auto* newline =
      static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
  at_ = newline == nullptr ? end_ : newline + 1;
}

std::string_view TextCursor::word() {
  skip_blanks();
  const char* const first = at_;
  while (!separates(at_)) ++at_;
  return {first, static_cast<std::size_t>(at_ - first)};
}

double TextCursor::integer(const char* what) {
  skip_blanks();
  constexpr std::int64_t largest = std::int64_t{1} << 53;
  std::int64_t value = 0;
  const auto [after, error] = std::from_chars(skip_plus(), end_, value);
  const bool whole =
      (error == std::errc{} || error == std::errc::result_out_of_range) && separates(after);
  if (!whole) {
    if (line_ended()) fail(fmt::format("the {} is missing", what));
    fail(fmt::format("{} {} is not an integer, as the banner promises", what, shown(word())),
         "write 'real' in the banner if values have fractions");
  }
  if (error != std::errc{} || value > largest || value < -largest) {
    fail(fmt::format("{} {} is beyond 2^53, where doubles stop being exact", what, shown(word())),
         "write 'real' in the banner to have it rounded");
  }
  at_ = after;
  return static_cast<double>(value);
}

double TextCursor::odd_real(const char* what) {
  const char* const digits = skip_plus();
  if (line_ended()) fail(fmt::format("the {} is missing", what));
  double value = 0;
  const auto [after, error] = std::from_chars(digits, end_, value);
  if (error == std::errc::result_out_of_range && separates(after)) {
    // Too small is as good as strtod rounds it; too large is infinite and refused below.
    value = std::strtod(std::string(digits, after).c_str(), nullptr);
  } else if (error != std::errc{} || !separates(after)) {
    fail(fmt::format("{} {} is not a number", what, shown(word())),
         "expected decimal notation such as -1.5e-3");
  }
  if (!std::isfinite(value)) fail(fmt::format("{} {} is not finite", what, shown(word())));
  at_ = after;
  return value;
}

void TextCursor::bad_unsigned(const char* what) {
  if (line_ended()) fail(fmt::format("the {} is missing", what));
  const std::string_view text = word();
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  fail(fmt::format("{} {} is {}", what, shown(text),
                   digits ? "too large" : "not a non-negative integer"));
}

void TextCursor::trailing(const char* what) {
  fail(fmt::format("unexpected {} after the {}", shown(word()), what));
}

void TextCursor::fail(const std::string& problem, const std::string& suggestion) const {
  // At the end of the text the last line that holds something is the one to look at.
  const char* stop = at_;
  if (stop == end_) {
    while (stop != begin_ && (blank(stop[-1]) || stop[-1] == '\n')) --stop;
  }
  const auto line = passed_lines_ + static_cast<std::uint64_t>(std::count(begin_, stop, '\n')) + 1;
  throw InputError(Place{file_, line, {}}, problem, suggestion);
}

Coordinate checked_extent(const TextCursor& cursor, const char* what, std::uint64_t value) {
  if (value > limits::kMatrixExtent) {
    cursor.fail(
        fmt::format("{} {} is too large", what, value),
        fmt::format("at most {}, whose row offsets take 2 GiB", grouped(limits::kMatrixExtent)));
  }
  const std::uint64_t largest =
      limits::kMatrixExtentFloor + limits::kMatrixExtentPerByte * cursor.size();
  if (value > largest) {
    cursor.fail(
        fmt::format("{} {} is out of proportion to {} bytes of text", what, value, cursor.size()),
        fmt::format("at most {} here", largest));
  }
  return static_cast<Coordinate>(value);
}

void check_entries(const TextCursor& cursor, std::uint64_t value) {
  if (value <= limits::kMatrixEntries) return;
  cursor.fail(fmt::format("{} entries are too many", grouped(value)),
              fmt::format("at most {}, which take 16 GiB", grouped(limits::kMatrixEntries)));
}

}  // namespace lacuna
