// SPDX-License-Identifier: Apache-2.0
// What the benchmarks run on: the published matrices where they lie beside the checkout, generated
// ones of their size elsewhere. Each is made once.
#pragma once

#include <filesystem>
#include <string>

#include "run/product/run.hpp"

namespace lacuna::bench {

/// A file or a generator, as make_matrix() takes it.
struct Source {
  std::string text;
  std::string label;  // what the table calls it
};

[[nodiscard]] Source email_enron();
[[nodiscard]] Source wiki_vote();
[[nodiscard]] Source power_law();  // 65,536 rows, 1,048,576 nonzeros

/// A * A of it.
[[nodiscard]] const ProductWorkload& product_of(const Source& source);

/// A power-law matrix of more than five million nonzeros as a Matrix Market file, .mtx or .mtx.gz,
/// in a temporary folder that goes when the program ends.
[[nodiscard]] std::filesystem::path large_file(bool compressed);
inline constexpr std::uint64_t kLargeNonzeros = 5'500'000;

[[nodiscard]] const MachineSpec& extensor();

}  // namespace lacuna::bench
