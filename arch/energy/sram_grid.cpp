// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/sram_grid.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shipped_files.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kMostGridBytes = 1U << 24;
constexpr std::string_view kColumns =
    "ports,banks,width_bits,bytes,read_pj,write_pj,leakage_uw,area_um2,access_ns,cycle_ns";

/// One line of a table; every field must be there and be a number.
class GridLine {
 public:
  GridLine(std::string_view text, const Place& place) : rest_(text), place_(place) {}

  std::string_view field() {
    const auto comma = rest_.find(',');
    const std::string_view out = rest_.substr(0, comma);
    rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
    return out;
  }
  template <class Number>
  Number number() {
    const std::string_view text = field();
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value > 0) ||
        !std::isfinite(static_cast<double>(value))) {
      throw InputError(place_, fmt::format("'{}' is not a number above 0", shortened(text)),
                       fmt::format("expected {}", kColumns));
    }
    return value;
  }

 private:
  std::string_view rest_;
  const Place& place_;
};

}  // namespace

std::string_view to_text(SramPorts ports) {
  constexpr std::array<std::string_view, 3> names{"1rw", "1r1w", "2rw"};
  return names[static_cast<std::size_t>(ports)];
}

std::optional<SramPorts> parse_sram_ports(std::string_view text) {
  for (const SramPorts ports : {SramPorts::rw1, SramPorts::r1w1, SramPorts::rw2}) {
    if (text == to_text(ports)) return ports;
  }
  return std::nullopt;
}

const std::vector<unsigned>& SramGrid::nodes() {
  static const std::vector<unsigned> all{22, 32, 45, 65, 90};
  return all;
}

const SramGrid& SramGrid::of_node(unsigned nm) {
  static std::mutex mutex;
  static std::map<unsigned, SramGrid> loaded;
  const std::lock_guard lock(mutex);
  const auto found = loaded.find(nm);
  if (found != loaded.end()) return found->second;
  const std::string name = fmt::format("energy/sram/{}nm.csv", nm);
  for (const auto& folder : config_folders()) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(folder / name, error)) continue;
    return loaded.emplace(nm, load(folder / name)).first->second;
  }
  throw InputError(fmt::format("no table of SRAM at {} nm ships", nm),
                   fmt::format("there are {} nm", fmt::join(nodes(), ", ")));
}

SramGrid SramGrid::load(const std::filesystem::path& file) {
  const std::string text = read_small_file(file, kMostGridBytes, "a table of SRAM");
  SramGrid grid;
  Place place{file.string(), 0, {}};
  bool named = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++place.line;
    if (line.empty() || line.front() == '#') continue;
    if (!named) {
      if (line != kColumns) throw InputError(place, "not a table of SRAM", std::string(kColumns));
      named = true;
      continue;
    }
    GridLine fields(line, place);
    const std::string_view ports_text = fields.field();
    const auto ports = parse_sram_ports(ports_text);
    if (!ports) {
      throw InputError(place, fmt::format("'{}' are no ports of SRAM", shortened(ports_text)),
                       "1rw, 1r1w or 2rw");
    }
    const auto banks = fields.number<unsigned>();
    const auto width = fields.number<unsigned>();
    const auto bytes = fields.number<std::uint64_t>();
    SramFigures figures{};
    for (double& figure : figures) figure = fields.number<double>();
    if (!grid.rows_[{*ports, banks, width}].emplace(bytes, figures).second) {
      throw InputError(place, "this memory stands in the table twice");
    }
  }
  if (grid.rows_.empty()) throw InputError(place, "the table of SRAM is empty");
  return grid;
}

bool SramGrid::has(SramPorts ports) const {
  const auto first = rows_.lower_bound({ports, 0, 0});
  return first != rows_.end() && std::get<0>(first->first) == ports;
}

unsigned SramGrid::banks_within(SramPorts ports, unsigned banks) const {
  unsigned most = 1;
  for (const auto& [key, row] : rows_) {
    if (std::get<0>(key) == ports && std::get<1>(key) <= banks) {
      most = std::max(most, std::get<1>(key));
    }
  }
  return most;
}

std::vector<unsigned> SramGrid::widths(SramPorts ports, unsigned banks) const {
  std::vector<unsigned> out;
  for (auto at = rows_.lower_bound({ports, banks, 0}); at != rows_.end(); ++at) {
    if (std::get<0>(at->first) != ports || std::get<1>(at->first) != banks) break;
    out.push_back(std::get<2>(at->first));
  }
  return out;
}

const SramRow& SramGrid::row(SramPorts ports, unsigned banks, unsigned width) const {
  return rows_.at({ports, banks, width});
}

}  // namespace lacuna
