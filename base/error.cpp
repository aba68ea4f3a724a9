// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace lacuna {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// A message is read by people: what a file is full of is not repeated whole.
std::string bounded(std::string text) {
  constexpr std::size_t kHead = 3000, kTail = 1000;
  if (text.size() <= kHead + kTail) return text;
  const std::size_t left_out = text.size() - kHead - kTail;
  return fmt::format("{} ... [{} characters] ... {}", text.substr(0, kHead), left_out,
                     text.substr(text.size() - kTail));
}

std::string compose(const Place& place, const std::string& problem, const std::string& suggestion) {
  std::string text = place.text();
  if (!text.empty()) text += ": ";
  text += problem;
  if (!suggestion.empty()) text += "; " + suggestion;
  return text;
}

}  // namespace

std::string Place::text() const {
  std::string out = file;
  if (line != 0) out += fmt::format("{}{}", out.empty() ? "line " : ":", line);
  if (!field.empty()) out += fmt::format("{}{}", out.empty() ? "" : ": ", field);
  return out;
}

InputError::InputError(Place place, const std::string& problem, const std::string& suggestion)
    : std::runtime_error(bounded(compose(place, problem, suggestion))), place_(std::move(place)) {}

// Upper and lower case are one here, and a name that shares no letter with the word is never near.
std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 256;  // nothing longer is a misspelt name
  if (word.size() > kLongest) return {};
  const std::string plain = lower(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    if (candidate.size() > kLongest) continue;
    // They differ by at least as many letters as one is longer.
    const bool longer = word.size() > candidate.size();
    const std::size_t excess =
        longer ? word.size() - candidate.size() : candidate.size() - word.size();
    if (excess >= best_distance) continue;
    const std::size_t distance = edit_distance(plain, lower(candidate));
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggest(std::string_view word, const std::vector<std::string>& known) {
  if (const std::string best = nearest(word, known); !best.empty()) {
    return fmt::format("did you mean '{}'?", best);
  }
  if (known.empty()) return {};
  constexpr std::size_t most = 60;
  if (known.size() > most) {
    const auto end = known.begin() + static_cast<std::ptrdiff_t>(most);
    return fmt::format("expected one of {}: {}, ...", known.size(),
                       fmt::join(known.begin(), end, ", "));
  }
  return fmt::format("expected one of: {}", fmt::join(known, ", "));
}

namespace detail {

void check_failed(const char* condition, const char* file, int line, const std::string& message) {
  std::string_view name(file);
  for (const std::string_view root : {"arch/", "sim/", "dataflows/", "workloads/", "base/"}) {
    if (const auto at = name.rfind(root); at != std::string_view::npos) {
      name.remove_prefix(at);
      break;
    }
  }
  throw ModelError(
      fmt::format("model invariant broken: {} ({}, {}:{})", message, condition, name, line));
}

}  // namespace detail
}  // namespace lacuna
