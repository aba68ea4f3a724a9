// SPDX-License-Identifier: Apache-2.0
// Machines of row-wise products, and runs on them.
#pragma once

#include <memory>

#include "arch/system/rowwise_system.hpp"
#include "dataflows/row_merges.hpp"
#include "dataflows/tile_sums.hpp"
#include "tests/arch/products.hpp"

namespace lacuna::test {

inline RowwiseSpec rowwise(const std::string& name, const std::vector<std::string>& settings = {}) {
  ConfigTree tree = ConfigTree::load(source_dir() / "configs" / "arch" / (name + ".yaml"));
  for (const auto& setting : settings) tree.set(setting);
  const ConfigReader reader = machine_reader(std::move(tree));
  auto spec = std::get<RowwiseSpec>(read_any_machine(reader));
  reader.finish();
  return spec;
}

struct RowwiseRun {
  RunOutcome outcome;
  RowwiseTotals totals;
};

/// Z = A * B, B as it is. The product has the leader's fibers as rows.
inline RowwiseRun multiply(const RowwiseSpec& spec, const CsrMatrix& a, const CsrMatrix& b,
                           const RunOptions& options = {}, const OutputSamples* samples = nullptr) {
  const CsrMatrix leader = spec.leader_is_b ? transpose(b) : a;
  const CsrMatrix follower = spec.leader_is_b ? transpose(a) : b;
  std::unique_ptr<RowwiseProgram> program;
  if (spec.merges()) {
    program = std::make_unique<RowMerges>(leader, follower, spec, samples);
  } else {
    program = std::make_unique<TileSums>(leader, follower, spec);
  }
  RunOutcome outcome = run_rowwise(spec, *program, options);
  return {std::move(outcome), program->totals()};
}

}  // namespace lacuna::test
