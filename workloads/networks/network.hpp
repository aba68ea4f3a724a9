// SPDX-License-Identifier: Apache-2.0
// A network as a list of products: fully connected layers, batched products, and convolutions that
// are lowered to products without inflating what they fetch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config.hpp"

namespace lacuna {

/// Z[M,N] = A[M,K] * B[K,N], A the weights, `batch` independent products, `repeat` layers alike.
struct NetworkLayer {
  std::string name, group;
  std::uint64_t m = 0, n = 0, k = 0;
  std::uint64_t batch = 1, repeat = 1;
  bool weights = true;  // A holds weights; otherwise another activation
  /// Inputs that are fetched over words of the lowered B: windows of a convolution overlap, and its
  /// padding is not fetched.
  double b_footprint = 1;
  [[nodiscard]] std::uint64_t macs() const { return m * n * k * batch * repeat; }
};

struct Network {
  std::string name, description;
  std::vector<NetworkLayer> layers;
  [[nodiscard]] std::uint64_t macs() const;
};

struct Convolution {
  std::uint64_t in = 0, out = 0, height = 0, width = 0, kernel_height = 0, kernel_width = 0;
  std::uint64_t stride = 1, padding = 0, groups = 1;
};

/// M = outputs of a group, K = in / groups * R * S, N = P * Q of each image, a product for each
/// group. The footprint counts each input that some window covers once.
[[nodiscard]] NetworkLayer lower(const Convolution& convolution, std::uint64_t images = 1);

/// A network's YAML: `layers`, each `conv` or `gemm`, with `batch`, `repeat`, `weights`. Throws
/// InputError with file, line and field.
[[nodiscard]] Network read_network(const ConfigReader& config, std::uint64_t images = 1);

}  // namespace lacuna
