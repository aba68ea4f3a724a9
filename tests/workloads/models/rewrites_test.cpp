// SPDX-License-Identifier: Apache-2.0
// Weights at another precision, and as two thin factors.
#include "base/error.hpp"
#include "tests/catch.hpp"
#include "tests/workloads/shipped.hpp"
#include "workloads/models/build_graph.hpp"
#include "workloads/models/load_model.hpp"
#include "workloads/models/low_rank.hpp"
#include "workloads/models/precision_override.hpp"

using namespace lacuna;
using lacuna::test::contains;
using lacuna::test::error_of;
using lacuna::test::op;
using lacuna::test::shipped;
using lacuna::test::source_dir;

namespace {

Step decode(std::uint64_t batch) {
  Step step;
  step.batch = batch;
  step.context = 512;
  return step;
}

std::string precision_error(const std::string& text) {
  ModelSpec spec = shipped("mixtral-8x7b");
  return error_of([&] { (void)override_precision(spec, text); });
}

std::string rank_error(const std::string& rules) {
  const ModelSpec spec = shipped("mixtral-8x7b");
  return error_of([&] { (void)factorize(build_graph(spec, decode(2)), spec, rules); });
}

}  // namespace

TEST_CASE("a precision gives each weight its bits and its scales") {
  // o_proj of Mixtral is 4096 x 4096.
  const std::uint64_t edge = 4096;
  const struct {
    const char* format;
    std::uint64_t bits, scales, activation_bits;
  } cases[] = {{"bf16", 16, 0, 16},
               {"fp8", 8, 32 * 32 * 32, 8},
               {"int8", 8, edge * 32, 8},
               {"int4", 4, edge * 32 * 16, 16},
               {"mxfp4", 4, edge * 128 * 8, 16}};
  for (const auto& c : cases) {
    INFO(c.format);
    ModelSpec spec = shipped("mixtral-8x7b");
    CHECK(override_precision(spec, c.format).size() == 1);
    const OperationGraph graph = build_graph(spec, decode(2));
    const Operation& o = op(graph, "o_proj", 0);
    CHECK(o.weight_bytes == bytes_for(Bits(edge * edge * c.bits + c.scales)));
    CHECK(o.einsum->operands[1].bits == c.activation_bits);
  }
}

TEST_CASE("a precision of a part leaves the others") {
  ModelSpec spec = shipped("deepseek-v3");
  (void)override_precision(spec, "experts=mxfp4,ffn=bf16");
  CHECK(spec.precision.attention.name == "fp8");
  CHECK(spec.precision.ffn.name == "bf16");
  CHECK(spec.precision.experts.name == "mxfp4");
  CHECK(spec.precision.plain.name == "bf16");
  CHECK_THAT(precision_error("fp7"), contains("precision: 'fp7'") && contains("'fp8'"));
  CHECK_THAT(precision_error("expert=fp8"), contains("did you mean 'experts'"));
  CHECK_THAT(precision_error("ffn=fp8,ffn=int8"), contains("given twice"));
  CHECK_THAT(precision_error("ffn=fp8,int8"), contains("attention=fp8,experts=mxfp4"));
  CHECK_THAT(precision_error(""), contains("no format"));
}

TEST_CASE("a factorised weight is two products in a chain") {
  const ModelSpec spec = shipped("mixtral-8x7b");
  const OperationGraph before = build_graph(spec, decode(3));
  const Factorized after = factorize(before, spec, "o_proj:512");
  CHECK(boost::num_vertices(after.graph) == boost::num_vertices(before) + 1);
  CHECK_FALSE(find_operation(after.graph, "o_proj", 0));
  const Operation& v = op(after.graph, "o_proj_v", 0);
  const Operation& u = op(after.graph, "o_proj_u", 0);
  CHECK(v.einsum->macs == 3 * 4096 * 512);
  CHECK(u.einsum->macs == 3 * 512 * 4096);
  CHECK(v.weight_elements == 4096 * 512);
  CHECK(u.weight_bytes == Bytes(2 * 512 * 4096));
  CHECK(v.activation_write_bytes == Bytes(2 * 3 * 512));
  CHECK(u.activation_read_bytes == v.activation_write_bytes);
  // Everything else is as it was, and the chain runs through both.
  const auto rest = [](const OperationGraph& graph) {
    std::uint64_t flops = 0;
    for (OperationId id = 0; id < boost::num_vertices(graph); ++id) {
      if (graph[id].name.rfind("o_proj", 0) != 0) {
        flops += graph[id].flops() * repeat_of(graph, id);
      }
    }
    return flops;
  };
  CHECK(rest(after.graph) == rest(before));
  const OperationId first = *find_operation(after.graph, "o_proj_v", 0);
  REQUIRE(boost::out_degree(first, after.graph) == 1);
  const OperationId second =
      boost::target(*boost::out_edges(first, after.graph).first, after.graph);
  CHECK(after.graph[second].name == "o_proj_u");
  CHECK(boost::num_edges(after.graph) == boost::num_edges(before) + 1);
  CHECK(critical_path(after.graph, flop_cost()).cost < critical_path(before, flop_cost()).cost);
}

TEST_CASE("experts are factorised one by one, with scales of their factors' shapes") {
  const ModelSpec spec = shipped("deepseek-v3");  // fp8, 7168 x 2048
  Step step = decode(4);
  const std::vector<std::uint32_t> counts = [] {
    std::vector<std::uint32_t> c(256, 0);
    for (std::size_t e = 0; e < 16; ++e) c[3 * e] = 2;
    return c;
  }();
  step.tokens_per_expert = [&](std::uint32_t) { return std::span(counts); };
  const OperationGraph before = build_graph(spec, step);
  const Factorized after = factorize(before, spec, "experts:256,expert_down:128");
  const Operation& v = op(after.graph, "expert_up_v", 5);
  const Operation& u = op(after.graph, "expert_up_u", 5);
  CHECK(v.weight_bytes == Bytes(16 * (7168 * 256 + 4 * 2 * 56)));
  CHECK(u.weight_bytes == Bytes(16 * (256 * 2048 + 4 * 16 * 2)));
  CHECK(v.einsum->macs == 32 * 7168 * 256);
  CHECK(op(after.graph, "expert_down_v", 5).einsum->ranks[2].size == 128);  // its own rule
  CHECK(u.einsum->rows_per_instance == op(before, "expert_up", 5).einsum->rows_per_instance);
}

TEST_CASE("factors that would be no smaller are left alone, and named") {
  const ModelSpec spec = shipped("mixtral-8x7b");
  const OperationGraph graph = build_graph(spec, decode(2));
  // k_proj and v_proj are 1024 x 4096: 820 (1024 + 4096) > 1024 x 4096.
  const Factorized after = factorize(graph, spec, "attention:820");
  CHECK(find_operation(after.graph, "k_proj", 0));
  CHECK(find_operation(after.graph, "q_proj_v", 0));
  REQUIRE(after.notes.size() == 2);
  CHECK_THAT(after.notes[1], contains("k_proj, v_proj stay"));
}

TEST_CASE("bad rules of low rank are refused") {
  CHECK_THAT(rank_error("experts"), contains("low_rank: 'experts': expected WHAT:RANK"));
  CHECK_THAT(rank_error("experts:0"), contains("experts:0"));
  CHECK_THAT(rank_error("experts:-1"), contains("experts:-1"));
  CHECK_THAT(rank_error("expert:8"), contains("'expert' is no weight"));
  CHECK_THAT(rank_error("scores:8"), contains("'scores' is no weight"));
  CHECK_THAT(rank_error("experts:8,experts:9"), contains("given twice"));
  CHECK_THAT(rank_error("shared:8"), contains("'shared' is no weight"));  // Mixtral has none
}
