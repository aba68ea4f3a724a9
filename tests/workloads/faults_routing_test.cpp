// SPDX-License-Identifier: Apache-2.0
// Recordings of routing that ask for more memory or time than their bytes are worth, and those that
// are recognised without being read.
#include <ctime>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "tests/workloads/routing/fixtures.hpp"
#include "workloads/routing/statistics.hpp"
#include "workloads/sparsity_tables/attention_tables.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using lacuna::test::error_of;
using lacuna::test::load_error;
using lacuna::test::shared_data;

namespace {

auto says(const std::string& part) {
  return lacuna::test::contains(part);
}

/// Of this process alone: the machine may be busy.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string with_experts(const std::string& experts) {
  std::string meta = test::kCommunityMeta;
  meta.replace(meta.find("\"seed\":1"), 8, "\"num_experts\":" + experts);
  return meta + test::route_line(0, 0, 1, 2) + test::route_line(0, 1, 1, 2);
}

}  // namespace

TEST_CASE("fault: a count that no double holds is refused with its line") {
  CHECK_THAT(
      load_error("counts.json", "{\"logical_count\":\n[[1e999]]}"),
      says("counts.json:2: logical_count: not valid JSON: the number 1e999 is out of range"));
  CHECK_THAT(load_error("table.json", "[{\"0\": [\"vertical_and_slash\",\n1, 1e999, 1]}]"),
             says("table.json:2: 0: not valid JSON"));
  const auto path =
      test::fixture("table.json", "[{\"0\": [\"vertical_and_slash\",\n1, 1e999, 1]}]");
  CHECK_THAT(error_of([&] { (void)sparsity::load_attention_table(path, "m"); }),
             says("table.json:2: 0: not valid JSON"));
  CHECK_THAT(load_error("a.jsonl", "{\"exp_ids\": [[[1e999]]]}"), says("a.jsonl:1: exp_ids"));
}

TEST_CASE("fault: a header that states 400 million experts takes no memory for them") {
  const auto start = std::clock();
  CHECK_THAT(load_error("many.jsonl", with_experts("400000000")),
             says("many.jsonl:1: num_experts is 400000000") && says("expected 1 to 65534"));
  CHECK_THAT(load_error("none.jsonl", with_experts("0")), says("num_experts is 0"));
  CHECK(load_error("wide.jsonl", with_experts("1024")).empty());
  CHECK(seconds_since(start) < 5);
}

TEST_CASE("fault: layers times experts are bounded") {
  std::string rows = "layer,tok,e0\n";
  for (int layer = 0; layer < 1100; ++layer) rows += fmt::format("{},0,65000\n", layer);
  CHECK_THAT(load_error("cells.csv", rows), says("1100 layers of 65001 experts"));
  rows = "layer,tok,e0\n";
  for (int layer = 0; layer < 5000; ++layer) rows += fmt::format("{},0,1\n", layer);
  CHECK_THAT(load_error("layers.csv", rows), says("layers.csv:4098: more than 4096 layers"));
  std::string pairs = "domain,layer_a,layer_b,expert_a,expert_b,count\n";
  for (int layer = 0; layer < 600; ++layer)
    pairs += fmt::format("c,{},{},65000,1,1\n", layer, layer + 1);
  CHECK_THAT(load_error("pairs.csv", pairs), says("600 pairs of layers of 65001 experts"));
}

TEST_CASE("fault: a table of 100,000 columns is read or refused in time") {
  const auto start = std::clock();
  std::string header = "layer_id,token_id";
  std::string row = "0,0,1";
  for (int i = 0; i < 100'000; ++i) header += fmt::format(",expert_{}", i);
  for (int i = 1; i < 100'000; ++i) row += ",0";
  CHECK_THAT(load_error("wide.csv", header + "\n" + row + "\n"), says("wide.csv"));
  std::string odd = "x0";
  for (int i = 1; i < 100'000; ++i) odd += fmt::format(",x{}", i);
  CHECK_THAT(load_error("odd.csv", odd + "\n"), says("no routing format has the columns"));
  CHECK_THAT(load_error("wider.csv", std::string(200'000, ',') + "\n"), says("wider.csv:1: "));
  std::string many = "layer_id,token_id";
  for (int i = 0; i < 2000; ++i) many += fmt::format(",expert_{}", i);
  many += "\n0,0";
  for (int i = 0; i < 2000; ++i) many += ",0.0004";
  CHECK_THAT(load_error("all.csv", many + "\n"), says("2000 expert ids of one token"));
  CHECK(seconds_since(start) < 10);
}

TEST_CASE("fault: bombs, devices and depths are no routing") {
  const auto device = test::scratch("device") / "ids.npy";
  std::filesystem::create_symlink("/dev/zero", device);
  CHECK_THAT(error_of([&] { (void)load_routing(device); }), says("binary data of no known format"));
  const std::string spaces(90U << 20, ' ');
  CHECK_THAT(load_error("bomb.jsonl.gz", gzip(test::kCommunityMeta + spaces)),
             says("inflate to more than 67,108,864"));
  CHECK_THAT(load_error("deep.jsonl", "{\"experts\": " + std::string(100'000, '[')),
             says("deep.jsonl:1: nested deeper than 64 levels"));
}

TEST_CASE("fault: dumps that are known but not read say what they are and what is read") {
  const std::string traced = load_error("t.csv",
                                        "# route_trace v1\n# model=x n_layer=27\n"
                                        "turn,phase,step,layer,slot,expert\n0,decode,0,1,0,19\n");
  CHECK_THAT(traced, says("t.csv:1: a 'route_trace v1' dump") && says("expected a routing dump"));
  const std::string headless = load_error("l.csv", "1,7\n1,5\n2,39\n");
  CHECK_THAT(headless,
             says("l.csv:1: '1,7'") && says("without a header line") && says("layer,expert rows"));
}

TEST_CASE("fault: counts of one rank alone are refused as such") {
  CHECK_THAT(
      load_error("rank0.csv", "layer_id,expert_id,count\n1,0,99\n1,1,56\n2,0,3\n"),
      says("counts sum to 3, those of layer 1 to 155") && says("the counts of one rank alone"));
}

TEST_CASE("fault: a route_trace v1 dump is read as routing (later: models)", "[!shouldfail]") {
  const auto path =
      test::fixture("trace.csv",
                    "# route_trace v1\n# model=x n_layer=2 n_expert=64 n_expert_used=2\n"
                    "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n"
                    "0,decode,0,1,0,19,0.1666,hit,1\n0,decode,0,1,1,43,0.1666,hit,1\n");
  const RoutingTrace trace = load_trace(path);
  CHECK(trace.header.top_k == 2);
  CHECK(trace.header.experts == 64);
}

TEST_CASE("fault: layer,expert rows without a header are read as routing (later: models)",
          "[!shouldfail]") {
  const auto path = test::fixture("pairs.csv", "1,7\n1,5\n2,39\n2,16\n");
  const RoutingTrace trace = load_trace(path);
  CHECK(trace.header.layers == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("every odd recording is read as what it is, or refused with a reason") {
  LACUNA_NEEDS_SHARED();
  const auto folder = shared_data() / "odd-files";
  const RoutingTrace filled = load_trace(folder / "re_i32_27layers_minus1.npy");
  CHECK(filled.header.layers.size() == 26);
  CHECK(filled.header.rows_dropped == 20);
  for (const auto& [name, reason] : {std::pair{"llamacpp_moe_trace.csv", "without a header line"},
                                     {"route_trace_v1.csv", "'route_trace v1' dump"},
                                     {"rank0.csv", "one rank alone"},
                                     {"re_u8_zero_prompt.npy", "expert 0 appears twice"}}) {
    INFO(name);
    CHECK_THAT(error_of([&] { (void)load_routing(folder / name); }), says(name) && says(reason));
  }
}
