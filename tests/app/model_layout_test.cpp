// SPDX-License-Identifier: Apache-2.0
// Rows of routed experts as a layout executes them, against loads counted by hand.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "run/model/workload.hpp"
#include "tests/app/command.hpp"
#include "workloads/models/expert_layout.hpp"

namespace lacuna {
namespace {

using test::Approx;

constexpr std::uint64_t kHidden = 2048, kWidth = 1408, kExperts = 64;  // DeepSeek-V2-Lite
constexpr std::uint64_t kTokens = 24, kTopK = 6;

ModelWorkload laid_out(const std::string& layout) {
  ModelWorkloadSpec spec;
  spec.model = "deepseek-v2-lite";
  spec.step.step.batch = kTokens;
  spec.step.step.context = 256;
  spec.step.layers = "1-2";
  spec.step.routing = "power-law:1.2";
  spec.layout = layout;
  return make_model_workload(spec);
}

/// Multiply-adds of the routed experts, as executed.
std::uint64_t expert_macs(const RunResult& r) {
  std::uint64_t sum = 0;
  for (const OperationReport& op : r.operations) {
    if (op.group == "routed experts") sum += op.macs * op.times;
  }
  return sum;
}

std::uint64_t expert_weights(const RunResult& r) {
  std::uint64_t sum = 0;
  for (const OperationReport& op : r.operations) {
    if (op.group == "routed experts") sum += op.weight_bytes * op.times;
  }
  return sum;
}

/// Tokens of each expert in each of the two layers.
std::vector<std::vector<std::uint32_t>> loads() {
  std::vector<std::vector<std::uint32_t>> out;
  const ModelWorkload workload = laid_out("");
  for (const std::uint32_t layer : {1U, 2U}) {
    const auto id = *find_operation(workload.graph, "expert_gate", layer);
    out.push_back(workload.graph[id].einsum->rows_per_instance);
  }
  return out;
}

RunResult run(const std::string& layout) {
  return run_model(load_fabric("tc-xl"), laid_out(layout), {});
}

constexpr std::uint64_t kMacsPerRow = 3 * kHidden * kWidth;

}  // namespace

TEST_CASE("a grouped layout without alignment executes the rows as routed, and reads its offsets") {
  const RunResult plain = run(""), grouped = run("grouped");
  CHECK(expert_macs(plain) == 2 * kTokens * kTopK * kMacsPerRow);
  CHECK(expert_macs(grouped) == expert_macs(plain));
  CHECK(grouped.beside.at("macs_exact") == plain.beside.at("macs_exact"));
  CHECK(expert_weights(grouped) == expert_weights(plain));
  const auto metadata = [](const RunResult& r) {
    return static_cast<double>(r.statistics.traffic.at("glb").at("B_metadata").read_bytes);
  };
  CHECK(metadata(grouped) > metadata(plain));
}

TEST_CASE("aligned and block-sparse rows are executed in full, and no token is lost") {
  std::uint64_t rows = 0;
  for (const auto& layer : loads()) {
    for (const std::uint32_t n : layer) rows += (n + 127) / 128 * 128;
  }
  const RunResult plain = run("");
  for (const char* layout : {"grouped:128", "block-sparse:128"}) {
    INFO(layout);
    const RunResult r = run(layout);
    CHECK(expert_macs(r) == rows * kMacsPerRow);
    CHECK(r.beside.at("macs_exact") == plain.beside.at("macs_exact"));
    CHECK(r.statistics.cycles > plain.statistics.cycles);
    CHECK(expert_weights(r) == expert_weights(plain));
  }
}

TEST_CASE("a capacity pads every expert to it, reads all of them and drops what is above") {
  const std::uint64_t capacity = kTokens * kTopK / kExperts;  // 2.25, as MegaBlocks rounds: 2
  std::uint64_t kept = 0, untouched = 0;
  for (const auto& layer : loads()) {
    for (const std::uint32_t n : layer) {
      kept += std::min<std::uint64_t>(n, capacity);
      untouched += n == 0 ? 1 : 0;
    }
  }
  REQUIRE(untouched > 0);
  const RunResult plain = run(""), r = run("capacity:1");
  CHECK(expert_macs(r) == 2 * kExperts * capacity * kMacsPerRow);
  const std::uint64_t others = plain.beside.at("macs_exact") - expert_macs(plain);
  CHECK(r.beside.at("macs_exact") == others + kept * kMacsPerRow);
  CHECK(static_cast<double>(expert_weights(r)) ==
        Approx(static_cast<double>(expert_weights(plain)) * 2 * kExperts /
               static_cast<double>(2 * kExperts - untouched))
            .epsilon(1e-6));
  const auto& notes = r.provenance.warnings;
  CHECK(std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
    return note.find(fmt::format("{} of them dropped", 2 * kTokens * kTopK - kept)) !=
           std::string::npos;
  }));
}

TEST_CASE("a capacity of the largest load drops nothing") {
  const RunResult plain = run(""), r = run("capacity:0");
  CHECK(r.beside.at("macs_exact") == plain.beside.at("macs_exact"));
  std::uint64_t rows = 0;
  for (const auto& layer : loads()) {
    rows += kExperts * *std::max_element(layer.begin(), layer.end());
  }
  CHECK(expert_macs(r) == rows * kMacsPerRow);
}

TEST_CASE("layouts that make no sense are refused") {
  const auto refused = [](const std::string& layout) {
    INFO(layout);
    CHECK_THROWS_AS(laid_out(layout), InputError);
  };
  for (const char* layout : {"grouped:0", "grouped:x", "capacity", "capacity:-1", "capacity:nan",
                             "capacity:0.1", "block-sparse:100", "block-sparse:", "padded"}) {
    refused(layout);
  }
  test::check_refused("layout_dense",
                      {"run", "--model", "deepseek-v2-lite", "--layers", "0-0", "--arch", "tc-xl",
                       "--layout", "grouped"},
                      "no routed experts");
}

}  // namespace lacuna
