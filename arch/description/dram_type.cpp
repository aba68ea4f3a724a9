// SPDX-License-Identifier: Apache-2.0
#include "arch/description/dram_type.hpp"

#include <algorithm>
#include <array>

#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"

namespace lacuna::description {
namespace {

constexpr Range kDramClocks{0, 1e7};
constexpr Range kSomeDramClocks{1, 1e7};
constexpr std::uint64_t kMostOfADigit = 1 << 20;  // of one digit

struct PartName {
  std::string_view name;
  AddressPart part;
};
constexpr std::array<PartName, 5> kAddressParts{{{"channel", AddressPart::channel},
                                                 {"group", AddressPart::group},
                                                 {"bank", AddressPart::bank},
                                                 {"column", AddressPart::column},
                                                 {"row", AddressPart::row}}};

void check_device(const ConfigReader& config, const DramDevice& device) {
  if (device.row.count() % device.burst.count() != 0) {
    config.fail("row", "a row is whole bursts");
  }
  if (device.ccd_s < device.burst_clocks) {
    config.fail("tCCD_S", "column commands come no faster than their bursts pass",
                fmt::format("{} or more", device.burst_clocks));
  }
  if (device.ccd_l < device.ccd_s || device.ccd_l > 2 * device.ccd_s) {
    config.fail("tCCD_L", "it lies between tCCD_S and twice that");
  }
  if (device.rc < device.ras) config.fail("tRC", "a row is open for tRAS, and then closed");
  // A row that was opened in vain, closed, refreshed and opened again before the next refresh.
  if (device.refi <= device.rfc + 2 * device.rc + device.faw + device.cwl + device.burst_clocks +
                         device.wr + device.rp) {
    config.fail("tREFI", "refreshes leave no time between them");
  }
}

/// "column" or "column(4)".
AddressDigit parse_digit_of_address(const std::string& text, const Place& place) {
  const auto open = text.find('(');
  const std::string name = text.substr(0, open);
  const auto* const found = std::find_if(kAddressParts.begin(), kAddressParts.end(),
                                         [&](const PartName& part) { return part.name == name; });
  if (found == kAddressParts.end()) {
    throw InputError(place, fmt::format("'{}' is no part of an address", shortened(text)),
                     suggest(name, {"channel", "group", "bank", "column", "row"}));
  }
  if (open == std::string::npos) return {found->part, 0};
  const auto size =
      text.ends_with(')')
          ? parse_integer(std::string_view(text).substr(open + 1, text.size() - open - 2))
          : std::nullopt;
  if (!size || *size == 0 || *size > kMostOfADigit) {
    throw InputError(place, fmt::format("'{}' has no size in parentheses", shortened(text)),
                     "column(4), for instance");
  }
  return {found->part, *size};
}

std::uint64_t size_of_part(const DramDevice& device, std::uint64_t channels, AddressPart part) {
  switch (part) {
    case AddressPart::channel:
      return channels;
    case AddressPart::group:
      return device.groups;
    case AddressPart::bank:
      return device.banks;
    case AddressPart::column:
      return device.row.count() / device.burst.count();
    case AddressPart::row:
      return device.rows;
  }
  return 0;
}

/// Each part whole: the digit without a size has what the others leave.
void complete_mapping(const ConfigReader& config, const BankedSpec& spec,
                      std::vector<AddressDigit>& digits) {
  for (const auto& [name, part] : kAddressParts) {
    std::uint64_t left = size_of_part(spec.device, spec.channels, part);
    const std::uint64_t whole = left;
    AddressDigit* open = nullptr;
    for (AddressDigit& digit : digits) {
      if (digit.part != part) continue;
      if (digit.size == 0 && open != nullptr) {
        config.fail("mapping", fmt::format("'{}' stands twice without a size", name),
                    fmt::format("{}(2), for instance", name));
      }
      if (digit.size == 0) open = &digit;
      if (digit.size == 0) continue;
      if (left % digit.size != 0) {
        config.fail("mapping", fmt::format("{}({}) is no part of {}", name, digit.size, whole));
      }
      left /= digit.size;
    }
    if (open != nullptr) open->size = left;
    if (open != nullptr || left == 1) continue;
    config.fail("mapping", fmt::format("of {} {}s {} have no place", whole, name, left),
                fmt::format("an entry '{}'", name));
  }
}

std::vector<AddressDigit> read_address_mapping(const ConfigReader& config, const BankedSpec& spec) {
  std::vector<std::string> texts = config.texts("mapping");
  if (texts.empty()) texts = {"row", "bank", "column", "group", "channel"};
  std::vector<AddressDigit> digits;
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
    digits.push_back(parse_digit_of_address(*text, config.place("mapping")));
  }
  complete_mapping(config, spec, digits);
  bool row = false;
  for (const AddressDigit& digit : digits) {
    row = row || digit.part == AddressPart::row;
    if (row && digit.part == AddressPart::column) {
      config.fail("mapping", "bursts of a row lie in another one", "row before column");
    }
  }
  return digits;
}

}  // namespace

DramDevice read_dram_type(const ConfigReader& config, const std::string& name) {
  DramDevice device;
  device.name = name;
  (void)config.text("description", "");
  device.price = config.text("price", "");
  device.clock = config.hertz("clock");
  device.groups = config.integer("groups", {1, 64});
  device.banks = config.integer("banks", {1, 1024});
  device.rows = config.integer("rows", {1, 1e9});
  device.row = config.bytes("row", {}, kSomeBytes);
  device.burst = config.bytes("burst", {}, {1, 65536});
  device.burst_clocks = config.integer("burst_clocks", {1, 1024});
  const ConfigReader times = config.mapping("clocks");
  device.rcd = times.integer("tRCD", kSomeDramClocks);
  device.rp = times.integer("tRP", kSomeDramClocks);
  device.ras = times.integer("tRAS", kSomeDramClocks);
  device.rc = times.integer("tRC", kSomeDramClocks);
  device.cl = times.integer("tCL", kDramClocks);
  device.cwl = times.integer("tCWL", kDramClocks);
  device.ccd_s = times.integer("tCCD_S", kSomeDramClocks);
  device.ccd_l = times.integer("tCCD_L", kSomeDramClocks);
  device.rrd_s = times.integer("tRRD_S", kSomeDramClocks);
  device.rrd_l = times.integer("tRRD_L", kSomeDramClocks);
  device.faw = times.integer("tFAW", kDramClocks);
  device.rtp = times.integer("tRTP", kDramClocks);
  device.wr = times.integer("tWR", kDramClocks);
  device.wtr = times.integer("tWTR", kDramClocks);
  device.rtw = times.integer("tRTW", kDramClocks);
  device.refi = times.integer("tREFI", kSomeDramClocks);
  device.rfc = times.integer("tRFC", kDramClocks);
  check_device(times, device);
  return device;
}

DramDevice load_dram_type(const std::string& name, const Place& place) {
  std::filesystem::path file;
  try {
    file = find_config("memory", name);
  } catch (const InputError& error) {
    throw InputError(place, fmt::format("'{}' is no type of DRAM", shortened(name)),
                     suggest(name, shipped("memory")));
  }
  const ConfigReader config(load_config_file("memory", file));
  const DramDevice device = read_dram_type(config, name);
  config.finish();
  return device;
}

BankedSpec read_banks(const ConfigReader& config, Hertz clock) {
  BankedSpec spec;
  spec.machine = clock;
  spec.device = load_dram_type(config.text("type"), config.place("type"));
  spec.channels = config.integer("channels", {1, 1024}, 1);
  spec.mapping = read_address_mapping(config, spec);
  spec.page = config.bytes("page", spec.page, {1, 1e12});
  if (spec.page.count() % spec.device.burst.count() != 0) {
    config.fail("page", "a page is whole bursts");
  }
  spec.controller = config.cycles("controller", clock, Cycles(0));
  return spec;
}

}  // namespace lacuna::description
