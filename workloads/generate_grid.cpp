// SPDX-License-Identifier: Apache-2.0
// Matrices of grids: stencils and the triangular lattice.
#include <vector>

#include "base/interrupt.hpp"
#include "workloads/generator_checks.hpp"
#include "workloads/generators.hpp"

namespace lacuna {

CsrMatrix mesh_2d(std::uint64_t nx, std::uint64_t ny) {
  return mesh_3d(nx, ny, 1);
}

CsrMatrix mesh_3d(std::uint64_t nx, std::uint64_t ny, std::uint64_t nz) {
  detail::checked_extent("mesh", "nx", nx);
  detail::checked_extent("mesh", "ny", ny);
  detail::checked_extent("mesh", "nz", nz);
  const std::uint64_t plane = detail::checked_product("mesh", "nx x ny", nx, ny);
  const std::uint64_t count = detail::checked_product("mesh", "nx x ny x nz", plane, nz);
  detail::checked_product("mesh", "nonzeros", nz == 1 ? 5 : 7, count);
  CsrMatrix matrix;
  matrix.rows = matrix.cols = static_cast<Coordinate>(count);
  matrix.offsets.reserve(count + 1);
  matrix.columns.reserve(7 * count - 2 * (nx * ny + ny * nz + nx * nz));
  const auto link = [&](bool inside, std::uint64_t to) {
    if (inside) matrix.columns.push_back(static_cast<Coordinate>(to));
  };
  std::uint64_t at = 0;
  for (std::uint64_t z = 0; z < nz; ++z) {
    for (std::uint64_t y = 0; y < ny; ++y) {
      stop_if_requested();
      for (std::uint64_t x = 0; x < nx; ++x, ++at) {
        link(z > 0, at - plane);
        link(y > 0, at - nx);
        link(x > 0, at - 1);
        link(true, at);
        link(x + 1 < nx, at + 1);
        link(y + 1 < ny, at + nx);
        link(z + 1 < nz, at + plane);
        matrix.offsets.push_back(matrix.columns.size());
      }
    }
  }
  return matrix;
}

CsrMatrix triangular_lattice(std::uint64_t m) {
  detail::checked_extent("lattice", "m", m);
  detail::checked_product("lattice", "nonzeros (m + 1) x (2 m + 1)", m + 1, 2 * m + 1);
  const std::uint64_t states = (m + 1) * (m + 2) / 2;
  CsrMatrix matrix;
  matrix.rows = matrix.cols = static_cast<Coordinate>(states);
  matrix.offsets.reserve(states + 1);
  matrix.columns.reserve((m + 1) * (2 * m + 1));
  std::uint64_t at = 0;
  for (std::uint64_t j = 0; j <= m; ++j) {
    stop_if_requested();
    // Line j holds i = 0 .. m - j, so the same i is m - j + 1 states further on line j + 1.
    const std::uint64_t line = m - j + 1;
    for (std::uint64_t i = 0; i < line; ++i, ++at) {
      const auto link = [&](bool possible, std::uint64_t to) {
        if (possible) matrix.columns.push_back(static_cast<Coordinate>(to));
      };
      link(j > 0, at - (line + 1));  // recovery
      link(true, at);                // nothing happens
      link(i + j < m, at + 1);       // immunity is lost
      link(i > 0, at + line - 1);    // infection
      matrix.offsets.push_back(matrix.columns.size());
    }
  }
  return matrix;
}

}  // namespace lacuna
