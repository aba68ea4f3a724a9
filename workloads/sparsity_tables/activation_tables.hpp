// SPDX-License-Identifier: Apache-2.0
// Measured activation sparsity: the share of a projection's input that a magnitude threshold zeroes
// (TEAL, FasterDecoding/TEAL; arXiv 2408.14690). One operand vector is sparse, without structure.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "workloads/routing/trace_binding.hpp"

namespace lacuna::sparsity {

enum class Projection : std::uint8_t { kQuery, kKey, kValue, kOutput, kGate, kUp, kDown };
inline constexpr std::size_t kProjections = 7;
[[nodiscard]] const char* name_of(Projection projection);

/// Zeroed input share of every projection of a layer, for a model-wide target.
struct ActivationRow {
  std::uint32_t layer = 0;
  double target = 0;
  double effective = 0;  // average weighted by weight count
  std::array<double, kProjections> zeros{};
};

/// The greedy choice per layer: columns layer,target,effective,q,k,v,o,gate,up,down.
struct ActivationTable {
  std::string source;
  std::string model;                  // as stated by whoever loads it: the files name none
  std::vector<double> targets;        // ascending
  std::vector<std::uint32_t> layers;  // 0, 1, ...
  std::vector<ActivationRow> rows;    // [layers][targets]

  /// Throws InputError when the target or layer is not in the table.
  [[nodiscard]] const ActivationRow& at(std::uint32_t layer, double target) const;
  [[nodiscard]] double mean_zeros(double target, Projection projection) const;
  [[nodiscard]] routing::TraceOrigin origin() const;
};
/// Throws InputError with the line: shares outside [0, 1], a (layer, target) twice or missing.
[[nodiscard]] ActivationTable load_activation_table(const std::filesystem::path& path,
                                                    const std::string& model = {});

/// Magnitude thresholds: h1 of the MLP is the input of gate and up, h2 that of down; h1 of
/// attention that of q, k and v, h2 that of o. Columns layer,block,tensor,n_samples,thr_25,...:
/// thr_P zeroes P percent.
struct ThresholdTable {
  enum class Input : std::uint8_t { kAttentionIn, kAttentionOut, kMlpIn, kMlpOut };
  struct Row {
    std::uint64_t samples = 0;
    std::vector<double> thresholds;  // ascending, one per share
  };
  std::string source;
  std::string model;
  std::vector<double> shares;              // 0.25, 0.40, ...
  std::vector<std::array<Row, 4>> layers;  // [layer][Input]

  [[nodiscard]] static Input input_of(Projection projection);
  /// The threshold that zeroes `share` of the input: linear between the table's shares, from 0 at
  /// share 0; beyond the last share throws InputError.
  [[nodiscard]] double threshold(std::uint32_t layer, Projection projection, double share) const;
  /// Width of the intermediate activation over the model's width as the sample counts tell it:
  /// two models' files were once stored under one name, so check it against the configuration.
  [[nodiscard]] double sampled_mlp_ratio() const;
  [[nodiscard]] routing::TraceOrigin origin() const;
};
/// Throws InputError with the line: thresholds that do not ascend, rows missing or twice.
[[nodiscard]] ThresholdTable load_threshold_table(const std::filesystem::path& path,
                                                  const std::string& model = {});

}  // namespace lacuna::sparsity
