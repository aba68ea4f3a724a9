// SPDX-License-Identifier: Apache-2.0
// Every number of every shipped machine at its edges: refused with a message, or it runs.
#include <chrono>
#include <set>

#include "arch/description/read_spec.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/run.hpp"
#include "run/product/run.hpp"
#include "run/rowwise/run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;

namespace {

using Kind = ConfigValue::Kind;

struct Parameter {
  std::string path;
  ConfigValue value;
};

/// What may be set of a mapping, below `path`: entries of lists by their names. Lists without, and
/// names of the user's own, are left out.
void collect(const ConfigShape& shape, const ConfigTree& tree, const std::string& path,
             std::vector<Parameter>& out) {
  for (const auto& [key, child] : shape.keys) {
    const std::string here = path.empty() ? key : path + "." + key;
    for (const ConfigValue& value : child.values) out.push_back({here, value});
    const ConfigTree* const below = tree.find(key);
    if (child.mapping) collect(child, below != nullptr ? *below : ConfigTree{}, here, out);
    if (child.items.empty() || below == nullptr) continue;
    for (const ConfigTree& item : below->items) {
      const ConfigTree* const name = item.find("name");
      if (name != nullptr) collect(child.items.front(), item, here + "." + name->scalar, out);
    }
  }
}

std::string in_unit(double value, Kind kind) {
  switch (kind) {
    case Kind::bytes:
      return fmt::format("{:.0f} B", value);
    case Kind::hertz:
      return fmt::format("{} Hz", value);
    case Kind::bandwidth:
      return fmt::format("{} B/cycle", value);
    case Kind::cycles:
      return fmt::format("{:.0f} cycles", value);
    case Kind::picojoules_per_bit:
      return fmt::format("{} pJ/bit", value);
    case Kind::integer:
      return fmt::format("{:.0f}", value);
    default:
      return fmt::format("{}", value);
  }
}

/// The edges of the range and what lies around them, and some that programs stumble over.
std::vector<std::string> edges(const ConfigValue& value) {
  switch (value.kind) {
    case Kind::choice:
      return value.choices;
    case Kind::boolean:
      return {"true", "false"};
    case Kind::text:
      return {"", "x"};
    case Kind::texts:
      return {"dense", "[]", "x"};
    default:
      break;
  }
  const Range range = value.range.value_or(Range{0, 1});
  std::vector<double> numbers{0, 1, 3, range.low, range.high, 2 * range.high, 1e-300, 1e300};
  if (value.kind == Kind::integer || value.kind == Kind::bytes || value.kind == Kind::cycles) {
    numbers = {0, 1, 2, 7, 16, 100, range.low, range.high, range.high + 1, 1e18};
  }
  std::set<std::string> texts;
  for (const double number : numbers) texts.insert(in_unit(number, value.kind));
  if (value.kind == Kind::bandwidth) texts.insert("unbounded");
  return {texts.begin(), texts.end()};
}

/// The small product that every machine takes: dense, or the densest that its menu of A has.
FabricWorkload small_gemm(const FabricSpec& spec) {
  const Pattern& a = spec.a.patterns.back().pattern;
  return pattern_workload(24, 20, 32, a.text(), "dense");
}

ProductWorkload small_product() {
  ProductWorkload workload;
  workload.name = "small";
  std::vector<Entry> entries;
  for (Coordinate i = 0; i < 40; ++i) entries.push_back({i, i * 7 % 40, 1});
  workload.a = from_entries(40, 40, entries, false);
  workload.b_transposed = transpose(workload.a);
  return workload;
}

/// Ends a run that has taken too long as an interrupted one, which is a failure here.
class Deadline {
 public:
  void start() { begin_ = std::chrono::steady_clock::now(); }
  [[nodiscard]] const std::function<bool()>* poll() const { return &late_; }

 private:
  std::chrono::steady_clock::time_point begin_;
  std::function<bool()> late_ = [this] {
    return std::chrono::steady_clock::now() - begin_ > std::chrono::seconds(5);
  };
};

struct Outcome {
  unsigned ran = 0, refused = 0;
  std::string faults;
};

template <class Run>
void try_one(Outcome& outcome, const std::string& what, Run&& run) {
  try {
    run();
    ++outcome.ran;
  } catch (const InputError& error) {
    ++outcome.refused;
    if (std::string(error.what()).empty()) outcome.faults += what + ": no message\n";
  } catch (const std::exception& error) {
    outcome.faults += what + ": " + error.what() + "\n";
  }
}

void run_with(const ConfigTree& tree, const std::string& setting, const ProductWorkload& workload,
              const ProductOptions& options) {
  ConfigTree changed = tree;
  if (!setting.empty()) changed.set(setting);
  const ConfigReader reader = machine_reader(std::move(changed));
  const AnyMachine machine = read_any_machine(reader);
  reader.finish();
  if (const auto* arrays = std::get_if<FabricSpec>(&machine)) {
    (void)run_fabric(*arrays, small_gemm(*arrays), options);
  } else if (const auto* rowwise = std::get_if<RowwiseSpec>(&machine)) {
    (void)run_product(*rowwise, workload, options);
  } else {
    (void)run_product(std::get<MachineSpec>(machine), workload, options);
  }
}

ConfigShape shape_of(const ConfigTree& tree) {
  const ConfigReader reader = machine_reader(tree);
  (void)read_any_machine(reader);
  return reader.shape();
}

/// Runs the shipped machines of a kind, each number at its edges.
template <class Spec>
Outcome try_machines() {
  Outcome outcome;
  Deadline deadline;
  ProductOptions options;
  options.interrupted = deadline.poll();
  const ProductWorkload workload = small_product();
  for (const auto& name : shipped("arch")) {
    const ConfigTree tree = load_config("arch", name);
    if (!std::holds_alternative<Spec>(read_any_machine(machine_reader(tree)))) continue;
    std::vector<Parameter> parameters;
    collect(shape_of(tree), tree, "", parameters);
    const auto attempt = [&](const std::string& setting) {
      deadline.start();
      try_one(outcome, name + " --set " + setting,
              [&] { run_with(tree, setting, workload, options); });
    };
    const unsigned before = outcome.ran;
    attempt("");
    CHECK(outcome.ran == before + 1);
    for (const auto& [path, value] : parameters) {
      for (const auto& edge : edges(value)) attempt(path + "=" + edge);
    }
  }
  return outcome;
}

}  // namespace

TEST_CASE("fault: every number of every mac-array machine at its edges is refused or runs") {
  const Outcome outcome = try_machines<FabricSpec>();
  CHECK(outcome.faults == "");
  CHECK(outcome.ran > 500);
  CHECK(outcome.refused > 500);
}

TEST_CASE("fault: every number of every product machine at its edges is refused or runs") {
  const Outcome outcome = try_machines<MachineSpec>();
  CHECK(outcome.faults == "");
  CHECK(outcome.ran > 200);
  CHECK(outcome.refused > 200);
}

TEST_CASE("fault: every number of every row-wise machine at its edges is refused or runs") {
  const Outcome outcome = try_machines<RowwiseSpec>();
  CHECK(outcome.faults == "");
  CHECK(outcome.ran > 200);
  CHECK(outcome.refused > 200);
}
