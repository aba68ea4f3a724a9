// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "base/file.hpp"
#include "base/plot_text.hpp"
#include "base/quantity_text.hpp"
#include "report/gnuplot_text.hpp"
#include "report/result_folder.hpp"
#include "run/fabric/run.hpp"
#include "study/dial_cost.hpp"
#include "workloads/models/sparsity_dial.hpp"

namespace lacuna {
namespace {

using Points = std::vector<DialPoint>;
using Costs = std::vector<DialCost>;  // one for each point, or empty without a machine

struct DialArguments {
  DialOptions options;
  double active_flops = 0;
  std::string machine;  // empty: the law alone
  DialShape shape;
  bool json = false;
  std::string out;
};

std::string about(const DialOptions& options) {
  return fmt::format(
      "{:.4g} training FLOP, {} experts per token{}, {} tokens per decode step",
      options.training_flops, options.experts_per_token,
      options.active_flops ? fmt::format(", {:.4g} FLOP per token", *options.active_flops) : "",
      options.batch);
}

std::string dial_table(const DialOptions& options, const Points& points) {
  std::string out = fmt::format("{}\n\n", about(options));
  out += fmt::format("{:>7} {:>8} {:>8} {:>11} {:>11} {:>11} {:>11} {:>9} {:>11} {:>11}\n", "share",
                     "experts", "loss", "parameters", "active", "tokens", "FLOP/token", "distinct",
                     "weights", "touched");
  for (const DialPoint& p : points) {
    out += fmt::format(
        "{:>7.4g} {:>8} {:>8.4f} {:>11} {:>11} {:>11} {:>11} {:>9.2f} {:>11} {:>11}\n", p.share,
        p.experts, p.loss, human_count(p.parameters), human_count(p.active_parameters),
        human_count(p.training_tokens), human_count(p.flops_per_token), p.distinct_experts,
        human_bytes(p.weight_bytes), human_bytes(p.touched_bytes));
  }
  out += fmt::format(
      "\nshare: inactive experts; distinct, touched: experts and weight bytes a decode step of {} "
      "tokens\nreads, uniformly routed, {} bits per weight; loss by arXiv 2501.12370, Eq. 6\n",
      options.batch, options.weight_bits);
  for (const DialPoint& p : points) {
    if (std::abs(p.share - p.asked_share) > 1e-9) {
      out += fmt::format("note: share {:.6g} became {:.6g}, of {} whole experts\n", p.asked_share,
                         p.share, p.experts);
    }
  }
  return out;
}

std::string cost_table(const DialArguments& arguments, const Points& points, const Costs& costs) {
  if (costs.empty()) return {};
  std::string out =
      fmt::format("\n{:>7} {:>8} {:>8} {:>14} {:>14} {:>14} {:>14}\n", "share", "experts", "width",
                  "cycles/step", "cycles/token", "DRAM/token", "energy/token");
  double error = 0;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const DialCost& c = costs[i];
    error = std::max(error, std::abs(c.size_error));
    out += fmt::format("{:>7.4g} {:>8} {:>8} {:>14.0f} {:>14.0f} {:>14} {:>11.4g} mJ\n",
                       points[i].share, points[i].experts, c.width, c.step_cycles, c.cycles,
                       human_bytes(c.dram_bytes), c.picojoules * 1e-9);
  }
  out += fmt::format(
      "\non {}: {} layers of experts of hidden size {} (parameters, not the law's), no attention;\n"
      "a token waits for the step; what is of a token is the step's over its {} tokens;\n"
      "whole columns change the size by at most {:.2g} %\n",
      arguments.machine, arguments.shape.layers, arguments.shape.hidden, arguments.options.batch,
      100 * error);
  return out;
}

std::string dial_csv(const DialOptions& options, const Points& points, const Costs& costs) {
  std::string out =
      "share,experts,experts_per_token,loss,parameters,active_parameters,training_tokens,"
      "flops_per_token,weight_bytes,distinct_experts,touched_weight_bytes";
  out += costs.empty() ? "\n"
                       : ",width,cycles_per_step,cycles_per_token,dram_bytes_per_token,"
                         "pj_per_token\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    const DialPoint& p = points[i];
    out += fmt::format("{:.9g},{},{},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g}",
                       p.share, p.experts, options.experts_per_token, p.loss, p.parameters,
                       p.active_parameters, p.training_tokens, p.flops_per_token, p.weight_bytes,
                       p.distinct_experts, p.touched_bytes);
    if (!costs.empty()) {
      const DialCost& c = costs[i];
      out += fmt::format(",{},{:.9g},{:.9g},{:.9g},{:.9g}", c.width, c.step_cycles, c.cycles,
                         c.dram_bytes, c.picojoules);
    }
    out += '\n';
  }
  return out;
}

std::string dial_json(const DialArguments& arguments, const Points& points, const Costs& costs) {
  const DialOptions& options = arguments.options;
  using OrderedJson = nlohmann::ordered_json;
  OrderedJson out{{"schema", "lacuna.dial/1"},
                  {"training_flops", options.training_flops},
                  {"experts_per_token", options.experts_per_token},
                  {"batch", options.batch},
                  {"bits_per_weight", options.weight_bits}};
  if (options.active_flops) out["held_flops_per_token"] = *options.active_flops;
  if (!costs.empty()) {
    out["machine"] = arguments.machine;
    out["layers"] = arguments.shape.layers;
    out["hidden"] = arguments.shape.hidden;
  }
  out["points"] = OrderedJson::array();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const DialPoint& p = points[i];
    out["points"].push_back({{"share", p.share},
                             {"experts", p.experts},
                             {"loss", p.loss},
                             {"parameters", p.parameters},
                             {"active_parameters", p.active_parameters},
                             {"training_tokens", p.training_tokens},
                             {"flops_per_token", p.flops_per_token},
                             {"weight_bytes", p.weight_bytes},
                             {"distinct_experts", p.distinct_experts},
                             {"touched_weight_bytes", p.touched_bytes}});
    if (costs.empty()) continue;
    out["points"].back().update({{"width", costs[i].width},
                                 {"cycles_per_step", costs[i].step_cycles},
                                 {"cycles_per_token", costs[i].cycles},
                                 {"dram_bytes_per_token", costs[i].dram_bytes},
                                 {"energy_pj_per_token", costs[i].picojoules}});
  }
  return out.dump(2) + "\n";
}

/// Loss on the left; on the right what the point costs, over the first point's.
std::string dial_script(const DialOptions& options, const Points& points, const Costs& costs) {
  namespace gp = report::gnuplot;
  std::string tics;
  for (const DialPoint& p : points) {
    tics += fmt::format(
        "{}'{:.3g}' {:.9g}", tics.empty() ? "" : ", ", p.share,
        static_cast<double>(p.experts) / static_cast<double>(options.experts_per_token));
  }
  const DialPoint& first = points.front();
  const auto curve = [&](int column, double over, std::size_t color, const char* name) {
    return plot_text("figures/dial_curve", fmt::arg("column", column), fmt::arg("over", over),
                     fmt::arg("color", gp::color(color)), fmt::arg("title", name));
  };
  std::vector<std::string> curves{
      curve(5, first.parameters, 1, "parameters"),
      curve(11, first.touched_bytes, 5, "weight bytes touched per step"),
      curve(8, first.flops_per_token, 2, "FLOP per token")};
  if (!costs.empty()) {
    curves.push_back(curve(13, costs.front().step_cycles, 3, "cycles per step"));
    curves.push_back(curve(16, costs.front().picojoules, 4, "energy per token"));
  }
  const std::string over = fmt::format("over the value at share {:.3g}", first.share);
  const std::string settings = plot_text("figures/dial_settings", fmt::arg("tics", tics));
  const std::string plot =
      plot_text("figures/dial", fmt::arg("title", gp::quoted(about(options))),
                fmt::arg("loss", curve(4, 1, 0, "loss")), fmt::arg("over", gp::quoted(over)),
                fmt::arg("curves", plot_list(curves)));
  return gp::script("dial", "The sparsity dial: " + about(options), {1080, 460}, settings, plot);
}

std::vector<std::string> write_folder(StagedFolder& folder, const DialArguments& arguments,
                                      const Points& points, const Costs& costs) {
  write_file(folder.path() / "dial.json", dial_json(arguments, points, costs));
  write_file(folder.path() / "dial.csv", dial_csv(arguments.options, points, costs));
  write_file(folder.path() / "dial.gp", dial_script(arguments.options, points, costs));
  return report::draw_and_commit(folder);
}

int execute(const DialArguments& arguments) {
  std::optional<StagedFolder> folder;  // what cannot be written is told before the work
  if (!arguments.out.empty()) {
    folder.emplace(
        arguments.out, "dial",
        std::vector<std::string>{"dial.json", "dial.csv", "dial.gp", "dial.svg", "dial.png"});
  }
  const Points points = sparsity_dial(arguments.options);
  Costs costs;
  if (!arguments.machine.empty()) {
    costs = dial_costs(load_fabric(arguments.machine), arguments.options, points, arguments.shape);
  }
  std::vector<std::string> notes;
  if (folder) notes = write_folder(*folder, arguments, points, costs);
  fmt::print("{}", arguments.json ? dial_json(arguments, points, costs)
                                  : dial_table(arguments.options, points) +
                                        cost_table(arguments, points, costs));
  report::print_folder(arguments.out, notes, arguments.json);
  return 0;
}

}  // namespace

Command add_dial(Options& app) {
  auto a = std::make_shared<DialArguments>();
  app.add_option("--compute", a->options.training_flops, "training FLOP, 1e20 by default");
  app.add_option("--shares", a->options.shares,
                 "shares of inactive experts, 0,0.5,0.75,0.9,0.95,0.98 by default")
      .separated_by(',');
  const Option held =
      app.add_option("--flops-per-token", a->active_flops,
                     "hold the forward FLOP per token at this, instead of the least loss");
  app.add_option("--top-k", a->options.experts_per_token, "experts per token, 8 by default");
  app.add_option("--batch", a->options.batch, "tokens of a decode step, 64 by default");
  app.add_option("--weight-bits", a->options.weight_bits, "bits per weight, 16 by default");
  const Option arch =
      app.add_option("--arch", a->machine,
                     "also cycles, DRAM bytes and energy per token of a decode step on "
                     "this machine of the tensor-core class");
  app.add_option("--layers", a->shape.layers, "of the simulated model, 24 by default").needs(arch);
  app.add_option("--hidden", a->shape.hidden, "size of the simulated model, 1024 by default")
      .needs(arch);
  app.add_flag("--json", a->json, "print JSON instead of the table");
  add_out_option(app, a->out, "folder for dial.json, dial.csv and the figure");
  return [a, held] {
    if (held.count() > 0) a->options.active_flops = a->active_flops;
    return execute(*a);
  };
}

}  // namespace lacuna
