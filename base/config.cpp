// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <set>

#include "base/quantity_text.hpp"

namespace lacuna {

struct ConfigReader::Memory {
  ConfigTree root;
  ConfigTree resolved;
  std::map<std::string, std::set<std::string>> asked;  // mapping path -> keys
  ConfigShape shape;
};

namespace {

using Kind = ConfigValue::Kind;

// A path is a row of steps, each a key behind kKey or the index of a list's item behind kItem. Keys
// are the user's own text, dots and brackets included, but hold no control characters.
constexpr char kKey = '\x1f';
constexpr char kItem = '\x1e';

struct Step {
  bool item = false;
  std::string_view text;

  [[nodiscard]] std::size_t index() const {
    return static_cast<std::size_t>(parse_integer(text).value_or(0));
  }
};

/// Takes the first step off the path, which must not be empty.
Step next_step(std::string_view& path) {
  const bool item = path.front() == kItem;
  path.remove_prefix(1);
  constexpr std::array<char, 2> kMarks{kKey, kItem};
  const auto end = std::min(path.size(), path.find_first_of({kMarks.data(), kMarks.size()}));
  const Step step{item, path.substr(0, end)};
  path.remove_prefix(end);
  return step;
}

/// As messages write it: a.b[0].c
std::string display(std::string_view path) {
  std::string text;
  while (!path.empty()) {
    const Step step = next_step(path);
    if (step.item) {
      text += fmt::format("[{}]", step.text);
    } else {
      text += fmt::format("{}{}", text.empty() ? "" : ".", step.text);
    }
  }
  return text;
}

const ConfigTree* walk(const ConfigTree* tree, std::string_view path) {
  while (tree != nullptr && !path.empty()) {
    const Step step = next_step(path);
    if (step.item) {
      const bool there =
          tree->kind == ConfigTree::Kind::sequence && step.index() < tree->items.size();
      tree = there ? &tree->items[step.index()] : nullptr;
    } else {
      tree = tree->find(step.text);
    }
  }
  return tree;
}

ConfigTree& make(ConfigTree& root, std::string_view path) {
  ConfigTree* tree = &root;
  while (!path.empty()) {
    const Step step = next_step(path);
    if (step.item) {
      tree->kind = ConfigTree::Kind::sequence;
      if (tree->items.size() <= step.index()) tree->items.resize(step.index() + 1);
      tree = &tree->items[step.index()];
    } else {
      tree = &tree->at_or_add(step.text);
    }
  }
  return *tree;
}

// Values as a configuration writes them.
std::string to_digits(std::uint64_t value) {
  return fmt::format("{}", value);
}
std::string to_decimal(double value) {
  return fmt::format("{}", value);
}
std::string to_truth(bool value) {
  return value ? "true" : "false";
}
std::string to_hertz(Hertz value) {
  return fmt::format("{} Hz", value.count());
}
std::string to_bandwidth(double value) {
  return std::isinf(value) ? "unbounded" : fmt::format("{} B/cycle", value);
}
std::string to_cycles(Cycles value) {
  return fmt::format("{} cycles", value.count());
}
std::string to_energy(double value) {
  return fmt::format("{} pJ/bit", value);
}

/// A whole number of bytes, or of PiB where it is one.
std::string range_text(double bytes) {
  constexpr double kPiB = 1125899906842624.0;
  if (bytes >= kPiB && std::fmod(bytes, kPiB) == 0) return fmt::format("{:g} PiB", bytes / kPiB);
  return to_text(Bytes(static_cast<std::uint64_t>(bytes)));
}

/// What was written, against the range of its parameter.
void within(const ConfigReader& config, std::string_view key, const std::string& written,
            double value, Range range, const std::string& expected) {
  if (value >= range.low && value <= range.high) return;
  config.fail(key, fmt::format("'{}' is out of range", shortened(written)), "expected " + expected);
}

template <class Value, class Write>
void remember(ConfigShape& shape, Kind kind, const std::optional<Value>& def, const Write& write,
              std::optional<Range> range = {}) {
  ConfigValue value{kind, {}, range, {}};
  if (def) value.default_text = write(*def);
  shape.add(std::move(value), def.has_value());
}

std::vector<std::string> to_vector(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

Place blamed(std::initializer_list<Place> places) {
  const auto* const setting = std::find_if(places.begin(), places.end(), is_setting);
  return setting != places.end() ? *setting : *places.begin();
}

ConfigReader::ConfigReader(ConfigTree root) : memory_(std::make_shared<Memory>()) {
  memory_->root = std::move(root);
  memory_->resolved.kind = ConfigTree::Kind::mapping;
  shape_ = &memory_->shape;
  shape_->mapping = true;
}

ConfigReader::ConfigReader(std::shared_ptr<Memory> memory, std::string path, ConfigShape* shape)
    : memory_(std::move(memory)), path_(std::move(path)), shape_(shape) {
  shape_->mapping = true;
}

ConfigShape& ConfigReader::remembered(std::string_view key) const {
  const ConfigTree* here = node();
  // After keys(), what the file names and no getter knew before is the user's own name.
  const bool own_name = !shape_->named.empty() && shape_->find(key) == nullptr && here != nullptr &&
                        here->find(key) != nullptr;
  return own_name ? shape_->named.front() : shape_->at_or_add(key);
}

void ConfigReader::looked_for(std::string_view key) const {
  ConfigShape& shape = remembered(key);
  shape.looked_for = true;
  shape.required = false;
}

ConfigShape ConfigReader::shape() const {
  return *shape_;
}

std::string ConfigReader::path_of(std::string_view key) const {
  return key.empty() ? path_ : fmt::format("{}{}{}", path_, kKey, key);
}

const ConfigTree* ConfigReader::node() const {
  return walk(&memory_->root, path_);
}

const ConfigTree* ConfigReader::child(std::string_view key) const {
  memory_->asked[path_].insert(std::string(key));
  const ConfigTree* here = node();
  const ConfigTree* found = here == nullptr ? nullptr : here->find(key);
  return found != nullptr && found->kind == ConfigTree::Kind::null ? nullptr : found;
}

bool ConfigReader::has(std::string_view key) const {
  looked_for(key);
  return child(key) != nullptr;
}

bool ConfigReader::is_scalar(std::string_view key) const {
  looked_for(key);
  const ConfigTree* found = child(key);
  return found != nullptr && found->kind == ConfigTree::Kind::scalar;
}

bool ConfigReader::is_sequence(std::string_view key) const {
  looked_for(key);
  const ConfigTree* found = child(key);
  return found != nullptr && found->kind == ConfigTree::Kind::sequence;
}

std::vector<std::string> ConfigReader::keys() const {
  if (shape_->named.empty()) shape_->named.emplace_back();
  std::vector<std::string> names;
  if (const ConfigTree* here = node(); here != nullptr) {
    for (const auto& [name, value] : here->children) {
      memory_->asked[path_].insert(name);
      names.push_back(name);
    }
  }
  return names;
}

ConfigReader ConfigReader::mapping(std::string_view key) const {
  const ConfigTree* found = child(key);
  if (found != nullptr && found->kind != ConfigTree::Kind::mapping) {
    fail(key, fmt::format("{} must be a mapping of keys to values", key));
  }
  memory_->asked[path_of(key)];
  return {memory_, path_of(key), &remembered(key)};
}

std::vector<ConfigReader> ConfigReader::mappings(std::string_view key) const {
  ConfigShape& shape = remembered(key);
  if (shape.items.empty()) shape.items.emplace_back();
  std::vector<ConfigReader> readers;
  const ConfigTree* found = child(key);
  if (found == nullptr) return readers;
  if (found->kind != ConfigTree::Kind::sequence) fail(key, fmt::format("{} must be a list", key));
  for (std::size_t i = 0; i < found->items.size(); ++i) {
    const std::string path = fmt::format("{}{}{}", path_of(key), kItem, i);
    ConfigReader reader(memory_, path, &shape.items.front());
    if (found->items[i].kind != ConfigTree::Kind::mapping) {
      reader.fail({}, "expected a mapping of keys to values");
    }
    memory_->asked[path];
    readers.push_back(reader);
  }
  return readers;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) const {
  remembered(key).add({Kind::texts}, true);
  const ConfigTree* found = child(key);
  if (found == nullptr) return {};
  std::vector<std::string> out;
  if (found->kind == ConfigTree::Kind::scalar) {
    out.push_back(found->scalar);
    note(key, found->scalar);
    return out;
  }
  if (found->kind != ConfigTree::Kind::sequence) fail(key, fmt::format("{} must be a list", key));
  ConfigTree& list = make(memory_->resolved, path_of(key));
  list = *found;
  for (const auto& item : found->items) {
    if (item.kind != ConfigTree::Kind::scalar) {
      fail(key, fmt::format("{} must be a list of plain values", key));
    }
    out.push_back(item.scalar);
  }
  return out;
}

std::optional<std::string> ConfigReader::scalar(std::string_view key) const {
  const ConfigTree* found = child(key);
  if (found == nullptr) return std::nullopt;
  if (found->kind != ConfigTree::Kind::scalar) {
    fail(key, fmt::format("{} must be a single value", key));
  }
  return found->scalar;
}

void ConfigReader::note(std::string_view key, const std::string& value) const {
  ConfigTree& target = make(memory_->resolved, path_of(key));
  target.kind = ConfigTree::Kind::scalar;
  target.scalar = value;
}

std::string ConfigReader::text(std::string_view key, std::optional<std::string> def) const {
  remembered(key).add({Kind::text, {}, {}, def}, def.has_value());
  return plain(key, def);
}

std::string ConfigReader::named(std::string_view key, const std::vector<std::string>& choices,
                                const std::optional<std::string>& def) const {
  remembered(key).add({Kind::choice, choices, {}, def}, def.has_value());
  return plain(key, def);
}

std::string ConfigReader::plain(std::string_view key, const std::optional<std::string>& def) const {
  auto value = scalar(key);
  if (!value && !def) missing(key, "a name");
  std::string result = value ? *value : *def;
  note(key, result);
  return result;
}

std::uint64_t ConfigReader::integer(std::string_view key, Range range,
                                    std::optional<std::uint64_t> def) const {
  remember(remembered(key), Kind::integer, def, to_digits, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a whole number");
  std::uint64_t result = def.value_or(0);
  if (value) {
    const auto parsed = parse_integer(*value);
    if (!parsed)
      fail(key, fmt::format("'{}' is not a whole number", shortened(*value)),
           fmt::format("expected digits, in [{}, {}]", range.low, range.high));
    result = *parsed;
  }
  if (value &&
      (static_cast<double>(result) < range.low || static_cast<double>(result) > range.high)) {
    fail(key, fmt::format("{} is out of range", result),
         fmt::format("expected a whole number in [{}, {}]", range.low, range.high));
  }
  note(key, to_digits(result));
  return result;
}

double ConfigReader::number(std::string_view key, Range range, std::optional<double> def) const {
  remember(remembered(key), Kind::number, def, to_decimal, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a number");
  double result = def.value_or(0);
  if (value) {
    const auto parsed = parse_number(*value);
    if (!parsed)
      fail(key, fmt::format("'{}' is not a number", shortened(*value)),
           fmt::format("expected a plain number in [{}, {}]", range.low, range.high));
    result = *parsed;
    if (result < range.low || result > range.high) {
      fail(key, fmt::format("{} is out of range", result),
           fmt::format("expected a number in [{}, {}]", range.low, range.high));
    }
  }
  note(key, to_decimal(result));
  return result;
}

bool ConfigReader::boolean(std::string_view key, std::optional<bool> def) const {
  remember(remembered(key), Kind::boolean, def, to_truth);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "true or false");
  bool result = def.value_or(false);
  if (value) {
    if (*value != "true" && *value != "false") {
      fail(key, fmt::format("'{}' is not a truth value", shortened(*value)),
           "expected true or false");
    }
    result = *value == "true";
  }
  note(key, to_truth(result));
  return result;
}

Bytes ConfigReader::bytes(std::string_view key, std::optional<Bytes> def, Range range) const {
  remember(
      remembered(key), Kind::bytes, def, [](Bytes bytes) { return to_text(bytes); }, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a size, like 64 KiB");
  Bytes result = def.value_or(Bytes(0));
  if (value) {
    const auto parsed = parse_bytes(*value);
    const std::string limits =
        fmt::format("from {} to {}", range_text(range.low), range_text(range.high));
    if (!parsed) {
      fail(key, fmt::format("'{}' is not a size", shortened(*value)),
           fmt::format("expected whole bytes, {}, with a unit: B, KiB, MiB, GiB (2^n) or kB, MB, "
                       "GB (10^n)",
                       limits));
    }
    within(*this, key, *value, static_cast<double>(parsed->count()), range, "a size " + limits);
    result = *parsed;
  }
  note(key, to_text(result));
  return result;
}

Hertz ConfigReader::hertz(std::string_view key, std::optional<Hertz> def, Range range) const {
  remember(remembered(key), Kind::hertz, def, to_hertz, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a frequency, like 1 GHz");
  Hertz result = def.value_or(Hertz(0));
  if (value) {
    const auto parsed = parse_hertz(*value);
    if (!parsed) {
      fail(key, fmt::format("'{}' is not a frequency", shortened(*value)),
           "expected a number with MHz or GHz");
    }
    within(*this, key, *value, parsed->count(), range,
           fmt::format("a frequency from {:g} MHz to {:g} GHz", range.low / 1e6, range.high / 1e9));
    result = *parsed;
  }
  note(key, to_hertz(result));
  return result;
}

double ConfigReader::bandwidth(std::string_view key, Hertz clock, std::optional<double> def,
                               Range range) const {
  remember(remembered(key), Kind::bandwidth, def, to_bandwidth, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a bandwidth, like 64 B/cycle");
  double result = def.value_or(0);
  if (value && *value == "unbounded") {
    result = std::numeric_limits<double>::infinity();
  } else if (value) {
    const auto parsed = parse_bytes_per_cycle(*value, clock);
    if (!parsed) {
      fail(key, fmt::format("'{}' is not a bandwidth", shortened(*value)),
           "expected bytes per cycle or second: 64 B/cycle, 68.256 GiB/s, unbounded");
    }
    within(
        *this, key, *value, *parsed, range,
        fmt::format("a bandwidth from {:g} to {:g} B/cycle, or unbounded", range.low, range.high));
    result = *parsed;
  }
  note(key, value && !std::isinf(result) ? *value : to_bandwidth(result));
  return result;
}

Cycles ConfigReader::cycles(std::string_view key, Hertz clock, std::optional<Cycles> def,
                            Range range) const {
  remember(remembered(key), Kind::cycles, def, to_cycles, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "a time, like 100 cycles");
  Cycles result = def.value_or(Cycles(0));
  if (value) {
    const auto parsed = parse_cycles(*value, clock);
    const std::string limits = fmt::format("from {:g} to {:g} cycles", range.low, range.high);
    if (!parsed) {
      fail(key, fmt::format("'{}' is not a time", shortened(*value)),
           fmt::format("expected cycles or ns, {}: 100 cycles, 40 ns", limits));
    }
    within(*this, key, *value, static_cast<double>(parsed->count()), range, "a time " + limits);
    result = *parsed;
  }
  note(key, to_cycles(result));
  return result;
}

double ConfigReader::picojoules_per_bit(std::string_view key, std::optional<double> def,
                                        Range range) const {
  remember(remembered(key), Kind::picojoules_per_bit, def, to_energy, range);
  const auto value = scalar(key);
  if (!value && !def) missing(key, "an energy, like 8 pJ/bit");
  double result = def.value_or(0);
  if (value) {
    const auto parsed = parse_picojoules_per_bit(*value);
    if (!parsed) {
      fail(key, fmt::format("'{}' is not an energy per bit", shortened(*value)),
           "expected pJ/bit or pJ/B");
    }
    within(*this, key, *value, *parsed, range,
           fmt::format("an energy from {:g} to {:g} pJ/bit", range.low, range.high));
    result = *parsed;
  }
  note(key, to_energy(result));
  return result;
}

void ConfigReader::finish() const {
  for (const auto& [path, names] : memory_->asked) {
    const ConfigTree* tree = walk(&memory_->root, path);
    if (tree == nullptr || tree->kind != ConfigTree::Kind::mapping) continue;
    for (const auto& [key, value] : tree->children) {
      if (names.contains(key)) continue;
      throw InputError({value.file, value.line, display(fmt::format("{}{}{}", path, kKey, key))},
                       fmt::format("unknown key '{}'", shortened(key)),
                       suggest(key, to_vector(names)));
    }
  }
}

ConfigTree ConfigReader::resolved() const {
  const ConfigTree* here = walk(&memory_->resolved, path_);
  return here == nullptr ? ConfigTree{} : *here;
}

Place ConfigReader::place(std::string_view key) const {
  const std::string path = path_of(key);
  // The nearest ancestor that stands in a file says where a missing key should have been.
  for (std::string_view at = path;;) {
    const ConfigTree* tree = walk(&memory_->root, at);
    if (tree != nullptr && !tree->file.empty()) return {tree->file, tree->line, display(path)};
    if (at.empty()) return {memory_->root.file, 0, display(path)};
    constexpr std::array<char, 2> kMarks{kKey, kItem};
    at = at.substr(0, at.find_last_of({kMarks.data(), kMarks.size()}));
  }
}

void ConfigReader::fail(std::string_view key, const std::string& problem,
                        const std::string& suggestion) const {
  throw InputError(place(key), problem, suggestion);
}

void ConfigReader::missing(std::string_view key, std::string_view expected) const {
  const ConfigTree* here = node();
  std::vector<std::string> unasked;
  if (here != nullptr) {
    const auto& asked = memory_->asked[path_];
    for (const auto& [name, value] : here->children) {
      if (!asked.contains(name)) unasked.push_back(name);
    }
  }
  const std::string meant = nearest(key, unasked);
  const bool only_case =
      std::equal(meant.begin(), meant.end(), key.begin(), key.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
      });
  fail(key, fmt::format("'{}' is required: expected {}", key, expected),
       meant.empty() ? std::string()
       : only_case   ? fmt::format("'{}' is written '{}'", meant, key)
                     : fmt::format("is '{}' meant?", meant));
}

}  // namespace lacuna
