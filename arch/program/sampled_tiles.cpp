// SPDX-License-Identifier: Apache-2.0
#include "arch/program/sampled_tiles.hpp"

#include "arch/energy/precision.hpp"
#include "base/error.hpp"

namespace lacuna {
namespace {

MicrotileShape sampled_shape(const MicrotileSpec& shape) {
  if (shape.n0 > kMaxFiber) {
    throw InputError(Place{{}, 0, "dataflow.partition.N0"},
                     fmt::format("S is cut into microtiles of {} columns, a row of which has at "
                                 "most {} places",
                                 shape.n0, kMaxFiber),
                     fmt::format("N0: {}", kMaxFiber));
  }
  return {shape.m0, shape.n0};
}

}  // namespace

SampledTiles::SampledTiles(const OutputSamples& samples, const MicrotileSpec& shape,
                           const MachineSpec& machine)
    : samples_(samples),
      grid_(samples.places, sampled_shape(shape)),
      format_(machine.formats.a),
      burst_(machine.dram.burst) {
  format_.fibers = OperandFormat::Fibers::over_k;
  if (samples.ones) {
    format_.nonzero_bytes -= bytes_for(Bits(Precision::parse(machine.precision).bits)).count();
  }
  std::uint64_t at = 0;
  for (const Microtile& tile : grid_.all()) {
    addresses_.push_back(at);
    at += bytes(tile);
  }
}

std::uint64_t SampledTiles::bytes(const Microtile& tile) const {
  std::uint64_t bytes = format_.microtile_bytes + format_.fiber_bytes * tile.outer_fibers +
                        format_.nonzero_bytes * tile.nnz;
  if (format_.padded) bytes = scales() ? tile.padded_payload : sent_places(tile);
  return ceil_div(bytes, burst_.count()) * burst_.count();
}

}  // namespace lacuna
