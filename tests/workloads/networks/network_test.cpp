// SPDX-License-Identifier: Apache-2.0
#include "workloads/networks/network.hpp"

#include "base/error.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

using test::Approx;
using test::source_dir;

Network shipped_network(const std::string& name, std::uint64_t images = 1) {
  const ConfigReader reader(
      ConfigTree::load(source_dir() / "configs" / "networks" / (name + ".yaml")));
  Network network = read_network(reader, images);
  reader.finish();
  return network;
}

std::string error_of(const std::string& text) {
  try {
    const ConfigReader reader(ConfigTree::parse(text, "net.yaml"));
    (void)read_network(reader);
    reader.finish();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("networks have the multiply-adds that are published for them") {
  // ResNet-50 with the stride in the 3 x 3 convolution: 4.089 G; DeiT-small: 4.6 G.
  CHECK(shipped_network("resnet50").macs() == 4'089'184'256);
  CHECK(static_cast<double>(shipped_network("deit-small").macs()) == Approx(4.6e9).epsilon(0.001));
  // Weights of the encoder and the decoder: 6 (4 d^2 + 8 d^2) + 6 (8 d^2 + 8 d^2), d = 1024.
  std::uint64_t weights = 0;
  for (const NetworkLayer& layer : shipped_network("transformer-big").layers) {
    if (layer.weights) weights += layer.m * layer.k * layer.repeat;
  }
  CHECK(weights == 168ULL * 1024 * 1024);
  CHECK(shipped_network("resnet50", 8).macs() == 8 * shipped_network("resnet50").macs());
  CHECK(shipped_network("deit-small", 8).macs() == 8 * shipped_network("deit-small").macs());
}

TEST_CASE("a lowered convolution fetches each input once") {
  // 4 x 4, window 3, padding 1: 16 windows of 9 words over 16 inputs.
  NetworkLayer layer = lower({2, 5, 4, 4, 3, 3, 1, 1, 1});
  CHECK(layer.m == 5);
  CHECK(layer.k == 18);
  CHECK(layer.n == 16);
  CHECK(layer.b_footprint == Approx(16.0 / (16 * 9)));
  // Stride 2, window 1: three of four inputs are never fetched, none is read twice.
  layer = lower({2, 5, 4, 4, 1, 1, 2, 0, 1});
  CHECK(layer.n == 4);
  CHECK(layer.b_footprint == Approx(1));
  // Stride 2, window 3, no padding, 5 x 5: 2 x 2 windows cover all 25 inputs.
  layer = lower({1, 1, 5, 5, 3, 3, 2, 0, 1});
  CHECK(layer.n == 4);
  CHECK(layer.b_footprint == Approx(25.0 / 36));
  // Depthwise: a product for each channel.
  layer = lower({8, 8, 4, 4, 3, 3, 1, 1, 8});
  CHECK(layer.batch == 8);
  CHECK((layer.m == 1 && layer.k == 9));
}

TEST_CASE("a malformed network is refused with its line") {
  CHECK(error_of("name: x\nlayers: []\n").find("without layers") != std::string::npos);
  CHECK(
      error_of("name: x\nlayers:\n  - {name: a, gemm: {m: 1, n: 1, k: 0}}\n").find("net.yaml:3") !=
      std::string::npos);
  CHECK(error_of("name: x\nlayers:\n  - {name: a}\n").find("either a conv or a gemm") !=
        std::string::npos);
  CHECK(error_of("name: x\nlayers:\n  - {name: a, conv: {in: 1, out: 1, height: 2, kernel: 5}}\n")
            .find("does not fit") != std::string::npos);
  CHECK(error_of("name: x\nlayers:\n  - {name: a, conv: {in: 3, out: 4, height: 9, kernel: 1, "
                 "groups: 2}}\n")
            .find("do not divide") != std::string::npos);
  CHECK(error_of("name: x\nlayers:\n  - {name: a, gem: {m: 1, n: 1, k: 1}}\n") != "");
}

}  // namespace lacuna
