// SPDX-License-Identifier: Apache-2.0
// Whole simulations and their hot parts, in processor seconds, with the ratios that matter printed
// below the table. No time is asserted anywhere: machines differ.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <Eigen/SparseCore>
#include <algorithm>
#include <map>
#include <systemc>

#include "arch/intersect/fiber_intersect.hpp"
#include "bench/inputs.hpp"
#include "run/product/workload.hpp"
#include "sim/simulation.hpp"
#include "sparse_formats/matrix_file.hpp"

namespace lacuna::bench {
namespace {

using benchmark::Counter;
using benchmark::State;

Counter per_second(double amount) {
  return {amount, Counter::kIsIterationInvariantRate};
}

void load(State& state, bool compressed) {
  const auto file = large_file(compressed);
  for (auto _ : state) benchmark::DoNotOptimize(load_matrix(file));
  state.counters["nnz/s"] = per_second(static_cast<double>(kLargeNonzeros));
}

void grid(State& state) {
  const CsrMatrix& matrix = product_of(power_law()).a;
  for (auto _ : state) benchmark::DoNotOptimize(MicrotileGrid(matrix, {128, 128}));
  state.counters["nnz/s"] = per_second(static_cast<double>(matrix.nnz()));
}

/// From the file (or generator) to the result, tile fidelity, no functional check.
void end_to_end(State& state, const Source& source) {
  RunResult result;
  for (auto _ : state) {
    WorkloadSpec spec;
    spec.matrix = source.text;
    result = run_product(extensor(), make_workload(spec, false, {}), {});
  }
  const MachineStatistics& s = result.statistics;
  state.counters["multiplies/s"] = per_second(static_cast<double>(s.macs_effectual));
  state.counters["microtile pairs/s"] = per_second(static_cast<double>(s.iterations.at("K1")));
  state.counters["fiber pairs/s"] = per_second(static_cast<double>(s.iterations.at("N0")));
  state.counters["activations/s"] = per_second(static_cast<double>(s.activations));
}

/// Without reading or generating the matrix: what a library's product is compared with.
void simulate(State& state, const Source& source) {
  const ProductWorkload& workload = product_of(source);
  for (auto _ : state) benchmark::DoNotOptimize(run_product(extensor(), workload, {}));
}

/// Fills are 64-bit lines written into the elements' buffers.
void element(State& state) {
  const Source source = wiki_vote();
  const ProductWorkload& workload = product_of(source);
  ProductOptions options;
  options.fidelity = Fidelity::element;
  double steps = 0;
  for (auto _ : state) {
    const RunResult result = run_product(extensor(), workload, options);
    const MachineStatistics& s = result.statistics;
    const std::uint64_t partial = s.traffic.at("dram").at("Z_partial").read_bytes;
    const std::uint64_t fills = s.actions.at("peb").at("write") - s.macs_effectual - partial / 8;
    steps = static_cast<double>(s.actions.at("intersect_k0").at("try") + fills + s.macs_effectual);
  }
  state.counters["steps/s"] = per_second(steps);
}

/// Every pair of microtiles of A * A that share k1, in the order of the rows.
void pairs(State& state, bool portable) {
  const Source source = email_enron();
  const ProductWorkload& workload = product_of(source);
  const MicrotileGrid a(workload.a, {128, 128});
  const MicrotileGrid b(workload.b_transposed, {128, 128});
  const PairCounter counter(IntersectKind::skip_ahead, a, b, portable);
  std::vector<std::vector<const Microtile*>> by_k1(b.inner_blocks());
  for (const Microtile& tile : b.all()) by_k1[tile.inner_block].push_back(&tile);
  std::uint64_t tries = 0, count = 0;
  for (auto _ : state) {
    tries = count = 0;
    for (const Microtile& x : a.all()) {
      for (const Microtile* y : by_k1[x.inner_block]) tries += counter.tries(x, *y);
      count += by_k1[x.inner_block].size();
    }
    benchmark::DoNotOptimize(tries);
  }
  state.SetLabel(counter.isa());
  state.counters["pairs/s"] = per_second(static_cast<double>(count));
  state.counters["tries"] = static_cast<double>(tries);
}

using EigenMatrix = Eigen::SparseMatrix<double, Eigen::RowMajor>;

EigenMatrix to_eigen(const CsrMatrix& matrix) {
  EigenMatrix out(matrix.rows, matrix.cols);
  out.resizeNonZeros(static_cast<Eigen::Index>(matrix.nnz()));
  const auto narrow = [](std::uint64_t index) { return static_cast<int>(index); };
  std::transform(matrix.offsets.begin(), matrix.offsets.end(), out.outerIndexPtr(), narrow);
  std::transform(matrix.columns.begin(), matrix.columns.end(), out.innerIndexPtr(), narrow);
  std::copy(matrix.values.begin(), matrix.values.end(), out.valuePtr());
  return out;
}

void eigen(State& state, const Source& source) {
  const ProductWorkload& workload = product_of(source);
  const EigenMatrix a = to_eigen(workload.a);
  for (auto _ : state) {
    const EigenMatrix z = a * a;
    benchmark::DoNotOptimize(z.nonZeros());
  }
}

class Ticker : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Ticker);
  Ticker(const sc_core::sc_module_name& name, sim::Simulation& simulation, std::uint64_t ticks)
      : sc_core::sc_module(name), simulation_(simulation), left_(ticks), event_("event") {
    SC_METHOD(tick);
    sensitive << event_;
    simulation.issue();
  }

 private:
  void tick() {
    simulation_.guarded([this] {
      if (left_-- == 0) {
        simulation_.retire();
      } else {
        simulation_.at(simulation_.now() + Cycles(1), event_);
      }
    });
  }
  sim::Simulation& simulation_;
  std::uint64_t left_;
  sc_core::sc_event event_;
};

/// One method that wakes itself every cycle, as the engine counts and guards it.
void activations(State& state) {
  constexpr std::uint64_t kTicks = 1'000'000;
  for (auto _ : state) {
    sim::Simulation simulation;
    const Ticker ticker("ticker", simulation, kTicks);
    simulation.run();
  }
  state.counters["activations/s"] = per_second(kTicks);
}

/// The console's table, and every run's processor seconds for the ratios below it.
class Collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration && run.iterations > 0) {
        seconds_[run.run_name.function_name] =
            run.cpu_accumulated_time / static_cast<double>(run.iterations);
        for (const auto& [name, counter] : run.counters) {
          rates_[run.run_name.function_name + " " + name] = counter.value;
        }
      }
    }
  }

  void print_ratio(const std::string& what, const std::string& ours, const std::string& theirs) {
    if (seconds_.count(ours) == 0 || seconds_.count(theirs) == 0) return;
    fmt::print("{:<58} {:8.2f}   ({:.3g} s / {:.3g} s)\n", what, seconds_[ours] / seconds_[theirs],
               seconds_[ours], seconds_[theirs]);
  }
  void print_rate(const std::string& what, const std::string& name, double unit,
                  const std::string& unit_name) {
    if (rates_.count(name) == 0) return;
    fmt::print("{:<58} {:8.2f} {}\n", what, rates_[name] / unit, unit_name);
  }

 private:
  std::map<std::string, double> seconds_;
  std::map<std::string, double> rates_;
};

void register_all() {
  const auto add = [](const std::string& name, auto&& body) {
    benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMillisecond);
  };
  add("load .mtx", [](State& s) { load(s, false); });
  add("load .mtx.gz", [](State& s) { load(s, true); });
  add("microtile grid", [](State& s) { grid(s); });
  for (const Source& source : {email_enron(), power_law()}) {
    add("end to end " + source.label, [source](State& s) { end_to_end(s, source); });
    add("simulate " + source.label, [source](State& s) { simulate(s, source); });
  }
  // Not of the R-MAT matrix: its product has 194 M nonzeros, and Eigen takes over 5 GB for it.
  add("eigen " + email_enron().label, [](State& s) { eigen(s, email_enron()); });
  add("pairs fast", [](State& s) { pairs(s, false); });
  add("pairs portable", [](State& s) { pairs(s, true); });
  add("element " + wiki_vote().label, [](State& s) { element(s); });
  add("kernel activations", [](State& s) { activations(s); });
}

void print_ratios(Collector& collector) {
  fmt::print("\nIn this run:\n");
  const std::string enron = email_enron().label;
  collector.print_ratio(enron + " end to end / Eigen's product alone", "end to end " + enron,
                        "eigen " + enron);
  collector.print_ratio(enron + " simulation / Eigen's product alone", "simulate " + enron,
                        "eigen " + enron);
  for (const std::string& label : {enron, power_law().label}) {
    collector.print_rate(label + " end to end", "end to end " + label + " multiplies/s", 1e6,
                         "M multiplies/s");
    collector.print_rate(label + " end to end", "end to end " + label + " microtile pairs/s", 1e6,
                         "M microtile pairs/s");
  }
  collector.print_ratio("pair counting, portable / fast", "pairs portable", "pairs fast");
  collector.print_ratio("loading, .mtx.gz / .mtx", "load .mtx.gz", "load .mtx");
  collector.print_rate("loading .mtx", "load .mtx nnz/s", 1e6, "M nonzeros/s");
  collector.print_rate("loading .mtx.gz", "load .mtx.gz nnz/s", 1e6, "M nonzeros/s");
  collector.print_rate("element fidelity", "element " + wiki_vote().label + " steps/s", 1e6,
                       "M steps/s");
  collector.print_rate("SystemC kernel", "kernel activations activations/s", 1e6,
                       "M activations/s");
}

}  // namespace
}  // namespace lacuna::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  lacuna::bench::register_all();
  lacuna::bench::Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  lacuna::bench::print_ratios(collector);
  benchmark::Shutdown();
  return 0;
}
