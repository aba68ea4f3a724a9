// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/run_search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.hpp"
#include "study/sweep/search.hpp"

namespace lacuna {
namespace {

/// Above every cost; more of it for what is worse still.
constexpr double kWorseThanCosts = 1e200;

/// A batch of the search after another: each a sweep of its own, with one progress.
class SearchedSweep {
 public:
  SearchedSweep(const SweepSpec& spec, const std::filesystem::path& store,
                const std::filesystem::path& scratch, const SweepOptions& options)
      : spec_(spec), store_(store), scratch_(scratch), options_(options), judge_(spec) {
    done_.points = spec.search->budget;
    options_.progress = [this, show = options.progress](const SweepProgress& batch) {
      if (show) show(with(batch));
    };
    SweepStore(store_, spec_).forget_points();
  }

  std::vector<std::vector<double>> run(const std::vector<std::uint64_t>& numbers) {
    done_ = with(run_points(spec_, store_, scratch_, options_, numbers));
    options_.retry_failed = false;  // those of the first batch are all that there were
    SweepStore store(store_, spec_);
    std::vector<std::vector<double>> out;
    for (const std::uint64_t number : numbers) {
      const auto row = store.at(number);
      LACUNA_CHECK(row.has_value(), "point {} has run and has no result", number);
      out.push_back(worth_of(judge_, row->result));
    }
    return out;
  }
  [[nodiscard]] const SweepProgress& done() const { return done_; }

 private:
  [[nodiscard]] SweepProgress with(const SweepProgress& batch) const {
    SweepProgress now = done_;
    now.done += batch.done;
    now.failed += batch.failed;
    now.known += batch.known;
    now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return now;
  }

  const SweepSpec& spec_;
  const std::filesystem::path& store_;
  const std::filesystem::path& scratch_;
  SweepOptions options_;
  SweepJudge judge_;
  SweepProgress done_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

std::vector<double> worth_of(const SweepJudge& judge, const SweepResult& result) {
  if (!result.failed) {
    const std::size_t broken = judge.broken(result);
    std::vector<double> costs = judge.costs(result);
    const bool known =
        std::all_of(costs.begin(), costs.end(), [](double cost) { return std::isfinite(cost); });
    if (known && broken == 0) return costs;
    if (known) {
      return std::vector<double>(costs.size(), kWorseThanCosts * static_cast<double>(broken));
    }
  }
  return std::vector<double>(judge.wanted(), kWorseThanCosts * 1e6);
}

SweepProgress run_search(const SweepSpec& spec, const std::filesystem::path& store,
                         const std::filesystem::path& scratch, const SweepOptions& options) {
  LACUNA_CHECK(spec.searched(), "{} is run as a whole", spec.name);
  SearchedSweep sweep(spec, store, scratch, options);
  search_points(*spec.search, digits_of(spec), spec.objectives.size(),
                [&sweep](const std::vector<std::uint64_t>& numbers) { return sweep.run(numbers); });
  return sweep.done();
}

}  // namespace lacuna
