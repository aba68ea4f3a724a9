// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <unordered_map>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

using Json = nlohmann::json;

/// Takes everything and does nothing.
class Listener : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }
};

/// Follows the parser up to where it stops.
class Stop : public Listener {
 public:
  std::string last_key;
  std::size_t byte = 0;  // read so far, the one at fault included
  std::string token;
  std::string reason;

  bool key(string_t& name) override {
    last_key = name;
    return true;
  }
  bool parse_error(std::size_t at, const std::string& last, const Json::exception& error) override {
    byte = at;
    token = last;
    reason = error.what();
    return false;
  }
};

/// Characters that count the lines they leave behind, so that every key knows its own.
struct CountingIterator {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::uint64_t* line;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    if (*at == '\n') ++*line;
    ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

class Keys : public Listener {
 public:
  Keys(const JsonOrigin& origin, const std::function<void(const JsonPath&, std::uint64_t)>& on_key)
      : origin_(origin), on_key_(on_key), line_(origin.first_line == 0 ? 1 : origin.first_line) {}

  void visit(std::string_view text) {
    (void)Json::sax_parse(CountingIterator{text.data(), &line_},
                          CountingIterator{text.data() + text.size(), &line_}, this);
  }

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    path_.back() = name;
    const auto [at, fresh] = lines_.back().emplace(name, line_);
    if (!fresh) {
      const bool lined = origin_.first_line != 0;
      throw InputError(
          Place{origin_.file, lined ? line_ : 0, fmt::format("{}", fmt::join(path_, "."))},
          fmt::format("'{}' is given twice{}", name,
                      lined ? fmt::format(", first on line {}", at->second) : ""));
    }
    if (on_key_) on_key_(path_, line_);
    return true;
  }

 private:
  bool open() {
    path_.emplace_back();
    lines_.emplace_back();
    return true;
  }
  bool close() {
    path_.pop_back();
    lines_.pop_back();
    return true;
  }

  const JsonOrigin& origin_;
  const std::function<void(const JsonPath&, std::uint64_t)>& on_key_;
  std::uint64_t line_;
  JsonPath path_;
  std::vector<std::unordered_map<std::string, std::uint64_t>> lines_;  // of the open objects
};

std::string printable(std::string_view text) {
  constexpr std::size_t most = 120;
  std::string out;
  for (const char c : text.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > most ? out + "..." : out;
}

/// The letters and digits around where the parser stopped.
std::string_view word_at(std::string_view text, std::size_t at) {
  const auto part = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                               text[i] == '-' || text[i] == '+' || text[i] == '.');
  };
  if (!part(at)) return {};
  constexpr std::size_t most = 64;
  std::size_t from = at;
  while (from > 0 && at - from < most && part(from - 1)) --from;
  std::size_t to = at;
  while (to - from < most && part(to)) ++to;
  return text.substr(from, to - from);
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// nlohmann's message: "[json.exception...] parse error at line 1, column 2: syntax error while
/// parsing value - invalid literal; last read: '...'".
std::string without_prefix(const std::string& reason) {
  if (const auto at = reason.find(": syntax error"); at != std::string::npos) {
    return reason.substr(at + 2);
  }
  const auto end = reason.find("] ");
  return end == std::string::npos ? reason : reason.substr(end + 2);
}

}  // namespace

std::uint64_t line_of_byte(std::string_view text, std::size_t byte, std::uint64_t first_line) {
  if (first_line == 0) return 0;
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return first_line + static_cast<std::uint64_t>(std::count(text.begin(), end, '\n'));
}

void visit_json_keys(std::string_view text, const JsonOrigin& origin,
                     const std::function<void(const JsonPath&, std::uint64_t)>& on_key) {
  Keys(origin, on_key).visit(text);
}

void check_json_extent(std::string_view text, const JsonOrigin& origin) {
  if (text.size() > origin.most_bytes) {
    throw InputError(
        Place{origin.file, origin.first_line, {}},
        fmt::format("{} bytes of JSON are too many", grouped(text.size())),
        fmt::format("at most {} are read as one document", grouped(origin.most_bytes)));
  }
  std::uint64_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits::kJsonDepth) {
        throw InputError(Place{origin.file, line_of_byte(text, i, origin.first_line), {}},
                         fmt::format("nested deeper than {} levels", limits::kJsonDepth),
                         "no file that is read here is");
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
}

void refuse_json(std::string_view text, const JsonOrigin& origin) {
  Stop stop;
  (void)Json::sax_parse(text.begin(), text.end(), &stop);
  const std::size_t at = stop.byte == 0 ? 0 : stop.byte - 1;
  const Place place{origin.file, line_of_byte(text, at, origin.first_line),
                    printable(stop.last_key)};
  if (stop.reason.find("out_of_range") != std::string::npos) {
    throw InputError(
        place, fmt::format("not valid JSON: the number {} is out of range", printable(stop.token)),
        "a double holds numbers up to 1.8e308");
  }
  // The parser stops behind the first letter, or behind a minus.
  const std::string_view word = word_at(text, at < text.size() ? at : 0);
  const std::string_view bare = word.substr(word.starts_with('-') ? 1 : 0);
  if (one_of(bare, {"Infinity", "NaN", "nan", "inf", "Inf", "infinity", "NAN", "INF"})) {
    throw InputError(place, fmt::format("not valid JSON: '{}' is no JSON number", word),
                     "Python writes it so; put a number or null in its place");
  }
  if (one_of(bare, {"None", "True", "False"})) {
    throw InputError(place, fmt::format("not valid JSON: '{}' is Python", word),
                     "JSON spells null, true and false");
  }
  throw InputError(place, "not valid JSON: " + printable(without_prefix(stop.reason)),
                   stop.byte >= text.size() ? "the text is cut short or damaged" : "");
}

}  // namespace lacuna
