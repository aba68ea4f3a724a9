// SPDX-License-Identifier: Apache-2.0
// The published results of the tensor-core class beside ours: runs every published point that the
// files of validation/published hold.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lacuna {

struct PublishedRow {
  std::string source;    // "sparseloop-tensor-cores", "dstc-fig21", "sparse-gemm-2048", ...
  std::string machine;   // shipped name
  std::string label;     // the point: shape and densities
  std::string quantity;  // "cycles_bound", "energy_uJ", "time_normalised", ...
  double published = 0;
  double simulated = 0;
  std::string remark;
  /// The largest relative error that the comparison may show; nothing: stands beside, no target.
  std::optional<double> within = std::nullopt;
  std::string problem = {};  // why the row could not be compared; empty when it was

  [[nodiscard]] bool fails() const {
    return !problem.empty() || (within && !(std::abs(error()) <= *within));
  }
  /// Relative to the published value.
  [[nodiscard]] double error() const { return simulated / published - 1; }
};

/// Fig. 15 of the Sparseloop artifact: six designs, four weight densities, two layers. DSTC in the
/// expected mode; its remark gives the data-driven bound and simulated cycles.
[[nodiscard]] std::vector<PublishedRow> sparseloop_rows();

/// DSTC's own Fig. 21, kernel time over that of the dense point: each point in the expected and in
/// the data-driven mode. The shape is 512 x 512 of the published 4096 x 4096 outputs, K as
/// published: the mean over tiles does not depend on their number.
[[nodiscard]] std::vector<PublishedRow> dstc_fig21_rows();

/// The dense, 2:4 and dual-side rows of the 2048^3 models, relative to the dense one.
[[nodiscard]] std::vector<PublishedRow> sparse_gemm_rows();

/// HighLight's geometric mean of the energy-delay gain, against the sweep of fabric_sweep.hpp.
[[nodiscard]] std::vector<PublishedRow> highlight_rows();

/// Parameters, cache bytes and FLOPs of whole models, from their configurations.
[[nodiscard]] std::vector<PublishedRow> model_rows();

/// The runs of the artifact and of DSTC's paper, in this order.
[[nodiscard]] std::vector<PublishedRow> published_fabric_rows();

/// What is compared together; each row says how far it may be off.
struct PublishedGroup {
  const char* name;
  const char* title;
  std::vector<PublishedRow> (*rows)();
};
[[nodiscard]] const std::vector<PublishedGroup>& published_groups();

/// Errors of one quantity, as shares of the published values.
struct ErrorSummary {
  std::size_t numbers = 0;
  double mean = 0, largest = 0;  // of their magnitudes
};
/// Of the rows that could be compared, by quantity.
[[nodiscard]] std::map<std::string, ErrorSummary> errors_by_quantity(
    const std::vector<PublishedRow>& rows);

}  // namespace lacuna
