// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/app/command.hpp"

using namespace lacuna;
using namespace lacuna::test;
using Json = nlohmann::json;

namespace {

/// Top-8 of OLMoE's 64 experts for four tokens of layer 0; token t starts at expert `first + t`.
std::filesystem::path olmoe_trace(int layers) {
  std::string csv = "tok,layer,e0,e1,e2,e3,e4,e5,e6,e7\n";
  for (int layer = 0; layer < layers; ++layer) {
    for (int token = 0; token < 4; ++token) {
      csv += fmt::format("{},{}", token, layer);
      for (int slot = 0; slot < 8; ++slot)
        csv += fmt::format(",{}", token + slot + 53 * (slot / 7));
      csv += "\n";
    }
  }
  const auto file = scratch("olmoe_trace") / "trace.csv";
  write_file(file, csv);
  return file;
}

}  // namespace

TEST_CASE("a shipped model's table states what the step costs") {
  const Ran ran = run_lacuna("model_table", {"model", "deepseek-v3", "--batch", "64"});
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  for (const char* part : {"671,026,419,200", "decode: 64 sequences x 1 new tokens, 4096 keys",
                           "MLA, absorbed", "222.44", "58 layers alike"}) {
    INFO(part);
    CHECK(ran.out.find(part) != std::string::npos);
  }
}

TEST_CASE("routing replaces the expected experts by counted ones, with its note") {
  const auto trace = olmoe_trace(16);
  const Ran ran = run_lacuna("model_trace", {"model", "olmoe-1b-7b", "--batch", "4", "--json",
                                             "--routing", trace.string() + "#experts=64"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const Json json = Json::parse(ran.out);
  // Tokens 0-3 take experts t .. t+6 (0 to 9 together) and 60+t: 14 of 64.
  CHECK(json["routing"]["mean_distinct_experts"] == 14.0);
  CHECK(json["routing"]["source"].get<std::string>().find("trace") != std::string::npos);
  CHECK(json["routing"]["notes"].dump().find("names no model") != std::string::npos);
  const std::uint64_t experts = json["groups"]["routed experts"]["weight_bytes"];
  CHECK(experts == 16ULL * 14 * 3 * 2048 * 1024 * 2);  // layers, experts, matrices, bf16
}

TEST_CASE("a trace of another model needs a mapping, and the result tells it") {
  const auto trace = olmoe_trace(2).string() + "#model=org/Other-MoE";
  check_refused("model_other", {"model", "olmoe-1b-7b", "--routing", trace}, "another model");
  const Ran mapped = run_lacuna("model_mapped", {"model", "olmoe-1b-7b", "--batch", "4", "--json",
                                                 "--routing", trace + "#map=layers:cycle"});
  INFO(mapped.err);
  REQUIRE(mapped.code == 0);
  const Json json = Json::parse(mapped.out);
  CHECK(json["routing"]["notes"].dump().find("layers:cycle") != std::string::npos);
}

TEST_CASE("synthetic routing is a function of its seed") {
  const auto run = [](const std::string& seed) {
    return run_lacuna("model_seed", {"model", "deepseek-v2-lite", "--batch", "16", "--layers",
                                     "1-3", "--routing", "uniform", "--seed", seed, "--json"})
        .out;
  };
  const std::string one = run("1");
  CHECK(one == run("1"));
  CHECK(Json::parse(one)["routing"]["mean_distinct_experts"] !=
        Json::parse(run("2"))["routing"]["mean_distinct_experts"]);
}

TEST_CASE("the model folder is whole, replaces an earlier one and nothing else") {
  const auto folder = scratch("model_out");
  const auto out = (folder / "out").string();
  for (int i = 0; i < 2; ++i) {
    const Ran ran = run_lacuna("model_out_run", {"model", "mixtral-8x7b", "--layers", "3-5",
                                                 "--phase", "prefill", "--out", out});
    INFO(ran.err);
    REQUIRE(ran.code == 0);
  }
  const Json json = Json::parse(read_file(folder / "out" / "model.json"));
  CHECK(json["schema"] == "lacuna.model/1");
  CHECK(json["total"]["flops"].get<double>() > 1e12);
  const std::string csv = read_file(folder / "out" / "operations.csv");
  CHECK(csv.starts_with("block,operation,group"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') ==
        1 + static_cast<std::ptrdiff_t>(json["operations"].size()));
  CHECK(read_file(folder / "out" / "graph.dot").starts_with("digraph"));
  if (std::system("dot -V > /dev/null 2>&1") == 0) {
    CHECK(read_file(folder / "out" / "graph.svg").find("</svg>") != std::string::npos);
  }
  // A model.json of somebody else's is not taken for ours.
  std::filesystem::create_directory(folder / "other");
  write_file(folder / "other" / "model.json", "{\"weights\": 1}");
  check_refused("model_precious", {"model", "mixtral-8x7b", "--out", (folder / "other").string()},
                "Lacuna did not write it");
  CHECK(read_file(folder / "other" / "model.json") == "{\"weights\": 1}");
}

TEST_CASE("a machine's peak rates time the critical path") {
  const Ran ran = run_lacuna(
      "model_roof", {"model", "gpt-oss-20b", "--flops", "1e15", "--bandwidth", "2 TB/s", "--json"});
  REQUIRE(ran.code == 0);
  const Json path = Json::parse(ran.out)["critical_path"];
  CHECK(path["unit"] == "s");
  CHECK(path["cost"].get<double>() > 0);
  CHECK(path["cost"].get<double>() < 1);
}

TEST_CASE("bad input to the model command is refused with one message") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"no-such-model"}, "no such file"},
      {{"deepseek-v33"}, "did you mean 'deepseek-v3'"},
      {{"deepseek-v3", "--phase", "decod"}, "did you mean 'decode'"},
      {{"deepseek-v3", "--attention", "flash"}, "--attention"},
      {{"deepseek-v3", "--cache", "int3"}, "--cache"},
      {{"deepseek-v3", "--layers", "5-3"}, "FIRST-LAST"},
      {{"deepseek-v3", "--layers", "60-61"}, "no range of the 61 layers"},
      {{"deepseek-v3", "--batch", "0"}, "batch"},
      {{"deepseek-v3", "--batch", "-1"}, "batch"},
      {{"deepseek-v3", "--context", "99999999999999999999"}, "context"},
      {{"deepseek-v3", "--new-tokens", "5000"}, "new_tokens"},
      {{"deepseek-v3", "--routing", "zipf:1"}, "neither a kind of routing nor a file"},
      {{"deepseek-v3", "--routing", "power-law:x"}, "power-law exponent"},
      {{"deepseek-v3", "--batch", "4000000000", "--context", "1", "--routing", "uniform"},
       "too many to route"},
      {{"deepseek-v3", "--flops", "1e15"}, "--bandwidth"},
      {{"deepseek-v3", "--flops", "nan", "--bandwidth", "1e12"}, "--flops"},
      {{"deepseek-v3", "--flops", "1e15", "--bandwidth", "fast"}, "not a bandwidth"},
      {{(source_dir() / "CMakeLists.txt").string()}, "JSON"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::vector<std::string> arguments{"model"};
    arguments.insert(arguments.end(), cases[i].first.begin(), cases[i].first.end());
    check_refused(fmt::format("model_bad_{}", i), arguments, cases[i].second);
  }
}

TEST_CASE("every real configuration is reported with its own name, or refused with a reason") {
  LACUNA_NEEDS_SHARED();
  // What is known here; of other families, and of what is not understood, one line tells why.
  const std::vector<std::string> read{"MoE-A2.7B",       "Qwen3-30B-A3B", "OLMoE-1B-7B",
                                      "DeepSeek-R1",     "DeepSeek-V2",   "DeepSeek-V3",
                                      "deepseek-native", "Mixtral-8x7B",  "Kimi-K2-Instruct",
                                      "gpt-oss",         "GLM-5_"};
  std::size_t files = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared_data() / "model-configs")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    INFO(entry.path());
    const std::string name = entry.path().filename().string();
    const Ran ran = run_lacuna("model_real", {"model", entry.path().string(), "--json"});
    if (std::none_of(read.begin(), read.end(), [&](const std::string& part) {
          return name.find(part) != std::string::npos;
        })) {
      ++refused;
      CHECK(ran.code == 2);
      CHECK(ran.out.empty());
      CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
      const std::string reason = ran.err.substr(0, ran.err.find("; "));
      const bool told = reason.find("is not a model family known here") != std::string::npos ||
                        reason.find("not understood") != std::string::npos ||
                        reason.find("not valid JSON") != std::string::npos;
      INFO(ran.err);
      CHECK(told);
      continue;
    }
    REQUIRE(ran.code == 0);
    const Json json = Json::parse(ran.out);
    CHECK(json["parameters"]["total"].get<double>() > 1e9);
    CHECK(entry.path().filename().string().starts_with(json["name"].get<std::string>()));
  }
  CHECK(files - refused >= 17);
}
