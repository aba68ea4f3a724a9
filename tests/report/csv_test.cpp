// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>

#include "report/csv.hpp"

#include "base/csv_text.hpp"
#include "tests/catch.hpp"
#include "tests/report/samples.hpp"

using namespace lacuna;
using namespace lacuna::report;

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// RFC 4180, written independently of the writer.
Rows parse_csv(const std::string& text) {
  Rows rows(1);
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      rows.back().push_back(std::exchange(field, {}));
      if (c == '\n') rows.emplace_back();
    } else {
      field += c;
    }
  }
  rows.pop_back();
  return rows;
}

std::vector<std::map<std::string, std::string>> records(const std::string& text) {
  const Rows rows = parse_csv(text);
  std::vector<std::map<std::string, std::string>> out;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    REQUIRE(rows[r].size() == rows[0].size());
    auto& record = out.emplace_back();
    for (std::size_t c = 0; c < rows[0].size(); ++c) {
      REQUIRE(record.emplace(rows[0][c], rows[r][c]).second);  // no column twice
    }
  }
  return out;
}

std::vector<RunResult> samples() {
  RunResult other = test::sample_result("lacuna", 0.3, 4);
  other.energy.components["compress"] = {7.25, {}};
  other.statistics.traffic["peb_spill"]["Z_partial"] = {5, 6};
  return {test::sample_result(test::kHostileName), test::sample_unsupported("highlight"), other};
}

}  // namespace

TEST_CASE("the wide table has one row per run and its values read back") {
  const auto results = samples();
  const auto rows = records(results_csv(results));
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].at("machine") == test::kHostileName);
  CHECK(rows[0].at("workload") == results[0].workload);
  CHECK(rows[0].at("cycles") == "1650800");
  CHECK(std::stod(rows[0].at("energy_mac_pj")) ==
        results[0].energy.components.at("mac").picojoules);
  CHECK(rows[0].at("traffic_dram_B_read_bytes") == "912345678");
  CHECK(rows[0].at("tiling_A_shape_coordinates") == "1024x512");
  CHECK(rows[0].at("energy_compress_pj").empty());
  CHECK(rows[2].at("energy_compress_pj") == "7.25");
  CHECK(rows[2].at("traffic_peb_spill_Z_partial_write_bytes") == "6");
  CHECK(rows[1].at("cycles").empty());
  CHECK(rows[1].at("unsupported") == results[1].unsupported);
}

TEST_CASE("the long tables add up to the result") {
  const auto results = samples();
  double energy = 0;
  for (const auto& row : records(energy_csv(results))) {
    if (row.at("machine_index") == "1") energy += std::stod(row.at("energy_pj"));
  }
  CHECK(energy == test::Approx(results[0].energy.total_picojoules));

  std::uint64_t bytes = 0;
  for (const auto& row : records(traffic_csv(results))) {
    const std::string name = row.at("tensor") + " " + row.at("direction");
    CHECK(traffic_series(results).at(std::stoul(row.at("series")) - 1) == name);
    if (row.at("machine_index") == "1" && row.at("level") == "dram") {
      bytes += std::stoull(row.at("traffic_bytes"));
    }
  }
  CHECK(bytes == 48123456ULL + 912345678 + 77123456 + 2 * 1234567);

  double share = 0;
  for (const auto& row : records(stalls_csv(results))) {
    if (row.at("machine_index") == "3") share += std::stod(row.at("pe_cycle_fraction"));
  }
  CHECK(share == test::Approx(1.0));
  CHECK(records(occupancy_csv(results)).size() == 4 * 21);
}

TEST_CASE("the load of processing elements is sorted and keeps their numbers") {
  RunResult result = test::sample_result("m", 1, 1);
  result.statistics.pe_busy = {5, 20, 5, 10};
  result.statistics.cycles = Cycles(20);
  const auto rows = records(pe_load_csv({result}));
  REQUIRE(rows.size() == 4);
  const std::vector<std::string> pes{"1", "3", "0", "2"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(rows[i].at("pe") == pes[i]);
    CHECK(rows[i].at("rank") == std::to_string(i + 1));
  }
  CHECK(rows[1].at("busy_fraction") == "0.5");
}

TEST_CASE("names in the long tables stay on one line") {
  const std::string text = energy_csv(samples());
  for (const auto& row : records(text)) CHECK(row.at("machine").find('\n') == std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("a field is quoted where it must be") {
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("a\"b") == "\"a\"\"b\"");
  CHECK(csv_field(" a") == "\" a\"");
}
