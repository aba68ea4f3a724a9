// SPDX-License-Identifier: Apache-2.0
#include "app/figures/models.hpp"

#include <optional>

#include "app/figures/files.hpp"
#include "base/csv_text.hpp"
#include "base/plot_text.hpp"
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
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", point.strategy + 1, csv_field(strategy),
                       point.tokens, op.name, op.tile_columns, op.tiles, op.overbooked_fraction,
                       op.cycles.count(), dram, op.picojoules);
    text +=
        fmt::format("{:<20} {:>7} {:<12} {:>8} {:>6} {:>9.1f} % {:>12} {:>14} {:>12.1f}\n",
                    strategy, point.tokens, op.name, op.tile_columns, op.tiles,
                    100 * op.overbooked_fraction, op.cycles.count(), dram, op.picojoules * 1e-6);
  }
  const auto panel = [&](const char* column) {
    std::vector<std::string> points;
    for (std::size_t s = 0; s < names.size(); ++s) {
      points.push_back(plot_text("figures/token_tiles_points", fmt::arg("series", s + 1),
                                 fmt::arg("column", column), fmt::arg("point", s == 0 ? 6 : s + 1),
                                 fmt::arg("color", gp::color(s)),
                                 fmt::arg("title", gp::quoted(names[s]))));
    }
    return plot_list(points);
  };
  const std::string plot =
      plot_text("figures/token_tiles", fmt::arg("dram_bytes", panel("dram_bytes")),
                fmt::arg("cycles", panel("cycles")));
  return write_figure(arguments, "token-tiles", csv,
                      gp::script("token-tiles", "Token tiles of the experts of a MoE layer.",
                                 {1200, 480}, plot_text("figures/token_tiles_settings"), plot),
                      text);
}

int attention_forms_figure(const FigureArguments& arguments) {
  const FormsTable table = forms_table(attention_forms(load_fabric("tc-xl", arguments.settings)));
  const auto panel = [](const char* x, const char* y, std::size_t first, const char* a,
                        const char* b) {
    std::vector<std::string> pair;
    for (const std::size_t i : {0U, 1U}) {
      pair.push_back(plot_text("figures/attention_forms_curve", fmt::arg("series", first + i),
                               fmt::arg("x", x), fmt::arg("y", y), fmt::arg("point", i + 5),
                               fmt::arg("color", gp::color(first + i - 1)),
                               fmt::arg("title", i == 0 ? a : b)));
    }
    return plot_list(pair);
  };
  const std::string plot = plot_text(
      "figures/attention_forms",
      fmt::arg("flops", panel("queries", "flops", 1, "absorbed", "naive")),
      fmt::arg("cycles", panel("queries", "cycles", 1, "absorbed", "naive")),
      fmt::arg("sparse", panel("context", "cycles", 3, "dense, bf16 cache", "DSA, fp8 cache")));
  const std::string csv = "series,form,queries,context,flops,cache_bytes,cycles,energy_pj\n" +
                          table.rows[0] + table.rows[1] + table.rows[2] + table.rows[3];
  return write_figure(arguments, "attention-forms", csv,
                      gp::script("attention-forms", "Forms of latent attention.", {1500, 480},
                                 plot_text("figures/attention_forms_settings"), plot),
                      table.text);
}

}  // namespace lacuna
