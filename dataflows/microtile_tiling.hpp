// SPDX-License-Identifier: Apache-2.0
// The microtile's edge, chosen for the PE buffer by the strategies of tiling.hpp: A and B
// microtiles of one edge share `peb.operand_share` of the buffer, as they are stored there (padded
// payload).
//   dense-shape  the largest edge at which two full microtiles fit
//   prescient    the largest edge at which the largest microtiles of A and B fit, by exact scan
//   swiftiles    a first edge at which the average pair fills the share, sampled, and scaled so
//   that
//                a share y of the pairs overflows (what does is counted, see RowInstruction)
// Edges are multiples of 8 and at most the machine's microtile, itself at most 128 along K.
#pragma once

#include "arch/spec/machine_spec.hpp"
#include "sparse_formats/csr.hpp"

namespace lacuna {

struct MicrotileChoice {
  MicrotileSpec shape;
  std::uint64_t work_nonzeros = 0;  // touched to find the edge
};

[[nodiscard]] MicrotileChoice choose_microtile(const CsrMatrix& a, const CsrMatrix& b_transposed,
                                               const MachineSpec& machine);

}  // namespace lacuna
