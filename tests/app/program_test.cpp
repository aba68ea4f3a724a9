// SPDX-License-Identifier: Apache-2.0
// Does the program do what its help says: results that reproduce themselves, a result of the
// published schema, several machines side by side, and an end on Ctrl-C?
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "tests/app/program.hpp"
#include "tests/catch.hpp"

using Json = nlohmann::json;
using lacuna::test::everything_in;
using lacuna::test::Finished;
using lacuna::test::run_in;
using lacuna::test::run_lacuna;
using lacuna::test::scratch;

namespace {

namespace fs = std::filesystem;

/// Without what is allowed to differ between two runs: time, memory, who ran it.
Json comparable(Json result) {
  result.erase("host");
  return result;
}

void check_schema(const Json& r) {
  CHECK(r.at("schema") == "lacuna.result/1");
  CHECK(r.at("name").is_string());
  for (const char* key : {"cycles", "cycles_bound"}) CHECK(r.at(key).is_number_unsigned());
  for (const char* key : {"clock_hz", "time_s", "area_um2"}) CHECK(r.at(key).is_number());
  for (const char* kind : {"dense", "effectual", "gated", "skipped"}) {
    CHECK(r.at("macs").at(kind).is_number_unsigned());
  }
  for (const char* tensor : {"A", "B", "Z", "Z_partial"}) {
    const Json& moved = r.at("traffic").at("dram").at(tensor);
    CHECK(moved.at("read_bytes").is_number_unsigned());
    CHECK(moved.at("write_bytes").is_number_unsigned());
  }
  double components = 0;
  for (const auto& [name, pj] : r.at("energy_pj").at("components").items()) {
    components += pj.get<double>();
  }
  CHECK(r.at("energy_pj").at("total").get<double>() == lacuna::test::Approx(components));
  CHECK(r.at("bound").is_string());
  for (const auto& [block, used] : r.at("utilization").items()) {
    CHECK(used.is_number());
  }
  for (const char* operand : {"A", "B"}) {
    const Json& tiling = r.at("tiling").at(operand);
    CHECK(tiling.at("strategy").is_string());
    CHECK(tiling.at("shape").is_array());
    CHECK(tiling.at("tiles").is_number_unsigned());
    CHECK(tiling.at("overbooked_fraction").is_number());
    CHECK(tiling.at("buffer_utilization").is_number());
  }
  const Json& check = r.at("check");
  CHECK(check.at("performed").is_boolean());
  CHECK(check.at("passed").is_boolean());
  CHECK(check.at("max_relative_error").is_number());
  const Json& provenance = r.at("provenance");
  CHECK(provenance.at("version").is_string());
  CHECK(provenance.at("seed").is_number_unsigned());
  CHECK(provenance.at("inputs").is_object());
  CHECK(provenance.at("warnings").is_array());
  CHECK(r.at("host").at("wall_s").is_number());
}

const std::vector<std::string> kGenerated{"--matrix", "rmat:rows=1024,edges=8000", "--check"};

std::vector<std::string> with(std::vector<std::string> x, const std::vector<std::string>& y) {
  x.insert(x.end(), y.begin(), y.end());
  return x;
}

}  // namespace

TEST_CASE("program: --json gives one result of the schema, and the check passed") {
  const Finished f =
      run_in(scratch("json"), with({"run", "--arch", "extensor-ob", "--json"}, kGenerated));
  CAPTURE(f.err);
  REQUIRE(f.code == 0);
  CHECK(f.err.empty());
  const Json result = Json::parse(f.out);
  check_schema(result);
  CHECK(result.at("name") == "extensor-ob");
  CHECK(result.at("check").at("performed") == true);
  CHECK(result.at("check").at("passed") == true);
}

TEST_CASE("program: both fidelities print the same traffic, energy and multiplies") {
  const auto result = [](const char* fidelity) {
    const Finished f =
        run_in(scratch("fidelities"),
               with({"run", "--arch", "extensor-ob", "--json", "--fidelity", fidelity, "--set",
                     "buffers.llb.capacity=64 KiB", "--set", "buffers.llb.window=2 KiB", "--set",
                     "dataflow.partition.K1=64", "--set", "dataflow.partition.N1=96"},
                    kGenerated));
    CAPTURE(f.err);
    REQUIRE(f.code == 0);
    return Json::parse(f.out);
  };
  const Json tile = result("tile"), element = result("element");
  CHECK(tile.at("traffic") == element.at("traffic"));
  // Leakage follows the time, which they tell apart.
  const auto dynamic = [](const Json& run) {
    const Json& energy = run.at("energy_pj");
    return energy.at("total").get<double>() - energy.at("static").get<double>();
  };
  CHECK(dynamic(tile) == Approx(dynamic(element)));
  CHECK(tile.at("macs") == element.at("macs"));
  CHECK(tile.at("tiling").at("B").at("overbooked_fraction").get<double>() > 0);
}

TEST_CASE("program: several machines give an array, in the order they were named") {
  const Finished f =
      run_in(scratch("several"), with({"run", "--json", "--arch", "extensor-ob", "--arch",
                                       "extensor-n", "--arch", "extensor-p"},
                                      kGenerated));
  CAPTURE(f.err);
  REQUIRE(f.code == 0);
  const Json results = Json::parse(f.out);
  REQUIRE(results.is_array());
  REQUIRE(results.size() == 3);
  CHECK(results[0].at("name") == "extensor-ob");
  CHECK(results[1].at("name") == "extensor-n");
  CHECK(results[2].at("name") == "extensor-p");
  for (const Json& result : results) {
    check_schema(result);
    CHECK(result.at("macs").at("effectual") == results[0].at("macs").at("effectual"));
  }
}

TEST_CASE("program: resolved.yaml alone reproduces the run, from another folder too") {
  const fs::path folder = scratch("reproduce"), elsewhere = scratch("reproduce_elsewhere");
  std::ofstream(folder / "tiny.mtx") << "%%MatrixMarket matrix coordinate pattern general\n"
                                        "300 300 4\n1 1\n2 300\n300 2\n150 150\n";
  for (const std::vector<std::string>& workload :
       {std::vector<std::string>{"--matrix", "tiny.mtx", "--check"}, kGenerated,
        std::vector<std::string>{"--gemm", "64x96x32", "--a", "2:4", "--b", "uniform:0.5"},
        std::vector<std::string>{"--matrix", "uniform:rows=40,cols=90,density=0.1", "--bt",
                                 "--fidelity", "element"},
        std::vector<std::string>{"--matrix", "tiny.mtx", "--dense-b", "17"}}) {
    const Finished first =
        run_in(folder, with({"run", "--arch", "extensor-ob", "--no-plots", "--out", "first",
                             "--set", "buffers.llb.capacity=300 KiB", "--set", "tiling.seed=7"},
                            workload));
    CAPTURE(workload, first.err);
    REQUIRE(first.code == 0);
    fs::copy_file(folder / "first" / "resolved.yaml", elsewhere / "resolved.yaml",
                  fs::copy_options::overwrite_existing);
    const Finished second =
        run_in(elsewhere, {"run", "resolved.yaml", "--no-plots", "--out", "second"});
    CAPTURE(second.err);
    REQUIRE(second.code == 0);
    Json x = Json::parse(lacuna::read_file(folder / "first" / "result.json"));
    Json y = Json::parse(lacuna::read_file(elsewhere / "second" / "result.json"));
    // A file is named as the user named it; its hash is what counts.
    std::vector<Json> hashes[2];
    for (const auto& [file, hash] : x.at("provenance").at("inputs").items()) {
      hashes[0].push_back(hash);
    }
    for (const auto& [file, hash] : y.at("provenance").at("inputs").items()) {
      hashes[1].push_back(hash);
    }
    CHECK(hashes[0] == hashes[1]);
    x.at("provenance").erase("inputs");
    y.at("provenance").erase("inputs");
    CHECK(comparable(x) == comparable(y));
    // And what it resolves to is itself.
    CHECK(lacuna::read_file(folder / "first" / "resolved.yaml") ==
          lacuna::read_file(elsewhere / "second" / "resolved.yaml"));
  }
}

TEST_CASE("program: an earlier result is replaced, whole") {
  const fs::path folder = scratch("replace");
  const auto arguments =
      with({"run", "--arch", "extensor-ob", "--no-plots", "--out", "r"}, kGenerated);
  REQUIRE(run_in(folder, arguments).code == 0);
  const auto before = everything_in(folder);
  std::ofstream(folder / "r" / "notes.csv") << "x";
  const auto other =
      with({"run", "--arch", "extensor-n", "--arch", "extensor-p", "--no-plots", "--out", "r"},
           kGenerated);
  REQUIRE(run_in(folder, other).code == 0);
  CHECK(fs::exists(folder / "r" / "extensor-p" / "resolved.yaml"));
  CHECK_FALSE(fs::exists(folder / "r" / "resolved.yaml"));
  REQUIRE(run_in(folder, arguments).code == 0);
  REQUIRE(fs::remove(folder / "r" / "notes.csv"));  // the user's, so it stayed
  CHECK(everything_in(folder) == before);
}

TEST_CASE("program: the timeline is a trace that parses") {
  const fs::path folder = scratch("timeline");
  REQUIRE(run_in(folder,
                 with({"run", "--arch", "extensor-ob", "--no-plots", "--timeline", "--out", "r"},
                      kGenerated))
              .code == 0);
  const Json trace = Json::parse(lacuna::read_file(folder / "r" / "timeline.json"));
  CHECK(trace.at("traceEvents").size() > 10);
}

TEST_CASE("program: it says its version, its help and what ships, with exit code 0") {
  const fs::path folder = scratch("help");
  CHECK(run_in(folder, {"--version"}).out.rfind("lacuna ", 0) == 0);
  CHECK(run_in(folder, {"--help"}).code == 0);
  const Finished list = run_in(folder, {"list"});
  CHECK(list.code == 0);
  for (const char* name : {"extensor", "extensor-n", "extensor-p", "extensor-ob"}) {
    CHECK(list.out.find(name) != std::string::npos);
  }
  const Finished tile = run_in(folder, {"tile", "mesh2d:nx=60,ny=60", "--arch", "extensor-ob"});
  CHECK(tile.code == 0);
  for (const char* strategy : {"dense-shape", "prescient", "swiftiles"}) {
    CHECK(tile.out.find(strategy) != std::string::npos);
  }
}

TEST_CASE("program: Ctrl-C while it runs leaves nothing and says so") {
  const fs::path folder = scratch("interrupt");
  for (const int signal : {SIGINT, SIGTERM}) {
    // As soon as it can, and in the middle.
    for (const int after_ms : {1, signal == SIGINT ? 1500 : 700}) {
      const Finished f = run_lacuna({"run", "--arch", "extensor-ob", "--matrix",
                                     "rmat:rows=32768,edges=524288", "--check", "--out", "results"},
                                    {.folder = folder,
                                     .output_to = {},
                                     .signal_after_ms = after_ms,
                                     .signal = signal,
                                     .ready_to_signal = {}});
      CAPTURE(after_ms, f.out, f.err);
      CHECK(f.code == 130);
      CHECK(f.err == "lacuna: interrupted, nothing was written\n");
      CHECK(f.out.empty());
      CHECK(everything_in(folder).empty());
    }
  }
}

TEST_CASE("program: Ctrl-C while results are written leaves nothing") {
  const fs::path folder = scratch("interrupt_writing");
  const auto writing = [&] {
    std::error_code gone;
    return !fs::is_empty(folder / "results" / ".lacuna-staging", gone) && !gone;
  };
  const Finished f = run_lacuna(
      with({"run", "--arch", "extensor-ob", "--out", "results"}, kGenerated),
      {.folder = folder, .output_to = {}, .signal_after_ms = 1, .ready_to_signal = writing});
  CAPTURE(f.out, f.err);
  // The folder may have been complete before the signal came; half of it never stays.
  if (f.code == 130) {
    CHECK(everything_in(folder).empty());
  } else {
    CHECK(f.code == 0);
    CHECK(fs::exists(folder / "results" / "result.json"));
  }
}
