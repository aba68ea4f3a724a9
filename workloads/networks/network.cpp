// SPDX-License-Identifier: Apache-2.0
#include "workloads/networks/network.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "base/units.hpp"

namespace lacuna {
namespace {

constexpr double kMost = 1U << 24;

/// Places of one axis that windows of `kernel` at `stride` cover, padding apart.
std::uint64_t covered(std::uint64_t size, std::uint64_t kernel, std::uint64_t stride,
                      std::uint64_t outputs) {
  const std::uint64_t reach = stride >= kernel ? outputs * kernel : (outputs - 1) * stride + kernel;
  return std::min(size, reach);
}

std::uint64_t outputs_of(std::uint64_t size, std::uint64_t kernel, std::uint64_t stride,
                         std::uint64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

NetworkLayer read_conv(const ConfigReader& config, std::uint64_t images) {
  Convolution c;
  c.in = config.integer("in", {1, kMost});
  c.out = config.integer("out", {1, kMost});
  c.height = config.integer("height", {1, kMost});
  c.width = config.integer("width", {1, kMost}, c.height);
  c.kernel_height = c.kernel_width = config.integer("kernel", {1, 4096});
  c.stride = config.integer("stride", {1, 4096}, 1);
  c.padding = config.integer("padding", {0, 4096}, 0);
  c.groups = config.integer("groups", {1, kMost}, 1);
  if (c.kernel_height > std::min(c.height, c.width) + 2 * c.padding) {
    config.fail("kernel", fmt::format("a window of {} does not fit {} x {} with padding {}",
                                      c.kernel_height, c.height, c.width, c.padding));
  }
  if (c.in % c.groups != 0 || c.out % c.groups != 0) {
    config.fail("groups", fmt::format("{} groups do not divide {} inputs and {} outputs", c.groups,
                                      c.in, c.out));
  }
  return lower(c, images);
}

NetworkLayer read_gemm(const ConfigReader& config, std::uint64_t images) {
  NetworkLayer layer;
  layer.m = config.integer("m", {1, kMost});
  layer.n = config.integer("n", {1, kMost}) * images;
  layer.k = config.integer("k", {1, kMost});
  return layer;
}

NetworkLayer read_layer(const ConfigReader& config, std::uint64_t images) {
  if (config.has("conv") == config.has("gemm")) {
    config.fail("name", "a layer is either a conv or a gemm",
                "give one of conv: {in, out, height, kernel, ...} and gemm: {m, n, k}");
  }
  const bool weights = config.boolean("weights", true);
  NetworkLayer layer = config.has("conv") ? read_conv(config.mapping("conv"), images)
                                          // A product of activations is one for each image.
                                          : read_gemm(config.mapping("gemm"), weights ? images : 1);
  layer.name = config.text("name");
  layer.group = config.text("group", "layers");
  layer.repeat = config.integer("repeat", {1, kMost}, 1);
  layer.batch *= config.integer("batch", {1, kMost}, 1) * (weights ? 1 : images);
  layer.weights = weights;
  return layer;
}

}  // namespace

std::uint64_t Network::macs() const {
  return std::accumulate(
      layers.begin(), layers.end(), std::uint64_t{0},
      [](std::uint64_t sum, const NetworkLayer& layer) { return sum + layer.macs(); });
}

NetworkLayer lower(const Convolution& c, std::uint64_t images) {
  const std::uint64_t p = outputs_of(c.height, c.kernel_height, c.stride, c.padding);
  const std::uint64_t q = outputs_of(c.width, c.kernel_width, c.stride, c.padding);
  NetworkLayer layer;
  layer.m = c.out / c.groups;
  layer.k = c.in / c.groups * c.kernel_height * c.kernel_width;
  layer.n = p * q * images;
  layer.batch = c.groups;
  const double inputs = static_cast<double>(covered(c.height, c.kernel_height, c.stride, p)) *
                        static_cast<double>(covered(c.width, c.kernel_width, c.stride, q));
  const double lowered =
      static_cast<double>(p * q) * static_cast<double>(c.kernel_height * c.kernel_width);
  layer.b_footprint = std::min(1.0, inputs / lowered);
  return layer;
}

Network read_network(const ConfigReader& config, std::uint64_t images) {
  Network network;
  network.name = config.text("name");
  network.description = config.text("description", "");
  for (const auto& layer : config.mappings("layers")) {
    network.layers.push_back(read_layer(layer, images));
  }
  if (network.layers.empty()) config.fail("layers", "a network without layers");
  return network;
}

}  // namespace lacuna
