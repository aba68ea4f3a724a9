// SPDX-License-Identifier: Apache-2.0
// A matrix as the command line and workload files name it: a file, or a generator and its
// parameters.
//
//   path/to/matrix.mtx[.gz], path/to/layer.smtx[.gz]
//   mask:file=path/to/mask.txt[.gz][,columns=64]      digits 0 and 1 (sparse_formats/mask_text.hpp)
//   rmat:rows=65536,edges=1048576[,a=0.57,b=0.19,c=0.19,d=0.05,seed=1,permuted=true]
//   uniform:rows=1000,cols=800,density=0.01[,seed=1]
//   banded:rows=1000,half-bandwidth=8[,fill=1,seed=1]
//   block-diagonal:blocks=16,size=64[,density=1,seed=1]
//   mesh2d:nx=100,ny=100        mesh3d:nx=20,ny=20,nz=20
//   lattice:m=1024
//
// Integers may be written 1e6. See workloads/generators.hpp for what each makes.
#pragma once

#include <functional>
#include <string>

#include "sparse_formats/csr.hpp"

namespace lacuna {

/// Whether `source` names a generator (or a mask) rather than a file. A file of that very name
/// wins.
[[nodiscard]] bool is_generated(const std::string& source);

/// The file behind a source, a mask's too; empty for what is drawn.
[[nodiscard]] std::string matrix_file(const std::string& source);

/// Reads or generates the matrix. Throws InputError: a file that is missing or wrong, an unknown
/// generator or parameter (with a suggestion), a parameter that is missing, given twice or has a
/// bad value. `progress` is called with the share done, 0 to 1.
[[nodiscard]] CsrMatrix make_matrix(const std::string& source,
                                    const std::function<void(double)>& progress = {});

/// What reports call it: the file's name without .mtx, .smtx, .txt of a mask and .gz; for a
/// generator its text fit for file names and CSV, "rmat-rows65536-edges1048576-seed1".
[[nodiscard]] std::string matrix_name(const std::string& source);

}  // namespace lacuna
