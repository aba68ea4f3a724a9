// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "base/plot_text.hpp"
#include "report/csv.hpp"
#include "report/gnuplot_text.hpp"
#include "report/plot_scripts.hpp"
#include "report/run_labels.hpp"
#include "report/text_layout.hpp"
#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

constexpr std::size_t kLongestStripe = 30;  // columns of its name in the key

struct Stripe {
  std::string title;  // clean
  std::string color;
};

/// The length of a whole bar and the text beside its end.
struct End {
  double at;
  std::string text;
};

struct Bars {
  std::string name;
  std::string about;
  std::string title;
  std::string axis;             // with its unit
  std::string value;            // gnuplot expression of a row's length
  std::vector<Stripe> stripes;  // by the series column; without a title: not in the key
  std::vector<End> ends;        // one per bar, or none
  bool percent = false;         // bars of 100 with their percentages written inside
};

/// A decimal unit in which `largest` reads well.
struct Unit {
  double factor;
  std::string name;
};

Unit unit_for(double largest, double smallest_factor, const std::vector<std::string>& names) {
  Unit unit{smallest_factor, names.front()};
  for (std::size_t i = 1; i < names.size() && largest >= unit.factor * 1000; ++i) {
    unit = {unit.factor * 1000, names[i]};
  }
  return unit;
}

End end_of(double value, const Unit& unit) {
  const double scaled = value / unit.factor;
  const int decimals = scaled >= 100 ? 0 : scaled >= 10 ? 1 : scaled >= 0.1 ? 2 : 4;
  return {scaled, fmt::format("{:.{}f} {}", scaled, decimals, unit.name)};
}

std::size_t widest(const std::vector<std::string>& texts) {
  std::size_t width = 0;
  for (const std::string& text : texts) width = std::max(width, display_width(text));
  return width;
}

/// Names beside the bars, wrapped, and how much room they take.
struct Names {
  std::string tics;
  std::size_t columns = 0;
  std::size_t lines = 1;
};

/// gnuplot cuts the label of a tic at 50 bytes when there is a % in it.
std::vector<std::string> tic_lines(const std::string& label) {
  constexpr std::size_t most_bytes = 49;
  const bool cut = label.find('%') != std::string::npos;
  for (std::size_t columns = display_width(label);; --columns) {
    auto lines = gnuplot::lines_of(shorten(label, columns), 26, 3);
    std::size_t bytes = lines.size() - 1;
    for (const std::string& line : lines) bytes += line.size();
    if (!cut || bytes <= most_bytes || columns <= 1) return lines;
  }
}

Names names_of(const std::vector<RunResult>& results) {
  Names names;
  const auto labels = run_labels(results);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto lines = tic_lines(labels[i]);
    names.columns = std::max(names.columns, widest(lines));
    names.lines = std::max(names.lines, lines.size());
    names.tics +=
        (i == 0 ? "" : ", ") + plot_text("bars/tic", fmt::arg("label", gnuplot::joined_tic(lines)),
                                         fmt::arg("row", i + 1));
  }
  return names;
}

std::string end_labels(const std::vector<RunResult>& results, const Bars& bars) {
  std::string out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::size_t run = i + 1;
    const auto row = fmt::arg("row", run);
    if (!results[i].unsupported.empty()) {
      out += plot_text("bars/unsupported", row) + "\n";
    } else if (!bars.ends.empty()) {
      const std::string text = gnuplot::quoted(bars.ends[i].text);
      out += plot_text("bars/end", row, fmt::arg("text", text), fmt::arg("at", bars.ends[i].at)) +
             "\n";
    }
  }
  return out;
}

std::string bar_settings(const std::vector<RunResult>& results, const Bars& bars,
                         const Names& names) {
  std::string colors;
  for (const Stripe& stripe : bars.stripes) colors += (colors.empty() ? "" : ", ") + stripe.color;
  double high = 100;
  if (!bars.ends.empty()) {
    high = 0;
    for (const End& end : bars.ends) high = std::max(high, end.at * 1.22);  // room for its text
  }
  const std::string title = gnuplot::title(bars.title, common_workload(results), 60);
  return plot_text("bars/settings", fmt::arg("title", title),
                   fmt::arg("axis", gnuplot::quoted(bars.axis)), fmt::arg("last", results.size()),
                   fmt::arg("tics", names.tics), fmt::arg("high", high),
                   fmt::arg("count", bars.stripes.size()), fmt::arg("colors", colors),
                   fmt::arg("labels", end_labels(results, bars)));
}

std::string bar_plot(const Bars& bars, double half) {
  const std::string next = plot_text("bars/stack", fmt::arg("value", bars.value));
  const auto of = [&](const char* piece) {
    return plot_text(piece, fmt::arg("name", bars.name), fmt::arg("next", next),
                     fmt::arg("half", half));
  };
  std::vector<std::string> parts{of("bars/plot")};
  if (bars.percent) parts.push_back(of("bars/percent"));
  for (const Stripe& stripe : bars.stripes) {
    if (stripe.title.empty()) continue;
    const std::string title = gnuplot::quoted(shorten(stripe.title, kLongestStripe));
    parts.push_back(
        plot_text("bars/key", fmt::arg("color", stripe.color), fmt::arg("title", title)));
  }
  return plot_list(parts);
}

std::string draw(const std::vector<RunResult>& results, const Bars& bars) {
  constexpr std::size_t character = 8;  // pixels, about
  constexpr std::size_t frame = 165;    // title, axis and margins
  constexpr std::size_t entry = 25;     // of the key, which must fit in one column
  const Names names = names_of(results);
  std::vector<std::string> titles;
  for (const Stripe& stripe : bars.stripes) {
    if (!stripe.title.empty()) titles.push_back(shorten(stripe.title, kLongestStripe));
  }
  const std::size_t row = std::max<std::size_t>(44, 17 * names.lines + 16);
  const std::size_t inside = std::max(results.size() * row, entry * titles.size() + 10);
  const gnuplot::Size size{(names.columns + widest(titles)) * character + 580, inside + frame};
  // With few runs a bar is no thicker than with many.
  const double half =
      std::min(0.34, 20.0 * static_cast<double>(results.size()) / static_cast<double>(inside));
  return gnuplot::script(bars.name, bars.about, size, bar_settings(results, bars, names),
                         bar_plot(bars, half));
}

/// Reads in full colour, writes in a lighter one of the same hue.
std::string traffic_color(const std::string& series, std::size_t i) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> known{
      {{"A read", "0x0072B2"},
       {"A write", "0x7FB8D8"},
       {"B read", "0xE69F00"},
       {"B write", "0xF2CF7F"},
       {"Z read", "0x7FCEB9"},
       {"Z write", "0x009E73"},
       {"Z_partial read", "0xE5BCD3"},
       {"Z_partial write", "0xCC79A7"}}};
  for (const auto& [name, color] : known) {
    if (name == series) return std::string(color);
  }
  return gnuplot::color(4 + i);
}

bool moved_by_dram(const std::vector<RunResult>& results, const std::string& series) {
  for (const RunResult& r : results) {
    const auto dram = r.statistics.traffic.find("dram");
    if (dram == r.statistics.traffic.end()) continue;
    for (const auto& [tensor, moved] : dram->second) {
      if (moved.read_bytes != 0 && tensor + " read" == series) return true;
      if (moved.write_bytes != 0 && tensor + " write" == series) return true;
    }
  }
  return false;
}

}  // namespace

std::string energy_script(const std::vector<RunResult>& results) {
  Bars bars{
      "energy", "Energy by component, stacked; one bar per run.", "Energy by component", {}, {}, {},
      {}};
  double largest = 0;
  for (const RunResult& r : results) largest = std::max(largest, r.energy.total_picojoules);
  if (results.empty() || !(largest > 0)) return {};
  const Unit unit = unit_for(largest, 1, {"pJ", "nJ", "µJ", "mJ", "J", "kJ"});
  bars.axis = fmt::format("Energy ({})", unit.name);
  bars.value = fmt::format("column('energy_pj') / {:e}", unit.factor);
  const auto series = energy_series(results);
  for (std::size_t i = 0; i < series.size(); ++i) {
    bars.stripes.push_back({clean(series[i]), gnuplot::color(i)});
  }
  for (const RunResult& r : results) {
    bars.ends.push_back(end_of(r.energy.total_picojoules, unit));
  }
  return draw(results, bars);
}

std::string traffic_script(const std::vector<RunResult>& results) {
  Bars bars{"traffic",
            "Off-chip traffic by tensor and direction, stacked; one bar per run.",
            "DRAM traffic by tensor",
            {},
            {},
            {},
            {}};
  std::vector<double> totals;
  for (const RunResult& r : results) {
    double total = 0;
    if (const auto dram = r.statistics.traffic.find("dram"); dram != r.statistics.traffic.end()) {
      for (const auto& [tensor, moved] : dram->second) {
        total += static_cast<double>(moved.read_bytes) + static_cast<double>(moved.write_bytes);
      }
    }
    totals.push_back(total);
  }
  const double largest = totals.empty() ? 0 : *std::max_element(totals.begin(), totals.end());
  if (!(largest > 0)) return {};
  const Unit unit = unit_for(largest, 1, {"B", "kB", "MB", "GB", "TB", "PB"});
  bars.axis = fmt::format("DRAM traffic ({})", unit.name);
  // The table holds the other levels too.
  bars.value =
      fmt::format("(strcol('level') eq 'dram' ? column('traffic_bytes') / {:e} : 0)", unit.factor);
  const auto series = traffic_series(results);
  for (std::size_t i = 0; i < series.size(); ++i) {
    bars.stripes.push_back({moved_by_dram(results, series[i]) ? clean(series[i]) : std::string(),
                            traffic_color(series[i], i)});
  }
  for (const double total : totals) bars.ends.push_back(end_of(total, unit));
  return draw(results, bars);
}

std::string stalls_script(const std::vector<RunResult>& results) {
  if (std::all_of(results.begin(), results.end(),
                  [](const RunResult& r) { return total_pe_cycles(r.statistics.stalls) == 0; })) {
    return {};
  }
  Bars bars{"stalls",
            "Where the time of the processing elements goes; each bar is 100 %.",
            "Time of the processing elements",
            "Share of PE-cycles (%)",
            "100 * column('pe_cycle_fraction')",
            {},
            {},
            true};
  constexpr std::array colors{"0x009E73", "0x56B4E9", "0x4A90C8", "0xCC79A7", "0x8C6BB1",
                              "0xE69F00", "0xD97A40", "0xF0E442", "0xBBBBBB"};
  static_assert(colors.size() == kStallNames.size(), "every state has a colour of its own");
  for (std::size_t i = 0; i < kStallNames.size(); ++i) {
    bars.stripes.push_back({std::string(kStallNames[i].shown), colors[i]});
  }
  return draw(results, bars);
}

namespace {

/// Bars of a step's operations, coloured by group.
std::string draw_operations(const std::vector<RunResult>& results, Bars bars,
                            const std::vector<double>& totals, const Unit& unit) {
  const auto series = operation_series(results);
  for (std::size_t i = 0; i < series.size(); ++i) {
    bars.stripes.push_back({clean(series[i]), gnuplot::color(i)});
  }
  for (const double total : totals) bars.ends.push_back(end_of(total, unit));
  return draw(results, bars);
}

}  // namespace

std::string operation_time_script(const std::vector<RunResult>& results) {
  std::vector<double> seconds;
  double largest = 0;
  for (const RunResult& r : results) {
    seconds.push_back(r.unsupported.empty() ? r.seconds() : 0);
    largest = std::max(largest, seconds.back());
  }
  if (!(largest > 0)) return {};
  const Unit unit = unit_for(largest, 1e-9, {"ns", "µs", "ms", "s", "ks"});
  Bars bars{"operation_time",
            "Time by group of operations, stacked; one bar per run.",
            "Time by operation",
            {},
            {},
            {},
            {}};
  bars.axis = fmt::format("Time ({})", unit.name);
  const double clock = results.front().clock.count();  // of the runs of one comparison
  bars.value = fmt::format("column('cycles') / {:e}", clock * unit.factor);
  return draw_operations(results, std::move(bars), seconds, unit);
}

std::string operation_energy_script(const std::vector<RunResult>& results) {
  std::vector<double> picojoules;
  double largest = 0;
  for (const RunResult& r : results) {
    picojoules.push_back(r.energy.total_picojoules);
    largest = std::max(largest, r.energy.total_picojoules);
  }
  if (!(largest > 0)) return {};
  const Unit unit = unit_for(largest, 1, {"pJ", "nJ", "µJ", "mJ", "J", "kJ"});
  Bars bars{"operation_energy",
            "Energy by group of operations, stacked; one bar per run.",
            "Energy by operation",
            {},
            {},
            {},
            {}};
  bars.axis = fmt::format("Energy ({})", unit.name);
  bars.value = fmt::format("column('energy_pj') / {:e}", unit.factor);
  return draw_operations(results, std::move(bars), picojoules, unit);
}

}  // namespace lacuna::report
