// SPDX-License-Identifier: Apache-2.0
// A workload that is an einsum over tensors: what each operand is, read or drawn, and the products
// that it becomes (workloads/kernel.hpp).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "run/product/run.hpp"

namespace lacuna {

/// einsum, operands, sizes of a workload file. An operand is a matrix as `matrix` takes it, a
/// tensor (.tns, .tns.gz), `dense`, or `density:0.1`, drawn; one that samples the result may be
/// `ones:` of these.
struct KernelSpec {
  std::string equation;
  std::vector<std::pair<std::string, std::string>> operands;  // name, source
  std::vector<std::pair<std::string, std::uint64_t>> sizes;   // rank, extent

  [[nodiscard]] bool empty() const { return equation.empty(); }
};

/// Reads the three keys. Relative files are looked for beside `folder` first. Throws InputError.
[[nodiscard]] KernelSpec read_kernel(const ConfigReader& config,
                                     const std::filesystem::path& folder);
/// Writes what read_kernel() reads back.
void put_kernel(const KernelSpec& spec, ConfigTree& tree);

/// "Z-ir-T-ijk-B-jr-C-kr".
[[nodiscard]] std::string kernel_name(const KernelSpec& spec);

/// The products, in the order of their batch; each has the notes of the whole. Values are drawn for
/// patterns. Throws InputError for extents that differ, and what lower() refuses.
[[nodiscard]] std::vector<ProductWorkload> make_kernel(const KernelSpec& spec,
                                                       const std::string& name, std::uint64_t seed,
                                                       bool values,
                                                       const std::function<void(double)>& progress);

}  // namespace lacuna
