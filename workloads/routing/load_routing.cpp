// SPDX-License-Identifier: Apache-2.0
#include "workloads/routing/load_routing.hpp"

#include "base/error.hpp"
#include "base/file_reader.hpp"
#include "sparse_formats/npy.hpp"
#include "workloads/routing/readers.hpp"

namespace lacuna::routing {
namespace {

constexpr std::string_view kNpy = "\x93NUMPY";
constexpr std::string_view kFormats =
    "expected a routing dump (JSONL, CSV, .npy, .npz) or expert counts (CSV, JSON logical_count)";

[[noreturn]] void refuse(const std::string& file, std::uint64_t line, const std::string& reason,
                         const std::string& suggestion) {
  throw InputError(Place{file, line, ""}, reason, suggestion);
}

/// Files by their first bytes; nothing when the content is text.
void refuse_binary(const std::string& file, std::string_view bytes) {
  if (bytes.starts_with("GGUF")) {
    refuse(file, 0, "a GGUF file is not read as routing",
           "an imatrix file's per-expert counts can be exported as layer,expert,count CSV");
  }
  if (bytes.starts_with("\x80\x02") || bytes.starts_with("\x80\x04")) {
    refuse(file, 0, "a Python pickle is a program, not data", "convert it to .npy or JSONL first");
  }
  const auto head = bytes.substr(0, 4096);
  for (const char c : head) {
    const bool text = c == '\n' || c == '\r' || c == '\t' || static_cast<unsigned char>(c) >= ' ';
    if (!text) refuse(file, 0, "binary data of no known format", std::string(kFormats));
  }
}

/// The content, once its first piece has told that it can be routing.
std::string read_routing_file(const std::filesystem::path& path) {
  const std::string file = path.string();
  FileReader reader(path);
  std::string bytes;
  (void)reader.read(bytes);
  if (bytes.empty()) refuse(file, 0, "the file is empty", std::string(kFormats));
  if (bytes.starts_with(kNpy)) {
    return read_npy_bytes(reader, std::move(bytes), Place{file, 0, {}});
  }
  if (!bytes.starts_with("PK")) refuse_binary(file, bytes);
  while (reader.read(bytes)) {
  }
  return bytes;
}

/// Dumps that are recognised, but not read yet, by their first line.
void refuse_known(const std::string& file, std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.starts_with("# route_trace")) {
    refuse(file, 1,
           fmt::format("a {} dump: a row for each token, layer and slot, which is not read",
                       excerpt(line.substr(2))),
           std::string(kFormats));
  }
  const bool headless = !line.empty() && line.find(',') != std::string_view::npos &&
                        line.find_first_not_of("0123456789,- ") == std::string_view::npos;
  if (headless) {
    refuse(file, 1,
           fmt::format("{}: numbers without a header line with names of columns; a dump of "
                       "layer,expert rows tells no tokens apart and is not read",
                       excerpt(line)),
           std::string(kFormats));
  }
}

LoadedRouting load_csv(const std::string& file, std::string_view text, const LoadOptions& options) {
  refuse_known(file, text);
  TextTable table(file, text);
  const auto has = [&](std::string_view column) { return table.find(column) != TextTable::kNone; };
  if (has("tok") && has("layer")) {
    RoutingTrace trace = read_compact_csv(table, options);
    return {trace.header.format, std::move(trace)};
  }
  if (has("token_id") && has("expert_0")) {
    RoutingTrace trace = read_dense_csv(table, options);
    return {trace.header.format, std::move(trace)};
  }
  if (has("layer_a") && has("expert_b")) {
    auto sets = cross_layer_margins(file, read_cross_layer_csv(table));
    for (auto& set : sets) set.model = options.model;
    return {"cross-layer count CSV", std::move(sets)};
  }
  if (has("count") && (has("expert") || has("expert_id"))) {
    auto sets = read_count_csv(table, options);
    return {sets.front().format, std::move(sets)};
  }
  if (has("rank") && has("expert")) {
    refuse(file, 1, "popularity ranks have no counts, so no loads follow from them",
           "give a trace or counts; ranks serve only to order experts");
  }
  if (has("thr_50") || (has("target") && has("effective"))) {
    refuse(file, 1, "a table of activation sparsity, not of routing",
           "give it as the activation table");
  }
  refuse(file, 1,
         fmt::format("no routing format has the columns {}",
                     excerpt(fmt::format("{}", fmt::join(table.columns(), ",")))),
         std::string(kFormats));
}

LoadedRouting load_json(const std::string& file, std::string_view text,
                        const LoadOptions& options) {
  // The keys near the start tell the format: key order is free, but these formats' lines are short
  // or have their keys first.
  const std::string_view head = text.substr(0, text.find('\n')).substr(0, 1 << 16);
  const auto has = [&](std::string_view key) {
    return head.find(fmt::format("\"{}\"", key)) != std::string_view::npos;
  };
  const auto whole = [&](RoutingTrace trace) {
    std::string format = trace.header.format;
    return LoadedRouting{std::move(format), std::move(trace)};
  };
  if (has("layers_logged")) return whole(read_community_jsonl(file, text, options));
  if (has("gating_probs") || has("experts")) return whole(read_mixtral_jsonl(file, text, options));
  if (has("topk_experts")) return whole(read_moe_balance_jsonl(file, text, options));
  if (has("exp_ids") || has("input_ids") || has("predicted_token_ids")) {
    return whole(read_ai2_jsonl(file, text, options));
  }
  if (has("topk_ids")) {
    refuse(file, 1, "routing records without the header line {\"type\":\"meta\", ...}",
           "the head of the file is missing");
  }
  if (text.find("vertical_and_slash") != std::string_view::npos) {
    refuse(file, 1, "a table of attention patterns, not of routing",
           "give it as the attention table");
  }
  if (text.substr(0, 1 << 20).find("\"logical_count\"") != std::string_view::npos ||
      text.substr(0, 1 << 20).find("\"physical_to_logical_map\"") != std::string_view::npos) {
    return {"logical_count JSON", read_logical_count(file, text, options)};
  }
  refuse(file, 1, fmt::format("JSON of no known routing format: {}", excerpt(head)),
         std::string(kFormats));
}

}  // namespace

LoadedRouting load_routing(const std::filesystem::path& path, const LoadOptions& options) {
  const std::string file = path.string();
  if (options.experts && (*options.experts == 0 || *options.experts > kMostExperts)) {
    throw InputError(Place{file, 0, "experts"}, fmt::format("{} experts", *options.experts),
                     fmt::format("expected 1 to {}", kMostExperts));
  }
  const std::string bytes = read_routing_file(path);
  if (bytes.starts_with(kNpy) || bytes.starts_with("PK")) return read_array(file, bytes, options);
  std::string_view text = bytes;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) refuse(file, 1, "the file is blank", std::string(kFormats));
  return text[first] == '{' || text[first] == '[' ? load_json(file, text, options)
                                                  : load_csv(file, text, options);
}

RoutingTrace load_trace(const std::filesystem::path& path, const LoadOptions& options) {
  LoadedRouting loaded = load_routing(path, options);
  if (auto* trace = std::get_if<RoutingTrace>(&loaded.data)) return std::move(*trace);
  throw InputError(Place{path.string(), 0, ""},
                   fmt::format("{}: counts per expert, not the routing of tokens", loaded.format),
                   "use it as counts:FILE");
}

std::vector<ExpertCounts> load_counts(const std::filesystem::path& path,
                                      const LoadOptions& options) {
  LoadedRouting loaded = load_routing(path, options);
  if (auto* sets = std::get_if<std::vector<ExpertCounts>>(&loaded.data)) return std::move(*sets);
  throw InputError(Place{path.string(), 0, ""},
                   fmt::format("{}: the routing of tokens, not counts", loaded.format),
                   "use the file itself as the routing");
}

}  // namespace lacuna::routing
