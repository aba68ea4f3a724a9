// SPDX-License-Identifier: Apache-2.0
// Pruning weights to a pattern by magnitude.
//
// HSS follows HighLight's order (Wu et al., MICRO'23): rank 0 first, keeping in each group of H0
// the G0 largest |w|; then each outer rank, keeping the G blocks whose surviving values have the
// largest root mean square (the sum of squares here: blocks of one rank have as many survivors).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sparse_formats/npy.hpp"
#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"
#include "sparse_formats/pattern_check.hpp"

namespace lacuna {

/// Where the element (row, col) of the pruned matrix lies in the tensor. Groups run along the
/// columns. [M, K]: rows M, columns K. Convolution weights [M, C, R, S]: columns are the input
/// channels C, one row for every (r, s, m), m fastest, so that a block covers neighbouring m.
struct PruneView {
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::uint64_t outputs = 0;  // M
  std::uint64_t window = 1;   // R * S

  /// Throws InputError for a shape of neither 2 nor 4 dimensions.
  [[nodiscard]] static PruneView of(const std::vector<std::uint64_t>& shape, const Place& place);
  [[nodiscard]] std::uint64_t at(std::uint64_t row, std::uint64_t col) const {
    return (row % outputs * cols + col) * window + row / outputs;
  }
};

struct PruneResult {
  PruneView view;
  BitMatrix mask;  // rows x cols of the view; set: kept
  std::uint64_t elements = 0;
  std::uint64_t kept = 0;
  std::uint64_t tail_elements = 0;  // outside whole groups, all kept
  double kept_norm_share = 1;       // L2 norm of what is kept over that of all; 1 for all zeros
  /// The mask against the pattern: whole groups alone, and with the tails padded by zeros as
  /// hardware would run them (tails kept whole may break the rule).
  std::optional<Violation> violation;
  std::optional<Violation> padded_violation;

  [[nodiscard]] double kept_share() const {
    return elements == 0 ? 1.0 : static_cast<double>(kept) / static_cast<double>(elements);
  }
};

/// `weights` row-major in `shape`. Per pattern:
/// - uniform: the share_of(share, elements) largest |w| of the tensor;
/// - N:M and HSS: as above; elements that do not fill a whole group of prod(H) are kept;
/// - block: the share_of(share, blocks) blocks of largest L2 norm; channel: the same for columns.
/// Ties go to the earlier position of the view. Throws InputError at `place` when a weight is not
/// finite or the shape is not supported.
[[nodiscard]] PruneResult prune(std::span<const double> weights,
                                const std::vector<std::uint64_t>& shape, const Pattern& pattern,
                                const Place& place = {});

/// Zeroes in `weights` what the mask drops.
void apply_mask(const PruneResult& result, std::vector<double>& weights);

/// Seeded weights from the standard normal distribution, a function of (shape, seed) alone.
[[nodiscard]] TensorData synthetic_weights(const std::vector<std::uint64_t>& shape,
                                           std::uint64_t seed);

/// One `lacuna prune`.
struct PruneRequest {
  std::string input;   // .npy, .npz, .safetensors(.index.json), or "synthetic:512x1024"
  std::string tensor;  // which of several; may be empty when there is one
  Pattern pattern;
  std::filesystem::path output;  // .npy, .npz or .safetensors; empty: nothing is written
  std::uint64_t seed = 1;        // synthetic weights
};

struct PruneReport {
  std::string input;
  std::string tensor;
  std::string dtype;          // of the input
  std::string written_dtype;  // of the output
  std::vector<std::uint64_t> shape;
  Pattern pattern;
  PruneResult result;
};

/// Reads, prunes and writes the pruned tensor under its own name. Names and file types are checked
/// before anything is read; the output appears whole or not at all.
[[nodiscard]] PruneReport prune_file(const PruneRequest& request);

/// The report for people: kept share, kept norm, pattern check.
[[nodiscard]] std::string to_text(const PruneReport& report);

/// "synthetic:...", which names no file.
[[nodiscard]] bool is_synthetic(const std::string& input);

/// A tensor from any file that can be read, told by its extension; or "synthetic:MxK" and
/// "synthetic:MxCxRxS".
[[nodiscard]] TensorData read_weights(const std::string& input, const std::string& tensor,
                                      std::uint64_t seed);

}  // namespace lacuna
