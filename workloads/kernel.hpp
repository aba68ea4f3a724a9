// SPDX-License-Identifier: Apache-2.0
// An einsum of two or more operands as the matrix products that machines run.
//
//   Z[m,n] = A[m,k] * B[k,n]          the ranks of A and Z are rows, of A and B contracted, of B
//   and
//                                     Z columns: several of a kind are one, flattened in the order
//                                     in which the operand names them (a tensor is unfolded)
//   Z[b,m,n] = A[b,m,k] * B[b,k,n]    a rank that all three have is outside all loops: a product
//   for
//                                     each of its coordinates at which both have nonzeros
//   Z[i,r] = T[i,j,k] * B[j,r] * C[k,r]   of more operands that with the most ranks is A; the
//   others
//                                     are multiplied first, place by place, where A has a nonzero
//
//   Z[m,n] = S[m,n] * A[m,k] * B[k,n]     beside two others or more, an operand with the ranks of Z
//                                     samples the product of the others (SDDMM): what it has no
//                                     nonzero for is not computed. The products of a batch may
//                                     share one, without the ranks of the batch
//
// What cannot be said so is refused with the rank that stands in the way: one that a single operand
// alone has, and one that is contracted between operands beside A.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sparse_formats/csr.hpp"
#include "sparse_formats/output_samples.hpp"
#include "sparse_formats/sparse_tensor.hpp"

namespace lacuna {

struct KernelOperand {
  std::string name;
  std::vector<std::string> ranks;  // one for each of the tensor's
  SparseTensor tensor;
  bool ones = false;  // of one that samples the result: its pattern alone counts
};

/// Operands agree on the extent of each rank.
struct Kernel {
  std::vector<std::string> z_ranks;
  std::vector<KernelOperand> operands;
};

struct KernelSlice {
  CsrMatrix a, b_transposed;
  std::optional<OutputSamples> samples;
};

struct LoweredKernel {
  std::vector<KernelSlice> slices;  // of the batch ranks; one without any
  std::uint64_t empty_slices = 0;   // an operand has no nonzero there: nothing to multiply
  std::vector<std::string> notes;   // what was made of the operands, for the result
};

/// Throws InputError (field "einsum") for what is no product, more than 4096 slices, ranks that are
/// too long when flattened, more than 64,000,000 nonzeros of what is formed.
[[nodiscard]] LoweredKernel lower(const Kernel& kernel);

}  // namespace lacuna
