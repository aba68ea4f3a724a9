// SPDX-License-Identifier: Apache-2.0
// Generated matrices. All are patterns (fill_values() gives them values) and depend on their
// parameters and seed alone, on every host. Each generator throws InputError for parameters that
// make no sense or ask for more than kLargestGenerated rows, columns or nonzeros.
#pragma once

#include <cstdint>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// 2^28: some gigabytes, several times the largest matrices of the published suites.
inline constexpr std::uint64_t kLargestGenerated = std::uint64_t{1} << 28;

/// Parameters of rmat(). The defaults a, b, c, d are those of Graph 500.
struct RmatParameters {
  std::uint64_t rows = 0;   // a power of two
  std::uint64_t edges = 0;  // distinct nonzeros, exactly
  double a = 0.57;          // probabilities of the four quarters: upper left,
  double b = 0.19;          // upper right,
  double c = 0.19;          // lower left,
  double d = 0.05;          // lower right; they sum to 1
  std::uint64_t seed = 1;
  bool permuted = true;  // vertices renamed at random, rows and columns alike
};

/// A scale-free square matrix (R-MAT: Chakrabarti, Zhan and Faloutsos 2004, as in Boost.Graph,
/// which perturbs the four probabilities by up to 10 % at each level). Edges are drawn until
/// `edges` distinct ones are there, so nnz is exactly `edges`; self loops are kept. Throws
/// InputError when the distribution does not yield that many in 64 draws for each.
[[nodiscard]] CsrMatrix rmat(const RmatParameters& parameters);

/// Exactly round(density * rows * cols) nonzeros, every such pattern equally likely.
[[nodiscard]] CsrMatrix uniform_matrix(std::uint64_t rows, std::uint64_t cols, double density,
                                       std::uint64_t seed);

/// Square; the diagonal, and each other place with |row - col| <= half_bandwidth independently with
/// probability `fill`. With fill 1, nnz = n (2h + 1) - h (h + 1) for h < n.
[[nodiscard]] CsrMatrix banded_matrix(std::uint64_t rows, std::uint64_t half_bandwidth, double fill,
                                      std::uint64_t seed);

/// `blocks` square blocks of `size` rows on the diagonal, each with exactly
/// round(density * size^2) nonzeros drawn for itself; nothing outside.
[[nodiscard]] CsrMatrix block_diagonal(std::uint64_t blocks, std::uint64_t size, double density,
                                       std::uint64_t seed);

/// Five-point stencil with diagonal on an nx x ny grid, x fastest; nnz = 5 nx ny - 2 nx - 2 ny.
[[nodiscard]] CsrMatrix mesh_2d(std::uint64_t nx, std::uint64_t ny);

/// Seven-point stencil with diagonal on an nx x ny x nz grid, x fastest;
/// nnz = 7 nx ny nz - 2 (nx ny + ny nz + nx nz).
[[nodiscard]] CsrMatrix mesh_3d(std::uint64_t nx, std::uint64_t ny, std::uint64_t nz);

/// The Markov chain of an epidemic on a triangular lattice, the shape of SuiteSparse's
/// Williams/mc2depi ("2D Markov model of epidemic"), which has 525,825 rows and 2,100,225 nonzeros:
/// m = 1024.
///
/// A population of m has i susceptible and j infected members, i + j <= m, the rest immune: n =
/// (m + 1)(m + 2)/2 states, numbered by j, then i. A row is the state left. It holds the diagonal
/// (nothing happens) and three moves:
///   infection   (i, j) -> (i - 1, j + 1)   when i > 0
///   recovery    (i, j) -> (i, j - 1)       when j > 0
///   immunity is lost  (i, j) -> (i + 1, j)  when i + j < m
/// Each move is impossible in m + 1 states, so nnz = 4 n - 3 (m + 1) = (m + 1)(2 m + 1); rows hold
/// 2 to 4. No move is the reverse of another, so off the diagonal no place has its mirror image,
/// and every state reaches every other.
///
/// Standing: the collection publishes sizes, a pattern symmetry of zero and one strongly connected
/// component for mc2depi; the moves are inferred from these (four neighbours on the grid would be
/// symmetric and 1,025 nonzeros short).
[[nodiscard]] CsrMatrix triangular_lattice(std::uint64_t m);

}  // namespace lacuna
