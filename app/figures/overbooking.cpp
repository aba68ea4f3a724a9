// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <new>

#include "app/commands.hpp"
#include "app/figures/overbooking.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/interrupt.hpp"
#include "base/quantity_text.hpp"
#include "report/gnuplot_text.hpp"
#include "report/result_folder.hpp"
#include "run/product/run.hpp"
#include "run/product/workload.hpp"
#include "study/matrix_folder.hpp"
#include "study/overbooking/points.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;
using validation::OverbookingPoint;

struct Job {
  std::string source;
  std::vector<std::uint64_t> capacities;  // the largest first
};

std::vector<Job> all_jobs(const FigureArguments& arguments) {
  std::vector<Job> jobs;
  const auto wanted = [&](const std::string& source) {
    return arguments.only.empty() ||
           std::count(arguments.only.begin(), arguments.only.end(), matrix_name(source)) > 0;
  };
  std::vector<std::pair<std::uintmax_t, std::string>> files;
  const fs::path folder = matrix_folder(arguments.matrices);
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
  for (const std::string& name : arguments.only) {
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
                           const FigureArguments& arguments) {
  OverbookingPoint point;
  point.matrix = workload.name;
  point.capacity_bytes = capacity;
  point.contender = contender.label;
  std::vector<std::string> settings = arguments.settings;
  settings.push_back("buffers.llb.capacity=" + to_text(Bytes(capacity)));
  settings.push_back("buffers.llb.window=1 B");  // any window that fits, to read the shares
  const LlbSpec llb = machine_with(std::string(contender.machine), settings).llb;
  point.window_bytes = validation::window_bytes(capacity, std::min(llb.shares.a, llb.shares.b));
  settings.back() = "buffers.llb.window=" + to_text(Bytes(point.window_bytes));
  const MachineSpec spec = machine_with(std::string(contender.machine), settings);

  const double start = processor_seconds();
  const std::function<bool()> stop = [&] {
    return processor_seconds() - start > arguments.limit_s;
  };
  ProductOptions options;
  options.interrupted = &stop;
  try {
    fill_point(run_product(spec, workload, options), workload, spec, point);
  } catch (const Interrupted&) {
    if (stop_requested) throw;
    point.skipped = fmt::format("takes more than {:g} s", arguments.limit_s);
  }
  return point;
}

/// Why a workload has no points: of a job that ended badly, or of a matrix that is not square.
struct LeftOut {
  std::string source;
  std::string why;
  int code = 0;  // of the process: 0 is no fault
};

/// 2: an input is at fault, 3: the model.
int worst_of(const std::vector<LeftOut>& left_out) {
  int code = 0;
  for (const LeftOut& job : left_out) code = std::max(code, job.code);
  return code;
}

std::string left_out_text(const std::vector<LeftOut>& left_out) {
  std::string text;
  for (const LeftOut& job : left_out) {
    text +=
        fmt::format("{}left out: {}: {}\n", job.code == 0 ? "" : "FAULT, ", job.source, job.why);
  }
  if (!text.empty()) text += "The means are over the other matrices.\n";
  return text;
}

/// All points of one workload, into a file of its own. Runs in a process of its own.
void run_job(const Job& job, const FigureArguments& arguments, const fs::path& file) {
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
        points.push_back(run_point(workload, capacity, contender, arguments));
        too_slow[contender.label] = !points.back().skipped.empty();
      }
    }
  }
  write_file(file, validation::points_csv(points));
}

/// Where a job that fails leaves the reason.
fs::path reason_file(fs::path part) {
  return part.replace_extension(".error");
}

/// Runs run_job() in a child process; its id.
pid_t start_job(const Job& job, const FigureArguments& arguments, const fs::path& file) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw InputError("no process can be started", "use fewer --jobs");
  if (child > 0) return child;
  // It has nobody to work for when its parent ends, however that ends, now or in between.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(130);
  int code = 0;
  std::string why;
  try {
    run_job(job, arguments, file);
  } catch (const Interrupted&) {
    code = 130;
  } catch (const InputError& error) {
    why = error.what();
    code = 2;
  } catch (const std::bad_alloc&) {
    why = "not enough memory";
    code = 2;
  } catch (const std::exception& error) {
    why = std::string("internal error: ") + error.what();
    code = 3;
  }
  try {
    if (!why.empty()) write_file(reason_file(file), why);
  } catch (const std::exception&) {  // told below all the same
  }
  if (!why.empty()) fmt::print(stderr, "lacuna: {}: {}\n", job.source, why);
  std::fflush(nullptr);
  _exit(code);
}

/// What a job left about its end, or what its status says.
std::string why_it_ended(int status, const fs::path& part) {
  std::error_code ignored;
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  if (!fs::exists(reason_file(part), ignored)) {
    return fmt::format("ended with code {}", WEXITSTATUS(status));
  }
  std::string why = read_file(reason_file(part));
  fs::remove(reason_file(part), ignored);
  return why;
}

/// Points of every job that ended well; what did not is left out and said.
std::vector<OverbookingPoint> run_all(const std::vector<Job>& jobs,
                                      const FigureArguments& arguments, const fs::path& parts,
                                      std::vector<LeftOut>& left_out) {
  const auto part = [&](std::size_t i) { return parts / fmt::format("part{}.csv", i); };
  std::map<pid_t, std::size_t> running;
  std::vector<OverbookingPoint> points;
  bool stopped = false;
  for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
    if (next < jobs.size() && running.size() < arguments.jobs && !stopped) {
      running.emplace(start_job(jobs[next], arguments, part(next)), next);
      ++next;
      continue;
    }
    if (running.empty()) break;
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    const auto job = running.find(ended);
    if (stop_requested) {
      for (const auto& [process, index] : running) kill(process, SIGTERM);
      stopped = true;
    }
    if (job == running.end()) continue;  // interrupted by a signal
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 3;
    if (code == 0) {
      const auto of_job = validation::parse_points(read_file(part(job->second)));
      points.insert(points.end(), of_job.begin(), of_job.end());
      fs::remove(part(job->second));
      if (of_job.empty()) left_out.push_back({jobs[job->second].source, "not square", 0});
      fmt::print("{}: {} points\n", matrix_name(jobs[job->second].source), of_job.size());
      std::fflush(stdout);
    } else if (code == 130) {
      stopped = true;
    } else {
      left_out.push_back({jobs[job->second].source, why_it_ended(status, part(job->second)), code});
    }
    running.erase(job);
  }
  if (stopped) throw Interrupted();
  if (points.empty()) {
    const std::string text = "no matrix could be run; " + left_out_text(left_out);
    if (worst_of(left_out) > 2) throw std::runtime_error(text);
    throw InputError(text);
  }
  std::stable_sort(points.begin(), points.end(), [](const auto& x, const auto& y) {
    return std::tie(x.matrix, x.capacity_bytes) < std::tie(y.matrix, y.capacity_bytes);
  });
  return points;
}

std::string ratios_script() {
  std::string plot = "  set multiplot layout 1,3\n";
  const char* pairs[] = {"OB over N", "OB over P", "P over N"};
  const std::pair<const char*, const char*> panels[] = {
      {"speed", "Speed"}, {"traffic", "Off-chip traffic"}, {"energy", "Energy"}};
  for (const auto& [column, title] : panels) {
    plot += fmt::format("  set title '{}, times better'\n  plot ", title);
    for (std::size_t pair = 0; pair < 3; ++pair) {
      plot += fmt::format(
          "{}'overbooking_ratios.csv' using (column('pair') == {} ? column('capacity_bytes')/1024 "
          ": NaN):'{}' with linespoints lw 2 pt 7 ps 0.6 lc rgb {} title '{}'",
          pair == 0 ? "" : ", \\\n       ", pair + 1, column, report::gnuplot::color(pair),
          pairs[pair]);
    }
    plot += fmt::format(", 1 lw 1 lc rgb '#444444'\n");
  }
  plot += "  unset multiplot";
  return report::gnuplot::script(
      "overbooking_ratios", "Geometric means over matrices of N, P and OB against each other.",
      {1200, 440},
      "set logscale x 2\nset logscale y 10\nset xlabel 'Last-level buffer (KiB)'\n"
      "set xtics rotate by -45\nset key outside below center horizontal",
      plot);
}

std::string share_script(double y) {
  const std::string plot = fmt::format(
      "  plot 'overbooking.csv' using (strcol('contender') eq 'OB' && column('tiles') > 0 && "
      "column('whole_tensor') == 0 && column('one_microtile') == 0 ? column('tiles') : NaN):"
      "(100*column('overbooked_fraction')) with points pt 7 ps 0.7 lc rgb {} title 'one matrix at "
      "one capacity', \\\n       {:g} lw 2 lc rgb '#444444' title 'asked for'",
      report::gnuplot::color(0), 100 * y);
  return report::gnuplot::script(
      "overbooking_share", "Achieved share of overbooked tiles, by the number of tiles.",
      {780, 460},
      "set logscale x 10\nset yrange [0:*]\nset xlabel 'Tiles of B (log scale)'\n"
      "set ylabel 'Overbooked tiles (%)'\nset key outside below center",
      plot);
}

}  // namespace

std::vector<std::string> overbooking_names() {
  std::vector<std::string> names{"overbooking.csv", "overbooking_ratios.csv", "summary.txt"};
  for (const std::string script : {"overbooking_ratios", "overbooking_share"}) {
    for (const char* ending : {".gp", ".svg", ".png"}) names.push_back(script + ending);
  }
  return names;
}

int figure_overbooking(const FigureArguments& arguments) {
  const auto bars = validation::load_tailors(validation::published_file("tailors.csv"));
  const double y = machine_with("extensor-ob", arguments.settings).tiling.overbooked_share;
  StagedFolder& folder = *arguments.folder;
  std::vector<LeftOut> left_out;
  const auto points = run_all(all_jobs(arguments), arguments, folder.path(), left_out);
  const std::string summary =
      left_out_text(left_out) + validation::overbooking_summary(points, y, bars);
  write_file(folder.path() / "overbooking.csv", validation::points_csv(points));
  write_file(folder.path() / "overbooking_ratios.csv", validation::improvements_csv(points));
  write_file(folder.path() / "summary.txt", summary);
  write_file(folder.path() / "overbooking_ratios.gp", ratios_script());
  write_file(folder.path() / "overbooking_share.gp", share_script(y));
  const auto notes = report::draw_and_commit(folder);
  fmt::print("\n{}", summary);
  report::print_folder(arguments.out, notes, false);
  if (worst_of(left_out) != 0) {
    fmt::print(stderr, "lacuna: the figure lacks workloads that failed; see summary.txt\n");
  }
  return worst_of(left_out);
}

}  // namespace lacuna
