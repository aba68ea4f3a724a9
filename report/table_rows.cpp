// SPDX-License-Identifier: Apache-2.0
#include "report/table_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/quantity_text.hpp"
#include "report/run_labels.hpp"
#include "report/text_layout.hpp"
#include "run/stall_names.hpp"

namespace lacuna::report {
namespace {

TableCell words(const std::string& text) {
  return {clean(text), {}, true, Tone::plain};
}

TableCell exact(std::uint64_t value) {
  return {grouped(value), static_cast<double>(value), false, Tone::plain};
}

TableCell shown(std::string text, double value) {
  return {std::move(text), value, false, Tone::plain};
}

TableCell percent(double fraction) {
  return {std::isfinite(fraction) ? fmt::format("{:.1f} %", 100 * fraction) : "-",
          {},
          false,
          Tone::plain};
}

/// A share beside a number, always nine columns.
std::string share_text(double fraction) {
  return std::isfinite(fraction) ? fmt::format(" {:6.1f} %", 100 * fraction) : std::string(9, ' ');
}

std::string human_time(double seconds) {
  constexpr std::array<std::pair<double, const char*>, 4> units{
      {{1.0, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  for (const auto& [unit, name] : units) {
    if (seconds >= unit) return fmt::format("{:.4g} {}", seconds / unit, name);
  }
  return fmt::format("{:.4g} ns", seconds * 1e9);
}

/// Collects rows for the runs that ran; a group's heading is kept back until it has a row.
class RowMaker {
 public:
  explicit RowMaker(const std::vector<RunResult>& results) : results_(results) {}

  void group(const std::string& heading) { heading_ = clean(heading); }

  template <class Cell>
  void row(std::string label, const Cell& cell_of) {
    TableRow row{clean(label), {}};
    for (const RunResult& result : results_) {
      row.cells.push_back(result.unsupported.empty() ? cell_of(result) : TableCell{});
    }
    const bool empty = std::all_of(row.cells.begin(), row.cells.end(),
                                   [](const TableCell& cell) { return cell.text.empty(); });
    if (empty) return;
    if (!heading_.empty()) rows_.push_back({std::exchange(heading_, {}), {}});
    rows_.push_back(std::move(row));
  }

  /// One row per key that any run's map has.
  template <class Map, class Cell>
  void rows_of(const Map& map_of, const Cell& cell_of) {
    std::set<std::string> keys;
    for (const RunResult& result : results_) {
      const auto& map = map_of(result);
      for (const auto& [key, value] : map) keys.insert(key);
    }
    for (const std::string& key : keys) {
      row(key, [&](const RunResult& result) {
        const auto& map = map_of(result);
        const auto at = map.find(key);
        return at == map.end() ? TableCell{} : cell_of(result, key, at->second);
      });
    }
  }

  [[nodiscard]] const std::vector<RunResult>& results() const { return results_; }
  [[nodiscard]] std::vector<TableRow> take() { return std::move(rows_); }

 private:
  const std::vector<RunResult>& results_;
  std::string heading_;
  std::vector<TableRow> rows_;
};

void time_rows(RowMaker& make) {
  const RunResult& first = make.results().front();
  make.group("Time");
  make.row("cycles", [](const RunResult& r) { return exact(r.statistics.cycles.count()); });
  make.row("time", [](const RunResult& r) { return shown(human_time(r.seconds()), r.seconds()); });
  if (make.results().size() > 1 && first.unsupported.empty()) {
    make.row("speedup", [&](const RunResult& r) {
      const double speedup = first.seconds() / r.seconds();
      return TableCell{
          std::isfinite(speedup) ? fmt::format("{:.2f} x", speedup) : "-", {}, false, Tone::plain};
    });
  }
  make.row("bound by", [](const RunResult& r) {
    const MachineStatistics& s = r.statistics;
    const auto busy = s.utilization.find(s.bound);
    if (busy == s.utilization.end() || !std::isfinite(busy->second)) return words(s.bound);
    return words(fmt::format("{}, {:.1f} % busy", s.bound, 100 * busy->second));
  });
  make.row("DRAM achieved / peak", [](const RunResult& r) {
    const MachineStatistics& s = r.statistics;
    const double achieved = achieved_dram_bandwidth(s);
    if (s.dram_bytes_per_cycle == 0) return TableCell{};
    if (!std::isfinite(s.dram_bytes_per_cycle)) {
      return words(fmt::format("{:.4g} B/cycle", achieved));
    }
    return words(fmt::format("{:.4g} / {:.4g} B/cycle, {:.1f} %", achieved, s.dram_bytes_per_cycle,
                             100 * achieved / s.dram_bytes_per_cycle));
  });
  make.row("throughput bound",
           [](const RunResult& r) { return exact(r.statistics.cycles_bound.count()); });
  make.row("throughput bound by",
           [](const RunResult& r) { return words(r.statistics.cycles_bound_by); });
  make.row("operand width", [](const RunResult& r) {
    if (r.format.bits == 0) return TableCell{};
    return words(fmt::format("{}, {} bits", r.format.name, r.format.bits));
  });
}

void block_rows(RowMaker& make) {
  make.group("Bound by block (cycles, share of them busy)");
  make.rows_of(
      [](const RunResult& r) -> const auto& { return r.statistics.bounds; },
      [](const RunResult& r, const std::string& block, Cycles cycles) {
        TableCell cell = exact(cycles.count());
        const auto busy = r.statistics.utilization.find(block);
        cell.text +=
            busy == r.statistics.utilization.end() ? std::string(9, ' ') : share_text(busy->second);
        return cell;
      });
  make.group("Time of the PEs (share of PE-cycles)");
  for (const StallName& name : kStallNames) {
    make.row(std::string(name.shown), [&](const RunResult& r) {
      const StallBreakdown& stalls = r.statistics.stalls;
      const std::uint64_t total = total_pe_cycles(stalls);
      if (total == 0) return TableCell{};
      return percent(static_cast<double>(stalls.*name.cycles) / static_cast<double>(total));
    });
  }
}

void mac_rows(RowMaker& make) {
  make.group("MACs");
  make.row("effectual", [](const RunResult& r) { return exact(r.statistics.macs_effectual); });
  make.row("gated", [](const RunResult& r) { return exact(r.macs_gated); });
  make.row("skipped", [](const RunResult& r) { return exact(r.macs_skipped); });
  make.row("dense", [](const RunResult& r) { return exact(r.macs_dense); });
  make.row("nonzeros of Z", [](const RunResult& r) {
    return r.statistics.z_nonzeros == 0 ? TableCell{} : exact(r.statistics.z_nonzeros);
  });
}

const std::map<std::string, Moved>& moved_at(const RunResult& result, const std::string& level) {
  static const std::map<std::string, Moved> nothing;
  const auto at = result.statistics.traffic.find(level);
  return at == result.statistics.traffic.end() ? nothing : at->second;
}

void level_rows(RowMaker& make, const std::string& level) {
  std::set<std::string> tensors;
  for (const RunResult& result : make.results()) {
    for (const auto& [tensor, moved] : moved_at(result, level)) tensors.insert(tensor);
  }
  for (const std::string& tensor : tensors) {
    for (const bool read : {true, false}) {
      const auto bytes = [&](const RunResult& r) {
        const auto at = moved_at(r, level).find(tensor);
        if (at == moved_at(r, level).end()) return std::uint64_t{0};
        return read ? at->second.read_bytes : at->second.write_bytes;
      };
      const auto& all = make.results();
      if (std::all_of(all.begin(), all.end(), [&](const RunResult& r) { return bytes(r) == 0; })) {
        continue;
      }
      make.row(tensor + (read ? " read" : " write"),
               [&](const RunResult& r) { return exact(bytes(r)); });
    }
  }
}

void traffic_rows(RowMaker& make) {
  std::set<std::string> levels;
  for (const RunResult& result : make.results()) {
    for (const auto& [level, tensors] : result.statistics.traffic) levels.insert(level);
  }
  std::vector<std::string> order(levels.begin(), levels.end());
  std::stable_partition(order.begin(), order.end(), [](const auto& l) { return l == "dram"; });
  for (const std::string& level : order) {
    make.group(fmt::format("Traffic of {} (bytes)", level == "dram"  ? "DRAM"
                                                    : level == "llb" ? "LLB"
                                                                     : level));
    level_rows(make, level);
    const auto total = [&](const RunResult& r) {
      std::uint64_t sum = 0;
      for (const auto& [tensor, moved] : moved_at(r, level)) {
        sum += moved.read_bytes + moved.write_bytes;
      }
      return sum;
    };
    make.row("total", [&](const RunResult& r) { return exact(total(r)); });
    make.row("", [&](const RunResult& r) {
      const std::uint64_t bytes = total(r);
      if (bytes < 1000) return TableCell{};
      return TableCell{"= " + human_bytes(static_cast<double>(bytes)), {}, false, Tone::plain};
    });
  }
}

void energy_rows(RowMaker& make) {
  make.group("Energy (share)");
  make.rows_of(
      [](const RunResult& r) -> const auto& { return r.energy.components; },
      [](const RunResult& r, const std::string&, const ComponentReport& component) {
        const double share = component.picojoules / r.energy.total_picojoules;
        std::string text = human_energy(component.picojoules);
        if (std::isfinite(share)) text += fmt::format(" {:5.1f} %", 100 * share);
        return shown(std::move(text), component.picojoules);
      });
  make.row("total", [](const RunResult& r) {
    return shown(human_energy(r.energy.total_picojoules) + std::string(9, ' '),
                 r.energy.total_picojoules);
  });
  make.row("energy x delay", [](const RunResult& r) {
    const double edp = r.energy.total_picojoules * 1e-12 * r.seconds();
    return shown(fmt::format("{:.3e} J s", edp), edp);
  });
  make.row("area", [](const RunResult& r) {
    if (r.energy.area_um2 == 0) return TableCell{};
    return shown(fmt::format("{:.4g} mm2", r.energy.area_um2 * 1e-6), r.energy.area_um2);
  });
}

/// "512 x 1024", with the names of the ranks when they are known: "k 512 x n 1024".
std::string shape_text(const TilingReport& t) {
  std::string text;
  for (std::size_t i = 0; i < t.shape.size(); ++i) {
    if (i != 0) text += " x ";
    if (t.ranks.size() == t.shape.size()) text += t.ranks[i] + " ";
    text += grouped(t.shape[i]);
  }
  return text + (t.clamped ? " (whole)" : "");
}

void tiling_rows(RowMaker& make) {
  std::set<std::string> operands;
  for (const RunResult& result : make.results()) {
    for (const auto& [operand, t] : result.tiling) operands.insert(operand);
  }
  for (const std::string& operand : operands) {
    const auto add = [&](const char* label, const auto& cell_of) {
      make.row(label, [&](const RunResult& r) {
        const auto at = r.tiling.find(operand);
        return at == r.tiling.end() ? TableCell{} : cell_of(at->second);
      });
    };
    make.group(fmt::format("Tiling of {}", operand));
    add("strategy", [](const TilingReport& t) { return words(t.strategy); });
    add("shape", [](const TilingReport& t) { return words(shape_text(t)); });
    add("tiles", [](const TilingReport& t) { return exact(t.tiles); });
    add("overbooked", [](const TilingReport& t) { return percent(t.overbooked_fraction); });
    add("buffer used", [](const TilingReport& t) { return percent(t.buffer_utilization); });
    add("buffer share", [](const TilingReport& t) {
      return t.share_bytes == 0 ? TableCell{} : words(to_text(Bytes(t.share_bytes)));
    });
  }
}

void check_rows(RowMaker& make) {
  make.group("Check against a reference product");
  make.row("result", [](const RunResult& r) {
    if (!r.check.performed) return words("not done");
    return r.check.passed ? TableCell{"passed", {}, true, Tone::good}
                          : TableCell{"FAILED", {}, true, Tone::bad};
  });
  make.row("largest error", [](const RunResult& r) {
    return r.check.performed ? words(fmt::format("{:.2g}", r.check.max_relative_error))
                             : TableCell{};
  });
  make.group("Beside the main counts");
  make.rows_of(
      [](const RunResult& r) -> const auto& { return r.beside; },
      [](const RunResult&, const std::string&, std::uint64_t count) { return exact(count); });
  make.group("Simulation");
  make.row("host time", [](const RunResult& r) { return words(human_time(r.host.wall_s)); });
  make.row("host memory", [](const RunResult& r) {
    return words(human_bytes(static_cast<double>(r.host.peak_rss_bytes)));
  });
}

/// Texts in the order they come up, each with the runs that have it.
class NoteMaker {
 public:
  explicit NoteMaker(const std::vector<std::string>& labels) : labels_(labels) {}

  void add(Tone tone, const std::string& text, std::size_t run) {
    for (Entry& entry : entries_) {
      if (entry.tone == tone && entry.text == text) {
        if (entry.runs.back() != run) entry.runs.push_back(run);
        return;
      }
    }
    entries_.push_back({tone, text, {run}});
  }

  /// The grave ones first; `ran` runs were simulated, and what all of them have needs no names.
  [[nodiscard]] std::vector<TableNote> take(std::size_t ran) const {
    std::vector<TableNote> notes;
    for (const Tone tone : {Tone::bad, Tone::warning, Tone::plain}) {
      for (const Entry& entry : entries_) {
        if (entry.tone != tone) continue;
        std::string who;
        if (entry.runs.size() < ran || tone == Tone::bad) {
          for (const std::size_t run : entry.runs) who += (who.empty() ? "" : ", ") + labels_[run];
          who += ": ";
        }
        notes.push_back({tone, who + clean(entry.text)});
      }
    }
    return notes;
  }

 private:
  struct Entry {
    Tone tone;
    std::string text;
    std::vector<std::size_t> runs;
  };
  const std::vector<std::string>& labels_;
  std::vector<Entry> entries_;
};

}  // namespace

namespace {

/// A model's step: what its user waits for, what a token costs, and which operations it goes to.
void model_rows(RowMaker& make) {
  const auto per_token = [](const RunResult& r, double value) {
    return value / static_cast<double>(std::max<std::uint64_t>(1, r.step.tokens));
  };
  make.group("The step");
  make.row("tokens", [](const RunResult& r) {
    return r.step.tokens == 0 ? TableCell{} : exact(r.step.tokens);
  });
  make.row("sequences", [](const RunResult& r) {
    return r.step.tokens == 0 ? TableCell{} : exact(r.step.sequences);
  });
  make.row("time to first token", [](const RunResult& r) {
    return r.is_first_token() ? shown(human_time(r.seconds()), r.seconds()) : TableCell{};
  });
  make.row("time per output token", [](const RunResult& r) {
    return r.is_output_token() ? shown(human_time(r.seconds()), r.seconds()) : TableCell{};
  });
  make.row("tokens/s", [](const RunResult& r) {
    if (r.step.phase.empty()) return TableCell{};
    return shown(fmt::format("{:.4g}", r.tokens_per_second()), r.tokens_per_second());
  });
  make.group("Cost of each token (of the step over its tokens)");
  make.row("energy", [&](const RunResult& r) {
    const double value = per_token(r, r.energy.total_picojoules);
    return r.step.tokens == 0 ? TableCell{} : shown(human_energy(value), value);
  });
  make.row("DRAM bytes", [&](const RunResult& r) {
    double bytes = 0;
    const auto dram = r.statistics.traffic.find("dram");
    if (r.step.tokens == 0 || dram == r.statistics.traffic.end()) return TableCell{};
    for (const auto& [tensor, moved] : dram->second) {
      bytes += static_cast<double>(moved.read_bytes) + static_cast<double>(moved.write_bytes);
    }
    return exact(static_cast<std::uint64_t>(std::llround(per_token(r, bytes))));
  });
  using Sums = std::map<std::string, double>;
  const auto sums_of = [](const RunResult& r, const auto& value) {
    Sums sums;
    for (const OperationReport& op : r.operations) {
      sums[op.group] += value(op);
    }
    return sums;
  };
  make.group("Cycles by group of operations (share)");
  make.rows_of(
      [&](const RunResult& r) {
        return sums_of(
            r, [](const OperationReport& op) { return static_cast<double>(op.in_step.count()); });
      },
      [](const RunResult& r, const std::string&, double cycles) {
        TableCell cell = exact(static_cast<std::uint64_t>(cycles));
        cell.text += share_text(cycles / static_cast<double>(r.statistics.cycles.count()));
        return cell;
      });
  make.group("Energy by group of operations (share)");
  make.rows_of(
      [&](const RunResult& r) {
        return sums_of(r, [](const OperationReport& op) {
          return op.picojoules * static_cast<double>(op.times);
        });
      },
      [](const RunResult& r, const std::string&, double picojoules) {
        TableCell cell = shown(human_energy(picojoules), picojoules);
        cell.text += share_text(picojoules / r.energy.total_picojoules);
        return cell;
      });
}

}  // namespace

std::vector<TableRow> table_rows(const std::vector<RunResult>& results) {
  if (results.empty()) return {};
  RowMaker make(results);
  if (!one_workload(results)) {
    make.row("workload", [](const RunResult& r) { return words(r.workload); });
  }
  time_rows(make);
  model_rows(make);
  block_rows(make);
  mac_rows(make);
  traffic_rows(make);
  energy_rows(make);
  tiling_rows(make);
  check_rows(make);
  return make.take();
}

namespace {

/// Runs whose values are not of one width move different data for the same workload.
void note_formats(const std::vector<RunResult>& results, const std::vector<std::string>& labels,
                  NoteMaker& make) {
  std::string all;
  bool differ = false;
  const RunResult* first = nullptr;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunResult& r = results[i];
    if (!r.unsupported.empty() || r.format.bits == 0) continue;
    if (first == nullptr) first = &r;
    differ = differ || r.format.bits != first->format.bits;
    all += fmt::format("{}{} {} ({} bits)", all.empty() ? "" : ", ", labels[i], r.format.name,
                       r.format.bits);
  }
  if (!differ) return;
  const std::string text =
      "machines differ in the width of their operands: " + all +
      "; bytes, time and energy compare them as they are, not on equal data (--set precision=int8 "
      "makes them equal)";
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].unsupported.empty()) make.add(Tone::warning, text, i);
  }
}

}  // namespace

namespace {

/// "energy table: 45nm; prices 3 inferred, 1 not priced": what they are is in the result's file.
std::string prices_note(const EnergyReport& energy) {
  constexpr std::array<std::string_view, 6> kKinds{"interpolated", "extrapolated", "scaled",
                                                   "inferred",     "not priced",   "time"};
  std::map<std::string_view, std::size_t> kinds;
  for (const std::string& flag : energy.flags) {
    const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](std::string_view one) {
      return flag.find(fmt::format(": {}: ", one)) != std::string::npos;
    });
    ++kinds[kind == kKinds.end() ? "given" : *kind];
  }
  std::string text;
  for (const auto& [kind, count] : kinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kind);
  }
  if (text.empty()) return "energy table: " + energy.table;
  return fmt::format("energy table: {}; prices: {} (result.json: prices)", energy.table, text);
}

}  // namespace

std::vector<TableNote> table_notes(const std::vector<RunResult>& results,
                                   const std::vector<std::string>& labels) {
  NoteMaker make(labels);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunResult& r = results[i];
    if (!r.unsupported.empty()) make.add(Tone::bad, "not supported: " + r.unsupported, i);
    if (r.unsupported.empty() && r.check.performed && !r.check.passed) {
      make.add(Tone::bad,
               fmt::format("the result differs from {} (largest relative error {:.2g})",
                           r.check.reference.empty() ? "the reference product" : r.check.reference,
                           r.check.max_relative_error),
               i);
    }
    for (const std::string& warning : r.provenance.warnings) make.add(Tone::warning, warning, i);
    for (const auto& [operand, error] : r.provenance.sampling_error) {
      make.add(Tone::warning,
               fmt::format("{} is counted on a sample of its rows: standard error of its density "
                           "{:.2g}",
                           operand, error),
               i);
    }
    if (!r.energy.table.empty()) make.add(Tone::plain, prices_note(r.energy), i);
  }
  note_formats(results, labels, make);
  return make.take(static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [](const RunResult& r) { return r.unsupported.empty(); })));
}

}  // namespace lacuna::report
