// SPDX-License-Identifier: Apache-2.0
#include "workloads/einsum.hpp"

#include "base/error.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;

TEST_CASE("an einsum knows its multiply-adds, its operands and its matrix shape") {
  Einsum e = make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 3}, {"k", 5}, {"n", 7}}, 2);
  CHECK(e.macs == 2 * 3 * 5 * 7);
  CHECK(e.flops() == 2 * e.macs);
  CHECK(gemm_shape(e) == GemmShape{3, 7, 5});
  CHECK(total_elements(e, 0) == 2 * 21);
  CHECK(total_elements(e, 1) == 2 * 15);
  CHECK(total_bytes(e, 2) == Bytes(2 * 35 * 2));
  e.operands[2].shared = true;
  e.operands[2].scale_bits = Bits(32);
  CHECK(total_bytes(e, 2) == Bytes(35 * 2 + 4));
}

TEST_CASE("ranks of a query group and its tokens fold into the rows of a matrix product") {
  const Einsum e =
      make_einsum("P[g,s,t]=Q[g,s,d]*K[t,d]", {{"g", 4}, {"s", 2}, {"d", 64}, {"t", 100}});
  CHECK(gemm_shape(e) == GemmShape{8, 100, 64});
  CHECK_THROWS_AS(gemm_shape(make_einsum("Z[b,m]=A[b,m]*B[b,m]", {{"b", 2}, {"m", 2}})),
                  ModelError);
}

TEST_CASE("uneven instances count their own rows and touch their own weights") {
  Einsum e = make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", 1}, {"k", 4}, {"n", 6}}, 4);
  set_rows_per_instance(e, {5, 0, 1, 2});
  CHECK(e.macs == 8 * 4 * 6);
  CHECK(touched_instances(e) == 3);
  CHECK(total_elements(e, 0) == 8 * 6);
  CHECK(total_elements(e, 1) == 8 * 4);
  CHECK(total_elements(e, 2) == 3 * 24);
  CHECK(instance_elements(e, 2) == 24);
  CHECK(e.ranks[0].size == 5);
}

TEST_CASE("a malformed einsum is refused with what was expected") {
  CHECK(error_of([] {
          (void)make_einsum("Z[m,n] = A[m,k * B[k,n]", {});
        }).find("expected ']' at character 16") != std::string::npos);
  CHECK(error_of([] {
          (void)make_einsum("Z[m] = A[m,k]", {{"m", 2}});
        }).find("rank 'k' has no size") != std::string::npos);
  CHECK_THROWS_AS(make_einsum("Z[m] = A[m]", {{"m", 2}, {"k", 2}}), InputError);
  CHECK_THROWS_AS(make_einsum("Z[m,n] = A[m]", {{"m", 2}, {"n", 2}}), InputError);
  CHECK_THROWS_AS(make_einsum("Z[m] = A[m,m]", {{"m", 2}}), InputError);
  CHECK_THROWS_AS(make_einsum("Z[m] = A[m]", {{"m", 2}, {"m", 3}}), InputError);
  CHECK_THROWS_AS(make_einsum("", {}), InputError);
  CHECK_THROWS_AS(make_einsum("Z[m] = A[m] B[m]", {{"m", 2}}), InputError);
  CHECK_THROWS_AS(make_einsum("Z[m] = A[m,k]", {{"m", 1ULL << 40}, {"k", 1ULL << 40}}), InputError);
}
