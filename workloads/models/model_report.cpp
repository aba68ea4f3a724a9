// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/model_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

std::string attention_text(const ModelSpec& spec, LatentForm form) {
  if (const LatentAttention* a = spec.latent()) {
    const std::string how = form == LatentForm::kNaive ? "naive" : "absorbed";
    return (a->indexer ? "MLA with sparse index, " : "MLA, ") + how;
  }
  const GroupedQueryAttention& a = *spec.grouped();
  std::string text = a.kv_heads == a.heads ? "MHA" : a.kv_heads == 1 ? "MQA" : "GQA";
  const bool window = std::any_of(spec.layers.begin(), spec.layers.end(),
                                  [](const LayerSpec& l) { return l.window != 0; });
  return window ? text + ", sliding windows" : text;
}

std::string shape_of(const Einsum& einsum) {
  std::string text;
  for (std::size_t r = 0; r < einsum.ranks.size(); ++r) {
    const bool uneven = r == 0 && !einsum.rows_per_instance.empty();
    text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", einsum.ranks[r].name,
                        uneven ? "<=" : "=", einsum.ranks[r].size);
  }
  if (einsum.batch != 1) text += fmt::format(" x{}", touched_instances(einsum));
  return text;
}

OperationLine line_of(const ModelReport& report, OperationId id) {
  const Operation& op = report.graph[id];
  OperationLine line;
  line.block = info_of(report.graph).blocks[op.block].name;
  line.name = op.name;
  line.group = label_of(part_of(op.role));
  line.kind = std::string(name_of(op.kind));
  if (op.einsum) {
    line.equation = op.einsum->equation;
    line.shape = shape_of(*op.einsum);
  }
  line.repeat = repeat_of(report.graph, id);
  line.flops = op.flops();
  line.bytes.add(op, 1);
  line.intensity = arithmetic_intensity(op);
  const auto& path = report.critical;
  line.critical = std::find(path.begin(), path.end(), id) != path.end();
  return line;
}

void list_blocks(ModelReport& report) {
  for (OperationId id = 0; id < boost::num_vertices(report.graph); ++id) {
    report.operations.push_back(line_of(report, id));
  }
}

/// In the order of execution: layers ascend, whatever block they belong to.
void list_layers(ModelReport& report) {
  const auto& blocks = info_of(report.graph).blocks;
  struct Run {
    std::int64_t layer;
    std::uint32_t block;
  };
  std::vector<Run> runs;
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    for (const std::uint32_t layer : blocks[b].layers) runs.push_back({layer, b});
    if (blocks[b].layers.empty()) {
      runs.push_back({b == 0 ? -1 : static_cast<std::int64_t>(report.spec.layers.size()), b});
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Run& x, const Run& y) { return x.layer < y.layer; });
  for (const Run& run : runs) {
    for (OperationId id = 0; id < boost::num_vertices(report.graph); ++id) {
      if (report.graph[id].block != run.block) continue;
      OperationLine line = line_of(report, id);
      if (!blocks[run.block].layers.empty()) line.block = fmt::format("layer {}", run.layer);
      line.repeat = 1;
      report.operations.push_back(std::move(line));
    }
  }
}

std::string amount(double value) {
  return value == 0 ? "-" : human_count(value);
}

std::string size(Bytes bytes) {
  return bytes.count() == 0 ? "-" : human_bytes(static_cast<double>(bytes.count()));
}

std::string header_text(const ModelReport& r) {
  const ParameterCounts& p = r.parameters;
  const auto row = [](const char* what, const std::string& value) {
    return fmt::format("  {:<34} {}\n", what, value);
  };
  std::string out = fmt::format("{} ({}), {} layers, {}\n", r.spec.name, r.spec.model_type,
                                r.spec.layers.size(), r.attention);
  out += row("parameters, total", grouped(p.total));
  out += row("parameters, active", grouped(p.active));
  out += row("  without input embedding", grouped(p.active_without_embedding));
  if (r.spec.mtp_layers != 0) {
    out += row("  prediction layers, in no total",
               fmt::format("{} x {}", r.spec.mtp_layers, grouped(p.mtp_layer + p.mtp_projection)));
  }
  out += row("KV cache, bytes/token (bf16)", grouped(r.kv_bytes_per_token.count()));
  out += row("GEMM FLOP/token", grouped(r.gemm_flops_per_token));
  out += row(fmt::format("attention FLOP, {} keys", r.step.context).c_str(),
             grouped(r.attention_flops));
  out += fmt::format("\n{}: {} sequences x {} new tokens, {} keys each\n", name_of(r.step.phase),
                     r.step.batch, r.new_tokens, r.step.context);
  out += row("FLOP", grouped(r.total.flops));
  out += row("weight bytes touched", grouped(r.total.weight_bytes.count()));
  out += row("cache bytes read", grouped(r.total.cache_read_bytes.count()));
  out += row("cache bytes written", grouped(r.total.cache_write_bytes.count()));
  out +=
      row("distinct experts/layer (uniform)", fmt::format("{:.2f}", r.expected_distinct_experts));
  if (r.routing) {
    out += row("distinct experts/layer (routed)", fmt::format("{:.2f}", r.routing->mean_distinct));
    out +=
        row("  largest load over the mean", fmt::format("{:.3f}", r.routing->mean_max_over_mean));
    out += row("routing", r.routing->description);
  }
  if (r.schedule) {
    const StepSchedule& s = *r.schedule;
    out += row("critical path, rates shared",
               fmt::format("{:.6g} s, most of it {}", s.seconds, s.limiter()));
    out += row("  all bytes over the bandwidth", fmt::format("{:.6g} s", s.bandwidth_seconds));
    out += row("  all FLOP over the peak", fmt::format("{:.6g} s", s.arithmetic_seconds));
    out += row("  longest chain, each op alone", fmt::format("{:.6g} s", s.chain_seconds));
  } else {
    out += row("critical path", fmt::format("{}FLOP", human_count(r.critical_cost)));
  }
  for (const std::string& note : r.notes) out += fmt::format("  note: {}\n", note);
  if (r.routing) {
    for (const std::string& note : r.routing->notes) out += fmt::format("  note: {}\n", note);
  }
  return out;
}

/// A name may hold a comma ("MoE layer, window 128"), an einsum always does.
std::string csv_quoted(const std::string& text) {
  return text.find(',') == std::string::npos ? text : "\"" + text + "\"";
}

}  // namespace

ModelReport make_report(const ModelSpec& spec, const ReportOptions& options) {
  ModelReport report;
  report.spec = spec;
  report.step = options.step;
  report.routing = options.routing;
  if (options.routing) report.step.tokens_per_expert = tokens_of(options.routing);
  report.new_tokens = checked_new_tokens(spec, options.step);
  report.tokens = report.new_tokens * options.step.batch;
  const LatentForm form = form_of(spec, options.step);
  report.attention = attention_text(spec, form);
  report.parameters = count_parameters(spec);
  report.kv_bytes_per_token = kv_bytes_per_token(spec);
  report.gemm_flops_per_token = gemm_flops_per_token(spec);
  report.attention_flops = attention_flops(spec, options.step.context, form);
  report.expected_distinct_experts = expected_distinct_experts(
      spec.moe.routing.experts, spec.moe.routing.experts_per_token, report.tokens);
  report.graph = build_graph(spec, report.step);
  report.notes = options.notes;
  if (options.rates) {
    report.schedule = schedule_step(report.graph, *options.rates);
    report.critical_cost = report.schedule->seconds;
    report.critical = report.schedule->longest;
  } else {
    CriticalPath path = critical_path(report.graph, flop_cost());
    report.critical_cost = path.cost;
    report.critical = std::move(path.operations);
  }
  report.critical_unit = options.rates ? "s" : "FLOP";
  report.groups = totals_by_part(report.graph);
  report.total = totals(report.graph);
  options.per_layer ? list_layers(report) : list_blocks(report);
  return report;
}

std::string model_table(const ModelReport& r) {
  std::string out = header_text(r);
  const auto tokens = static_cast<double>(r.tokens);
  out += fmt::format("\n{:<24} {:>12} {:>12} {:>12} {:>12} {:>12} {:>10}\n", "group", "FLOP",
                     "FLOP/token", "weights", "cache read", "activations", "FLOP/B*");
  for (const auto& [part, t] : r.groups) {
    out += fmt::format("{:<24} {:>12} {:>12} {:>12} {:>12} {:>12} {:>10}\n", label_of(part),
                       amount(static_cast<double>(t.flops)),
                       amount(static_cast<double>(t.flops) / tokens), size(t.weight_bytes),
                       size(t.cache_read_bytes), size(t.activation_bytes),
                       t.flops == 0 ? "-" : fmt::format("{:.4g}", stationary_intensity(t)));
  }
  out += "  * per byte of weights and cache\n";
  std::string block;
  for (const OperationLine& line : r.operations) {
    if (line.block != block) {
      block = line.block;
      out += fmt::format("\n{}{}\n", block,
                         line.repeat == 1 ? "" : fmt::format(", {} layers alike", line.repeat));
      out += fmt::format("  {:<19} {:<13} {:<29} {:<32} {:>11} {:>10} {:>10} {:>10} {:>8}\n",
                         "operation", "kind", "einsum", "shape", "FLOP", "weights", "cache",
                         "activ.", "FLOP/B");
    }
    const Bytes cache = line.bytes.cache_read_bytes + line.bytes.cache_write_bytes;
    out += fmt::format("{} {:<19} {:<13} {:<29} {:<32} {:>11} {:>10} {:>10} {:>10} {:>8}\n",
                       line.critical ? '>' : ' ', line.name, line.kind, line.equation, line.shape,
                       amount(static_cast<double>(line.flops)), size(line.bytes.weight_bytes),
                       size(cache), size(line.bytes.activation_bytes),
                       line.flops == 0 ? "-" : fmt::format("{:.4g}", line.intensity));
  }
  return out + "\n> on the critical path\n";
}

std::string operations_csv(const ModelReport& report) {
  std::string out =
      "block,operation,group,kind,einsum,shape,repeat,flops,weight_bytes,cache_read_bytes,"
      "cache_write_bytes,activation_bytes,index_bytes,flops_per_byte,critical\n";
  for (const OperationLine& line : report.operations) {
    const OperationTotals& b = line.bytes;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{:.6g},{}\n", csv_quoted(line.block),
                       csv_quoted(line.name), csv_quoted(line.group), line.kind,
                       csv_quoted(line.equation), csv_quoted(line.shape), line.repeat, line.flops,
                       b.weight_bytes.count(), b.cache_read_bytes.count(),
                       b.cache_write_bytes.count(), b.activation_bytes.count(),
                       b.index_bytes.count(), line.intensity, line.critical ? 1 : 0);
  }
  return out;
}

std::string model_dot(const ModelReport& report) {
  return to_dot(report.graph, report.critical);
}

}  // namespace lacuna
