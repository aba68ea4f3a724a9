// SPDX-License-Identifier: Apache-2.0
#include "app/figures/models.hpp"

#include <fmt/format.h>

#include <optional>

#include "app/figures/files.hpp"
#include "report/csv.hpp"
#include "report/gnuplot_text.hpp"
#include "run/fabric/run.hpp"
#include "study/attention_forms.hpp"
#include "study/token_tiles.hpp"

namespace lacuna {
namespace {

namespace gp = report::gnuplot;

/// Rows of attention-forms.csv and of its text; a curve's rows stand together.
struct FormsTable {
  std::string rows[4];
  std::string text;

  void row(std::size_t series, const char* form, const AttentionPair& at, const AttentionCost& c) {
    rows[series - 1] +=
        fmt::format("{},{},{},{},{},{},{},{}\n", series, form, static_cast<double>(at.queries),
                    at.context, c.flops, c.cache_bytes, c.cycles, c.picojoules);
  }
};

FormsTable forms_table(const AttentionForms& forms) {
  FormsTable out;
  out.text = fmt::format(
      "DeepSeek-V3, one layer, {} keys, on tc-xl\n{:>8} {:>10} {:>14} "
      "{:>14} {:>12}\n",
      AttentionForms::kContext, "queries", "form", "FLOP", "cycles", "energy mJ");
  const auto line = [&out](const AttentionPair& at, const char* form, const AttentionCost& c) {
    out.text +=
        fmt::format("{:>8} {:>10} {:>14.5g} {:>14.5g} {:>12.4g}\n", static_cast<double>(at.queries),
                    form, c.flops, c.cycles, c.picojoules * 1e-9);
  };
  for (const AttentionPair& at : forms.by_queries) {
    out.row(1, "absorbed", at, at.first);
    out.row(2, "naive", at, at.second);
    line(at, "absorbed", at.first);
    line(at, "naive", at.second);
  }
  const auto said = [](std::optional<double> at) {
    return at ? fmt::format("{:.1f} query tokens", *at) : std::string("no point of the sweep");
  };
  out.text += fmt::format(
      "absorbed stops to be cheaper in FLOPs at {}; for endless contexts at 170.7\n"
      "absorbed stops to be faster on this machine at {}\n\n",
      said(forms.flops_cross), said(forms.cycles_cross));
  out.text += fmt::format("one query, one layer\n{:>8} {:>8} {:>12} {:>12} {:>12} {:>8}\n", "keys",
                          "form", "FLOP", "cache bytes", "cycles", "FLOP x");
  for (const AttentionPair& at : forms.by_context) {
    const AttentionCost &dense = at.first, &sparse = at.second;
    out.row(3, "dense", at, dense);
    out.row(4, "DSA", at, sparse);
    out.text += fmt::format("{:>8} {:>8} {:>12.5g} {:>12.5g} {:>12.5g} {:>8}\n", at.context,
                            "dense", dense.flops, dense.cache_bytes, dense.cycles, "");
    out.text +=
        fmt::format("{:>8} {:>8} {:>12.5g} {:>12.5g} {:>12.5g} {:>8.3f}\n", at.context, "DSA",
                    sparse.flops, sparse.cache_bytes, sparse.cycles, dense.flops / sparse.flops);
  }
  return out;
}

}  // namespace

int token_tiles_figure(const FigureArguments& arguments) {
  const std::vector<std::string> names = token_tile_strategies();
  std::string csv =
      "series,strategy,tokens,operation,tile_columns,tiles,overbooked_fraction,"
      "cycles,dram_bytes,energy_pj\n";
  std::string text = fmt::format("{:<20} {:>7} {:<12} {:>8} {:>6} {:>11} {:>12} {:>14} {:>12}\n",
                                 "token tiles", "tokens", "operation", "tile N2", "tiles",
                                 "overbooked", "cycles", "DRAM bytes", "energy uJ");
  for (const TokenTilePoint& point : token_tiles()) {
    const OperationReport& op = point.operation;
    const std::string& strategy = names[point.strategy];
    const std::uint64_t dram = op.weight_bytes + op.activation_bytes;
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", point.strategy + 1,
                       report::csv_field(strategy), point.tokens, op.name, op.tile_columns,
                       op.tiles, op.overbooked_fraction, op.cycles.count(), dram, op.picojoules);
    text +=
        fmt::format("{:<20} {:>7} {:<12} {:>8} {:>6} {:>9.1f} % {:>12} {:>14} {:>12.1f}\n",
                    strategy, point.tokens, op.name, op.tile_columns, op.tiles,
                    100 * op.overbooked_fraction, op.cycles.count(), dram, op.picojoules * 1e-6);
  }
  std::string plot = "  set multiplot layout 1,2\n";
  for (const char* column : {"dram_bytes", "cycles"}) {
    plot += fmt::format("  set ylabel '{} of expert_gate'\n  ", column);
    for (std::size_t s = 0; s < names.size(); ++s) {
      plot += fmt::format(
          "{}'token-tiles.csv' using (column('series') == {} && strcol('operation') eq "
          "'expert_gate' ? column('tokens') : NaN):(column('{}')) with points pt {} ps 1.4 lw 2 lc "
          "rgb {} title {}",
          s == 0 ? "plot " : ", \\\n       ", s + 1, column, s == 0 ? 6 : s + 1, gp::color(s),
          gp::quoted(names[s]));
    }
    plot += "\n";
  }
  plot += "  unset multiplot";
  return write_figure(
      arguments, "token-tiles", csv,
      gp::script(
          "token-tiles", "Token tiles of the experts of a MoE layer.", {1200, 480},
          "set grid\nset logscale xy 2\nset format y '%.1s %c'\nset xlabel 'tokens of the step'\n"
          "set key top left",
          plot),
      text);
}

int attention_forms_figure(const FigureArguments& arguments) {
  const FormsTable table = forms_table(attention_forms(load_fabric("tc-xl", arguments.settings)));
  std::string plot = "  set multiplot layout 1,3\n";
  const auto panel = [&plot](const char* x, const char* y, int first, const char* a,
                             const char* b) {
    plot += fmt::format("  set xlabel '{}'\n  set ylabel '{}'\n  ", x, y);
    for (const int i : {0, 1}) {
      plot += fmt::format(
          "{}'attention-forms.csv' using (column('series') == {} ? column('{}') : "
          "NaN):(column('{}')) with linespoints pt {} lw 2 lc rgb {} title '{}'",
          i == 0 ? "plot " : ", \\\n       ", first + i, x, y, i + 5,
          gp::color(static_cast<std::size_t>(first + i - 1)), i == 0 ? a : b);
    }
    plot += "\n";
  };
  panel("queries", "flops", 1, "absorbed", "naive");
  panel("queries", "cycles", 1, "absorbed", "naive");
  panel("context", "cycles", 3, "dense, bf16 cache", "DSA, fp8 cache");
  plot += "  unset multiplot";
  const std::string csv = "series,form,queries,context,flops,cache_bytes,cycles,energy_pj\n" +
                          table.rows[0] + table.rows[1] + table.rows[2] + table.rows[3];
  return write_figure(arguments, "attention-forms", csv,
                      gp::script("attention-forms", "Forms of latent attention.", {1500, 480},
                                 "set grid\nset logscale xy 2\nset format y '%.1s %c'\n"
                                 "set format x '%.0s%c'\nset key top left",
                                 plot),
                      table.text);
}

}  // namespace lacuna
