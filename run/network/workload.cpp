// SPDX-License-Identifier: Apache-2.0
#include "run/network/workload.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/run.hpp"
#include "sparse_formats/pattern_occupancy.hpp"
#include "sparse_formats/smtx.hpp"
#include "workloads/networks/network.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "dlmc:";
constexpr std::uint64_t kExplicitBits = 64U << 20;  // larger operands are a sample of rows

Pattern activation_pattern(const std::string& text) {
  const Pattern pattern = parse_pattern(text, Place{"", 0, "activations"});
  if (pattern.kind == PatternKind::dense || pattern.kind == PatternKind::uniform) return pattern;
  throw InputError(Place{"", 0, "activations"}, fmt::format("'{}': not a density", text),
                   "use dense or uniform:0.5");
}

Occupancy occupancy(const Pattern& pattern, std::uint64_t rows, std::uint64_t cols,
                    std::uint64_t seed, const char* stream) {
  if (rows * cols <= kExplicitBits) {
    return make_occupancy(pattern, rows, cols, seed, {Axis::along_row, stream});
  }
  return Occupancy::procedural(pattern, rows, cols, seed, stream);
}

/// Lines "layer,value"; `parse` takes the value or nothing. `like` shows how to write one.
template <class Value, class Parse>
std::map<std::string, Value> read_layer_values(const std::string& file, const char* what,
                                               const char* like, Parse&& parse) {
  std::map<std::string, Value> values;
  if (file.empty()) return values;
  std::istringstream in(read_file(file));
  std::uint64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const auto comma = line.rfind(',');
    const auto value =
        comma == std::string::npos ? std::optional<Value>() : parse(line.substr(comma + 1));
    if (!value) {
      throw InputError(Place{file, number, {}}, fmt::format("expected a layer and its {}", what),
                       fmt::format("write lines like {}", like));
    }
    const std::string layer = line.substr(0, comma);
    if (!values.emplace(layer, *value).second) {
      throw InputError(Place{file, number, {}}, fmt::format("'{}' is given twice", layer),
                       "give each layer once");
    }
  }
  return values;
}

std::map<std::string, std::uint64_t> read_columns(const std::string& file) {
  return read_layer_values<std::uint64_t>(
      file, "columns", "conv1,3136", [](const std::string& text) -> std::optional<std::uint64_t> {
        const auto value = parse_integer(text);
        return value && *value > 0 && *value <= (1U << 24) ? std::optional(*value) : std::nullopt;
      });
}

/// Densities of the inputs of layers, as a trace gives them.
class Activations {
 public:
  explicit Activations(const NetworkWorkloadSpec& spec)
      : other_(activation_pattern(spec.activations)) {
    patterns_ = read_layer_values<Pattern>(
        spec.densities, "density", "conv1,0.52",
        [](const std::string& text) -> std::optional<Pattern> {
          const auto value = parse_number(text);
          if (!value || *value <= 0 || *value > 1) return std::nullopt;
          return activation_pattern(*value == 1 ? "dense" : "uniform:" + text);
        });
  }
  [[nodiscard]] const Pattern& of(const std::string& layer) const {
    const auto found = patterns_.find(layer);
    return found == patterns_.end() ? other_ : found->second;
  }
  /// Layers of the file that the network does not have.
  void check(const NetworkWorkload& workload, const std::string& file) const {
    for (const auto& [name, pattern] : patterns_) {
      const bool known =
          std::any_of(workload.layers.begin(), workload.layers.end(),
                      [&name = name](const LayerWorkload& layer) { return layer.name == name; });
      if (known) continue;
      std::vector<std::string> names;
      for (const auto& layer : workload.layers) names.push_back(layer.name);
      throw InputError(Place{file, 0, {}}, fmt::format("{} has no layer '{}'", workload.name, name),
                       suggest(name, names));
    }
  }

 private:
  Pattern other_;
  std::map<std::string, Pattern> patterns_;
};

void add_table_layers(const NetworkWorkloadSpec& spec, const Activations& activations,
                      NetworkWorkload& out) {
  const auto file = find_config("networks", spec.network);
  const ConfigReader reader(load_config_file("networks", file));
  const Network network = read_network(reader, spec.images);
  reader.finish();
  out.name = network.name;
  const Pattern weights = parse_pattern(spec.weights, Place{"", 0, "weights"});
  for (const NetworkLayer& layer : network.layers) {
    LayerWorkload work{layer.name, layer.group, layer.repeat, {}, layer.weights};
    const Pattern& b = activations.of(layer.name);
    const Pattern& a = layer.weights ? weights : b;
    work.instance = single({occupancy(a, layer.m, layer.k, spec.seed, "A"),
                            occupancy(b, layer.n, layer.k, spec.seed, "B")});
    work.instance.times = layer.batch;
    work.instance.b_footprint = layer.b_footprint;
    out.layers.push_back(std::move(work));
  }
}

std::vector<fs::path> pruned_files(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (auto at = fs::recursive_directory_iterator(folder, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string name = at->path().string();
    if (name.ends_with(".smtx") || name.ends_with(".smtx.gz")) files.push_back(at->path());
  }
  if (error || files.empty()) {
    throw InputError(Place{folder, 0, {}}, "no .smtx or .smtx.gz file is there",
                     "dlmc: takes a folder of pruned layers");
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add_folder_layers(const NetworkWorkloadSpec& spec, const Activations& activations,
                       NetworkWorkload& out) {
  const std::string folder = spec.network.substr(kFolder.size());
  const auto columns = read_columns(spec.columns);
  for (const fs::path& file : pruned_files(folder)) {
    const std::string name = file.filename().string().substr(0, file.filename().string().find('.'));
    const auto found = columns.find(name);
    const std::uint64_t n = found == columns.end() ? spec.n : found->second;
    BitMatrix a = BitMatrix::from_csr(read_smtx(file));
    const std::uint64_t k = a.cols();
    LayerWorkload work{name, file.parent_path().filename().string(), 1, {}};
    work.instance = single({std::move(a), occupancy(activations.of(name), n, k, spec.seed, "B")});
    out.layers.push_back(std::move(work));
    out.inputs[file.string()] = sha256_of(file);
  }
  if (!spec.columns.empty()) {
    std::set<std::string> here;
    for (const LayerWorkload& layer : out.layers) here.insert(layer.name);
    const auto without = std::count_if(here.begin(), here.end(),
                                       [&](const auto& l) { return columns.count(l) == 0; });
    const auto strange = std::count_if(columns.begin(), columns.end(),
                                       [&](const auto& c) { return here.count(c.first) == 0; });
    out.notes.push_back(
        fmt::format("columns of B from {}; {} layers are not in it and have {}, {} of its names "
                    "are no layers here",
                    spec.columns, without, spec.n, strange));
    out.inputs[spec.columns] = sha256_of(spec.columns);
  }
  out.name = fs::path(folder).filename().string();
  out.notes.push_back("columns of A in the order of the files; a file holds no values");
}

/// What the layers of a folder and of a table each have no use for.
void refuse_idle(const NetworkWorkloadSpec& spec) {
  const NetworkWorkloadSpec unset;
  if (spec.network.rfind(kFolder, 0) == 0) {
    if (spec.weights != unset.weights) {
      throw InputError("--weights: the files of a folder say which weights are there",
                       "leave it out, or prune them further with --re-prune");
    }
    if (spec.images != unset.images) {
      throw InputError("--images: a folder's layers have their columns",
                       "give them with --n or --columns");
    }
    return;
  }
  if (spec.re_prune) {
    throw InputError("--re-prune: the layers of a table take any pattern",
                     "give it with --weights");
  }
  if (!spec.columns.empty() || spec.n != unset.n) {
    throw InputError("--columns and --n: the layers of a table have their columns",
                     "leave them out, or give several --images");
  }
}

}  // namespace

NetworkWorkloadSpec read_network_workload(const ConfigReader& config, const fs::path& folder) {
  NetworkWorkloadSpec spec;
  const auto beside = [&folder](const std::string& name) {
    std::error_code ignored;
    return fs::path(name).is_relative() && fs::exists(folder / name, ignored)
               ? (folder / name).string()
               : name;
  };
  spec.network = config.text("network");
  if (spec.network.rfind(kFolder, 0) == 0) {
    spec.network = std::string(kFolder) + beside(spec.network.substr(kFolder.size()));
  } else {
    spec.network = beside(spec.network);
  }
  spec.weights = config.text("weights", spec.weights);
  spec.activations = config.text("activations", spec.activations);
  spec.densities = config.text("densities", "");
  if (!spec.densities.empty()) spec.densities = beside(spec.densities);
  spec.columns = config.text("columns", "");
  if (!spec.columns.empty()) spec.columns = beside(spec.columns);
  spec.n = config.integer("n", {1, 1U << 24}, spec.n);
  spec.images = config.integer("images", {1, 65536}, 1);
  spec.re_prune = config.boolean("re_prune", false);
  spec.seed = config.integer("seed", {0, 1e15}, 1);
  return spec;
}

ConfigTree to_config(const NetworkWorkloadSpec& spec) {
  ConfigTree tree;
  const auto put = [&tree](std::string_view key, const std::string& value) {
    if (!value.empty()) tree.put(key, value);
  };
  const auto absolute = [](const std::string& name) {
    std::error_code ignored;
    return fs::exists(name, ignored) ? fs::absolute(name).string() : name;
  };
  const bool folder = spec.network.rfind(kFolder, 0) == 0;
  put("network", folder ? std::string(kFolder) + absolute(spec.network.substr(kFolder.size()))
                        : absolute(spec.network));
  if (!folder) put("weights", spec.weights);
  put("activations", spec.activations);
  put("densities", spec.densities.empty() ? "" : absolute(spec.densities));
  put("columns", spec.columns.empty() ? "" : absolute(spec.columns));
  if (folder) {
    put("n", fmt::format("{}", spec.n));
    put("re_prune", spec.re_prune ? "true" : "false");
  } else {
    put("images", fmt::format("{}", spec.images));
  }
  put("seed", fmt::format("{}", spec.seed));
  return tree;
}

namespace {

/// What one kind of network takes and the other has no use for.
void refuse_without_effect(const NetworkWorkloadSpec& spec, bool folder) {
  const NetworkWorkloadSpec usual;
  const auto refuse = [](const char* option, const char* why, const char* instead) {
    throw InputError(fmt::format("{}: {}", option, why), instead);
  };
  if (folder && spec.weights != usual.weights) {
    refuse("--weights", "the files of a folder say where its weights are zero",
           "leave it out; --re-prune takes them to a machine's pattern");
  }
  if (folder && spec.images != usual.images) {
    refuse("--images", "a folder's layers have the columns of --n or --columns",
           "give the columns of all images there");
  }
  if (!folder && spec.n != usual.n) {
    refuse("--n", "a table of layers gives their columns", "use --images for more of them");
  }
  if (!folder && !spec.columns.empty()) {
    refuse("--columns", "a table of layers gives their columns", "use --images for more of them");
  }
  if (!folder && spec.re_prune) {
    refuse("--re-prune", "the layers of a table take any pattern", "give it with --weights");
  }
}

}  // namespace

NetworkWorkload make_network_workload(const NetworkWorkloadSpec& spec) {
  const bool folder = spec.network.rfind(kFolder, 0) == 0;
  refuse_without_effect(spec, folder);
  NetworkWorkload out;
  out.re_prune = spec.re_prune;
  out.seed = spec.seed;
  refuse_idle(spec);
  const Activations activations(spec);
  if (folder) {
    add_folder_layers(spec, activations, out);
  } else {
    add_table_layers(spec, activations, out);
  }
  activations.check(out, spec.densities);
  if (!spec.densities.empty()) {
    out.notes.push_back("densities of activations from " + spec.densities);
    out.inputs[spec.densities] = sha256_of(spec.densities);
  }
  return out;
}

}  // namespace lacuna
