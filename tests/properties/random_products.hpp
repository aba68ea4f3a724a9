// SPDX-License-Identifier: Apache-2.0
// Random products and scaled-down shipped machines for properties that must hold on all of them, as
// functions of a seed.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sparse_formats/csr.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna::test {

/// Overrides of a machine file, by key.
using Settings = std::map<std::string, std::string>;

template <class T>
T one_of(RandomStream& random, std::initializer_list<T> values) {
  return *(values.begin() + random.below(values.size()));
}

/// A square matrix of some hundred rows: without structure, scale-free, or in bands, blocks, grids.
/// `text` becomes its source, as the command line takes it.
inline CsrMatrix random_square(RandomStream& random, std::string& text) {
  const int rows = one_of(random, {200, 400, 700, 1000});
  const std::uint64_t seed = random.below(1000);
  switch (random.below(6)) {
    case 0:
      text = fmt::format("rmat:rows={},edges={},seed={}", one_of(random, {256, 512, 1024}),
                         one_of(random, {1000, 4000, 10000}), seed);
      break;
    case 1:
      text = fmt::format("banded:rows={},half-bandwidth={},fill={},seed={}", rows,
                         one_of(random, {3, 10, 40}), one_of(random, {0.3, 1.0}), seed);
      break;
    case 2:
      text = fmt::format("block-diagonal:blocks={},size={},density={},seed={}",
                         one_of(random, {4, 10}), one_of(random, {50, 90}),
                         one_of(random, {0.1, 0.5}), seed);
      break;
    case 3:
      text = fmt::format("mesh2d:nx={},ny={}", one_of(random, {20, 33}), one_of(random, {20, 31}));
      break;
    default:
      text = fmt::format("uniform:rows={},cols={},density={},seed={}", rows, rows,
                         one_of(random, {0.002, 0.01, 0.05, 0.2}), seed);
  }
  return make_matrix(text);
}

/// An ExTensor-class machine as shipped, with buffers small enough for such a matrix to be tiled.
inline Settings small_extensor(RandomStream& random, const std::string& name) {
  const int microtile = one_of(random, {16, 32, 64});
  const int capacity = 1024 * one_of(random, {16, 32, 64, 128, 256});
  Settings s{
      {"tiling.microtile", fmt::format("{{m0: {0}, k0: {0}, n0: {0}}}", microtile)},
      {"buffers.llb.capacity", fmt::format("{} B", capacity)},
      {"buffers.llb.window", fmt::format("{} B", capacity / 64)},
      {"buffers.peb.capacity", fmt::format("{} B", one_of(random, {2048, 8192, 65536}))},
      {"buffers.llb.bandwidth", fmt::format("{} B/cycle", one_of(random, {16, 64, 512, 2048}))},
      {"pes.count", fmt::format("{}", one_of(random, {4, 16, 64, 128}))},
      {"dram.bandwidth", fmt::format("{} B/cycle", one_of(random, {4.0, 16.0, 73.289}))},
      {"dram.chunk", fmt::format("{} B", one_of(random, {512, 2048, 16384}))}};
  if (name == "extensor" || name == "extensor-teaal") {  // tile sizes are given
    s["tiling.m1"] = fmt::format("{}", one_of(random, {2, 8, 32}));
    s["tiling.k1"] = fmt::format("{}", one_of(random, {2, 8, 64}));
    s["tiling.n1"] = fmt::format("{}", one_of(random, {2, 8, 96}));
  }
  return s;
}

/// Each nonzero stays with probability `kept`.
inline CsrMatrix thinned(const CsrMatrix& matrix, double kept, std::uint64_t seed) {
  RandomStream random(seed, "thinned");
  CsrMatrix out;
  out.rows = matrix.rows;
  out.cols = matrix.cols;
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    for (const Coordinate column : matrix.cols_of(row)) {
      if (random.uniform() < kept) out.columns.push_back(column);
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

}  // namespace lacuna::test
