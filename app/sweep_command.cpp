// SPDX-License-Identifier: Apache-2.0
// `lacuna sweep`: many points, priced and compared.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <thread>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "app/search_text.hpp"
#include "app/slurm_text.hpp"
#include "app/sweep_text.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "base/shipped_files.hpp"
#include "report/plots.hpp"
#include "report/result_folder.hpp"
#include "report/staged_folder.hpp"
#include "report/sweep_scripts.hpp"
#include "report/terminal.hpp"
#include "study/sweep/run_search.hpp"
#include "study/sweep/run_sweep.hpp"
#include "study/sweep/summary.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStore = "points.sqlite";
const std::vector<std::string> kTables{
    "points.csv",   "front.csv",     "sensitivity.csv",     "heat.csv",
    "parallel.csv", "perturbed.csv", "perturbed-points.csv"};

struct SweepCommand {
  std::string file, out, shard;
  std::vector<std::string> merge;
  std::uint64_t jobs = 0;
  std::string point;    // its number
  std::string perturb;  // "30%"
  std::uint64_t draws = 200;
  std::string slurm;  // a folder
  std::uint64_t tasks = 0, max_array = kUsualMaxArraySize;
  double task_minutes = 5;
  bool list = false, retry_failed = false, no_plots = false;
};

std::uint64_t whole_number(std::string_view text, const std::string& option,
                           const std::string& expected) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw InputError(fmt::format("{} {}: not a number", option, text), expected);
  }
  return value;
}

/// "2/8".
SweepShard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  const std::string expected = "write part/parts, like 2/8";
  const auto slash = text.find('/');
  if (slash == std::string::npos) throw InputError("--shard " + text + ": no part", expected);
  const SweepShard shard{whole_number(text.substr(0, slash), "--shard", expected),
                         whole_number(text.substr(slash + 1), "--shard", expected)};
  if (shard.part < 1 || shard.part > shard.parts) {
    throw InputError("--shard " + text + ": no such part", expected);
  }
  return shard;
}

/// "done 120 of 1,000, 2 failed, 41.2 a second, 21 s left".
void show(const SweepProgress& now) {
  const double rate = now.seconds > 0 ? static_cast<double>(now.done - now.known) / now.seconds : 0;
  std::string left;
  if (rate > 0 && now.done < now.points) {
    left = fmt::format(", {:.3g} a second, {:.0f} s left", rate,
                       static_cast<double>(now.points - now.done) / rate);
  }
  const std::string line =
      fmt::format("done {} of {}, {} failed, {} known before{}", grouped(now.done),
                  grouped(now.points), grouped(now.failed), grouped(now.known), left);
  const bool terminal = report::is_terminal(stderr);
  // Elsewhere than on a terminal a line for each step of progress would fill a log.
  if (terminal) fmt::print(stderr, "\r{:<100}{}", line, now.done == now.points ? "\n" : "");
  if (!terminal && now.done == now.points) fmt::print(stderr, "{}\n", line);
}

/// A folder for what jobs leave about their ends; gone with it.
class Scratch {
 public:
  explicit Scratch(const fs::path& beside)
      : path_(beside / fmt::format(".lacuna-jobs-{}", getpid())) {
    fs::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw InputError({folder.string(), 0, {}}, "cannot make the folder: " + error.message());
}

unsigned jobs_of(const SweepCommand& command) {
  if (command.jobs > 0) return static_cast<unsigned>(command.jobs);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMostSweepJobs);
}

void run_points(const SweepSpec& spec, const SweepCommand& command, SweepShard shard) {
  const Scratch scratch(command.out);
  SweepOptions options;
  options.jobs = jobs_of(command);
  options.shard = shard;
  options.retry_failed = command.retry_failed;
  options.progress = show;
  const fs::path store = fs::path(command.out) / kStore;
  if (spec.searched()) {
    run_search(spec, store, scratch.path(), options);
  } else {
    run_sweep(spec, store, scratch.path(), options);
  }
}

/// One point, for whoever distributes them.
int run_one(const SweepSpec& spec, const SweepCommand& command) {
  const std::uint64_t number =
      whole_number(command.point, "--point", "write the number of a point; --list shows them");
  if (number >= spec.points()) {
    throw InputError(fmt::format("--point {}: the sweep has {} points", number, spec.points()),
                     "numbers begin at 0");
  }
  const Scratch scratch(command.out);
  SweepOptions options;
  options.shard = {number + 1, spec.points()};
  options.retry_failed = command.retry_failed;
  const SweepProgress end =
      run_sweep(spec, fs::path(command.out) / kStore, scratch.path(), options);
  fmt::print("point {} {}\n", number, end.failed > 0 ? "failed" : "done");
  return 0;
}

/// Points that a search chooses cannot be told before it runs.
void refuse_with_search(const SweepSpec& spec, const char* option) {
  if (!spec.searched()) return;
  throw InputError(
      fmt::format("{}: the points of {} are chosen as results come in", option, spec.name),
      "a search runs as a whole, in --jobs processes");
}

int list_points(const SweepSpec& spec, const SweepCommand& command) {
  const std::string out = command.out.empty() ? "DIR" : command.out;
  for (std::uint64_t i = 0; i < spec.points(); ++i) {
    fmt::print("lacuna sweep '{}' --out '{}' --point {}\n", command.file, out, i);
  }
  return 0;
}

/// "energy (J)", where the objective is a measure by itself.
std::string with_unit(const std::string& expression) {
  for (const Measure& measure : measures()) {
    const std::string about = measure.about;
    if (expression == measure.name && about.size() < 5) {
      return fmt::format("{} ({})", expression, about);
    }
  }
  return expression;
}

report::SweepPlot plot_of(const SweepSpec& spec, const SweepSummary& summary) {
  report::SweepPlot plot;
  plot.name = spec.name;
  plot.machines = spec.machines;
  for (const SweepAxis& axis : spec.axes) plot.axes.push_back(axis.name);
  for (const SweepObjective& objective : spec.objectives) {
    plot.objectives.push_back(with_unit(objective.expression));
  }
  plot.ranges = summary.ranges;
  for (const SweepSummary::Heat& heat : summary.heat) {
    plot.heat_rows = summary.effects[heat.rows].axis;
    plot.heat_columns = summary.effects[heat.columns].axis;
    plot.row_steps = summary.effects[heat.rows].steps;
    plot.column_steps = summary.effects[heat.columns].steps;
  }
  for (std::size_t o = 0; o < spec.objectives.size(); ++o) {
    for (const AxisEffect& effect : summary.effects) {
      if (effect.steps.size() < 2 || std::isnan(effect.range(o).first)) continue;
      plot.sensitive.emplace_back(effect.axis, o);
    }
  }
  return plot;
}

void write_scripts(const report::SweepPlot& plot, const fs::path& folder) {
  const auto write = [&](const char* name, const std::string& script) {
    if (!script.empty()) write_file(folder / (std::string(name) + ".gp"), script);
  };
  write("front", report::sweep_front_script(plot));
  write("sensitivity", report::sweep_sensitivity_script(plot));
  write("heat", report::sweep_heat_script(plot));
  write("parallel", report::sweep_parallel_script(plot));
}

/// Seconds of a point, by the first few: evenly chosen, and kept like all others.
double seconds_a_point(const SweepSpec& spec, SweepCommand command) {
  constexpr std::uint64_t kTried = 8;
  command.out = command.slurm;
  const std::uint64_t parts = (spec.points() + kTried - 1) / kTried;
  fmt::print(stderr, "{} of {} points, to see how long they take\n",
             (spec.points() + parts - 1) / parts, grouped(spec.points()));
  run_points(spec, command, {1, parts});
  double seconds = 0;
  std::uint64_t points = 0;
  SweepStore(fs::path(command.out) / kStore, spec).each([&](const SweepRow& row) {
    seconds += row.result.wall_s;
    ++points;
  });
  return seconds / static_cast<double>(points);
}

int write_slurm(const SweepSpec& spec, const SweepCommand& command) {
  make_folder(command.slurm);
  SlurmSweep sweep;
  sweep.name = spec.name;
  sweep.program = fs::read_symlink("/proc/self/exe");
  sweep.file = fs::absolute(find_config("sweeps", command.file));
  sweep.out = fs::canonical(command.slurm);
  sweep.tasks = std::min({command.tasks, spec.points(), command.max_array - 1});
  if (command.tasks == 0) {
    const double seconds = seconds_a_point(spec, command);
    sweep.tasks = slurm_tasks(spec.points(), seconds, command.task_minutes, command.max_array);
    fmt::print(
        "{:.3g} s a point: {} tasks of some {:.3g} minutes\n", seconds, sweep.tasks,
        seconds * static_cast<double>(spec.points()) / 60 / static_cast<double>(sweep.tasks));
  } else if (sweep.tasks < command.tasks) {
    fmt::print("{} tasks: no more points, or no more in an array (--max-array)\n", sweep.tasks);
  }
  StagedFolder folder(sweep.out / "slurm", "sweep-slurm", {"points.sh", "merge.sh", "submit"});
  write_file(folder.path() / "points.sh", slurm_points_script(sweep));
  write_file(folder.path() / "merge.sh", slurm_merge_script(sweep));
  write_file(folder.path() / "submit", slurm_submit_script(sweep));
  fs::permissions(folder.path() / "submit", fs::perms::owner_exec | fs::perms::group_exec,
                  fs::perm_options::add);
  for (const std::string& note : folder.commit()) fmt::print(stderr, "{}\n", note);
  fmt::print("submit: {}\n", (sweep.out / "slurm" / "submit").string());
  return 0;
}

/// "30%" or "0.3".
double parse_perturb(const std::string& text) {
  const bool percent = text.ends_with('%');
  const auto value = parse_number(percent ? text.substr(0, text.size() - 1) : text);
  const double by = value.value_or(0) / (percent ? 100 : 1);
  if (!(by > 0 && by < 1)) {
    throw InputError("--perturb " + text + ": not a share between 0 and 1", "write 30% or 0.3");
  }
  return by;
}

/// Everything that follows from the points that are there.
void write_tables(const SweepSpec& spec, const SweepCommand& command, StagedFolder& folder) {
  SweepStore store(fs::path(command.out) / kStore, spec);
  const SweepSummary summary = summarize(spec, store);
  write_points(spec, store, summary, folder.path() / "points.csv");
  write_plot_data(spec, store, summary, folder.path());
  if (!summary.front.empty()) write_scripts(plot_of(spec, summary), folder.path());
  std::string perturbed;
  if (!command.perturb.empty()) {
    const double by = parse_perturb(command.perturb);
    const Perturbation found = perturb(spec, store, by, command.draws);
    write_perturbation(found, folder.path());
    perturbed = perturbation_text(found, by);
  }
  std::vector<std::string> notes;
  if (command.no_plots) {
    notes = folder.commit();
  } else {
    notes = report::draw_and_commit(folder);
  }
  fmt::print("{}{}{}", summary_text(spec, store, summary), hypervolume_text(spec, summary),
             perturbed);
  report::print_folder(command.out, notes, false);
}

std::vector<std::string> names_of_files() {
  std::vector<std::string> names = kTables;
  for (const char* name : {"front", "sensitivity", "heat", "parallel"}) {
    for (const char* end : {".gp", ".svg", ".png"}) names.push_back(std::string(name) + end);
  }
  return names;
}

int execute(const SweepCommand& command) {
  const SweepShard shard = parse_shard(command.shard);
  if (!command.perturb.empty()) static_cast<void>(parse_perturb(command.perturb));
  const SweepSpec spec = load_sweep(find_config("sweeps", command.file));
  for (const auto& [given, option] :
       {std::pair(command.list, "--list"), std::pair(!command.shard.empty(), "--shard"),
        std::pair(!command.slurm.empty(), "--slurm")}) {
    if (given) refuse_with_search(spec, option);
  }
  if (command.list) return list_points(spec, command);
  if (!command.slurm.empty()) return write_slurm(spec, command);
  if (command.out.empty()) {
    throw InputError("no folder is given for the points", "add --out DIR");
  }
  make_folder(command.out);
  if (!command.point.empty()) return run_one(spec, command);
  if (!command.shard.empty()) {
    fmt::print(stderr, "{}: {} points, of which shard {}\n", spec.name, grouped(spec.points()),
               command.shard);
    run_points(spec, command, shard);
    return 0;
  }
  StagedFolder folder(command.out, "sweep", names_of_files());
  if (command.merge.empty()) {
    fmt::print(stderr, "{}", points_text(spec));
    run_points(spec, command, shard);
  } else {
    SweepStore store(fs::path(command.out) / kStore, spec);
    for (const std::string& from : command.merge) store.merge(fs::path(from) / kStore);
  }
  write_tables(spec, command, folder);
  return 0;
}

}  // namespace

Command add_sweep(Options& app) {
  auto command = std::make_shared<SweepCommand>();
  app.add_option("sweep", command->file, "SWEEP.yaml or a shipped name: machines, workloads, axes")
      .required();
  add_out_option(app, command->out, "folder for points.sqlite, tables, plots; kept points count");
  app.add_option("--jobs", command->jobs, "processes at once; otherwise one for each core")
      .between(std::uint64_t{1}, std::uint64_t{kMostSweepJobs});
  const Option shard =
      app.add_option("--shard", command->shard, "only part i of n: 2/8; tables by --merge");
  const Option merge =
      app.add_option("--merge", command->merge, "take over the points of this folder; repeatable")
          .one_at_a_time()
          .excludes(shard);
  app.add_flag("--list", command->list, "print one command a point");
  app.add_option("--point", command->point, "only this one, by its number")
      .excludes(shard)
      .excludes(merge);
  app.add_flag("--retry-failed", command->retry_failed, "run again what failed");
  const Option perturb = app.add_option("--perturb", command->perturb,
                                        "move prices that are not published by so much: 30%");
  perturb.excludes(shard);
  app.add_option("--draws", command->draws, "with --perturb: draws of all prices at once")
      .between(std::uint64_t{1}, std::uint64_t{100'000})
      .needs(perturb);
  const Option slurm = app.add_option("--slurm", command->slurm,
                                      "write jobs of Slurm that run the sweep into this folder");
  slurm.excludes(shard).excludes(merge).excludes(app.get_option("--out"));
  app.add_option("--tasks", command->tasks, "with --slurm: tasks; otherwise by --task-minutes")
      .between(std::uint64_t{1}, kMostSweepPoints)
      .needs(slurm);
  app.add_option("--task-minutes", command->task_minutes, "with --slurm: how long a task may run")
      .between(0.01, 1e5)
      .needs(slurm);
  app.add_option("--max-array", command->max_array, "with --slurm: Slurm's MaxArraySize")
      .between(std::uint64_t{2}, std::uint64_t{4'000'001})
      .needs(slurm);
  app.add_flag("--no-plots", command->no_plots, "write scripts and data, draw no pictures");
  return [command] { return execute(*command); };
}

}  // namespace lacuna
