// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shipped_files.hpp"
#include "report/plots.hpp"
#include "report/result_folder.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/routed_step.hpp"
#include "workloads/routing/layout_summary.hpp"
#include "workloads/routing/load_routing.hpp"
#include "workloads/routing/routing_plots.hpp"
#include "workloads/routing/routing_spec.hpp"

namespace lacuna {
namespace {

using OrderedJson = nlohmann::ordered_json;
using namespace routing;
using Recording = std::variant<RoutingTrace, ExpertCounts>;

struct RoutingArguments {
  std::string trace;
  std::string model;
  bool json = false;
  std::string out;
  std::uint64_t block = 128;
  double capacity = 1.25;
};

/// One trace, or one set of counts of a file, and what is said about it.
struct Described {
  Recording recording;
  std::string label;
  std::vector<std::string> facts;
  std::vector<std::string> notes;
  std::vector<LayerStatistics> layers;
  std::vector<LayoutSummary> layouts;
  LayoutOptions options;
};

std::string described_steps(const RoutingTrace& trace) {
  std::uint64_t prefills = 0;
  std::uint64_t decodes = 0;
  const auto steps = trace.steps();
  for (const RoutingBlock& block : trace.blocks) {
    if (block.layer != trace.header.layers.front()) continue;
    ++(block.phase == Phase::kPrefill ? prefills : decodes);
  }
  if (!trace.header.steps_known && steps.size() == 1) return "steps not told apart";
  return trace.header.phase_known
             ? fmt::format("{} steps ({} prefill, {} decode)", steps.size(), prefills, decodes)
             : fmt::format("{} steps", steps.size());
}

std::vector<std::string> facts_of(const RoutingTrace& trace) {
  const TraceHeader& h = trace.header;
  return {h.format,
          h.model.empty() ? "model not named" : h.model,
          fmt::format("{} experts{}", h.experts, h.experts_stated ? "" : " (largest id seen)"),
          fmt::format("top-{}", h.top_k),
          fmt::format("layers {}", ranges_text(h.layers)),
          described_steps(trace),
          fmt::format("{} rows read, {} dropped", h.rows_read, h.rows_dropped)};
}

std::vector<std::string> facts_of(const ExpertCounts& counts) {
  return {counts.format, counts.label(), fmt::format("{} experts", counts.experts),
          fmt::format("layers {}", ranges_text(counts.layers)),
          counts.steps == 1 ? "counts of all tokens" : fmt::format("{} steps", counts.steps)};
}

/// The sets of the file that were asked for.
std::vector<Recording> chosen_recordings(LoadedRouting loaded, const RoutingSpec& spec) {
  std::vector<Recording> out;
  if (auto* trace = std::get_if<RoutingTrace>(&loaded.data)) {
    refuse_choice_of_set(spec);
    out.emplace_back(std::move(*trace));
    return out;
  }
  std::vector<std::string> labels;
  for (ExpertCounts& set : std::get<std::vector<ExpertCounts>>(loaded.data)) {
    labels.push_back(set.label());
    if (spec.domain && set.domain != *spec.domain) continue;
    if (spec.top_k && set.top_k != *spec.top_k) continue;
    out.emplace_back(std::move(set));
  }
  if (out.empty()) {
    throw InputError(Place{spec.file, 0, ""}, "no counts of that domain and top-k",
                     fmt::format("it holds: {}", fmt::join(labels, "; ")));
  }
  return out;
}

Described describe(Recording recording, const RoutingArguments& arguments,
                   const std::optional<ModelSpec>& model, const std::string& mapping) {
  Described out;
  out.options.block = arguments.block;
  out.options.capacity.factor = arguments.capacity;
  std::optional<TraceBinding> binding;
  std::visit(
      [&](const auto& data) {
        out.facts = facts_of(data);
        if (model) {
          binding = bind_trace(origin_of(data), routed_model(*model), mapping);
          out.options.shape = ExpertShape{model->hidden, model->moe.expert_width};
          out.options.binding = &*binding;
        }
        out.layouts = layout_summaries(data, out.options);
      },
      recording);
  out.options.binding = nullptr;  // it ends here
  if (const auto* trace = std::get_if<RoutingTrace>(&recording)) {
    out.label = trace->header.model.empty() ? "trace" : trace->header.model;
    out.notes = trace->header.notes;
    out.layers = trace_statistics(*trace);
  } else {
    const auto& counts = std::get<ExpertCounts>(recording);
    out.label = counts.label();
    out.notes = counts.notes;
    out.layers = count_statistics(counts);
  }
  if (binding) out.notes.insert(out.notes.end(), binding->notes.begin(), binding->notes.end());
  out.recording = std::move(recording);
  return out;
}

/// With a model, the sets of a count file that are not the model's are left out, unless none is.
std::vector<Described> describe_all(std::vector<Recording> recordings,
                                    const RoutingArguments& arguments,
                                    const std::optional<ModelSpec>& model,
                                    const std::string& mapping,
                                    std::vector<std::string>& left_out) {
  std::vector<Described> out;
  const bool only = recordings.size() == 1;
  std::optional<InputError> refusal;
  for (Recording& recording : recordings) {
    try {
      out.push_back(describe(std::move(recording), arguments, model, mapping));
    } catch (const InputError& error) {
      if (only || !model) throw;
      left_out.push_back(error.what());
      if (!refusal) refusal = error;
    }
  }
  if (out.empty()) throw InputError(*refusal);
  return out;
}

std::string text_of(const Described& d) {
  std::string out = fmt::format("{}\n", fmt::join(d.facts, ", "));
  for (const auto& note : d.notes) out += fmt::format("note: {}\n", note);
  out += "\n" + statistics_table(d.layers) + "\n" + layouts_table(d.layouts, d.options);
  return out;
}

OrderedJson cost_json(const LayoutCost& cost, bool flop) {
  OrderedJson out{{"rows_executed", cost.rows_executed},
                  {"rows_useful", cost.rows_useful},
                  {"useful_share", cost.useful_share()}};
  if (flop) {
    out["flop_executed"] = cost.flop_executed;
    out["flop_useful"] = cost.flop_useful;
  }
  return out;
}

OrderedJson layouts_json(const LayoutSummary& row, const LayoutOptions& options) {
  const bool flop = options.shape.has_value();
  OrderedJson out{{"grouped", cost_json(row.grouped, flop)},
                  {"capacity", cost_json(row.capacity, flop)}};
  out["capacity"].update({{"factor", options.capacity.factor},
                          {"per_expert", row.capacity_per_expert},
                          {"dropped", row.dropped},
                          {"padding", row.padding}});
  if (row.block_sparse) {
    out["block_sparse"] = cost_json(*row.block_sparse, flop);
    out["block_sparse"]["block"] = options.block;
    if (flop) out["block_sparse"]["metadata_bytes"] = row.metadata.count();
  } else {
    out["block_sparse"] = {{"refused", row.refused}};
  }
  return out;
}

OrderedJson layer_json(const LayerStatistics& r, const LayoutSummary& layouts,
                       const LayoutOptions& options) {
  OrderedJson out{{"layer", r.layer}, {"tokens", r.tokens}};
  out["load"] = {{"assignments", r.load.assignments},
                 {"min", r.load.least},
                 {"max", r.load.most},
                 {"mean", r.load.mean},
                 {"max_over_mean", r.load.max_over_mean},
                 {"cv", r.load.cv},
                 {"normalised_entropy", r.load.normalised_entropy},
                 {"used_experts", r.load.used}};
  // Counts tell neither; a null is not a zero.
  out["distinct_per_step"] = nullptr;
  out["repeats"] = nullptr;
  if (r.distinct.steps > 0) {
    out["distinct_per_step"] = {{"steps", r.distinct.steps},
                                {"mean", r.distinct.mean},
                                {"min", r.distinct.least},
                                {"max", r.distinct.most},
                                {"mean_if_uniform", r.distinct.mean_expected_uniform}};
  }
  if (r.repeat.pairs > 0) {
    out["repeats"] = {{"pairs", r.repeat.pairs},
                      {"top1", r.repeat.top1},
                      {"any_slot", r.repeat.any_slot},
                      {"whole_set", r.repeat.whole_set}};
  }
  out["layouts"] = layouts_json(layouts, options);
  return out;
}

OrderedJson set_json(const Described& d) {
  OrderedJson out = OrderedJson::object();
  if (const auto* trace = std::get_if<RoutingTrace>(&d.recording)) {
    const TraceHeader& h = trace->header;
    out = {{"kind", "trace"},
           {"format", h.format},
           {"model", h.model},
           {"experts", h.experts},
           {"experts_stated", h.experts_stated},
           {"top_k", h.top_k},
           {"steps", trace->steps().size()},
           {"rows_read", h.rows_read},
           {"rows_dropped", h.rows_dropped}};
  } else {
    const auto& c = std::get<ExpertCounts>(d.recording);
    out = {{"kind", "counts"},     {"format", c.format}, {"model", c.model}, {"domain", c.domain},
           {"experts", c.experts}, {"top_k", c.top_k},   {"steps", c.steps}};
  }
  out["notes"] = d.notes;
  out["layers"] = OrderedJson::array();
  for (std::size_t i = 0; i < d.layers.size(); ++i) {
    out["layers"].push_back(layer_json(d.layers[i], d.layouts[i], d.options));
  }
  return out;
}

std::string routing_json(const RoutingSpec& spec, const std::vector<Described>& sets,
                         const std::vector<std::string>& left_out) {
  OrderedJson out{
      {"schema", "lacuna.routing/1"}, {"file", spec.file}, {"sha256", sha256_of(spec.file)}};
  out["left_out"] = left_out;
  out["sets"] = OrderedJson::array();
  for (const Described& d : sets) out["sets"].push_back(set_json(d));
  return out.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

/// A folder name: "OLMoE-1B-7B-0924, top-8, c4" is 03-OLMoE-1B-7B-0924-top-8-c4.
std::string folder_name(std::size_t index, const std::string& label) {
  std::string out = fmt::format("{:02}-", index + 1);
  for (const char c : label) {
    const bool safe = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (safe) {
      out += c;
    } else if (out.back() != '-') {
      out += '-';
    }
  }
  constexpr std::size_t kLongest = 80;
  return out.substr(0, kLongest);
}

std::vector<PlotFile> files_of(const Described& d) {
  auto files = std::visit([](const auto& data) { return routing_plots(data); }, d.recording);
  files.push_back({"routing_layouts.csv", layouts_csv(d.layouts, d.options)});
  return files;
}

/// What they and the pictures of the scripts among them are called, in a folder of the result.
std::vector<std::string> names_of(const std::vector<PlotFile>& files, const std::string& folder) {
  std::vector<std::string> names;
  for (const PlotFile& file : files) {
    const std::filesystem::path name = std::filesystem::path(folder) / file.name;
    names.push_back(name.string());
    if (name.extension() != ".gp") continue;
    for (const char* ending : {".svg", ".png"}) {
      names.push_back(std::filesystem::path(name).replace_extension(ending).string());
    }
  }
  return names;
}

std::vector<std::string> draw_set(const std::filesystem::path& folder) {
  report::Rendered rendered = report::render_plots(folder);
  if (!rendered.note.empty()) rendered.warnings.push_back(rendered.note);
  return rendered.warnings;
}

std::vector<std::string> write_folder(StagedFolder& folder, const std::string& json,
                                      const std::vector<Described>& sets) {
  write_file(folder.path() / "routing.json", json);
  std::vector<std::string> notes;
  const auto note = [&notes](std::string text) {
    if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  };
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::string own = sets.size() > 1 ? folder_name(i, sets[i].label) : std::string();
    const auto files = files_of(sets[i]);
    folder.expect(names_of(files, own));
    std::error_code error;
    std::filesystem::create_directories(folder.path() / own, error);
    for (const PlotFile& file : files) write_file(folder.path() / own / file.name, file.content);
    for (const auto& text : draw_set(folder.path() / own)) note(text);
  }
  for (const auto& text : folder.commit()) note(text);
  return notes;
}

int execute(const RoutingArguments& arguments) {
  const RoutingSpec spec = parse_routing_spec(arguments.trace);
  if (spec.file.empty()) {
    throw InputError(
        fmt::format("'{}' generates routing, so nothing is recorded in it", arguments.trace),
        "give a trace or counts; `lacuna model --routing` runs generators");
  }
  if (!spec.mapping.empty() && arguments.model.empty()) {
    throw InputError(fmt::format("#map={} maps to no model", spec.mapping), "name it with --model");
  }
  std::optional<StagedFolder> folder;  // what cannot be written is told before the work
  if (!arguments.out.empty()) {
    folder.emplace(arguments.out, "routing", std::vector<std::string>{"routing.json"});
  }
  std::optional<ModelSpec> model;
  if (!arguments.model.empty()) model = load_model(find_config("models", arguments.model));
  std::vector<std::string> left_out;
  const auto sets = describe_all(chosen_recordings(load_routing(spec.file, spec.load), spec),
                                 arguments, model, spec.mapping, left_out);
  const std::string json = routing_json(spec, sets, left_out);
  std::vector<std::string> notes;
  if (folder) notes = write_folder(*folder, json, sets);
  if (arguments.json) {
    fmt::print("{}", json);
  } else {
    for (std::size_t i = 0; i < sets.size(); ++i) {
      fmt::print("{}{}", i == 0 ? "" : "\n", text_of(sets[i]));
    }
    for (const auto& reason : left_out) fmt::print("left out: {}\n", reason);
  }
  report::print_folder(arguments.out, notes, arguments.json);
  return 0;
}

}  // namespace

Command add_routing(Options& app) {
  auto a = std::make_shared<RoutingArguments>();
  app.add_option("trace", a->trace,
                 "a routing dump or expert counts, with #key=value items: model, experts, layer, "
                 "domain, topk, array, dummy, ragged=allow, as=counts, map")
      .required();
  app.add_option("--model", a->model,
                 "config.json or shipped name: checks the trace against it, "
                 "adds FLOP and metadata");
  app.add_flag("--json", a->json, "print JSON instead of the tables");
  add_out_option(app, a->out, "folder for routing.json, tables and plots");
  app.add_option("--block", a->block, "rows of a block of block-sparse execution, 128 by default");
  app.add_option("--capacity", a->capacity, "capacity factor, 1.25 by default; 0: largest load");
  return [a] { return execute(*a); };
}

}  // namespace lacuna
