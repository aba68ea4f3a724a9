// SPDX-License-Identifier: Apache-2.0
#include "app/figures/models.hpp"

#include <fmt/format.h>

#include <optional>

#include "app/figures/files.hpp"
#include "report/csv.hpp"
#include "report/gnuplot_text.hpp"
#include "run/model/workload.hpp"

namespace lacuna {
namespace {

namespace gp = report::gnuplot;

/// What attention costs beside the projections that every form shares; `expansion`: with the
/// products of kv_up or of the absorption, in which naive and absorbed differ.
struct AttentionCost {
  double flops = 0, cache_bytes = 0, cycles = 0, picojoules = 0;
};

AttentionCost attention_cost(const FabricSpec& machine, const ModelWorkloadSpec& spec,
                             bool expansion) {
  const auto counts = [&](Role role) {
    const Part part = part_of(role);
    if (part == Part::kAttentionCore || part == Part::kSparseIndex) return true;
    return expansion && (role == Role::kLatentUp || role == Role::kLatentKeys ||
                         role == Role::kQueryAbsorb || role == Role::kValueUp);
  };
  const ModelWorkload workload = make_model_workload(spec);
  AttentionCost out;
  for (OperationId v = 0; v < boost::num_vertices(workload.graph); ++v) {
    const Operation& op = workload.graph[v];
    // The indexer's own projections are small and shared by all contexts.
    const bool index_weights = part_of(op.role) == Part::kSparseIndex && op.weight_elements > 0;
    if (!counts(op.role) || index_weights) continue;
    out.flops += static_cast<double>(op.flops());
    out.cache_bytes += static_cast<double>(op.cache_read_bytes.count());
  }
  for (const OperationReport& op : run_model(machine, workload, {}).operations) {
    if (!counts(op.role)) continue;
    out.cycles += static_cast<double>(op.cycles.count());
    out.picojoules += op.picojoules;
  }
  return out;
}

ModelWorkloadSpec one_layer(const char* model, const char* form, std::uint64_t context,
                            std::uint64_t queries, const char* cache) {
  ModelWorkloadSpec spec;
  spec.model = model;
  spec.step.phase = "prefill";
  spec.step.attention = form;
  spec.step.cache = cache;
  spec.step.layers = "0-0";
  spec.step.step.context = context;
  spec.step.step.new_tokens = queries;
  return spec;
}

/// Where `a` stops to be the smaller of the two, between the points.
std::optional<double> crossing(const std::vector<double>& x, const std::vector<double>& a,
                               const std::vector<double>& b) {
  for (std::size_t i = 1; i < x.size(); ++i) {
    const double before = a[i - 1] - b[i - 1], after = a[i] - b[i];
    if (before < 0 && after >= 0) {
      return x[i - 1] + (x[i] - x[i - 1]) * before / (before - after);
    }
  }
  return std::nullopt;
}

}  // namespace

int token_tiles_figure(const FigureArguments& arguments) {
  struct Strategy {
    const char* name;
    std::vector<std::string> settings;
  };
  const std::vector<Strategy> strategies{{"worst case fits", {"features.swiftiles=false"}},
                                         {"Swiftiles, buffet", {"features.tailors=false"}},
                                         {"Swiftiles, Tailors", {}}};
  std::string csv =
      "series,strategy,tokens,operation,tile_columns,tiles,overbooked_fraction,"
      "cycles,dram_bytes,energy_pj\n";
  std::string text = fmt::format("{:<20} {:>7} {:<12} {:>8} {:>6} {:>11} {:>12} {:>14} {:>12}\n",
                                 "token tiles", "tokens", "operation", "tile N2", "tiles",
                                 "overbooked", "cycles", "DRAM bytes", "energy uJ");
  std::vector<std::string> names;
  for (std::size_t s = 0; s < strategies.size(); ++s) {
    names.emplace_back(strategies[s].name);
    const FabricSpec machine = load_fabric("lacuna", strategies[s].settings);
    for (const std::uint64_t tokens : {32UL, 64UL, 128UL, 256UL, 512UL, 1024UL}) {
      ModelWorkloadSpec spec;
      spec.model = "deepseek-v2-lite";
      spec.step.step.batch = tokens;
      spec.step.step.context = 256;
      spec.step.layers = "1-1";
      spec.step.routing = "power-law:1.01";
      spec.expert_weights = "C1(4:8)->C0(2:4)";
      const RunResult r = run_model(machine, make_model_workload(spec), {});
      for (const OperationReport& op : r.operations) {
        if (part_of(op.role) != Part::kRoutedExperts || op.products == 0) continue;
        const std::uint64_t dram = op.weight_bytes + op.activation_bytes;
        csv +=
            fmt::format("{},{},{},{},{},{},{},{},{},{}\n", s + 1,
                        report::csv_field(strategies[s].name), tokens, op.name, op.tile_columns,
                        op.tiles, op.overbooked_fraction, op.cycles.count(), dram, op.picojoules);
        text += fmt::format("{:<20} {:>7} {:<12} {:>8} {:>6} {:>9.1f} % {:>12} {:>14} {:>12.1f}\n",
                            strategies[s].name, tokens, op.name, op.tile_columns, op.tiles,
                            100 * op.overbooked_fraction, op.cycles.count(), dram,
                            op.picojoules * 1e-6);
      }
    }
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
  const FabricSpec machine = load_fabric("tc-xl", arguments.settings);
  constexpr std::uint64_t kContext = 131072;
  const std::vector<double> queries{1, 4, 16, 64, 96, 128, 160, 176, 192, 256, 384, 512, 1024};
  std::string rows[4];  // a curve's rows stand together
  std::string text = fmt::format(
      "DeepSeek-V3, one layer, {} keys, on tc-xl\n{:>8} {:>10} {:>14} "
      "{:>14} {:>12}\n",
      kContext, "queries", "form", "FLOP", "cycles", "energy mJ");
  const auto row = [&](int series, const char* form, double x, std::uint64_t context,
                       const AttentionCost& c) {
    rows[series - 1] += fmt::format("{},{},{},{},{},{},{},{}\n", series, form, x, context, c.flops,
                                    c.cache_bytes, c.cycles, c.picojoules);
  };
  std::vector<double> flops[2], cycles[2];
  for (const double s : queries) {
    for (const int naive : {0, 1}) {
      const char* form = naive == 1 ? "naive" : "absorbed";
      const AttentionCost c = attention_cost(
          machine, one_layer("deepseek-v3", form, kContext, static_cast<std::uint64_t>(s), "bf16"),
          true);
      flops[naive].push_back(c.flops);
      cycles[naive].push_back(c.cycles);
      row(naive + 1, form, s, kContext, c);
      text += fmt::format("{:>8} {:>10} {:>14.5g} {:>14.5g} {:>12.4g}\n", s, form, c.flops,
                          c.cycles, c.picojoules * 1e-9);
    }
  }
  const auto said = [](std::optional<double> at) {
    return at ? fmt::format("{:.1f} query tokens", *at) : std::string("no point of the sweep");
  };
  text += fmt::format(
      "absorbed stops to be cheaper in FLOPs at {}; for endless contexts at 170.7\n"
      "absorbed stops to be faster on this machine at {}\n\n",
      said(crossing(queries, flops[0], flops[1])), said(crossing(queries, cycles[0], cycles[1])));
  text += fmt::format("one query, one layer\n{:>8} {:>8} {:>12} {:>12} {:>12} {:>8}\n", "keys",
                      "form", "FLOP", "cache bytes", "cycles", "FLOP x");
  for (const std::uint64_t context : {4096UL, 32768UL, 131072UL}) {
    const AttentionCost dense =
        attention_cost(machine, one_layer("deepseek-v3", "absorbed", context, 1, "bf16"), false);
    const AttentionCost sparse =
        attention_cost(machine, one_layer("deepseek-v3.2", "absorbed", context, 1, "fp8"), false);
    row(3, "dense", 1, context, dense);
    row(4, "DSA", 1, context, sparse);
    text += fmt::format("{:>8} {:>8} {:>12.5g} {:>12.5g} {:>12.5g} {:>8}\n", context, "dense",
                        dense.flops, dense.cache_bytes, dense.cycles, "");
    text +=
        fmt::format("{:>8} {:>8} {:>12.5g} {:>12.5g} {:>12.5g} {:>8.3f}\n", context, "DSA",
                    sparse.flops, sparse.cache_bytes, sparse.cycles, dense.flops / sparse.flops);
  }
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
                          rows[0] + rows[1] + rows[2] + rows[3];
  return write_figure(arguments, "attention-forms", csv,
                      gp::script("attention-forms", "Forms of latent attention.", {1500, 480},
                                 "set grid\nset logscale xy 2\nset format y '%.1s %c'\n"
                                 "set format x '%.0s%c'\nset key top left",
                                 plot),
                      text);
}

}  // namespace lacuna
