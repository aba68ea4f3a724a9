// SPDX-License-Identifier: Apache-2.0
// Quantities as people write them: "30 MiB", "68.256 GiB/s", "1 GHz", "8 pJ/bit". GB is 10^9 bytes,
// GiB is 2^30. Each parser returns nothing when the text is not of its kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace lacuna {

/// "30 MiB", "128 B", "4 KiB", "1 kB"; must be a whole number of bytes.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);
/// "1 GHz", "500 MHz".
[[nodiscard]] std::optional<Hertz> parse_hertz(std::string_view text);
/// "68.256 GiB/s", "2048 B/cycle": bytes per cycle at `clock`.
[[nodiscard]] std::optional<double> parse_bytes_per_cycle(std::string_view text, Hertz clock);
/// "8 pJ/bit", "64 pJ/B": picojoules per bit.
[[nodiscard]] std::optional<double> parse_picojoules_per_bit(std::string_view text);
/// "100 cycles", "1 cycle", "40 ns" (rounded up to whole cycles at `clock`).
[[nodiscard]] std::optional<Cycles> parse_cycles(std::string_view text, Hertz clock);
/// A plain non-negative integer, also written as "1e6" or "4_096"-free digits.
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text);
/// A finite decimal number.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);

/// The largest binary unit that is exact ("30 MiB"), otherwise plain bytes.
[[nodiscard]] std::string to_text(Bytes bytes);
/// For people: "1.234 MB", three or four significant digits, decimal units.
[[nodiscard]] std::string human_bytes(double bytes);
/// For people: "1.234 M", decimal prefixes k, M, G, T.
[[nodiscard]] std::string human_count(double value);
/// For people, from picojoules: "5.123 mJ".
[[nodiscard]] std::string human_energy(double picojoules);
/// With thousands separators: 1,650,800.
[[nodiscard]] std::string grouped(std::uint64_t value);

}  // namespace lacuna
