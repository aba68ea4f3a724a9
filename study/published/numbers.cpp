// SPDX-License-Identifier: Apache-2.0
#include "study/published/numbers.hpp"

#include "base/config.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"

namespace lacuna::validation {
namespace {

PublishedNumber read_number(const ConfigReader& config) {
  PublishedNumber number;
  number.quantity = config.text("quantity");
  number.value = config.number("value", {0, 1e18});
  number.standing = config.text("standing");
  number.demand = config.choice<Demand>(
      "compare", {{"exact", Demand::exact}, {"bound", Demand::bound}, {"beside", Demand::beside}});
  number.note = config.text("note", "");
  return number;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

std::filesystem::path published_file(const std::string& name) {
  std::error_code ignored;
  for (const auto& folder : data_folders("LACUNA_PUBLISHED", "validation/published", "published")) {
    if (std::filesystem::is_regular_file(folder / name, ignored)) return folder / name;
  }
  throw InputError(Place{name, 0, {}}, "this file of published numbers is not installed",
                   "set LACUNA_PUBLISHED to the folder that holds it");
}

PublishedRuns load_runs(const std::filesystem::path& file) {
  const ConfigReader config(ConfigTree::load(file));
  PublishedRuns out;
  out.title = config.text("title");
  for (const ConfigReader& run : config.mappings("runs")) {
    PublishedRun& read = out.runs.emplace_back();
    read.matrix = run.text("matrix");
    read.series = run.text("series");
    read.machine = run.text("machine");
    read.settings = run.texts("set");
    read.source = run.text("source");
    for (const ConfigReader& number : run.mappings("numbers")) {
      read.numbers.push_back(read_number(number));
    }
  }
  config.finish();
  return out;
}

std::vector<TailorsBars> load_tailors(const std::filesystem::path& file) {
  constexpr std::size_t kFields = 10;
  const std::string text = read_file(file);
  std::vector<TailorsBars> out;
  std::uint64_t number = 0;
  bool header = true;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const auto fields = split(line);
    const Place place{file.string(), number, {}};
    if (fields.size() != kFields) {
      throw InputError(place, fmt::format("{} fields, expected {}", fields.size(), kFields));
    }
    if (std::exchange(header, false)) continue;
    const auto ratio = [&](std::size_t field) {
      const auto value = parse_number(fields[field]);
      if (!value || *value <= 0) {
        throw InputError(place, fmt::format("'{}' is not a ratio", fields[field]));
      }
      return *value;
    };
    out.push_back({fields[0], ratio(4), ratio(5), ratio(6), ratio(7), ratio(8), ratio(9)});
  }
  return out;
}

}  // namespace lacuna::validation
