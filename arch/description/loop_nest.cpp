// SPDX-License-Identifier: Apache-2.0
#include "arch/description/loop_nest.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

namespace lacuna::description {
namespace {

bool is_letter(char c) {
  return std::isupper(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

std::string Digit::text() const {
  return whole ? rank : rank + std::to_string(number);
}

Digit parse_digit(std::string_view text, const Place& place) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
  const auto letters = static_cast<std::size_t>(end - text.begin());
  Digit digit;
  digit.rank = std::string(text.substr(0, letters));
  digit.whole = letters == text.size();
  const std::string_view number = text.substr(letters);
  const auto [stop, error] =
      std::from_chars(number.data(), number.data() + number.size(), digit.number);
  const bool counted = error == std::errc{} && stop == number.data() + number.size();
  if (letters == 0 || (!digit.whole && (!counted || digit.number > 15))) {
    throw InputError(place, fmt::format("'{}' is not a loop", text),
                     "expected a rank in capitals and its digit, 0 innermost: M1, K0; or a rank "
                     "that is not cut: N");
  }
  return digit;
}

LoopNest::LoopNest(std::vector<Digit> loops, const Place& place) : loops_(std::move(loops)) {
  std::map<std::string, Digit> innermost;  // of each rank, so far
  for (const Digit& digit : loops_) {
    const auto [at, first] = innermost.emplace(digit.rank, digit);
    if (first) continue;
    const Digit& outer = at->second;
    if (digit == outer) {
      throw InputError(place, fmt::format("the loop {} comes twice", digit.text()));
    }
    if (digit.whole || outer.whole) {
      throw InputError(place, fmt::format("the rank {} is cut and not cut at once", digit.rank),
                       fmt::format("write {0}1 and {0}0, or {0} alone", digit.rank));
    }
    if (digit.number + 1 != outer.number) {
      throw InputError(
          place, fmt::format("{} comes inside {}", digit.text(), outer.text()),
          fmt::format("the digits of a rank descend by one, outermost first: {0}2 {0}1 {0}0",
                      digit.rank));
    }
    at->second = digit;
  }
  for (const auto& [rank, digit] : innermost) {
    if (digit.whole || digit.number == 0) continue;
    throw InputError(place, fmt::format("the rank {} ends with {}", rank, digit.text()),
                     fmt::format("its innermost loop is {}0", rank));
  }
}

std::vector<std::string> LoopNest::texts() const {
  std::vector<std::string> out;
  for (const Digit& digit : loops_) out.push_back(digit.text());
  return out;
}

std::optional<std::size_t> LoopNest::depth(const Digit& digit) const {
  const auto found = std::find(loops_.begin(), loops_.end(), digit);
  if (found == loops_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - loops_.begin());
}

bool LoopNest::outermost_of_rank(const Digit& digit) const {
  for (const Digit& other : loops_) {
    if (other == digit) return true;
    if (other.rank == digit.rank) return false;
  }
  return false;
}

bool LoopNest::has_rank(std::string_view rank) const {
  return std::any_of(loops_.begin(), loops_.end(),
                     [rank](const Digit& digit) { return digit.rank == rank; });
}

}  // namespace lacuna::description
