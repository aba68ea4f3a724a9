// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/source_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <string_view>

#include "tests/structure/source_tree.hpp"

namespace lacuna::test {
namespace {

/// One row of the table: files below `from` may include the headers of `may` and those below
/// its folders. The first row that fits a file counts, so the nearer folder stands first.
struct Row {
  std::string_view from;
  std::vector<std::string_view> may;
};

const std::vector<Row>& table() {
  static const std::vector<std::string_view> kInert{"arch/spec", "arch/program", "arch/energy",
                                                    "sparse_formats", "base"};
  // Knows a machine and what a run counted, nothing of how the run was planned or simulated.
  static const std::vector<std::string_view> kLimits{
      "arch/limits", "arch/spec", "arch/program", "arch/energy", "sparse_formats", "base"};
  // Units and what a mapper may ask of them: no SystemC, no simulation.
  static const std::vector<std::string_view> kUnits{
      "arch/compute", "arch/buffer", "arch/program", "arch/spec", "sparse_formats", "base"};
  static const std::vector<std::string_view> kCost{"arch/cost",    "arch/compute", "arch/buffer",
                                                   "arch/program", "arch/spec",    "sparse_formats",
                                                   "base"};
  static const std::vector<Row> kRows{
      {"base", {"base"}},
      {"sparse_formats", {"sparse_formats", "base"}},
      {"workloads", {"workloads", "sparse_formats", "base"}},
      {"sim", {"sim", "base"}},
      {"arch/spec", kInert},
      {"arch/program", kInert},
      {"arch/energy", kInert},
      {"arch/limits", kLimits},
      {"arch/compute/arrays", kUnits},
      {"arch/compute/systolic", kUnits},
      {"arch/compute/vector", kUnits},
      {"arch/cost", kCost},
      {"arch/description",
       {"arch/description", "arch/compute/classes", "arch/spec", "arch/energy", "sparse_formats",
        "base"}},
      {"arch/compute/classes", {"arch/compute/classes", "arch/spec", "sparse_formats", "base"}},
      {"arch", {"arch", "sim", "sparse_formats", "base"}},
      {"dataflows",
       {"dataflows", "arch/spec", "arch/program", "arch/cost", "workloads", "sparse_formats",
        "base"}},
      {"run", {"run", "dataflows", "arch", "sim", "workloads", "sparse_formats", "base"}},
      {"study",
       {"study", "run", "dataflows", "arch", "sim", "workloads", "sparse_formats", "base"}},
      // Reads results, runs nothing: who links it links no SystemC.
      {"report", {"report", "run/result.hpp", "run/stall_names.hpp", "arch/program", "base"}},
      {"app",
       {"app", "report", "study", "run", "dataflows", "arch", "sim", "workloads", "sparse_formats",
        "base"}},
      {"bench",
       {"bench", "run", "dataflows", "arch", "sim", "workloads", "sparse_formats", "base"}},
      {"tests",
       {"tests", "app", "report", "study", "run", "dataflows", "arch", "sim", "workloads",
        "sparse_formats", "base"}},
  };
  return kRows;
}

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

std::string_view top_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

bool is_top_folder(std::string_view name) {
  return std::any_of(table().begin(), table().end(),
                     [&](const Row& row) { return top_of(row.from) == name; });
}

/// arch/machine puts the modules together.
bool may_see_systemc(std::string_view path) {
  for (const std::string_view folder :
       {"sim", "arch/machine", "arch/system", "run", "bench", "tests"}) {
    if (below(path, folder)) return true;
  }
  return below(path, "arch") && path.find("_module.") != std::string_view::npos;
}

bool is_systemc(std::string_view header) {
  return header == "systemc" || header == "systemc.h" || header == "tlm" || header == "tlm.h" ||
         header.starts_with("tlm_") || header.starts_with("sysc/");
}

std::string join(const std::vector<std::string_view>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Why `path` may not include `header`; empty when it may.
std::string fault_of_include(std::string_view path, std::string_view header, bool is_quoted) {
  if (is_systemc(header)) {
    return may_see_systemc(path) ? ""
                                 : "SystemC is seen only in sim, arch/**/*_module.*, arch/machine, "
                                   "arch/system, run, bench, tests";
  }
  if (!is_quoted) {
    return is_top_folder(top_of(header)) && header.find('/') != std::string_view::npos
               ? "the project's own headers are included with quotes"
               : "";
  }
  for (const Row& row : table()) {
    if (!below(path, row.from)) continue;
    for (const std::string_view folder : row.may) {
      if (header == folder || below(header, folder)) return "";
    }
    if (!is_top_folder(top_of(header))) {
      return "quoted includes start at the project's root; others take angle brackets";
    }
    return fmt::format("{} may include {} only", row.from, join(row.may));
  }
  return "this folder has no row in the table of who may include whom";
}

std::string place(const std::string& path, std::size_t index) {
  return fmt::format("{}:{}", path, index + 1);
}

/// Every match of `pattern` in `text`, as a fault.
std::vector<std::string> matches(const std::string& path, const std::string& text,
                                 const std::regex& pattern, std::string_view rule) {
  std::vector<std::string> faults;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(lines[i], match, pattern)) continue;
    faults.push_back(fmt::format("{}: {}: {}", place(path, i), match[1].str(), rule));
  }
  return faults;
}

}  // namespace

std::vector<std::string> include_faults(const std::string& path, const std::string& text) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  std::vector<std::string> faults;
  const auto lines = lines_of(code_of(text, true));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(lines[i], match, kInclude)) continue;
    const std::string header = match[2].str();
    const std::string fault = fault_of_include(path, header, match[1].str() == "\"");
    if (!fault.empty()) faults.push_back(fmt::format("{}: {}: {}", place(path, i), header, fault));
  }
  return faults;
}

std::vector<std::string> thread_faults(const std::string& path, const std::string& text) {
  static const std::regex kThread(R"(\b(SC_THREAD|SC_CTHREAD|sc_spawn|wait\s*\())");
  if (!below(path, "arch")) return {};
  return matches(path, code_of(text, false), kThread, "arch is made of methods, not of threads");
}

std::vector<std::string> notify_faults(const std::string& path, const std::string& text) {
  static const std::regex kNotify(R"((\bnotify(_delayed)?\s*\())");
  if (!below(path, "arch")) return {};
  return matches(path, code_of(text, false), kNotify, "events are notified by the simulation");
}

std::vector<std::string> licence_faults(const std::string& path, const std::string& text) {
  const bool is_script = below(path, "scripts") || below(path, ".ci");
  const bool is_build_file =
      path.ends_with("CMakeLists.txt") || path.ends_with(".cmake") || path.ends_with(".cmake.in");
  if (!is_cpp(path) && !is_script && !is_build_file) return {};
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 3); ++i) {
    if (lines[i].find("SPDX-License-Identifier: Apache-2.0") != std::string::npos) return {};
  }
  return {fmt::format("{}: no SPDX-License-Identifier: Apache-2.0 in the first three lines",
                      place(path, 0))};
}

std::vector<std::string> unit_class_faults(const std::string& path, const std::string& text) {
  if (!is_cpp(path) || below(path, "tests") || below(path, "arch/compute")) return {};
  // The readers of older machine files, until those are files of the new kind (decision 016).
  if (below(path, "arch/spec")) return {};
  static const std::regex kKind(R"(\bFabricDataflow::)");
  std::vector<std::string> faults = matches(path, code_of(text, true), kKind,
                                            "the kind of an array is known to arch/compute alone");
  if (below(path, "run")) return faults;
  static const std::regex kClass = [] {
    static const std::regex kEntry(R"re(^\s*\{"([a-z-]+)", [a-z_]+\},)re");
    std::string names;
    for (const std::string& line : lines_of(text_of("arch/compute/classes/unit_classes.cpp"))) {
      std::smatch match;
      if (!std::regex_search(line, match, kEntry)) continue;
      names += (names.empty() ? "" : "|") + match[1].str();
    }
    return std::regex("\"(" + names + ")\"");
  }();
  const auto named = matches(path, code_of(text, true), kClass,
                             "the class of a unit is known to arch/compute alone");
  faults.insert(faults.end(), named.begin(), named.end());
  return faults;
}

std::vector<std::string> enumerator_faults(const std::string& path, const std::string& text) {
  static const std::regex kEnum(R"(\benum\s+class\s+\w+[^{;]*\{([^}]*)\})");
  static const std::regex kName(R"(\w+)");
  // The machines of the first version keep theirs until they go.
  if (!is_cpp(path) || (!below(path, "workloads") && !below(path, "arch/description"))) return {};
  std::vector<std::string> faults;
  const std::string code = code_of(text, false);
  for (std::sregex_iterator at(code.begin(), code.end(), kEnum), end; at != end; ++at) {
    const auto first = static_cast<std::size_t>(at->position(1));
    const std::size_t last = first + at->str(1).size();
    for (std::size_t from = first, to = 0; from < last; from = to + 1) {
      to = std::min(code.find(',', from), last);
      std::smatch name;
      const std::string enumerator = code.substr(from, to - from);
      if (!std::regex_search(enumerator, name, kName)) continue;
      const std::string word = name.str();
      if (word.size() > 1 && word[0] == 'k' && word[1] >= 'A' && word[1] <= 'Z') continue;
      const auto line = std::count(
          code.begin(), code.begin() + static_cast<std::ptrdiff_t>(code.find(word, from)), '\n');
      faults.push_back(fmt::format("{}: {}: an enumerator is spelled kConstant",
                                   place(path, static_cast<std::size_t>(line)), word));
    }
  }
  return faults;
}

std::vector<std::string> machine_path_faults(const std::string& path, const std::string& text) {
  // Not after a character of a path or an address: docs/home/index.html names no home folder.
  static const std::regex kMachine(
      R"((?:^|[^A-Za-z0-9_.~/-])((?:/(?:home|Users|root|work|workspace|mnt|tmp)/|[A-Z]:\\)[A-Za-z0-9_.$-]+))");
  return matches(path, text, kMachine, "a path that exists on somebody's machine only");
}

}  // namespace lacuna::test
