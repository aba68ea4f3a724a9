// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/run_sweep.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "study/process_pool.hpp"
#include "study/sweep/content.hpp"
#include "study/sweep/expression.hpp"
#include "study/sweep/normalize.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNothing = ~std::uint64_t{0};
constexpr double kProgressSeconds = 0.2;

/// What the processes share: who takes the next point, and how far they are.
struct Board {
  std::atomic<std::uint64_t> next, done, failed, known, shown_ms;
  std::atomic<std::uint64_t> at_work[kMostSweepJobs];  // the point of each process
};

class SharedBoard {
 public:
  SharedBoard() {
    void* const memory =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    board_ = new (memory) Board{};
    for (auto& point : board_->at_work) point = kNothing;
  }
  ~SharedBoard() { munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board* operator->() const { return board_; }

 private:
  Board* board_;
};

/// A point that did not come to its end has a result as well: why.
SweepResult failed(std::string id, const std::string& why) {
  SweepResult result;
  result.id = std::move(id);
  result.failed = true;
  result.message = why;
  return result;
}

/// What each component has of the energy and the area.
std::vector<ComponentShare> shares_of(const RunResult& run) {
  std::vector<ComponentShare> out;
  for (const PriceReport& price : run.energy.prices) {
    ComponentShare& share = out.emplace_back();
    share.component = price.component;
    share.standing = price.standing;
    share.mm2 = price.area_um2 * static_cast<double>(price.count) * 1e-6;
    const auto component = run.energy.components.find(price.component);
    if (component == run.energy.components.end()) continue;
    for (const auto& [action, picojoules] : component->second.by_action) {
      (action == price.static_action ? share.static_j : share.access_j) += picojoules * 1e-12;
    }
  }
  return out;
}

class Worker {
 public:
  Worker(const SweepSpec& spec, const fs::path& store) : spec_(spec), store_(store, spec) {
    if (spec.normalize) {
      normalizer_ = std::make_unique<SweepNormalizer>(
          spec, [this](const RunPlan& plan) { return power_of(plan); });
    }
  }

  /// Its result; whether it was known.
  std::pair<SweepResult, bool> run(SweepPoint point) {
    const auto [result, known] = result_of(point);
    store_.put(point, result);
    return {result, known};
  }
  SweepStore& store() { return store_; }

 private:
  std::pair<SweepResult, bool> result_of(SweepPoint& point) {
    std::string id = "not configured: " + identity_of(spec_, point);
    try {
      if (normalizer_) point.normal = normalizer_->step_of(point);
      const RunPlan plan = plan_of(spec_, point);
      id = content_of(plan);
      if (auto known = store_.find(id)) return {*std::move(known), true};
      return {run_plan(plan, id), false};
    } catch (const Interrupted&) {
      throw;
    } catch (const std::bad_alloc&) {
      return {failed(std::move(id), "not enough memory"), false};
    } catch (const std::exception& error) {
      return {failed(std::move(id), error.what()), false};
    }
  }

  double power_of(const RunPlan& plan) {
    const std::string id = content_of(plan);
    auto result = store_.find(id);
    if (!result) {
      result = run_plan(plan, id);
      store_.keep(*result);
    }
    if (result->failed) throw InputError(result->message);
    return result->values[kPowerMeasure];
  }

  SweepResult run_plan(const RunPlan& plan, const std::string& id) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<RunResult> results = lacuna::run_plan(plan, {}, &kept_);
    if (results.size() != 1) {
      throw InputError("a point of a sweep is one workload", "patterns in lists are an axis here");
    }
    const RunResult& one = results.front();
    if (!one.unsupported.empty()) return failed(id, one.unsupported);
    SweepResult out;
    out.id = id;
    out.workload = one.workload;
    out.bound = one.statistics.bound;
    out.values = measure(one);
    out.shares = shares_of(one);
    out.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
  }

  const SweepSpec& spec_;
  SweepStore store_;
  KeptWorkload kept_;
  std::unique_ptr<SweepNormalizer> normalizer_;
};

class Sweep {
 public:
  /// The number of the point that stands at a place among those that are run.
  using NumberAt = std::function<std::uint64_t(std::uint64_t)>;

  Sweep(const SweepSpec& spec, fs::path store, const SweepOptions& options, std::uint64_t points,
        NumberAt number_at)
      : spec_(spec), store_(std::move(store)), options_(options), number_at_(std::move(number_at)) {
    static_cast<void>(content_of_program());  // once, not in every process
    progress_.points = points;
  }

  SweepProgress run(const fs::path& scratch) {
    {
      SweepStore store(store_, spec_);  // made before others want it
      if (options_.retry_failed) store.forget_failed();
    }
    while (board_->next < progress_.points) {
      std::vector<ProcessJob> jobs;
      for (unsigned w = 0; w < options_.jobs; ++w) {
        jobs.push_back({fmt::format("worker {}", w + 1), [this, w] { work(w); }});
      }
      run_in_processes(jobs, options_.jobs, scratch, [this](std::size_t w, const ProcessEnd& end) {
        if (end.code != 0) give_up(w, end);
      });
    }
    show(true);
    return state();
  }

 private:
  void work(unsigned w) {
    Worker worker(spec_, store_);
    for (std::uint64_t at; (at = board_->next++) < progress_.points;) {
      stop_if_requested();
      board_->at_work[w] = at;
      const auto [result, known] = worker.run(point(at));
      board_->at_work[w] = kNothing;
      ++board_->done;
      if (result.failed) ++board_->failed;
      if (known) ++board_->known;
      show(false);
    }
  }

  /// A process that was ended by a point: the point is a row with the reason.
  void give_up(std::size_t w, const ProcessEnd& end) {
    const std::uint64_t at = board_->at_work[w].exchange(kNothing);
    if (at == kNothing) throw InputError(end.why);
    const SweepPoint lost = point(at);
    SweepStore(store_, spec_)
        .put(lost, failed("its process ended: " + identity_of(spec_, lost), end.why));
    ++board_->done;
    ++board_->failed;
  }

  [[nodiscard]] SweepPoint point(std::uint64_t at) const { return point_of(spec_, number_at_(at)); }

  [[nodiscard]] SweepProgress state() const {
    SweepProgress now = progress_;
    now.done = board_->done;
    now.failed = board_->failed;
    now.known = board_->known;
    now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return now;
  }

  void show(bool always) {
    if (!options_.progress) return;
    const SweepProgress now = state();
    const auto ms = static_cast<std::uint64_t>(now.seconds * 1000);
    std::uint64_t shown = board_->shown_ms;
    const bool due =
        static_cast<double>(ms) >= static_cast<double>(shown) + kProgressSeconds * 1000;
    if (always || (due && board_->shown_ms.compare_exchange_strong(shown, ms))) {
      options_.progress(now);
    }
  }

  const SweepSpec& spec_;
  fs::path store_;
  const SweepOptions& options_;
  NumberAt number_at_;
  SweepProgress progress_;
  SharedBoard board_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

SweepProgress run_sweep(const SweepSpec& spec, const fs::path& store, const fs::path& scratch,
                        const SweepOptions& options) {
  LACUNA_CHECK(options.jobs >= 1 && options.jobs <= kMostSweepJobs, "{} jobs", options.jobs);
  const SweepShard shard = options.shard;
  const std::uint64_t all = spec.points();
  const std::uint64_t points = all / shard.parts + (shard.part <= all % shard.parts ? 1 : 0);
  return Sweep(spec, store, options, points,
               [shard](std::uint64_t at) { return shard.part - 1 + at * shard.parts; })
      .run(scratch);
}

SweepProgress run_points(const SweepSpec& spec, const fs::path& store, const fs::path& scratch,
                         const SweepOptions& options, const std::vector<std::uint64_t>& numbers) {
  LACUNA_CHECK(options.jobs >= 1 && options.jobs <= kMostSweepJobs, "{} jobs", options.jobs);
  return Sweep(spec, store, options, numbers.size(),
               [&numbers](std::uint64_t at) { return numbers[at]; })
      .run(scratch);
}

}  // namespace lacuna
