// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/vector/vector_stream.hpp"

namespace lacuna {

VectorStream::VectorStream(const FabricSpec& spec, const VectorWork& work,
                           const ArrayProduct& moved)
    : spec_(spec),
      work_(work),
      moved_(moved),
      cycles_(work.port_bytes / (spec.glb.words_per_cycle * spec.word_bytes())) {}

Execution VectorStream::execute(const ArrayInstruction& at) {
  const auto passed = static_cast<std::uint64_t>(work_.port_bytes + 0.5);
  const std::uint64_t bytes =
      passed * (at.chunk + 1) / work_.pieces - passed * at.chunk / work_.pieces;
  Execution out;
  out.cycles = cycles_ / static_cast<double>(work_.pieces);
  out.glb_words = static_cast<double>(bytes) / spec_.word_bytes();
  return out;
}

FabricCounts VectorStream::counts() const {
  FabricCounts counts;
  counts.dram_z = moved_.z;
  counts.glb_a.data = work_.read_bytes / spec_.word_bytes();
  counts.z_glb_writes = work_.written_bytes / spec_.word_bytes();
  counts.glb_cycles = cycles_;
  return counts;
}

}  // namespace lacuna
