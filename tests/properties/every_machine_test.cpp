// SPDX-License-Identifier: Apache-2.0
// Does every shipped machine run random products within its physical limits (a run that breaks one
// throws), and count the multiplies and outputs that the operands have?
#include "arch/description/read_spec.hpp"
#include "base/shipped_files.hpp"
#include "run/fabric/run.hpp"
#include "run/rowwise/run.hpp"
#include "sparse_formats/reference_product.hpp"
#include "tests/catch.hpp"
#include "tests/properties/random_products.hpp"

using namespace lacuna;

namespace {

constexpr std::uint64_t kProducts = 8;

RunResult run_on(const std::string& name, const ProductWorkload& workload) {
  const AnyMachine machine = read_any_machine(machine_reader(load_config("arch", name)));
  if (const auto* arrays = std::get_if<FabricSpec>(&machine)) {
    return run_fabric(*arrays, fabric_workload(workload));
  }
  if (const auto* rowwise = std::get_if<RowwiseSpec>(&machine)) {
    return run_product(*rowwise, workload, {});
  }
  return run_product(std::get<MachineSpec>(machine), workload, {});
}

/// At most two of every four in a row, so that machines without a dense mode run it too.
CsrMatrix two_of_four(const CsrMatrix& matrix) {
  CsrMatrix out;
  out.rows = matrix.rows;
  out.cols = matrix.cols;
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    Coordinate group = ~Coordinate{0};
    unsigned in_group = 0;
    for (const Coordinate column : matrix.cols_of(row)) {
      if (column / 4 != group) in_group = 0;
      group = column / 4;
      if (++in_group <= 2) out.columns.push_back(column);
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

}  // namespace

TEST_CASE("every shipped machine runs random products within its limits, every multiply counted") {
  std::uint64_t ran = 0;
  for (std::uint64_t seed = 1; seed <= kProducts; ++seed) {
    RandomStream random(seed, "every machine");
    ProductWorkload workload;
    workload.a = two_of_four(test::random_square(random, workload.name));
    // Its own transpose meets it wherever it has a nonzero: more often than any mean expects.
    workload.b_transposed = seed % 2 == 0 ? workload.a : transpose(workload.a);
    const SpgemmCounts exact = spgemm_counts(workload.a, transpose(workload.b_transposed));
    for (const std::string& name : shipped("arch")) {
      INFO(name << ": " << workload.name << ", seed " << seed);
      const RunResult result = run_on(name, workload);
      if (!result.unsupported.empty()) continue;
      ++ran;
      const MachineStatistics& s = result.statistics;
      CHECK(s.macs_effectual == exact.multiplies);
      CHECK(s.z_nonzeros >= exact.nnz);
      CHECK(s.macs_effectual + result.macs_gated + result.macs_skipped == result.macs_dense);
      CHECK_FALSE(s.meters.ports.empty());
      for (const auto& [port, use] : s.meters.ports) {
        INFO(port);
        CHECK(use.fullest <= use.total);
      }
      for (const auto& [buffer, bytes] : s.meters.high_water) {
        INFO(buffer);
        // A scratchpad for fibers keeps none.
        const bool keeps = buffer != "llb.Z" && name != "gallery/gamma-scratchpad";
        CHECK((bytes > 0 || exact.multiplies == 0 || !keeps));
      }
    }
  }
  CHECK(ran > 15 * kProducts);
}
