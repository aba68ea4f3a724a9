// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/text_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace lacuna::routing {
namespace {

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  while (true) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string out = "'";
  for (const char c : text.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
  out += text.size() > most ? "...'" : "'";
  return out;
}

bool TextLines::next() {
  if (rest_.empty()) return false;
  const auto end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
  ++number_;
  return true;
}

TextTable::TextTable(std::string file, std::string_view text)
    : file_(std::move(file)), lines_(text) {
  if (!lines_.next()) fail("the file is empty", "expected a header line with column names");
  split_line();
  if (fields_.size() > limits::kTableColumns) {
    fail(fmt::format("{} columns are too many", fields_.size()),
         fmt::format("at most {} are read", limits::kTableColumns));
  }
  for (const auto field : fields_) {
    if (!places_.emplace(field, columns_.size()).second) {
      fail(fmt::format("column {} appears twice", excerpt(field)));
    }
    columns_.emplace_back(field);
  }
}

void TextTable::fail(const std::string& problem, const std::string& suggestion) const {
  throw InputError(Place{file_, lines_.number(), ""}, problem, suggestion);
}

void TextTable::split_line() {
  if (lines_.line().size() > limits::kTableLineBytes) {
    fail(fmt::format("a line of {} bytes", lines_.line().size()),
         fmt::format("at most {} are read", limits::kTableLineBytes));
  }
  split(lines_.line(), fields_);
}

std::size_t TextTable::find(std::string_view column) const {
  const auto at = places_.find(column);
  return at == places_.end() ? kNone : at->second;
}

std::size_t TextTable::column(std::string_view name) const {
  const std::size_t at = find(name);
  if (at == kNone) fail(fmt::format("no column '{}'", name), suggest(name, columns_));
  return at;
}

std::vector<std::size_t> TextTable::numbered(std::string_view prefix) const {
  std::vector<std::size_t> out;
  while (true) {
    const std::size_t at = find(fmt::format("{}{}", prefix, out.size()));
    if (at == kNone) return out;
    out.push_back(at);
  }
}

bool TextTable::next() {
  if (!lines_.next()) return false;
  split_line();
  if (fields_.size() != columns_.size()) {
    fail(fmt::format("{} fields, the header has {}", fields_.size(), columns_.size()),
         "the line is cut short or damaged");
  }
  return true;
}

std::int64_t TextTable::integer(std::size_t column) const {
  const std::string_view field = fields_[column];
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size()) {
    fail(fmt::format("{} = {} is not an integer", columns_[column], excerpt(field)));
  }
  return value;
}

std::uint64_t TextTable::natural(std::size_t column, std::uint64_t most) const {
  const std::int64_t value = integer(column);
  if (value < 0 || static_cast<std::uint64_t>(value) > most) {
    fail(fmt::format("{} = {} is not between 0 and {}", columns_[column], value, most));
  }
  return static_cast<std::uint64_t>(value);
}

double TextTable::number(std::size_t column) const {
  const std::string_view field = fields_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size() || !std::isfinite(value)) {
    fail(fmt::format("{} = {} is not a finite number", columns_[column], excerpt(field)));
  }
  return value;
}

}  // namespace lacuna::routing
