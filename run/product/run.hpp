// SPDX-License-Identifier: Apache-2.0
// One sparse product on one machine, from operands to a complete result.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "arch/machine/machine.hpp"
#include "dataflows/tiling.hpp"
#include "run/result.hpp"
#include "sparse_formats/product_check.hpp"

namespace lacuna {

/// The operands before tiling; values are present when the run is checked.
struct ProductWorkload {
  std::string name;
  CsrMatrix a;                           // M x K
  CsrMatrix b_transposed;                // N x K
  std::optional<OutputSamples> samples;  // of Z: what they have no nonzero for is not computed
  LoopTiles tiles;  // given by the workload, in microtiles; 0 = the machine decides
  std::map<std::string, std::string> inputs;  // file -> sha256
  std::uint64_t seed = 1;                     // of generated values
  std::vector<std::string> notes;             // what was made of the files, for the result
};

struct ProductOptions {
  Fidelity fidelity = Fidelity::tile;
  bool check = false;
  /// A machine that cannot check this product says so beside its result, instead of an error.
  bool check_where_possible = false;
  bool timeline = false;
  sim::StallInjection stalls;
  const std::function<bool()>* interrupted = nullptr;  // ends the simulation, beside the user
  CsrMatrix* product = nullptr;  // of a checked run: Z, on a machine for sparse products
};

/// Of the machine's operands.
[[nodiscard]] NumberFormat format_of(const MachineSpec& machine);
[[nodiscard]] CheckReport check_report(ProductCheck check);
/// Of a sampled product: multiplies of outputs by S, which are beside the effectual ones.
void note_samples_of(RunResult& result);
/// Why a machine of a kind that cannot sample refuses.
[[nodiscard]] std::string samples_refused(const std::string& why);

[[nodiscard]] RunResult run_product(const MachineSpec& machine, const ProductWorkload& workload,
                                    const ProductOptions& options);

}  // namespace lacuna
