// SPDX-License-Identifier: Apache-2.0
#include "workloads/matrix_source.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "tests/catch.hpp"
#include "workloads/generators.hpp"

using namespace lacuna;
using lacuna::test::error_of;

TEST_CASE("a matrix source is a file or a generator with parameters") {
  const auto folder = lacuna::test::scratch("matrix_source");
  write_matrix_market(folder / "mesh.mtx.gz", mesh_2d(3, 4));
  CHECK(make_matrix((folder / "mesh.mtx.gz").string()).columns == mesh_2d(3, 4).columns);
  CHECK(make_matrix("mesh2d:nx=3,ny=4").columns == mesh_2d(3, 4).columns);
  CHECK(make_matrix("mesh3d:nx=3,ny=4,nz=2").columns == mesh_3d(3, 4, 2).columns);
  CHECK(make_matrix("lattice:m=9").columns == triangular_lattice(9).columns);
  CHECK(make_matrix("uniform:rows=10,cols=8,density=0.25,seed=3").columns ==
        uniform_matrix(10, 8, 0.25, 3).columns);
  CHECK(make_matrix("banded:rows=10,half-bandwidth=2,fill=0.5").columns ==
        banded_matrix(10, 2, 0.5, 1).columns);
  CHECK(make_matrix("block-diagonal:blocks=2,size=3").columns ==
        block_diagonal(2, 3, 1.0, 1).columns);
  RmatParameters p;
  p.rows = 64;
  p.edges = 100;
  p.permuted = false;
  p.a = 0.4;
  p.b = 0.2;
  p.c = 0.2;
  p.d = 0.2;
  CHECK(make_matrix("rmat:rows=64,edges=1e2,a=0.4,b=0.2,c=0.2,d=0.2,permuted=false").columns ==
        rmat(p).columns);
  double last = 0;
  (void)make_matrix("lattice:m=2", [&](double share) { last = share; });
  CHECK(last == 1.0);
}

TEST_CASE("a file wins over a generator of the same name") {
  const auto folder = lacuna::test::scratch("matrix_source_file");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  write_matrix_market("lattice:m=2", mesh_2d(1, 1));
  const std::uint64_t nnz = make_matrix("lattice:m=2").nnz();
  std::filesystem::current_path(before);
  CHECK(nnz == 1);
}

TEST_CASE("faults in a matrix source are named with what to write instead") {
  const std::vector<std::pair<std::string, std::string>> corpus{
      {"rmatt:rows=8,edges=8", "did you mean 'rmat'?"},
      {"zzzzzzzz:rows=8", "expected one of: rmat, uniform"},
      {"rmat:rows=8,edge=8",
       "rmat: edge: is not a parameter of this generator; did you mean "
       "'edges'?"},
      {"rmat:rows=8", "rmat: edges: is required; the parameters are rows, edges, a"},
      {"lattice", "lattice: m: is required"},
      {"lattice:", "lattice: m: is required"},
      {"lattice:m", "'m' is not of the form parameter=value"},
      {"lattice:m=", "'m=' is not of the form"},
      {"lattice:m=1,m=2", "lattice: m: is given twice"},
      {"lattice:m=-1", "'-1' is not a non-negative integer"},
      {"lattice:m=1.5", "'1.5' is not a non-negative integer"},
      {"uniform:rows=2,cols=2,density=many", "uniform: density: 'many' is not a number"},
      {"uniform:rows=2,cols=2,density=2", "2 is not between 0 and 1"},
      {"rmat:rows=8,edges=8,permuted=yes", "'yes' is neither true nor false"},
      {"no/such/file.mtx", "no/such/file.mtx: cannot read"},
      {"no_such_file.mtx", "cannot read"},
      {"", "cannot read"},
  };
  for (const auto& [source, part] : corpus) {
    const std::string message = error_of([&, text = source] { (void)make_matrix(text); });
    INFO(source << ": " << message);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("a matrix is called by its file or by its parameters") {
  CHECK(matrix_name("data/email-Enron.mtx.gz") == "email-Enron");
  CHECK(matrix_name("layer.smtx") == "layer");
  CHECK(matrix_name("rmat:rows=65536,edges=1048576,seed=1") == "rmat-rows65536-edges1048576-seed1");
}
