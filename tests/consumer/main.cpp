// SPDX-License-Identifier: Apache-2.0
// A program of somebody else: units, a matrix from a file, a matrix from a generator, and a
// simulation that deadlocks on purpose, so that the simulator and its exceptions are seen to work.
#include <cstdio>
#include <exception>
#include <string>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "sim/simulation.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "workloads/matrix_source.hpp"

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "consumer: %s\n", what);
    ++failures;
  }
}

std::string deadlock_report() {
  lacuna::sim::Simulation simulation;
  simulation.watch("reader", [] { return "a tile"; });
  simulation.issue();
  try {
    simulation.run();
  } catch (const lacuna::ModelError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) try {
  expect(argc == 2, "usage: consumer MATRIX");
  expect(lacuna::parse_bytes("30 MiB") == lacuna::Bytes(30ULL << 20), "30 MiB is 30 * 2^20 bytes");
  const lacuna::CsrMatrix matrix = lacuna::load_matrix(argv[1]);
  expect(matrix.rows == 3 && matrix.cols == 4 && matrix.nnz() == 2, "the matrix is 3 x 4 with 2");
  const lacuna::CsrMatrix lattice = lacuna::make_matrix("mesh2d:nx=3,ny=3");
  expect(lattice.rows == 9, "a mesh of 3 x 3 points has 9 rows");
  expect(deadlock_report().find("reader waits for a tile") != std::string::npos,
         "a deadlock names the unit that is blocked");
  return failures == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "consumer: %s\n", error.what());
  return 1;
}
