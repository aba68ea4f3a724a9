// SPDX-License-Identifier: Apache-2.0
#include "base/quantity_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace lacuna {
namespace {

struct NumberAndUnit {
  double number;
  std::string_view unit;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<NumberAndUnit> split(std::string_view text) {
  text = trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  return NumberAndUnit{number, trim(text.substr(static_cast<std::size_t>(end - text.data())))};
}

constexpr std::array<std::pair<std::string_view, double>, 10> kByteUnits{{
    {"B", 1.0},
    {"kB", 1e3},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
}};

std::optional<double> byte_unit(std::string_view unit) {
  for (const auto& [name, factor] : kByteUnits) {
    if (name == unit) return factor;
  }
  return std::nullopt;
}

std::string with_prefix(double value, std::string_view unit,
                        const std::array<std::string_view, 6>& prefixes) {
  std::size_t i = 0;
  double scaled = value;
  while (std::abs(scaled) >= 1000.0 && i + 1 < prefixes.size()) {
    scaled /= 1000.0;
    ++i;
  }
  const int decimals = i == 0 && scaled == std::floor(scaled) ? 0
                       : std::abs(scaled) >= 100.0            ? 1
                       : std::abs(scaled) >= 10.0             ? 2
                                                              : 3;
  return fmt::format("{:.{}f}{}{}{}", scaled, decimals,
                     prefixes[i].empty() && unit.empty() ? "" : " ", prefixes[i], unit);
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto parsed = split(text);
  if (!parsed || parsed->number < 0) return std::nullopt;
  const auto factor = byte_unit(parsed->unit);
  if (!factor) return std::nullopt;
  const double bytes = parsed->number * *factor;
  if (bytes != std::floor(bytes) || bytes > 9.0e18) return std::nullopt;
  return Bytes(static_cast<std::uint64_t>(bytes));
}

std::optional<Hertz> parse_hertz(std::string_view text) {
  const auto parsed = split(text);
  if (!parsed || parsed->number <= 0) return std::nullopt;
  constexpr std::array<std::pair<std::string_view, double>, 4> units{
      {{"Hz", 1.0}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}}};
  for (const auto& [name, factor] : units) {
    const double hertz = parsed->number * factor;
    if (name == parsed->unit && std::isfinite(hertz)) return Hertz(hertz);
  }
  return std::nullopt;
}

std::optional<double> parse_bytes_per_cycle(std::string_view text, Hertz clock) {
  const auto parsed = split(text);
  if (!parsed || parsed->number <= 0) return std::nullopt;
  const auto slash = parsed->unit.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto factor = byte_unit(trim(parsed->unit.substr(0, slash)));
  const auto per = trim(parsed->unit.substr(slash + 1));
  if (!factor) return std::nullopt;
  if (per != "cycle" && per != "s") return std::nullopt;
  const double bytes = parsed->number * *factor / (per == "s" ? clock.count() : 1.0);
  if (!std::isfinite(bytes) || bytes <= 0) return std::nullopt;
  return bytes;
}

std::optional<double> parse_picojoules_per_bit(std::string_view text) {
  const auto parsed = split(text);
  if (!parsed || parsed->number < 0) return std::nullopt;
  if (parsed->unit == "pJ/bit") return parsed->number;
  if (parsed->unit == "pJ/B") return parsed->number / 8.0;
  return std::nullopt;
}

std::optional<Cycles> parse_cycles(std::string_view text, Hertz clock) {
  const auto parsed = split(text);
  if (!parsed || parsed->number < 0) return std::nullopt;
  double cycles = 0;
  if (parsed->unit == "cycles" || parsed->unit == "cycle") {
    cycles = parsed->number;
    if (cycles != std::floor(cycles)) return std::nullopt;
  } else if (parsed->unit == "ns") {
    cycles = std::ceil(parsed->number * 1e-9 * clock.count());
  } else {
    return std::nullopt;
  }
  if (cycles > 9.0e18) return std::nullopt;
  return Cycles(static_cast<std::uint64_t>(cycles));
}

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && !text.empty()) return value;
  const auto parsed = split(text);  // 1e6, 4096.0
  if (!parsed || !parsed->unit.empty() || parsed->number < 0 || parsed->number > 9.0e15 ||
      parsed->number != std::floor(parsed->number)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(parsed->number);
}

std::optional<double> parse_number(std::string_view text) {
  const auto parsed = split(text);
  if (!parsed || !parsed->unit.empty()) return std::nullopt;
  return parsed->number;
}

std::string to_text(Bytes bytes) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 3> units{
      {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}}};
  for (const auto& [name, factor] : units) {
    if (bytes.count() >= factor && bytes.count() % factor == 0) {
      return fmt::format("{} {}", bytes.count() / factor, name);
    }
  }
  return fmt::format("{} B", bytes.count());
}

std::string human_bytes(double bytes) {
  return with_prefix(bytes, "B", {"", "k", "M", "G", "T", "P"});
}

std::string human_count(double value) {
  return with_prefix(value, "", {"", "k", "M", "G", "T", "P"});
}

std::string human_energy(double picojoules) {
  return with_prefix(picojoules, "J", {"p", "n", "u", "m", "", "k"});
}

std::string grouped(std::uint64_t value) {
  std::string digits = fmt::format("{}", value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace lacuna
