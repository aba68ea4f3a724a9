// SPDX-License-Identifier: Apache-2.0
#include "report/run_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "report/text_layout.hpp"

namespace lacuna::report {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// `name`, or `name` with the first free number joined by `joint`.
std::string unique(const std::string& name, const char* joint, std::set<std::string>& taken) {
  std::string candidate = name;
  for (unsigned n = 2; !taken.insert(lower(candidate)).second; ++n) {
    candidate = fmt::format("{}{}{}", name, joint, n);
  }
  return candidate;
}

std::string as_folder(const std::string& label) {
  constexpr std::size_t longest = 80;
  std::string out;
  for (const char c : label) {
    // No dots: the files beside these folders have one, so the names never meet.
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    if (plain) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
    if (out.size() == longest) break;
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out.empty() ? "run" : out;
}

}  // namespace

bool one_workload(const std::vector<RunResult>& results) {
  return std::all_of(results.begin(), results.end(),
                     [&](const RunResult& r) { return r.workload == results.front().workload; });
}

std::string common_workload(const std::vector<RunResult>& results) {
  return !results.empty() && one_workload(results) ? clean(results.front().workload)
                                                   : std::string();
}

std::vector<std::string> run_labels(const std::vector<RunResult>& results) {
  const bool with_workload = !results.empty() && !one_workload(results);
  std::set<std::string> taken;
  std::vector<std::string> labels;
  for (const RunResult& result : results) {
    std::string label = clean(result.name.empty() ? "machine" : result.name);
    if (with_workload) label += " / " + clean(result.workload);
    labels.push_back(unique(label, " #", taken));
  }
  return labels;
}

std::vector<std::string> run_folders(const std::vector<RunResult>& results) {
  std::set<std::string> taken;
  std::vector<std::string> folders;
  for (const std::string& label : run_labels(results)) {
    folders.push_back(unique(as_folder(label), "-", taken));
  }
  return folders;
}

}  // namespace lacuna::report
