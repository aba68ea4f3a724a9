// SPDX-License-Identifier: Apache-2.0
// A small MLA layer and a small MoE layer, all tensors explicit, computed by the simulated machines
// product after product and compared with the layer's definition.
#include "run/fabric/run.hpp"
#include "run/product/run.hpp"
#include "study/matrix_folder.hpp"
#include "tests/catch.hpp"
#include "workloads/models/small_layer.hpp"

namespace lacuna {
namespace {

CsrMatrix csr_of(const DenseMatrix& m) {
  CsrMatrix out;
  out.rows = static_cast<Coordinate>(m.rows);
  out.cols = static_cast<Coordinate>(m.cols);
  out.offsets.assign(1, 0);
  for (std::uint64_t r = 0; r < m.rows; ++r) {
    for (std::uint64_t c = 0; c < m.cols; ++c) {
      if (m.at(r, c) == 0) continue;
      out.columns.push_back(static_cast<Coordinate>(c));
      out.values.push_back(m.at(r, c));
    }
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

ProductWorkload workload_of(const std::string& name, const DenseMatrix& a,
                            const DenseMatrix& b_transposed) {
  ProductWorkload workload;
  workload.name = name;
  workload.a = csr_of(a);
  workload.b_transposed = csr_of(b_transposed);
  return workload;
}

/// Counts what passes through.
struct Tally {
  std::uint64_t products = 0, macs = 0;
};

Product on_fabric(const std::string& machine, Fidelity fidelity, Tally& tally) {
  return [spec = load_fabric(machine), fidelity, &tally](
             const std::string& name, const DenseMatrix& a, const DenseMatrix& b_transposed) {
    const ProductWorkload workload = workload_of(name, a, b_transposed);
    DenseMatrix z(a.rows, b_transposed.rows);
    FabricOptions options;
    options.fidelity = fidelity;
    options.check = true;
    options.outputs = &z.values;
    const RunResult result = run_fabric(spec, fabric_workload(workload), options);
    REQUIRE(result.unsupported.empty());
    REQUIRE(result.check.passed);
    ++tally.products;
    tally.macs += result.macs_dense;
    return z;
  };
}

Product on_extensor(const std::string& machine, Fidelity fidelity, Tally& tally) {
  return [spec = machine_with(machine, {}), fidelity, &tally](
             const std::string& name, const DenseMatrix& a, const DenseMatrix& b_transposed) {
    CsrMatrix product;
    ProductOptions options;
    options.fidelity = fidelity;
    options.check = true;
    options.product = &product;
    const RunResult result = run_product(spec, workload_of(name, a, b_transposed), options);
    REQUIRE(result.check.passed);
    DenseMatrix z(a.rows, b_transposed.rows);
    for (std::uint64_t r = 0; r < product.rows; ++r) {
      for (auto i = product.offsets[r]; i < product.offsets[r + 1]; ++i) {
        z.at(r, product.columns[i]) = product.values[i];
      }
    }
    ++tally.products;
    tally.macs += result.macs_dense;
    return z;
  };
}

/// Plain loops, for what the machines are not needed for.
DenseMatrix plain(const std::string&, const DenseMatrix& a, const DenseMatrix& b) {
  DenseMatrix z(a.rows, b.rows);
  for (std::uint64_t m = 0; m < a.rows; ++m) {
    for (std::uint64_t n = 0; n < b.rows; ++n) {
      for (std::uint64_t k = 0; k < a.cols; ++k) z.at(m, n) += a.at(m, k) * b.at(n, k);
    }
  }
  return z;
}

double difference(const DenseMatrix& x, const DenseMatrix& y) {
  REQUIRE(x.values.size() == y.values.size());
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    most = std::max(most, std::abs(x.values[i] - y.values[i]));
    largest = std::max(largest, std::abs(y.values[i]));
  }
  return most / largest;
}

std::vector<std::pair<std::string, Product>> machines(Fidelity fidelity, Tally& tally) {
  std::vector<std::pair<std::string, Product>> out;
  for (const char* name : {"tc", "highlight", "lacuna", "dstc"}) {
    out.emplace_back(name, on_fabric(name, fidelity, tally));
  }
  out.emplace_back("extensor-ob", on_extensor("extensor-ob", fidelity, tally));
  return out;
}

}  // namespace

TEST_CASE("both forms of MLA are the attention they are defined as, with and without compression") {
  const DenseMatrix x = random_matrix(3, 32, 1, "x");
  for (const std::uint64_t q_rank : {16U, 0U}) {
    const SmallAttention layer = SmallAttention::random(q_rank, 1);
    const SmallCache cache = SmallCache::random(layer, 5, 1);
    const DenseMatrix want = attention_reference(layer, cache, x);
    CHECK(difference(run_attention(layer, cache, x, false, plain), want) < 1e-12);
    CHECK(difference(run_attention(layer, cache, x, true, plain), want) < 1e-12);
    // A product with its operands in the wrong order does not pass.
    const Product wrong = [](const std::string& name, const DenseMatrix& a, const DenseMatrix& b) {
      DenseMatrix z = plain(name, a, b);
      if (name == "scores_latent") std::reverse(z.values.begin(), z.values.end());
      return z;
    };
    CHECK(difference(run_attention(layer, cache, x, true, wrong), want) > 1e-3);
  }
}

TEST_CASE("the machines compute a small MLA layer, naive and absorbed, in both fidelities") {
  const SmallAttention layer = SmallAttention::random(16, 2);
  const SmallCache cache = SmallCache::random(layer, 6, 2);
  const DenseMatrix x = random_matrix(3, 32, 2, "x");
  const DenseMatrix want = attention_reference(layer, cache, x);
  for (const Fidelity fidelity : {Fidelity::tile, Fidelity::element}) {
    Tally tally;
    for (const auto& [name, product] : machines(fidelity, tally)) {
      INFO(name);
      tally = {};
      CHECK(difference(run_attention(layer, cache, x, false, product), want) < 1e-9);
      CHECK(tally.products == 5 + 2 * layer.heads);
      tally = {};
      CHECK(difference(run_attention(layer, cache, x, true, product), want) < 1e-9);
      CHECK(tally.products == 4 + 5 * layer.heads);
    }
  }
}

TEST_CASE("the machines compute a small MoE layer in both fidelities") {
  const SmallMoe layer = SmallMoe::random(3);
  const DenseMatrix x = random_matrix(9, 32, 3, "x");
  const DenseMatrix want = moe_reference(layer, x);
  CHECK(difference(run_moe(layer, x, plain), want) < 1e-12);
  for (const Fidelity fidelity : {Fidelity::tile, Fidelity::element}) {
    Tally tally;
    for (const auto& [name, product] : machines(fidelity, tally)) {
      INFO(name);
      tally = {};
      CHECK(difference(run_moe(layer, x, product), want) < 1e-9);
      // Router, k experts and the shared one for each token.
      CHECK(tally.macs == 9 * 32 * (6 + 3 * 16 * (2 + 1)));
    }
  }
}

}  // namespace lacuna
