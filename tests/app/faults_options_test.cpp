// SPDX-License-Identifier: Apache-2.0
// Options that were taken and ignored without a word: each is refused, or said in the result.
#include <nlohmann/json.hpp>

#include "tests/app/command.hpp"

namespace lacuna {
namespace {

using Json = nlohmann::json;
using test::check_refused;
using test::contains;
using test::Ran;
using test::run_lacuna;
using Words = std::vector<std::string>;

/// `run` on a machine, with these words of a model behind it.
Words run_with(Words words, const char* machine = "tc-xl") {
  words.insert(words.begin(), {"run", "--arch", machine});
  return words;
}

/// A folder of two small pruned layers.
std::filesystem::path pruned_folder() {
  const auto folder = test::scratch("pruned");
  for (const char* name : {"first.smtx", "second.smtx"}) {
    write_file(folder / name, "4, 8, 6\n0 2 3 5 6\n0 3 1 4 7 2\n");
  }
  return folder;
}

/// A table of one small layer.
std::string table() {
  const auto file = test::scratch("table") / "small.yaml";
  write_file(file, "name: small\nlayers:\n  - {name: one, gemm: {m: 64, n: 64, k: 64}}\n");
  return file.string();
}

}  // namespace

TEST_CASE("fault: forms of latent attention are refused where attention has none") {
  for (const char* form : {"absorbed", "naive"}) {
    Words model{"model", "mixtral-8x7b", "--attention", form};
    check_refused("model", model, "mixtral-8x7b has grouped-query (GQA) attention");
    check_refused("run", run_with({"--model", "mixtral-8x7b", "--attention", form}),
                  "mixtral-8x7b has grouped-query (GQA) attention");
  }
  check_refused("mha", {"model", "olmoe-1b-7b", "--attention", "absorbed"}, "multi-head (MHA)");
  // In a RUN file too.
  const auto file = test::scratch("file") / "run.yaml";
  write_file(file, "arch: tc-xl\nworkload: {model: mixtral-8x7b, attention: absorbed}\n");
  check_refused("run_file", {"run", file.string()}, "grouped-query (GQA)");
  CHECK(run_lacuna("auto", {"model", "mixtral-8x7b", "--attention", "auto"}).code == 0);
  CHECK(run_lacuna("mla", {"model", "deepseek-v3", "--attention", "absorbed"}).code == 0);
}

TEST_CASE("fault: a model whose file names no number format is read as bf16, and says so") {
  // The shipped file without its torch_dtype.
  std::string text = read_file(test::source_dir() / "configs/models/olmoe-1b-7b.json");
  const std::string key = ",\n  \"torch_dtype\": \"bfloat16\"";
  REQUIRE(text.find(key) != std::string::npos);
  text.erase(text.find(key), key.size());
  const auto file = (test::scratch("no_dtype") / "small.json").string();
  write_file(file, text);
  const std::string said = "names no number format (dtype, torch_dtype): bf16 is assumed";
  const auto says = [&said](const Ran& ran) {
    INFO(ran.out << ran.err);
    CHECK(ran.code == 0);
    return ran.out.find(said) != std::string::npos;
  };
  CHECK(says(run_lacuna("model", {"model", file})));
  CHECK_FALSE(says(run_lacuna("shipped", {"model", "olmoe-1b-7b"})));
  const Words step{"--model", file, "--layers", "0-0", "--batch", "1", "--context", "16", "--json"};
  const Ran ran = run_lacuna("run", run_with(step));
  REQUIRE(ran.code == 0);
  CHECK_THAT(Json::parse(ran.out).at("provenance").at("warnings").dump(), contains(said));
}

TEST_CASE(
    "fault: a context beyond the model's positions is said, in a model, a run and a RUN file") {
  const auto said = [](const Ran& ran) {
    INFO(ran.out << ran.err);
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out,
               contains("beyond the 4096 positions") && contains("max_position_embeddings"));
  };
  const Words step{"--context", "5000", "--layers", "0-0"};
  Words model{"model", "olmoe-1b-7b"}, run = run_with({"--model", "olmoe-1b-7b"});
  for (Words* words : {&model, &run}) words->insert(words->end(), step.begin(), step.end());
  said(run_lacuna("model", model));
  for (Words* words : {&model, &run}) words->push_back("--json");
  said(run_lacuna("model_json", model));
  said(run_lacuna("run_json", run));
  const auto file = test::scratch("file") / "run.yaml";
  write_file(file, "arch: tc-xl\nworkload: {model: olmoe-1b-7b, context: 5000, layers: 0-0}\n");
  said(run_lacuna("run_file", {"run", file.string(), "--json"}));
  const Ran within = run_lacuna("within", {"model", "olmoe-1b-7b", "--context", "4096"});
  CHECK_THAT(within.out, !contains("beyond"));
}

TEST_CASE("fault: options of weights that the step does not have are refused") {
  check_refused("no_ffn", run_with({"--model", "mixtral-8x7b", "--ffn-weights", "2:4"}),
                "have no dense or shared feed-forward");
  check_refused("no_experts",
                run_with({"--model", "deepseek-v3", "--layers", "0-2", "--expert-weights", "2:4"}),
                "layers 0-2 of deepseek-v3 have no routed experts");
  check_refused("routing", {"model", "deepseek-v3", "--layers", "0-2", "--routing", "uniform"},
                "have no routed experts");
  check_refused("precision", {"model", "mixtral-8x7b", "--precision", "ffn=int4"},
                "have no dense or shared feed-forward");
  check_refused("precision_experts",
                {"model", "deepseek-v3", "--layers", "0-2", "--precision", "experts=int4"},
                "have no routed experts");
}

TEST_CASE("fault: a precision that is not the file's stands in the model's JSON") {
  const Ran ran = run_lacuna("json", {"model", "mixtral-8x7b", "--precision", "int8", "--json"});
  REQUIRE(ran.code == 0);
  CHECK_THAT(Json::parse(ran.out)["notes"].dump(), contains("weights as int8"));
}

TEST_CASE("fault: options of one kind of network are refused with the other") {
  const std::string folder = "dlmc:" + pruned_folder().string();
  check_refused("weights", run_with({"--network", folder, "--weights", "2:4"}, "tc"),
                "--weights: the files of a folder");
  check_refused("images", run_with({"--network", folder, "--images", "4"}, "tc"), "--images");
  check_refused("n", run_with({"--network", table(), "--n", "64"}, "tc"), "--n");
  check_refused("re_prune", run_with({"--network", folder, "--re-prune"}, "extensor-ob"),
                "extensor-ob has no patterns to prune to");
  const auto columns = test::scratch("columns") / "columns.csv";
  write_file(columns, "first,32\nthird,64\n");
  check_refused("columns", run_with({"--network", table(), "--columns", columns.string()}, "tc"),
                "--columns");
  const Ran ran = run_lacuna(
      "said", run_with({"--network", folder, "--columns", columns.string(), "--json"}, "tc"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const Json provenance = Json::parse(ran.out)["provenance"];
  CHECK_THAT(provenance["warnings"].dump(),
             contains("1 layers are not in it and have 1024, 1 of its names are no layers"));
  CHECK(provenance["inputs"].count(columns.string()) == 1);
  write_file(columns, "first,32\nfirst,64\n");
  check_refused("twice", run_with({"--network", folder, "--columns", columns.string()}, "tc"),
                "'first' is given twice");
}

TEST_CASE("fault: what a resolved network was read from reads back") {
  const auto folder = test::scratch("resolved");
  const std::string pruned = "dlmc:" + pruned_folder().string();
  for (const std::string& network : {pruned, table()}) {
    const auto out = folder / (network == pruned ? "folder" : "table");
    Words words = run_with({"--network", network, "--no-plots", "--out", out.string()}, "tc");
    REQUIRE(run_lacuna("first", words).code == 0);
    const Ran again = run_lacuna("again", {"run", (out / "resolved.yaml").string(), "--json"});
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(Json::parse(again.out)["cycles"] ==
          Json::parse(read_file(out / "result.json"))["cycles"]);
  }
}

TEST_CASE("fault: options of B are refused where B is given otherwise") {
  check_refused("gemm", {"run", "--arch", "tc", "--gemm", "64x64x64", "--dense-b", "8"},
                "--dense-b");
  check_refused("model", run_with({"--model", "olmoe-1b-7b", "--bt"}), "--bt");
  check_refused("two",
                {"run", "--arch", "tc", "--matrix", "uniform:rows=64,cols=64,density=0.5",
                 "--dense-b", "8", "--bt"},
                "dense");
}

TEST_CASE("fault: options of one figure are refused with another") {
  const std::string out = (test::scratch("figure") / "out").string();
  check_refused("edge", {"figure", "dstc", "--edge", "128", "--out", out},
                "--edge: dstc takes none");
  check_refused("set", {"figure", "token-tiles", "--set", "features.tailors=false", "--out", out},
                "--set");
  check_refused("unknown", {"figure", "dtsc", "--jobs", "2", "--out", out}, "did you mean 'dstc'");
  check_refused("only", {"figure", "overbooking", "--only", "nothing-of-this-name", "--out", out},
                "--only nothing-of-this-name");
}

TEST_CASE("fault: a choice of counts is refused for a trace, which is one set") {
  const auto trace = test::scratch("trace") / "trace.csv";
  write_file(trace, "tok,layer,e0,e1\n0,0,1,2\n1,0,3,4\n");
  check_refused("routing", {"routing", trace.string() + "#experts=8#domain=c4"},
                "chooses a set of counts");
  check_refused("topk", {"routing", trace.string() + "#experts=8#topk=2"},
                "chooses a set of counts");
}

TEST_CASE("fault: tiles of a workload that a machine does not take are refused") {
  const auto file = test::scratch("tiles") / "run.yaml";
  write_file(file,
             "arch: tc\nworkload: {matrix: 'uniform:rows=64,cols=64,density=0.5', "
             "tiling: {m1: 1, k1: 1, n1: 1}}\n");
  check_refused("tiles_of_tc", {"run", file.string(), "--json"},
                "the workload's tiling is in microtiles, and tc has none");
}

}  // namespace lacuna
