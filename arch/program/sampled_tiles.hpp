// SPDX-License-Identifier: Apache-2.0
// S of a sampled product as a machine of microtiles stores it: as it stores A, with N in the place
// of K. Where it has no microtile, none of Z is computed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arch/spec/machine_spec.hpp"
#include "sparse_formats/microtiles.hpp"
#include "sparse_formats/output_samples.hpp"

namespace lacuna {

class SampledTiles {
 public:
  /// `samples` outlive this. Throws InputError where the microtile has more columns (n0) than a
  /// fiber has places.
  SampledTiles(const OutputSamples& samples, const MicrotileSpec& shape,
               const MachineSpec& machine);

  [[nodiscard]] const MicrotileGrid& grid() const { return grid_; }  // m0 x n0, fibers are rows
  [[nodiscard]] const CsrMatrix& places() const { return samples_.places; }
  /// Outputs are multiplied by S.
  [[nodiscard]] bool scales() const { return !samples_.ones; }
  /// As memory moves it.
  [[nodiscard]] std::uint64_t bytes(const Microtile& tile) const;
  /// Of the first byte, in S as it is stored: block rows one after another.
  [[nodiscard]] std::uint64_t address(const Microtile& tile) const {
    return addresses_[static_cast<std::size_t>(&tile - grid_.all().data())];
  }
  /// What an element is sent of it with a pair of microtiles: coordinates and pointers in lines of
  /// 64 bits.
  [[nodiscard]] static std::uint64_t sent_places(const Microtile& tile) {
    return tile.padded_payload - sent_values(tile);
  }
  [[nodiscard]] static std::uint64_t sent_values(const Microtile& tile) {
    return std::uint64_t{8} * tile.nnz;
  }

 private:
  const OutputSamples& samples_;
  MicrotileGrid grid_;
  OperandFormat format_;
  Bytes burst_;
  std::vector<std::uint64_t> addresses_;
};

}  // namespace lacuna
