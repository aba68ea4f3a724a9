// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "sparse_formats/npy.hpp"
#include "sparse_formats/npz.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/routing/trace_binding.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::contains;

namespace {

/// [tokens 3][layers 3][slots 3]: layer 0 is dense (-1), the third slot is unused.
TensorData reply() {
  return {"routed_experts", DType::i32, {3, 3, 3}, {-1, -1, -1, 1, 2, -1, 3, 0, -1,  //
                                                    -1, -1, -1, 2, 1, -1, 0, 1, -1,  //
                                                    -1, -1, -1, 0, 3, -1, 2, 3, -1}};
}

std::filesystem::path saved(const std::string& name, const TensorData& tensor) {
  return test::fixture(name, format_npy(tensor));
}

std::string array_error(const TensorData& tensor, const LoadOptions& options = {}) {
  const auto path = saved("bad.npy", tensor);
  return test::error_of([&] { static_cast<void>(load_routing(path, options)); });
}

}  // namespace

TEST_CASE("an engine's array of ids leaves out fillers and dense layers") {
  const auto trace = load_trace(saved("reply.npy", reply()));
  CHECK(trace.header.layers == std::vector<std::uint32_t>{1, 2});
  CHECK(trace.header.top_k == 2);
  CHECK(trace.header.rows_dropped == 3);
  CHECK(trace.find(0, 2)->ids == std::vector<ExpertId>{3, 0, 0, 1, 2, 3});
  CHECK(trace.find(0, 1)->position == std::vector<std::uint32_t>{0, 1, 2});
  const auto binding = bind_trace(origin_of(trace), {"M", 4, 2, 3, 1});
  CHECK(binding.layers == std::map<std::uint32_t, std::uint32_t>{{1, 1}, {2, 2}});
}

TEST_CASE("a request's archive gives its routed_experts, or the array that is named") {
  const auto folder = test::scratch("routing_npz");
  TensorData tokens{"prompt", DType::i32, {2}, {5, 6}};
  write_npz(folder / "r.npz", {tokens, reply()});
  CHECK(load_trace(folder / "r.npz").layer_tokens(1) == 3);
  LoadOptions options;
  options.array = "prompt";
  CHECK(contains(test::error_of([&] { static_cast<void>(load_trace(folder / "r.npz", options)); }),
                 "expected ids [tokens, layers, k]"));
  options.array = "absent";
  CHECK(contains(test::error_of([&] { static_cast<void>(load_trace(folder / "r.npz", options)); }),
                 "routed_experts"));
}

TEST_CASE("an array of counts is read as such only when told") {
  const TensorData counts{"c", DType::i64, {3, 2, 2}, {1, 3, 2, 2, 0, 0, 0, 0, 4, 0, 1, 3}};
  CHECK(contains(array_error(counts), "twice"));  // 2, 2 is no token's pair of experts
  LoadOptions options;
  options.as_counts = true;
  const auto sets = load_counts(saved("counts.npy", counts), options);
  CHECK(sets[0].steps == 2);
  CHECK(sets[0].layer_loads(0) == std::vector<std::uint64_t>{5, 3});
  CHECK(contains(sets[0].notes[0], "1 all-zero steps"));
  const TensorData weights{"w", DType::f32, {2, 3}, {90, 132, 40, 20, 107, 104}};
  CHECK(load_counts(saved("eplb.npy", weights), options)[0].layer_loads(1)[1] == 107);
  CHECK(contains(array_error({"w", DType::f32, {1, 2}, {1, -2}}, options), "negative"));
  CHECK(contains(array_error({"w", DType::f32, {1, 2}, {1, 0.5}}, options), "not an integer"));
  CHECK(contains(array_error({"w", DType::f32, {1, 2}, {0, 0}}, options), "all counts are zero"));
}

TEST_CASE("damaged arrays are refused with token and layer") {
  TensorData bad = reply();
  bad.values[4] = 1;
  CHECK(contains(array_error(bad), "token 0, layer 1: expert 1 appears twice"));
  bad = reply();
  bad.values[13] = -7;
  CHECK(contains(array_error(bad), "token 1, layer 1: expert id -7"));
  bad = reply();
  bad.values[14] = 3;
  CHECK(contains(array_error(bad), "token 1, layer 1: 3 expert ids"));
  LoadOptions options;
  options.experts = 3;
  CHECK(contains(array_error(reply(), options), "not below the 3 experts"));
  CHECK(contains(array_error({"x", DType::f32, {1, 1, 1}, {0.5}}), "not an integer"));
  CHECK(contains(array_error({"x", DType::i32, {4}, {0, 1, 2, 3}}), "as=counts"));
  CHECK(contains(array_error({"x", DType::i32, {0, 2, 2}, {}}), "empty"));
  const std::string whole = format_npy(reply());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    CHECK_FALSE(test::load_error("cut.npy", whole.substr(0, size)).empty());
  }
}
