// SPDX-License-Identifier: Apache-2.0
#include "study/ablation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/interrupt.hpp"
#include "run/fabric/prune_again.hpp"
#include "run/network/workload.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna {
namespace {

constexpr bool kBoth[] = {true, false};

const char* on(bool value) {
  return value ? "on" : "off";
}

FabricSpec machine_of(bool hss, bool tailors, bool swiftiles) {
  const auto setting = [](const char* name, bool value) {
    return fmt::format("features.{}={}", name, value);
  };
  return load_fabric("lacuna", {setting("hss", hss), setting("tailors", tailors),
                                setting("swiftiles", swiftiles)});
}

double dram_bytes(const RunResult& result) {
  double bytes = 0;
  for (const auto& [tensor, moved] : result.statistics.traffic.at("dram")) {
    bytes += static_cast<double>(moved.read_bytes) + static_cast<double>(moved.write_bytes);
  }
  return bytes;
}

FabricWorkload named(FabricWorkload workload, const std::string& name) {
  workload.name = name;
  return workload;
}

}  // namespace

std::vector<FabricWorkload> ablation_workloads(std::uint64_t seed) {
  const auto gemm = [seed](const std::string& name, std::uint64_t m, std::uint64_t n,
                           std::uint64_t k, const char* a, const char* b) {
    return named(pattern_workload(m, n, k, a, b, seed), name);
  };
  std::vector<FabricWorkload> out;
  out.push_back(gemm("dense A, dense B", 1024, 1024, 1024, "dense", "dense"));
  out.push_back(gemm("dense A, B 50 %", 1024, 1024, 1024, "dense", "uniform:0.5"));
  out.push_back(gemm("HSS A 75 %, dense B", 1024, 1024, 1024, "C1(4:8)->C0(2:4)", "dense"));
  out.push_back(gemm("HSS A 75 %, B 50 %", 1024, 1024, 1024, "C1(4:8)->C0(2:4)", "uniform:0.5"));
  out.push_back(
      gemm("HSS A 75 %, B 75 %, wide", 1024, 4096, 1024, "C1(4:8)->C0(2:4)", "uniform:0.25"));
  out.push_back(
      gemm("unstructured A 80 %, B 50 %", 2048, 2048, 2048, "uniform:0.2", "uniform:0.5"));
  // Whole column groups of B are full or empty: the fullest tile says little about the others.
  out.push_back(gemm("HSS A 75 %, B in full and empty blocks", 1024, 8192, 1024, "C1(4:8)->C0(2:4)",
                     "block:128x1024:0.15"));
  out.push_back(gemm("dense A, B in full and empty blocks", 1024, 8192, 1024, "dense",
                     "block:128x1024:0.15"));
  // Columns of a power-law graph: a few hubs, many that are nearly empty.
  const CsrMatrix graph = make_matrix("rmat:rows=8192,edges=1500000,seed=1,permuted=false");
  out.push_back(
      {"HSS A 75 %, B a skewed graph",
       {single({BitMatrix(pattern_workload(1024, 1, graph.rows, "C1(4:8)->C0(2:4)", "dense", seed)
                              .operands()
                              .a()
                              .sample()),
                BitMatrix::from_csr(transpose(graph))})},
       {},
       seed,
       nullptr});
  return out;
}

std::vector<FabricWorkload> ablation_matrices(const std::string& folder, std::uint64_t most_rows) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().string();
    if (name.ends_with(".mtx") || name.ends_with(".mtx.gz")) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  std::vector<FabricWorkload> out;
  for (const auto& file : files) {
    const CsrMatrix a = make_matrix(file);
    if (a.rows != a.cols || a.rows > most_rows) continue;
    out.push_back({matrix_name(file) + ", A x A",
                   {single({BitMatrix::from_csr(a), BitMatrix::from_csr(transpose(a))})},
                   {},
                   1,
                   nullptr});
  }
  return out;
}

std::vector<FabricWorkload> ablation_layers(const std::string& folder) {
  namespace fs = std::filesystem;
  std::set<fs::path> folders;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().string();
    if (name.ends_with(".smtx") || name.ends_with(".smtx.gz")) {
      folders.insert(entry.path().parent_path());
    }
  }
  const FabricSpec machine = load_fabric("lacuna");
  std::vector<FabricWorkload> out;
  for (const fs::path& layers : folders) {
    NetworkWorkloadSpec spec;
    spec.network = "dlmc:" + layers.string();
    spec.activations = "uniform:0.5";
    const NetworkWorkload network = make_network_workload(spec);
    // rn50/magnitude_pruning/0.8: the network and the sparsity tell them apart.
    const fs::path at = fs::relative(layers, folder);
    const std::string own = at.begin() == --at.end() ? "" : " " + at.filename().string();
    const std::string name =
        fmt::format("{} layers of {}{}", network.layers.size(), at.begin()->string(), own);
    FabricWorkload stored{name, {}, {}, 1, nullptr}, pruned{name + ", HSS", {}, {}, 1, nullptr};
    for (const LayerWorkload& layer : network.layers) {
      double kept = 1;
      stored.instances.push_back(layer.instance);
      pruned.instances.push_back(prune_again(machine, layer.name, layer.instance, 1, kept));
    }
    out.push_back(std::move(stored));
    out.push_back(std::move(pruned));
  }
  return out;
}

std::vector<AblationPoint> ablation(std::vector<FabricWorkload> workloads) {
  std::vector<AblationPoint> points;
  for (FabricWorkload& workload : workloads) {
    const std::size_t first = points.size();
    for (const bool hss : kBoth) {
      for (const bool tailors : kBoth) {
        for (const bool swiftiles : kBoth) {
          stop_if_requested();
          AblationPoint point;
          point.operands = workload.name;
          point.hss = hss;
          point.tailors = tailors;
          point.swiftiles = swiftiles;
          point.result = run_fabric(machine_of(hss, tailors, swiftiles), workload);
          point.dram_bytes = dram_bytes(point.result);
          points.push_back(std::move(point));
        }
      }
    }
    const AblationPoint off = points.back();
    for (std::size_t i = first; i < points.size(); ++i) {
      AblationPoint& p = points[i];
      p.cycles_ratio = static_cast<double>(p.result.statistics.cycles.count()) /
                       static_cast<double>(off.result.statistics.cycles.count());
      p.traffic_ratio = p.dram_bytes / off.dram_bytes;
      p.energy_ratio = p.result.energy.total_picojoules / off.result.energy.total_picojoules;
    }
    workload.instances.clear();
  }
  return points;
}

std::string ablation_table(const std::vector<AblationPoint>& points) {
  std::string out = fmt::format(
      "{:<48} {:<4} {:<8} {:<9} {:>12} {:>14} {:>12}  {:>6} {:>7} {:>6}"
      "  {:>7} {:>9}\n",
      "operands", "hss", "tailors", "swiftiles", "cycles", "DRAM bytes", "energy uJ", "cycles",
      "traffic", "energy", "tile N2", "overbooked");
  for (const AblationPoint& p : points) {
    const TilingReport& b = p.result.tiling.at("B");
    out += fmt::format(
        "{:<48} {:<4} {:<8} {:<9} {:>12} {:>14.0f} {:>12.1f}  {:>6.3f} {:>7.3f} "
        "{:>6.3f}  {:>7} {:>8.1f} %\n",
        p.operands, on(p.hss), on(p.tailors), on(p.swiftiles), p.result.statistics.cycles.count(),
        p.dram_bytes, p.result.energy.total_picojoules * 1e-6, p.cycles_ratio, p.traffic_ratio,
        p.energy_ratio, b.shape[0], 100 * b.overbooked_fraction);
  }
  return out;
}

std::string ablation_csv(const std::vector<AblationPoint>& points) {
  std::string out =
      "case,operands,setting,hss,tailors,swiftiles,cycles,dram_bytes,energy_pj,cycles_ratio,"
      "traffic_ratio,energy_ratio,tile_columns,overbooked_fraction,a_refetched_bytes,"
      "b_refetched_bytes\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    const AblationPoint& p = points[i];
    const TilingReport& b = p.result.tiling.at("B");
    out += fmt::format(
        "{},\"{}\",{},{},{},{},{},{:.0f},{},{},{},{},{},{},{},{}\n", i / 8 + 1, p.operands,
        i % 8 + 1, on(p.hss), on(p.tailors), on(p.swiftiles), p.result.statistics.cycles.count(),
        p.dram_bytes, p.result.energy.total_picojoules, p.cycles_ratio, p.traffic_ratio,
        p.energy_ratio, b.shape[0], b.overbooked_fraction, p.result.beside.at("a_refetched_bytes"),
        p.result.beside.at("b_refetched_bytes"));
  }
  return out;
}

}  // namespace lacuna
