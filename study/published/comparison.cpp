// SPDX-License-Identifier: Apache-2.0
#include "study/published/comparison.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/quantity_text.hpp"

namespace lacuna::validation {
namespace {

std::optional<double> find(const Simulated& simulated, const std::string& quantity) {
  const auto found = simulated.values.find(quantity);
  if (found == simulated.values.end()) return {};
  return found->second;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return grouped(static_cast<std::uint64_t>(value));
  }
  return fmt::format("{:.4g}", value);
}

std::string error_text(const Comparison& comparison) {
  const auto error = comparison.error_percent();
  if (!error) return "-";
  if (*comparison.simulated == comparison.published) return "0";
  return std::abs(*error) < 0.01 ? fmt::format("{:+.4f}", *error) : fmt::format("{:+.2f}", *error);
}

/// The published machine's time is the larger of two throughput bounds and 2 to 11 % more.
std::string bound_remark(double published, double bound) {
  const double below = 100 * (published - bound) / published;
  if (std::abs(below) < 0.001) return "the published time is this bound";
  if (below >= 0 && below <= 12) return "within the 0-12 % that published times lie above bounds";
  return below < 0 ? "above the published time" : "further below than other published times";
}

}  // namespace

std::optional<double> Comparison::error_percent() const {
  if (!simulated || published == 0) return {};
  return 100 * (*simulated - published) / published;
}

std::vector<Comparison> compare(const PublishedRun& published, const Simulated& simulated) {
  std::vector<Comparison> out;
  for (const PublishedNumber& number : published.numbers) {
    if (number.demand == Demand::bound) {
      const auto bound = find(simulated, "cycles_bound_ns");
      const auto time = simulated.remarks.find("simulated_ns");
      std::string remark = bound ? bound_remark(number.value, *bound) : "";
      if (!number.note.empty()) remark += "; " + number.note;
      out.push_back({number.quantity + ", bound", number.value, bound, false, remark});
      out.push_back({number.quantity + ", simulated", number.value, find(simulated, "simulated_ns"),
                     false, time == simulated.remarks.end() ? "" : time->second});
      continue;
    }
    Comparison line{number.quantity, number.value, find(simulated, number.quantity), false,
                    number.note};
    if (number.demand == Demand::exact) {
      line.failed = !line.simulated || *line.simulated != number.value;
      if (line.failed) line.remark.insert(0, line.remark.empty() ? "DIFFERS" : "DIFFERS; ");
    } else if (line.remark.empty()) {
      const auto remark = simulated.remarks.find(number.quantity);
      line.remark = remark == simulated.remarks.end() ? "no target" : remark->second;
    }
    if (number.standing != "published") {
      line.remark += (line.remark.empty() ? "" : "; ") + number.standing;
    }
    out.push_back(std::move(line));
  }
  return out;
}

std::string comparison_table(const PublishedRun& published,
                             const std::vector<Comparison>& comparisons) {
  std::string text =
      fmt::format("{}, {} ({})\n", published.matrix, published.series, published.source);
  for (const Comparison& line : comparisons) {
    text += fmt::format(
        "  {:<22} {:>15} {:>15} {:>9}  {}\n", line.quantity, number_text(line.published),
        line.simulated ? number_text(*line.simulated) : "-", error_text(line), line.remark);
  }
  return text;
}

}  // namespace lacuna::validation
