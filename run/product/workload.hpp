// SPDX-License-Identifier: Apache-2.0
// What a run computes, as the command line, a workload file or a resolved configuration gives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "run/fabric/run.hpp"
#include "run/product/kernel_workload.hpp"
#include "run/product/run.hpp"

namespace lacuna {

/// Z = A * B. `matrix` is a file or a generator; without `matrix_b`, B is A (or its transpose).
struct WorkloadSpec {
  std::string name;  // empty: from the matrix
  std::string matrix;
  std::string matrix_b;
  bool transpose_b = false;
  std::uint64_t dense_columns = 0;  // B is dense with this many columns
  std::string gemm;                 // "MxNxK", with the patterns below
  std::string a_pattern = "dense";
  std::string b_pattern = "dense";
  KernelSpec kernel;       // instead of all these: an einsum over tensors
  LoopTiles tiles;         // microtiles per LLB tile, 0 = the machine decides
  std::uint64_t seed = 1;  // of generated occupancies and values
};

/// Reads the mapping of a workload file. Relative matrix files are looked for beside `folder`
/// first.
[[nodiscard]] WorkloadSpec read_workload(const ConfigReader& config,
                                         const std::filesystem::path& folder);

/// The same where `a` and `b` may be lists of patterns: their cross product, A slowest.
[[nodiscard]] std::vector<WorkloadSpec> read_workloads(const ConfigReader& config,
                                                       const std::filesystem::path& folder);

/// The mapping that read_workload() reads back.
[[nodiscard]] ConfigTree to_config(const WorkloadSpec& spec);

/// Of its result: its own, or what it multiplies.
[[nodiscard]] std::string name_of(const WorkloadSpec& spec);

[[nodiscard]] FabricShape shape_of_gemm(const WorkloadSpec& spec);

/// A GEMM's operands as bits, for machines that take no explicit nonzeros.
[[nodiscard]] FabricWorkload make_gemm_occupancies(const WorkloadSpec& spec);

/// Loads or generates the operands. A GEMM of more nonzeros than kMostExplicitNonzeros
/// (explicit_rows.hpp) is refused before any is drawn; values are drawn for patterns when `values`
/// are needed.
[[nodiscard]] ProductWorkload make_workload(const WorkloadSpec& spec, bool values,
                                            const std::function<void(double)>& progress);

}  // namespace lacuna
