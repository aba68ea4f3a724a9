// SPDX-License-Identifier: Apache-2.0
// Machine files nobody wrote, of every kind, on small operands: each runs in both fidelities with
// equal counts and the reference's product, or is refused with a reason. A run that breaks a
// physical limit, does not balance, hangs or deadlocks throws something else, and fails here.
#include "tests/properties/random_machines.hpp"

#include <optional>

#include "arch/description/read_spec.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/run.hpp"
#include "run/rowwise/run.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/arch/same_run.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::RandomMachine;

namespace {

RunResult run_in(Fidelity fidelity, const AnyMachine& machine, const ProductWorkload& workload) {
  ProductOptions options;
  options.fidelity = fidelity;
  options.check = options.check_where_possible = true;
  if (const auto* arrays = std::get_if<FabricSpec>(&machine)) {
    FabricWorkload occupancies = fabric_workload(workload);
    occupancies.values = &workload;
    if (arrays->shared) options.check = false;  // clusters step through time, not values
    return run_fabric(*arrays, occupancies, options);
  }
  if (const auto* rowwise = std::get_if<RowwiseSpec>(&machine)) {
    return run_product(*rowwise, workload, options);
  }
  return run_product(std::get<MachineSpec>(machine), workload, options);
}

struct Outcome {
  std::string refusal;  // empty: it ran
  std::optional<RunResult> tile, element;
};

/// Whatever is no refusal goes up.
Outcome run_random(const RandomMachine& drawn) {
  Outcome out;
  try {
    ConfigTree tree = load_config("arch", drawn.base);
    for (const std::string& setting : drawn.settings) tree.set(setting);
    const ConfigReader reader = machine_reader(std::move(tree));
    const AnyMachine machine = read_any_machine(reader);
    reader.finish();
    ProductWorkload workload;
    workload.name = "random";
    workload.a = drawn.a;
    workload.b_transposed = drawn.b_transposed;
    out.tile = run_in(Fidelity::tile, machine, workload);
    out.element = run_in(Fidelity::element, machine, workload);
    out.refusal = out.tile->unsupported;
    CHECK(out.element->unsupported == out.tile->unsupported);
  } catch (const InputError& error) {
    out.refusal = error.what();
    REQUIRE_FALSE(out.refusal.empty());
    // One that only one fidelity refuses would be a difference between them.
    CHECK_FALSE(out.tile);
  }
  return out;
}

void check_counts(const RandomMachine& drawn, const RunResult& result) {
  const SpgemmCounts exact = spgemm_counts(drawn.a, transpose(drawn.b_transposed));
  const MachineStatistics& s = result.statistics;
  CHECK(s.macs_effectual == exact.multiplies);
  CHECK(s.z_nonzeros >= exact.nnz);
  CHECK(s.macs_effectual + result.macs_gated + result.macs_skipped == result.macs_dense);
  CHECK((!result.check.performed || result.check.passed));
  for (const auto& [port, use] : s.meters.ports) {
    INFO(port);
    CHECK(use.fullest <= use.total);
  }
}

/// How many of the machines of these seeds ran.
std::uint64_t run_seeds(std::uint64_t first, std::uint64_t last) {
  std::uint64_t ran = 0;
  for (std::uint64_t seed = first; seed < last; ++seed) {
    const RandomMachine drawn = test::random_machine(seed);
    INFO("seed " << seed << ": " << drawn.text());
    Outcome out;
    CHECK_NOTHROW(out = run_random(drawn));
    if (!out.refusal.empty() || !out.element) continue;
    ++ran;
    check_counts(drawn, *out.tile);
    check_counts(drawn, *out.element);
    test::check_same_counts(out.tile->statistics, out.element->statistics);
    CHECK((out.element->check.performed || drawn.base == "lacuna-l2"));
  }
  return ran;
}

}  // namespace

TEST_CASE("machine files drawn at random run as they say or are refused") {
  CHECK(run_seeds(1, 121) > 40);
}

TEST_CASE("a thousand machine files drawn at random run as they say or are refused", "[slow]") {
  CHECK(run_seeds(121, 1121) > 333);
}
