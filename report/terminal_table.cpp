// SPDX-License-Identifier: Apache-2.0
#include "report/terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/run_labels.hpp"
#include "report/table_rows.hpp"
#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

constexpr std::size_t kGap = 2;            // between columns
constexpr std::size_t kLongestLabel = 30;  // of a row
constexpr std::size_t kNarrowest = 12;     // column of a run
constexpr std::size_t kWidestWords = 28;   // words get no wider than this when they can wrap
constexpr std::size_t kRatio = 8;          // " 12.34x"

class Painter {
 public:
  explicit Painter(bool on) : on_(on) {}
  [[nodiscard]] std::string strong(const std::string& text) const { return wrap_in("1", text); }
  [[nodiscard]] std::string faint(const std::string& text) const { return wrap_in("2", text); }
  [[nodiscard]] std::string tone(Tone tone, const std::string& text) const {
    switch (tone) {
      case Tone::good:
        return wrap_in("32", text);
      case Tone::warning:
        return wrap_in("33", text);
      case Tone::bad:
        return wrap_in("1;31", text);
      case Tone::plain:
        break;
    }
    return text;
  }

 private:
  [[nodiscard]] std::string wrap_in(const char* code, const std::string& text) const {
    return on_ && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  bool on_;
};

struct Column {
  std::size_t run;
  std::size_t width;  // of the value
  bool ratio;         // followed by the value over the first run's
  [[nodiscard]] std::size_t taken() const { return kGap + width + (ratio ? kRatio : 0); }
};

struct Layout {
  std::size_t label_width;
  std::vector<Column> columns;
};

std::size_t value_width(const std::vector<TableRow>& rows, const std::string& label,
                        std::size_t run, std::size_t words) {
  std::size_t width = std::max(kNarrowest, std::min(display_width(label), words));
  for (const TableRow& row : rows) {
    if (row.cells.empty()) continue;
    const TableCell& cell = row.cells[run];
    const std::size_t natural = display_width(cell.text);
    width = std::max(width, cell.wraps ? std::min(natural, words) : natural);
  }
  return width;
}

Layout layout_of(const std::vector<TableRow>& rows, const std::vector<std::string>& labels,
                 std::size_t width) {
  Layout layout{0, {}};
  for (const TableRow& row : rows) {
    if (row.cells.empty()) continue;
    layout.label_width = std::max(layout.label_width, display_width(row.label) + kGap);
  }
  layout.label_width =
      std::min({layout.label_width, kLongestLabel, std::max<std::size_t>(width / 3, 10)});
  // Words are wide when everything fits that way, else they make room.
  for (const std::size_t words : {kWidestWords, kNarrowest}) {
    layout.columns.clear();
    std::size_t total = layout.label_width;
    for (std::size_t run = 0; run < labels.size(); ++run) {
      layout.columns.push_back({run, value_width(rows, labels[run], run, words), run != 0});
      total += layout.columns.back().taken();
    }
    if (total <= width) break;
  }
  return layout;
}

/// The columns in tables that fit; a single one may be too wide and is left so.
std::vector<std::vector<Column>> pages_of(const Layout& layout, std::size_t width) {
  std::vector<std::vector<Column>> pages;
  std::size_t used = 0;
  for (const Column& column : layout.columns) {
    if (pages.empty() || used + column.taken() > width) {
      pages.emplace_back();
      used = layout.label_width;
    }
    used += column.taken();
    pages.back().push_back(column);
  }
  return pages;
}

std::string ratio_text(const TableCell& cell, const TableCell& first) {
  if (!cell.value || !first.value) return {};
  const double ratio = *cell.value / *first.value;
  if (!std::isfinite(ratio)) return {};
  if (ratio != 0 && (ratio >= 1000 || ratio < 0.001)) return fmt::format("{:.0e}x", ratio);
  return fmt::format("{:.{}f}x", ratio, ratio >= 100 ? 0 : ratio >= 10 ? 1 : ratio < 0.1 ? 3 : 2);
}

void trim_right(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

/// A row over as many lines as its longest cell needs.
void print_row(const TableRow& row, const std::vector<Column>& columns, std::size_t label_width,
               const Painter& paint, std::string& out) {
  const auto label = wrap(row.label, label_width - kGap);
  std::size_t lines = label.size();
  std::vector<std::vector<std::string>> texts;
  for (const Column& column : columns) {
    const TableCell& cell = row.cells[column.run];
    texts.push_back(cell.wraps ? wrap(cell.text, column.width) : std::vector{cell.text});
    lines = std::max(lines, texts.back().size());
  }
  for (std::size_t i = 0; i < lines; ++i) {
    std::string line = pad_right("  " + (i < label.size() ? label[i] : ""), label_width);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Column& column = columns[c];
      const TableCell& cell = row.cells[column.run];
      const std::string text = i < texts[c].size() ? texts[c][i] : "";
      line += std::string(kGap, ' ');
      const std::string padded = pad_left(text, column.width);
      line += text.empty() ? padded : paint.tone(cell.tone, padded);
      if (!column.ratio) continue;
      const std::string ratio = i == 0 ? ratio_text(cell, row.cells.front()) : "";
      line += ratio.empty() ? std::string(kRatio, ' ') : paint.faint(pad_left(ratio, kRatio));
    }
    trim_right(line);
    out += line + '\n';
  }
}

void print_header(const std::vector<std::string>& labels, const std::vector<Column>& columns,
                  std::size_t label_width, const Painter& paint, std::string& out) {
  std::size_t lines = 0;
  std::size_t total = label_width;
  std::vector<std::vector<std::string>> names;
  for (const Column& column : columns) {
    names.push_back(wrap(labels[column.run], column.width));
    lines = std::max(lines, names.back().size());
    total += column.taken();
  }
  for (std::size_t i = 0; i < lines; ++i) {
    std::string line(label_width, ' ');
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::size_t above = lines - names[c].size();  // names stand on the rule
      const std::string text = i >= above ? names[c][i - above] : "";
      line += std::string(kGap, ' ') + paint.strong(pad_left(text, columns[c].width));
      if (columns[c].ratio) {
        line += paint.faint(pad_left(i + 1 == lines ? "/first" : "", kRatio));
      }
    }
    trim_right(line);
    out += line + '\n';
  }
  for (std::size_t i = 0; i < total; ++i) out += "─";
  out += '\n';
}

void print_notes(const std::vector<TableNote>& notes, std::size_t width, const Painter& paint,
                 std::string& out) {
  if (!notes.empty()) out += '\n';
  for (const TableNote& note : notes) {
    const char* mark = note.tone == Tone::plain ? "  " : "! ";
    const auto lines = wrap(note.text, std::max<std::size_t>(width, 20) - 2);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out += paint.tone(note.tone, (i == 0 ? mark : "  ") + lines[i]) + '\n';
    }
  }
}

}  // namespace

std::string terminal_table(const std::vector<RunResult>& results, bool color, unsigned width) {
  if (results.empty()) return "no results\n";
  const Painter paint(color);
  const auto labels = run_labels(results);
  const auto rows = table_rows(results);
  const Layout layout = layout_of(rows, labels, width);
  std::string out;
  if (const std::string workload = common_workload(results); !workload.empty()) {
    for (const std::string& line : wrap("Workload: " + workload, std::max(width, 20U))) {
      out += paint.strong(line) + '\n';
    }
    out += '\n';
  }
  bool first = true;
  for (const auto& columns : pages_of(layout, width)) {
    if (!first) out += '\n';
    first = false;
    print_header(labels, columns, layout.label_width, paint, out);
    for (const TableRow& row : rows) {
      if (row.cells.empty()) {
        out += paint.strong(row.label) + '\n';
      } else {
        print_row(row, columns, layout.label_width, paint, out);
      }
    }
  }
  print_notes(table_notes(results, labels), width, paint, out);
  return out;
}

}  // namespace lacuna::report
