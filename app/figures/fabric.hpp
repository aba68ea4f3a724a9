// SPDX-License-Identifier: Apache-2.0
// The figures of the tensor-core class: `lacuna figure sparsity-sweep`, `tensor-cores`, `dstc`,
// `gemm-2048` and `ablation`.
#pragma once

#include <string>
#include <vector>

#include "app/figures/overbooking.hpp"

namespace lacuna {

struct FabricFigure {
  const char* name;
  const char* about;
  int (*draw)(const FigureArguments& arguments);
};

[[nodiscard]] const std::vector<FabricFigure>& fabric_figures();

}  // namespace lacuna
