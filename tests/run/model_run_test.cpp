// SPDX-License-Identifier: Apache-2.0
// A step of a model on machines: what is executed, what it moves, how long it takes.
#include <filesystem>

#include "run/model/placement.hpp"
#include "run/model/workload.hpp"
#include "study/matrix_folder.hpp"
#include "tests/catch.hpp"

namespace lacuna {
namespace {

using test::Approx;

ModelWorkload workload_of(const std::string& model, const std::string& phase, std::uint64_t batch,
                          std::uint64_t context) {
  ModelWorkloadSpec spec;
  spec.model = model;
  spec.step.phase = phase;
  spec.step.step.batch = batch;
  spec.step.step.context = context;
  spec.step.routing = "power-law:1.01";
  return make_model_workload(spec);
}

std::uint64_t graph_macs(const OperationGraph& graph) {
  return totals(graph).flops / 2;
}

double dram_bytes(const RunResult& r) {
  double sum = 0;
  for (const auto& [tensor, moved] : r.statistics.traffic.at("dram")) {
    sum += static_cast<double>(moved.read_bytes) + static_cast<double>(moved.write_bytes);
  }
  return sum;
}

}  // namespace

TEST_CASE("a decode step executes the multiply-adds of the graph, no more and no fewer") {
  for (const char* model : {"deepseek-v3", "mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3.2"}) {
    INFO(model);
    const ModelWorkload workload = workload_of(model, "decode", 4, 1024);
    const RunResult r = run_model(load_fabric("highlight-xl"), workload, {});
    CHECK(r.macs_dense == graph_macs(workload.graph));
    CHECK(r.beside.at("macs_exact") == r.macs_dense);
    CHECK(r.statistics.macs_effectual == r.macs_dense);
  }
}

TEST_CASE("a product of few values and many queries is turned around") {
  // Naive prefill: 128 values of each head against 1024 rows of the arrays.
  const ModelWorkload workload = workload_of("deepseek-v3", "prefill", 1, 2048);
  const FabricSpec machine = load_fabric("tc-xl");
  const auto products = [&](const char* name, bool may_turn) {
    return products_of(workload.graph[*find_operation(workload.graph, name, 5)], machine,
                       workload.sparsity, {}, *workload.pool, may_turn);
  };
  const OperationProducts context = products("context", true);
  CHECK(context.turned);
  CHECK(context.list.front().operands->n() == 128);
  CHECK_FALSE(products("scores", true).turned);
  CHECK_FALSE(products("context", false).turned);
  CHECK_FALSE(products("o_proj", true).turned);  // weights stay where their zeros are skipped
  // The same multiply-adds, but for what is executed beyond the mask.
  const auto macs = [](const OperationProducts& p) {
    std::uint64_t sum = 0;
    for (const FabricInstance& i : p.list) {
      sum += i.operands->m() * i.operands->n() * i.operands->k() * i.times;
    }
    return sum;
  };
  const std::uint64_t exact =
      workload.graph[*find_operation(workload.graph, "context", 5)].einsum->macs;
  CHECK(macs(context) >= exact);
  CHECK(macs(products("context", false)) >= exact);
  // Two blocks of 1024 queries execute 1024 x (1024 + 2048) pairs of 2048 x 2049 / 2.
  CHECK(macs(context) * 2 <= exact * 3);
}

TEST_CASE("a masked prefill executes at most a block of keys beyond the mask") {
  for (const char* model : {"deepseek-v3", "mixtral-8x7b", "gpt-oss-20b"}) {
    INFO(model);
    const ModelWorkload workload = workload_of(model, "prefill", 1, 2048);
    const RunResult r = run_model(load_fabric("tc-xl"), workload, {});
    CHECK(r.beside.at("macs_exact") == graph_macs(workload.graph));
    CHECK(r.macs_dense >= r.beside.at("macs_exact"));
    CHECK(static_cast<double>(r.macs_dense) <=
          1.02 * static_cast<double>(r.beside.at("macs_exact")));
  }
}

TEST_CASE("DeepSeek-V3 decode reads every touched weight and the cache once") {
  const ModelWorkload workload = workload_of("deepseek-v3", "decode", 64, 4096);
  const RunResult r = run_model(load_fabric("tc-xl"), workload, {});
  const OperationTotals want = totals(workload.graph);
  // 73.249 GFLOP of a token's weights and 69.592 of absorbed attention over 4096 keys.
  CHECK(static_cast<double>(r.macs_dense) * 2 / 64 == Approx(142.841e9).epsilon(1e-5));
  const auto& kinds = r.statistics.traffic.at("dram_by_kind");
  // Weights that were touched, and the cache, which the operations of a layer have in common.
  CHECK(r.in_memory.a >= kinds.at("weights").read_bytes);
  const double held = static_cast<double>(r.in_memory.a - kinds.at("weights").read_bytes);
  CHECK(held > 0.4 * static_cast<double>(want.cache_read_bytes.count()));
  CHECK(held <= 1.0 * static_cast<double>(want.cache_read_bytes.count()));
  // Biases and the scales of activations are not fetched by the arrays.
  CHECK(static_cast<double>(kinds.at("weights").read_bytes) ==
        Approx(static_cast<double>(want.weight_bytes.count())).epsilon(1e-4));
  CHECK(static_cast<double>(kinds.at("cache").read_bytes) ==
        Approx(static_cast<double>(want.cache_read_bytes.count())).epsilon(1e-4));
  CHECK(kinds.at("cache").write_bytes == want.cache_write_bytes.count());
  double moved = 0;
  for (const auto& [kind, bytes] : kinds) {
    moved += static_cast<double>(bytes.read_bytes + bytes.write_bytes);
  }
  CHECK(dram_bytes(r) == Approx(moved));
  // Operations that DRAM bounds take no longer than their bytes and 5 %.
  double cycles = 0, bytes = 0;
  for (const OperationReport& op : r.operations) {
    if (op.bound != "dram") continue;
    cycles += static_cast<double>(op.cycles.count() * op.times);
    bytes +=
        static_cast<double>((op.weight_bytes + op.cache_bytes + op.activation_bytes) * op.times);
  }
  CHECK(bytes > 1e11);
  CHECK(cycles == Approx(bytes / 3200).epsilon(0.05));
}

TEST_CASE("every shipped model runs, decode and prefill, in room that does not grow with it") {
  for (const auto& entry :
       std::filesystem::directory_iterator(test::source_dir() / "configs" / "models")) {
    for (const char* phase : {"decode", "prefill"}) {
      INFO(entry.path().stem().string() << " " << phase);
      ModelWorkloadSpec spec;
      spec.model = entry.path().string();
      spec.step.phase = phase;
      spec.step.step.batch = std::string(phase) == "decode" ? 64 : 1;
      const ModelWorkload workload = make_model_workload(spec);
      const RunResult r = run_model(load_fabric("highlight-xl"), workload, {});
      REQUIRE(r.unsupported.empty());
      CHECK(r.beside.at("macs_exact") == graph_macs(workload.graph));
      CHECK(r.beside.at("operations_simulated") < r.beside.at("operations_executed"));
      CHECK(r.host.peak_rss_bytes < 2UL << 30);
    }
  }
}

TEST_CASE("structured experts cost their density, and only the experts change") {
  ModelWorkloadSpec spec;
  spec.model = "deepseek-v2-lite";
  spec.step.step.batch = 16;
  spec.step.step.context = 512;
  // By themselves: what meets changed neighbours changes as well.
  const FabricSpec machine = load_fabric("highlight-xl", {"overlap=false"});
  const RunResult dense = run_model(machine, make_model_workload(spec), {});
  spec.expert_weights = "C1(4:8)->C0(2:4)";
  const RunResult pruned = run_model(machine, make_model_workload(spec), {});
  REQUIRE(dense.operations.size() == pruned.operations.size());
  for (std::size_t i = 0; i < dense.operations.size(); ++i) {
    const OperationReport& x = dense.operations[i];
    const OperationReport& y = pruned.operations[i];
    INFO(x.name);
    if (x.group == "routed experts" && x.products > 0) {
      // bf16 on an fp8 machine: two words a value, and 3.5 bits of codes for each in 16.
      CHECK(static_cast<double>(y.weight_bytes) ==
            Approx(0.25 * (1 + 4.0 / 16) * static_cast<double>(x.weight_bytes)).epsilon(0.01));
      CHECK(y.cycles < x.cycles);
    } else {
      CHECK(y.cycles == x.cycles);
      CHECK(y.weight_bytes == x.weight_bytes);
    }
  }
}

TEST_CASE("tensors stay on chip only where they fit") {
  const ModelWorkload decode = workload_of("deepseek-v3", "decode", 8, 512);
  const double mib = 1 << 20;
  const auto large = place_operations(decode.graph, 32 * mib, {128, 1024});
  const auto small = place_operations(decode.graph, 4096, {128, 1024});
  const auto id = *find_operation(decode.graph, "o_proj", 5);
  CHECK(large[id].einsum.streamed_on_chip);
  CHECK(large[id].einsum.result_on_chip);
  CHECK_FALSE(small[id].einsum.streamed_on_chip);
  CHECK_FALSE(small[id].einsum.result_on_chip);
  // The values that scores have read serve the context, sequence by sequence.
  const auto context = *find_operation(decode.graph, "context", 5);
  CHECK(large[context].einsum.stationary_on_chip);
  CHECK_FALSE(small[context].einsum.stationary_on_chip);
  const auto norm = *find_operation(decode.graph, "ffn_norm", 5);
  CHECK(large[norm].dram_write == 0);
  CHECK(small[norm].dram_write > 0);
  const RunResult far = run_model(load_fabric("tc-xl", {"glb.capacity=256KiB", "glb.metadata=64KiB",
                                                        "glb.slices=1", "dram.chunk=2KiB"}),
                                  decode, {});
  const RunResult near = run_model(load_fabric("tc-xl"), decode, {});
  CHECK(dram_bytes(far) > dram_bytes(near));
}

TEST_CASE("scores stay on chip where a block of queries with all its keys fits") {
  // Naive prefill of 4,096: the last 128 queries' scores take 128 x 4,032.5 x 4 bytes, the last
  // 1,024 queries' probabilities 1,024 x 3,584.5 x 2; the share is a quarter.
  const ModelWorkload prefill = workload_of("deepseek-v3", "prefill", 1, 4096);
  const auto scores = *find_operation(prefill.graph, "scores", 5);
  const auto context = *find_operation(prefill.graph, "context", 5);
  const double probabilities = 2 * (1024 * 4096.0 - 1024 * 1023.0 / 2);
  const auto fits = place_operations(prefill.graph, 4 * probabilities + 8, {128, 1024});
  CHECK(fits[scores].einsum.result_on_chip);
  CHECK(fits[context].einsum.streamed_on_chip);
  CHECK_FALSE(fits[context].einsum.result_on_chip);  // all heads' values go to the projection
  const auto tight = place_operations(prefill.graph, 4 * probabilities - 8, {128, 1024});
  CHECK(tight[scores].einsum.result_on_chip);
  CHECK_FALSE(tight[context].einsum.streamed_on_chip);
  const auto none = place_operations(prefill.graph, 1 << 20, {128, 1024});
  CHECK_FALSE(none[scores].einsum.result_on_chip);
}

TEST_CASE("a model runs on a sparse-product machine, or says which operation is too large") {
  ModelWorkloadSpec spec;
  spec.model = "deepseek-v2-lite";
  spec.step.step.batch = 4;
  spec.step.step.context = 128;
  spec.step.layers = "1-1";
  const MachineSpec machine = machine_with("extensor-ob", {});
  const ModelWorkload workload = make_model_workload(spec);
  const RunResult r = run_model(machine, workload, {});
  CHECK(r.statistics.macs_effectual == graph_macs(workload.graph));
  CHECK(r.operations.size() == boost::num_vertices(workload.graph));
  spec.model = "deepseek-v3";
  CHECK_THROWS_AS(run_model(machine, make_model_workload(spec), {}), InputError);
}

}  // namespace lacuna
