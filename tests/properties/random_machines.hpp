// SPDX-License-Identifier: Apache-2.0
// Machine files drawn at random over the shipped ones, of every kind: sizes, rates, policies, loop
// orders, units and memories, among them what contradicts itself. A function of a seed.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/random.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna::test {

struct RandomMachine {
  std::string base;                   // the shipped file
  std::vector<std::string> settings;  // over it
  CsrMatrix a, b_transposed;

  /// As the command line would take the machine.
  [[nodiscard]] std::string text() const {
    std::string text = "--arch " + base;
    for (const std::string& setting : settings) text += fmt::format(" --set '{}'", setting);
    return fmt::format("{} on {} x {} x {}, nnz {} and {}", text, a.rows, b_transposed.rows, a.cols,
                       a.nnz(), b_transposed.nnz());
  }
};

[[nodiscard]] RandomMachine random_machine(std::uint64_t seed);

}  // namespace lacuna::test
