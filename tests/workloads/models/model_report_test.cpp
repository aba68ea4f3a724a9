// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/model_report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "tests/catch.hpp"
#include "workloads/models/load_model.hpp"

using namespace lacuna;

namespace {
ModelReport report_of(const std::string& name, const ReportOptions& options = {}) {
  const auto path = lacuna::test::source_dir() / "configs" / "models" / (name + ".json");
  return make_report(load_model(path), options);
}
}  // namespace

TEST_CASE("the model table names totals, groups, operations and the critical path") {
  const std::string table = model_table(report_of("deepseek-v3"));
  for (const char* part : {"671,026,419,200", "37,552,297,472", "36,625,618,432", "70,272",
                           "73,249,193,984", "69,591,891,968", "MLA, absorbed", "routed experts",
                           "Z[m,n] = A[m,k] * B[k,n]", "58 layers alike", "> q_up"}) {
    INFO(part);
    CHECK(table.find(part) != std::string::npos);
  }
}

TEST_CASE("the model JSON carries the same numbers, and its operations add up to its total") {
  for (const bool per_layer : {false, true}) {
    ReportOptions options;
    options.per_layer = per_layer;
    options.step.batch = 4;
    const auto json = nlohmann::json::parse(model_json(report_of("gpt-oss-20b", options)));
    CHECK(json["schema"] == "lacuna.model/1");
    CHECK(json["parameters"]["total"] == 20914757184);
    CHECK(json["parameters"]["active"] == 4187440704);
    CHECK(json["total"]["flops"] == 4 * (7214284800 + 830472192));
    std::uint64_t flops = 0, bytes = 0;
    for (const auto& op : json["operations"]) {
      flops += op["flops"].get<std::uint64_t>() * op["repeat"].get<std::uint64_t>();
      bytes += op["weight_bytes"].get<std::uint64_t>() * op["repeat"].get<std::uint64_t>();
    }
    CHECK(flops == json["total"]["flops"]);
    CHECK(bytes == json["total"]["weight_bytes"]);
    CHECK(json["graph"]["edges"].size() > 40);
  }
}

TEST_CASE("the per-layer listing runs through the layers in order") {
  ReportOptions options;
  options.per_layer = true;
  const ModelReport report = report_of("gpt-oss-20b", options);
  CHECK(report.operations.front().name == "embedding");
  CHECK(report.operations.back().name == "head");
  std::vector<std::string> scores;
  for (const OperationLine& line : report.operations) {
    if (line.name == "scores") scores.push_back(line.block);
  }
  REQUIRE(scores.size() == 24);
  CHECK(scores[0] == "layer 0");
  CHECK(scores[1] == "layer 1");
  CHECK(scores[23] == "layer 23");
}

TEST_CASE("a roofline turns the critical path into seconds") {
  ReportOptions options;
  options.rates = PeakRates{1e15, 3e12};
  const ModelReport report = report_of("deepseek-v2-lite", options);
  CHECK(report.critical_unit == "s");
  // One decode step at least reads its weights once, and not much more.
  CHECK(report.critical_cost > 1e-3);
  CHECK(report.critical_cost < 1e-2);
}

TEST_CASE("the graph picture is drawn when dot is installed") {
  const auto folder = lacuna::test::scratch("model-dot");
  write_file(folder / "g.dot", model_dot(report_of("deepseek-v3.2")));
  const auto picture = render_dot(folder / "g.dot");
  if (!picture) {
    WARN("skipped: dot is not installed");
    return;
  }
  CHECK(read_file(*picture).find("<svg") != std::string::npos);
  write_file(folder / "broken.dot", "digraph {");
  CHECK_FALSE(render_dot(folder / "broken.dot"));
}
