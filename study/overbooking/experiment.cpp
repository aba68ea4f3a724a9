// SPDX-License-Identifier: Apache-2.0
#include "study/overbooking/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/interrupt.hpp"
#include "base/quantity_text.hpp"
#include "run/product/run.hpp"
#include "run/product/workload.hpp"
#include "study/matrix_folder.hpp"
#include "study/process_pool.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;
using validation::OverbookingPoint;

struct Job {
  std::string source;
  std::vector<std::uint64_t> capacities;  // the largest first
};

std::vector<Job> all_jobs(const OverbookingExperiment& experiment) {
  std::vector<Job> jobs;
  const auto wanted = [&](const std::string& source) {
    return experiment.only.empty() ||
           std::count(experiment.only.begin(), experiment.only.end(), matrix_name(source)) > 0;
  };
  std::vector<std::pair<std::uintmax_t, std::string>> files;
  const fs::path folder = matrix_folder(experiment.matrices);
  if (!folder.empty()) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().string();
      if ((name.ends_with(".mtx") || name.ends_with(".mtx.gz")) && wanted(name)) {
        files.emplace_back(entry.file_size(), name);
      }
    }
  }
  std::sort(files.begin(), files.end());
  const auto& swept = validation::kSweptCapacities;
  for (const auto& [size, name] : files) jobs.push_back({name, {swept.rbegin(), swept.rend()}});
  for (const std::string_view source : validation::kLargeWorkloads) {
    if (wanted(std::string(source))) {
      jobs.push_back({std::string(source), {validation::kPublishedCapacity}});
    }
  }
  for (const std::string& name : experiment.only) {
    const bool known = std::any_of(jobs.begin(), jobs.end(),
                                   [&](const Job& job) { return matrix_name(job.source) == name; });
    if (known) continue;
    throw InputError(fmt::format("--only {}: no workload of this name", name),
                     "give the name of a file in the folder of --matrices, without its ending");
  }
  if (jobs.empty()) throw InputError("no matrix to run", "give a folder with --matrices");
  return jobs;
}

void fill_point(const RunResult& result, const ProductWorkload& workload, const MachineSpec& spec,
                OverbookingPoint& point) {
  const MachineStatistics& s = result.statistics;
  const auto bytes = [&](const char* tensor) {
    const Moved moved = s.traffic.at("dram").at(tensor);
    return moved.read_bytes + moved.write_bytes;
  };
  point.cycles = s.cycles.count();
  point.cycles_bound = s.cycles_bound.count();
  point.bound = s.bound;
  point.a_bytes = bytes("A");
  point.b_bytes = bytes("B");
  point.partial_bytes = bytes("Z_partial");
  point.z_bytes = bytes("Z");
  point.energy_pj = result.energy.total_picojoules;
  point.dram_energy_pj = result.energy.components.at("dram").picojoules;
  const TilingReport& b = result.tiling.at("B");
  point.tile_m = result.tiling.at("A").shape[0];
  point.tile_n = b.shape[0];
  point.tile_k = b.shape[1];
  point.tiles = b.tiles;
  point.overbooked = b.overbooked_fraction;
  point.utilization = b.buffer_utilization;
  point.whole_tensor =
      point.tile_n >= workload.b_transposed.rows && point.tile_k >= workload.b_transposed.cols;
  point.one_microtile = point.tile_n == spec.microtile.n0 && point.tile_k == spec.microtile.k0;
  point.work_nonzeros = b.work_nonzeros;
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

OverbookingPoint run_point(const ProductWorkload& workload, std::uint64_t capacity,
                           const validation::Contender& contender,
                           const OverbookingExperiment& experiment) {
  OverbookingPoint point;
  point.matrix = workload.name;
  point.capacity_bytes = capacity;
  point.contender = contender.label;
  std::vector<std::string> settings = experiment.settings;
  settings.push_back("levels.llb.capacity=" + to_text(Bytes(capacity)));
  const auto windows = [&settings](std::uint64_t bytes) {
    for (const char* tensor : {"A", "B"}) {
      settings.push_back(fmt::format("levels.llb.holds.{}.window={} B", tensor, bytes));
    }
  };
  windows(1);  // any that fit, to read the shares
  const LlbSpec llb = machine_with(std::string(contender.machine), settings).llb;
  point.window_bytes = validation::window_bytes(capacity, std::min(llb.shares.a, llb.shares.b));
  windows(point.window_bytes);
  const MachineSpec spec = machine_with(std::string(contender.machine), settings);

  const double start = processor_seconds();
  const std::function<bool()> stop = [&] {
    return processor_seconds() - start > experiment.limit_s;
  };
  ProductOptions options;
  options.interrupted = &stop;
  try {
    fill_point(run_product(spec, workload, options), workload, spec, point);
  } catch (const Interrupted&) {
    if (stop_requested) throw;
    point.skipped = fmt::format("takes more than {:g} s", experiment.limit_s);
  }
  return point;
}

/// All points of one workload, into a file of its own. Runs in a process of its own.
void run_job(const Job& job, const OverbookingExperiment& experiment, const fs::path& file) {
  WorkloadSpec spec;
  spec.matrix = job.source;
  std::vector<OverbookingPoint> points;
  const CsrMatrix shape = make_matrix(job.source);
  if (shape.rows == shape.cols) {
    const ProductWorkload workload = make_workload(spec, false, {});
    std::map<std::string_view, bool> too_slow;
    for (const std::uint64_t capacity : job.capacities) {
      for (const validation::Contender& contender : validation::kContenders) {
        if (too_slow[contender.label]) {
          OverbookingPoint& point = points.emplace_back();
          point.matrix = workload.name;
          point.capacity_bytes = capacity;
          point.contender = contender.label;
          point.skipped = "a larger capacity took too long";
          continue;
        }
        points.push_back(run_point(workload, capacity, contender, experiment));
        too_slow[contender.label] = !points.back().skipped.empty();
      }
    }
  }
  write_file(file, validation::points_csv(points));
}

}  // namespace

int OverbookingStudy::worst_code() const {
  int code = 0;
  for (const LeftOut& job : left_out) code = std::max(code, job.code);
  return code;
}

std::string OverbookingStudy::left_out_text() const {
  std::string text;
  for (const LeftOut& job : left_out) {
    text +=
        fmt::format("{}left out: {}: {}\n", job.code == 0 ? "" : "FAULT, ", job.source, job.why);
  }
  if (!text.empty()) text += "The means are over the other matrices.\n";
  return text;
}

OverbookingStudy run_overbooking(const OverbookingExperiment& experiment, const fs::path& scratch,
                                 const std::function<void(const std::string&, std::size_t)>& done) {
  const std::vector<Job> jobs = all_jobs(experiment);
  const auto part = [&](std::size_t i) { return scratch / fmt::format("part{}.csv", i); };
  std::vector<ProcessJob> processes;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    processes.push_back({jobs[i].source, [&, i] { run_job(jobs[i], experiment, part(i)); }});
  }
  OverbookingStudy study;
  run_in_processes(processes, experiment.jobs, scratch, [&](std::size_t i, const ProcessEnd& end) {
    if (end.code != 0) {
      study.left_out.push_back({jobs[i].source, end.why, end.code});
      return;
    }
    const auto points = validation::parse_points(read_file(part(i)));
    fs::remove(part(i));
    study.points.insert(study.points.end(), points.begin(), points.end());
    if (points.empty()) study.left_out.push_back({jobs[i].source, "not square", 0});
    if (done) done(matrix_name(jobs[i].source), points.size());
  });
  if (study.points.empty()) {
    const std::string text = "no matrix could be run; " + study.left_out_text();
    if (study.worst_code() > 2) throw std::runtime_error(text);
    throw InputError(text);
  }
  std::stable_sort(study.points.begin(), study.points.end(), [](const auto& x, const auto& y) {
    return std::tie(x.matrix, x.capacity_bytes) < std::tie(y.matrix, y.capacity_bytes);
  });
  return study;
}

}  // namespace lacuna
