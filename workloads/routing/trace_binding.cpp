// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/trace_binding.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/error.hpp"

namespace lacuna::routing {
namespace {

constexpr std::uint32_t kMostLayers = 0xFFFF;

/// The name's parts in lower case, without owner and without trailing parts that name a variant.
std::string model_key(const std::string& name) {
  static constexpr std::array kVariants = {"instruct", "chat", "base", "fp8",  "bf16",
                                           "hf",       "it",   "awq",  "gptq", "int8"};
  // Hugging Face's cache folders and many file names spell owner/name as owner--name.
  const auto slash = name.find_last_of('/');
  const auto dashes = name.rfind("--");
  const std::size_t owner = std::max(slash == std::string::npos ? 0 : slash + 1,
                                     dashes == std::string::npos ? 0 : dashes + 2);
  std::vector<std::string> parts(1);
  for (const char c : name.substr(owner)) {
    if (c == '-' || c == '_' || c == ' ') {
      parts.emplace_back();
    } else {
      parts.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  const auto variant = [](const std::string& part) {
    if (std::find(kVariants.begin(), kVariants.end(), part) != kVariants.end()) return true;
    const bool digits = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
    const bool version = part.size() > 2 && part[0] == 'v' && part[1] == '0' && part[2] == '.';
    return (digits && part.size() == 4) || version;
  };
  while (parts.size() > 1 && variant(parts.back())) parts.pop_back();
  std::string key;
  for (const auto& part : parts) {
    for (const char c : part) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) key += c;
    }
  }
  return key;
}

struct Span {
  std::uint32_t first;
  std::uint32_t last;
  [[nodiscard]] std::uint32_t size() const { return last - first + 1; }
};

struct Mapping {
  std::vector<std::pair<Span, Span>> layers;
  std::string layer_rule = "same";
  std::string expert_rule = "same";
  bool first_k = false;
};

[[noreturn]] void bad_mapping(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{"", 0, "map"}, problem, suggestion);
}

Span parse_span(std::string_view text) {
  const auto number = [&](std::string_view part) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc{} || end != part.data() + part.size() || value >= kMostLayers) {
      bad_mapping(fmt::format("'{}' is not a layer or range of layers", text),
                  "expected for example layers:0-7=3-10");
    }
    return value;
  };
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {number(text), number(text)};
  const Span span{number(text.substr(0, dash)), number(text.substr(dash + 1))};
  if (span.last < span.first) bad_mapping(fmt::format("range '{}' runs backwards", text), "");
  return span;
}

void parse_layers(std::string_view value, Mapping& out) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos) {
    const std::string rule(value);
    if (rule != "same" && rule != "nearest" && rule != "cycle") {
      bad_mapping(fmt::format("layers:{}", rule),
                  "expected layers:TRACE=MODEL (0-7=3-10), layers:same, nearest or cycle");
    }
    out.layer_rule = rule;
    return;
  }
  const Span from = parse_span(value.substr(0, equals));
  const Span to = parse_span(value.substr(equals + 1));
  if (from.size() != to.size() && from.size() != 1) {
    bad_mapping(fmt::format("layers:{} maps {} layers to {}", value, from.size(), to.size()),
                "both ranges must be of one length, or the first a single layer");
  }
  out.layers.emplace_back(from, to);
}

Mapping parse_mapping(std::string_view text) {
  Mapping out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto colon = item.find(':');
    const std::string key(item.substr(0, colon));
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : item.substr(colon + 1);
    if (key == "layers") {
      parse_layers(value, out);
    } else if (key == "experts" && (value == "same" || value == "mod")) {
      out.expert_rule = value;
    } else if (key == "topk" && value == "first") {
      out.first_k = true;
    } else {
      bad_mapping(fmt::format("'{}' is no mapping item", item),
                  "expected layers:0-7=3-10, layers:same|nearest|cycle, experts:same|mod, "
                  "topk:first");
    }
  }
  return out;
}

/// "OLMoE (64 experts, top-8, layers 0-15)".
std::string describe(const TraceOrigin& origin) {
  std::string out = origin.model.empty() ? "an unnamed model" : origin.model;
  std::vector<std::string> facts;
  if (origin.experts != 0) {
    facts.push_back(
        fmt::format("{}{} experts", origin.experts_stated ? "" : "at least ", origin.experts));
  }
  if (origin.top_k != 0) facts.push_back(fmt::format("top-{}", origin.top_k));
  facts.push_back(fmt::format("layers {}", ranges_text(origin.layers)));
  return fmt::format("{} ({})", out, fmt::join(facts, ", "));
}

std::string describe(const RoutedModel& model) {
  const std::string name = model.name.empty() ? "an unnamed model" : model.name;
  if (model.experts == 0) return fmt::format("{} ({} layers)", name, model.layers);
  return fmt::format("{} ({} experts, top-{}, MoE layers {}-{})", name, model.experts, model.top_k,
                     model.first_moe_layer, model.layers - 1);
}

[[noreturn]] void differs(const TraceOrigin& origin, const RoutedModel& model,
                          const std::string& what) {
  throw InputError(Place{origin.source, 0, ""},
                   fmt::format("{}: the file is of {}, the model is {}", what, describe(origin),
                               describe(model)),
                   "use it with its own model, or map it: map=layers:0-7=3-10,experts:mod");
}

/// Identity by number, or by the length rule for arrays.
std::map<std::uint32_t, std::uint32_t> same_layers(const TraceOrigin& origin,
                                                   const RoutedModel& model,
                                                   std::vector<std::string>& notes) {
  std::map<std::uint32_t, std::uint32_t> out;
  std::uint32_t shift = 0;
  if (origin.numbering == LayerNumbering::kArray) {
    const std::size_t count = origin.layers.empty() ? 0 : origin.layers.back() + std::size_t{1};
    if (count == model.layers - model.first_moe_layer) {
      shift = model.first_moe_layer;
    } else if (count != model.layers) {
      differs(origin, model,
              fmt::format("an array of {} layers fits neither the {} MoE layers nor all {}", count,
                          model.layers - model.first_moe_layer, model.layers));
    }
    if (shift != 0) {
      notes.push_back(
          fmt::format("the array holds MoE layers only: its layer 0 is layer {}", shift));
    }
  }
  for (const std::uint32_t layer : origin.layers) {
    const std::uint32_t target = layer + shift;
    if (target >= model.layers) {
      differs(origin, model, fmt::format("layer {} is beyond the model", layer));
    }
    if (target >= model.first_moe_layer) {
      out[target] = layer;
    } else if (origin.numbering == LayerNumbering::kModel) {
      differs(origin, model, fmt::format("layer {} is dense in the model", layer));
    }
  }
  return out;
}

std::map<std::uint32_t, std::uint32_t> mapped_layers(const Mapping& mapping,
                                                     const TraceOrigin& origin,
                                                     const RoutedModel& model,
                                                     std::vector<std::string>& notes) {
  std::map<std::uint32_t, std::uint32_t> out;
  const auto& have = origin.layers;
  if (mapping.layers.empty() && mapping.layer_rule == "same") {
    return same_layers(origin, model, notes);
  }
  if (mapping.layer_rule != "same") {
    for (std::uint32_t l = model.first_moe_layer; l < model.layers; ++l) {
      if (mapping.layer_rule == "cycle") {
        out[l] = have[(l - model.first_moe_layer) % have.size()];
      } else {
        out[l] = *std::min_element(have.begin(), have.end(), [l](auto a, auto b) {
          return std::max(a, l) - std::min(a, l) < std::max(b, l) - std::min(b, l);
        });
      }
    }
  }
  for (const auto& [from, to] : mapping.layers) {
    for (std::uint32_t i = 0; i < to.size(); ++i) {
      const std::uint32_t source = from.first + (from.size() == 1 ? 0 : i);
      const std::uint32_t target = to.first + i;
      if (std::find(have.begin(), have.end(), source) == have.end()) {
        bad_mapping(fmt::format("the file has no layer {}", source),
                    fmt::format("it holds layers {}", ranges_text(have)));
      }
      if (target < model.first_moe_layer || target >= model.layers) {
        bad_mapping(fmt::format("layer {} of the model is not one to map to", target),
                    fmt::format("expected {} to {}", model.first_moe_layer, model.layers - 1));
      }
      out[target] = source;
    }
  }
  return out;
}

/// Throws or notes when the names do not say that the file is the model's own.
void check_names(const TraceOrigin& origin, const RoutedModel& model, bool mapped,
                 TraceBinding& out) {
  if (origin.model.empty() || model.name.empty()) {
    if (!mapped) {
      out.notes.push_back(fmt::format("{} names no model: taken as {}'s because the shapes agree",
                                      origin.model.empty() ? "the file" : "the configuration",
                                      model.name.empty() ? origin.model : model.name));
    }
    return;
  }
  if (same_model(origin.model, model.name)) {
    if (origin.model != model.name) {
      out.notes.push_back(fmt::format("the file is of {}, the run of {}: variants of one model",
                                      origin.model, model.name));
    }
    return;
  }
  if (!mapped) differs(origin, model, "another model");
  out.other_model = true;
}

}  // namespace

TraceOrigin origin_of(const RoutingTrace& trace) {
  const auto& h = trace.header;
  return {h.source, h.model,  h.experts,   h.experts_stated,
          h.top_k,  h.layers, h.numbering, h.id_space == IdSpace::kPhysical};
}

TraceOrigin origin_of(const ExpertCounts& counts) {
  return {counts.source, counts.model,  counts.experts,   true,
          counts.top_k,  counts.layers, counts.numbering, false};
}

bool same_model(const std::string& a, const std::string& b) {
  return model_key(a) == model_key(b);
}

TraceBinding bind_trace(const TraceOrigin& origin, const RoutedModel& model,
                        const std::string& mapping_text) {
  LACUNA_CHECK(model.first_moe_layer < model.layers && model.experts > 0 && model.top_k > 0 &&
                   !origin.layers.empty(),
               "routing of a model without MoE layers");
  if (origin.physical_ids) {
    throw InputError(Place{origin.source, 0, ""}, "the ids are physical (replicated experts)",
                     "map them to logical ids first");
  }
  const bool mapped = !mapping_text.empty();
  const Mapping mapping = parse_mapping(mapping_text);
  TraceBinding out;
  out.experts = model.experts;
  out.top_k = model.top_k;
  out.expert_map =
      mapping.expert_rule == "mod" ? TraceBinding::Experts::kModulo : TraceBinding::Experts::kSame;
  check_names(origin, model, mapped, out);
  const bool modulo = out.expert_map == TraceBinding::Experts::kModulo;
  const bool unnamed = origin.model.empty();
  if (!modulo && origin.experts > model.experts) differs(origin, model, "more experts");
  // A short trace of the model may miss its last experts; an unnamed one proves nothing then.
  const bool fewer = origin.experts < model.experts && (origin.experts_stated || unnamed);
  if (fewer && !mapped) differs(origin, model, "fewer experts");
  if (origin.top_k != 0 && origin.top_k != model.top_k &&
      !(mapping.first_k && origin.top_k > model.top_k)) {
    differs(origin, model,
            origin.top_k > model.top_k ? "more experts per token (topk:first takes the first)"
                                       : "fewer experts per token");
  }
  out.layers = mapped ? mapped_layers(mapping, origin, model, out.notes)
                      : same_layers(origin, model, out.notes);
  if (mapped) {
    out.other_model = out.other_model || unnamed || model.name.empty();
    out.notes.push_back(fmt::format("routing of {} mapped to {} by '{}'", describe(origin),
                                    describe(model), mapping_text));
  }
  return out;
}

TraceBinding bind_table(const TraceOrigin& origin, const RoutedModel& model,
                        const std::string& mapping_text) {
  LACUNA_CHECK(model.layers > 0 && !origin.layers.empty(), "a table of no layers");
  const bool mapped = !mapping_text.empty();
  const Mapping mapping = parse_mapping(mapping_text);
  if (mapping_text.find("experts:") != std::string::npos || mapping.first_k) {
    bad_mapping("this table has no experts", "expected layers: items only");
  }
  RoutedModel whole = model;  // tables speak of every layer, dense ones too
  whole.first_moe_layer = 0;
  whole.experts = 0;
  TraceBinding out;
  check_names(origin, whole, mapped, out);
  if (!mapped && origin.layers.size() != model.layers) {
    differs(origin, whole, fmt::format("a table of {} layers", origin.layers.size()));
  }
  out.layers = mapped ? mapped_layers(mapping, origin, whole, out.notes)
                      : same_layers(origin, whole, out.notes);
  if (mapped) {
    out.notes.push_back(fmt::format("table of {} mapped to {} by '{}'", describe(origin),
                                    describe(whole), mapping_text));
  }
  return out;
}

std::uint32_t TraceBinding::trace_layer(std::uint32_t model_layer,
                                        const std::string& source) const {
  if (const auto at = layers.find(model_layer); at != layers.end()) return at->second;
  std::vector<std::uint32_t> covered;
  for (const auto& [layer, from] : layers) covered.push_back(layer);
  throw InputError(Place{source, 0, ""},
                   fmt::format("nothing recorded for layer {} of the model", model_layer),
                   fmt::format("it covers layers {}: run those with --layers, or map the others "
                               "with map=layers:nearest",
                               ranges_text(covered)));
}

std::vector<ExpertId> TraceBinding::map_ids(std::span<const ExpertId> ids,
                                            std::uint32_t trace_k) const {
  LACUNA_CHECK(trace_k >= top_k && ids.size() % trace_k == 0, "{} ids of top-{} for top-{}",
               ids.size(), trace_k, top_k);
  std::vector<ExpertId> out;
  out.reserve(ids.size() / trace_k * top_k);
  for (std::size_t token = 0; token < ids.size(); token += trace_k) {
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    for (std::size_t slot = 0; slot < top_k; ++slot) {
      ExpertId id = ids[token + slot];
      if (id != kNoExpert && expert_map == Experts::kModulo) {
        id = static_cast<ExpertId>(id % experts);
        while (std::find(out.begin() + first, out.end(), id) != out.end()) {
          id = static_cast<ExpertId>((id + 1U) % experts);
        }
      }
      out.push_back(id);
    }
  }
  return out;
}

std::vector<std::uint64_t> TraceBinding::map_loads(std::span<const std::uint64_t> loads) const {
  std::vector<std::uint64_t> out(experts);
  for (std::size_t e = 0; e < loads.size(); ++e) out[e % experts] += loads[e];
  return out;
}

}  // namespace lacuna::routing
