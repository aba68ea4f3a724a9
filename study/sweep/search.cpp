// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/search.hpp"

#include <oneapi/tbb/global_control.h>
#include <algorithm>
#include <numeric>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.hpp"
#include "base/random.hpp"

namespace lacuna {
namespace {

using pagmo::vector_double;

constexpr double kUnknownWorth = 1e300;  // of points beyond the budget: they take no part any more
constexpr int kTriesForNew = 64;

/// The points of the space as vectors of their digits; a digit with one value is no variable.
class DigitSpace {
 public:
  explicit DigitSpace(const std::vector<std::uint64_t>& digits) {
    std::uint64_t weight = 1;
    for (std::size_t i = digits.size(); i-- > 0;) {
      if (digits[i] > 1) variables_.push_back({digits[i], weight});
      weight *= digits[i];
    }
  }
  [[nodiscard]] std::size_t variables() const { return variables_.size(); }
  [[nodiscard]] std::uint64_t values(std::size_t variable) const {
    return variables_[variable].values;
  }
  [[nodiscard]] std::uint64_t number(const double* x) const {
    std::uint64_t out = 0;
    for (const Variable& v : variables_) out += v.weight * static_cast<std::uint64_t>(*x++);
    return out;
  }

 private:
  struct Variable {
    std::uint64_t values, weight;
  };
  std::vector<Variable> variables_;
};

/// What is known of the points that were asked for; asks for others until the budget is spent.
class WorthMemory {
 public:
  WorthMemory(const DigitSpace& space, std::size_t objectives, std::uint64_t budget,
              const PointsWorth& worth)
      : space_(space), objectives_(objectives), budget_(budget), worth_(worth) {}

  [[nodiscard]] const DigitSpace& space() const { return space_; }
  /// NSGA-II wants two: of one, its order is that of the objective twice.
  [[nodiscard]] std::size_t objectives() const { return std::max<std::size_t>(objectives_, 2); }
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] bool spent() const { return known_.size() >= budget_; }
  [[nodiscard]] bool knows(const vector_double& x) const {
    return known_.count(space_.number(x.data())) > 0;
  }

  /// Of points, one behind the other; those that are not known are asked for together.
  vector_double of(const vector_double& points) {
    const std::size_t length = space_.variables();
    std::vector<std::uint64_t> numbers, asked;
    std::unordered_set<std::uint64_t> once;
    for (std::size_t at = 0; at < points.size(); at += length) {
      const std::uint64_t number = space_.number(points.data() + at);
      numbers.push_back(number);
      if (known_.count(number) == 0 && known_.size() + asked.size() < budget_ &&
          once.insert(number).second) {
        asked.push_back(number);
      }
    }
    if (!asked.empty()) ask(asked);
    vector_double out;
    for (const std::uint64_t number : numbers) {
      const auto found = known_.find(number);
      for (std::size_t o = 0; o < objectives(); ++o) {
        out.push_back(found == known_.end() ? kUnknownWorth
                                            : found->second[std::min(o, objectives_ - 1)]);
      }
    }
    return out;
  }

 private:
  void ask(const std::vector<std::uint64_t>& numbers) {
    const auto worth = worth_(numbers);
    LACUNA_CHECK(worth.size() == numbers.size(), "{} of {} points have a worth", worth.size(),
                 numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) known_.emplace(numbers[i], worth[i]);
  }

  const DigitSpace& space_;
  std::size_t objectives_;
  std::uint64_t budget_;
  const PointsWorth& worth_;
  std::unordered_map<std::uint64_t, std::vector<double>> known_;
};

/// What pagmo asks of a problem and of who computes a generation at once. Copied by it at will.
struct DigitProblem {
  WorthMemory* memory = nullptr;
  [[nodiscard]] vector_double fitness(const vector_double& x) const { return memory->of(x); }
  [[nodiscard]] vector_double::size_type get_nobj() const { return memory->objectives(); }
  [[nodiscard]] vector_double::size_type get_nix() const { return memory->space().variables(); }
  [[nodiscard]] std::pair<vector_double, vector_double> get_bounds() const {
    const DigitSpace& space = memory->space();
    vector_double most;
    for (std::size_t i = 0; i < space.variables(); ++i) {
      most.push_back(static_cast<double>(space.values(i) - 1));
    }
    return {vector_double(space.variables(), 0), most};
  }
  template <class Archive>
  void serialize(Archive& /*unused*/, unsigned /*unused*/) {}
};
struct DigitBatch {
  WorthMemory* memory = nullptr;
  vector_double operator()(const pagmo::problem& /*the same*/, const vector_double& points) const {
    return memory->of(points);
  }
  template <class Archive>
  void serialize(Archive& /*unused*/, unsigned /*unused*/) {}
};

class FrontSearch {
 public:
  FrontSearch(const SweepSearch& search, WorthMemory& memory)
      : memory_(memory), size_(search.population), random_(search.seed, "search") {
    const auto variables = static_cast<double>(memory.space().variables());
    // One variable of a point changes in the mean, as is usual; the others are the paper's.
    nsga2_ = pagmo::nsga2(1, 0.95, 10, 1 / variables, 50, static_cast<unsigned>(search.seed));
    nsga2_.set_bfe(pagmo::bfe(DigitBatch{&memory}));
  }

  void run() {
    pagmo::population population(pagmo::problem(DigitProblem{&memory_}));
    const vector_double points = first();
    set(population, points);
    while (!memory_.spent()) {
      const std::size_t before = memory_.size();
      population = nsga2_.evolve(population);
      renew(population, memory_.size() == before);
    }
  }

 private:
  /// A Latin hypercube: every variable takes each of its values as often as every other.
  vector_double first() {
    const std::size_t length = memory_.space().variables();
    vector_double points(size_ * length);
    std::vector<std::uint64_t> order(size_);
    for (std::size_t v = 0; v < length; ++v) {
      std::iota(order.begin(), order.end(), 0);
      random_.shuffle(order);
      for (std::size_t i = 0; i < size_; ++i) {
        points[i * length + v] = static_cast<double>(order[i] * memory_.space().values(v) / size_);
      }
    }
    return points;
  }

  void set(pagmo::population& population, const vector_double& points) {
    const vector_double worth = memory_.of(points);
    const std::size_t length = memory_.space().variables(), objectives = memory_.objectives();
    const auto part = [](const vector_double& all, std::size_t size, std::size_t i) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * size);
      return vector_double(begin, begin + static_cast<std::ptrdiff_t>(size));
    };
    for (std::size_t i = 0; i < points.size() / length; ++i) {
      population.push_back(part(points, length, i), part(worth, objectives, i));
    }
  }

  /// A point that stands in the population more than once is of no use to it: the second one moves
  /// a step along one variable, to a point that is new. So do all where a generation brings nothing
  /// new: it would bring little more.
  void renew(pagmo::population& population, bool all) {
    const std::size_t length = memory_.space().variables(), objectives = memory_.objectives();
    std::unordered_set<std::uint64_t> seen;
    std::vector<std::size_t> places;
    vector_double points;
    for (std::size_t i = 0; i < population.size(); ++i) {
      const vector_double& x = population.get_x()[i];
      if (seen.insert(memory_.space().number(x.data())).second && !all) continue;
      const vector_double moved = moved_from(x);
      places.push_back(i);
      points.insert(points.end(), moved.begin(), moved.end());
    }
    const vector_double worth = memory_.of(points);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto x = points.begin() + static_cast<std::ptrdiff_t>(i * length);
      const auto f = worth.begin() + static_cast<std::ptrdiff_t>(i * objectives);
      population.set_xf(places[i], vector_double(x, x + static_cast<std::ptrdiff_t>(length)),
                        vector_double(f, f + static_cast<std::ptrdiff_t>(objectives)));
    }
  }

  /// Where no neighbour is new, any point that is.
  vector_double moved_from(const vector_double& from) {
    vector_double x = from;
    for (int tries = 0; tries < kTriesForNew && memory_.knows(x); ++tries) {
      x = from;
      tries < kTriesForNew / 2 ? step(x) : anywhere(x);
    }
    return x;
  }
  void step(vector_double& x) {
    const std::size_t v = random_.below(x.size());
    const double most = static_cast<double>(memory_.space().values(v) - 1);
    const double by = random_.below(2) == 0 ? -1 : 1;
    x[v] = x[v] + by < 0 || x[v] + by > most ? x[v] - by : x[v] + by;
  }
  void anywhere(vector_double& x) {
    for (std::size_t v = 0; v < x.size(); ++v) {
      x[v] = static_cast<double>(random_.below(memory_.space().values(v)));
    }
  }

  WorthMemory& memory_;
  std::size_t size_;
  RandomStream random_;
  pagmo::nsga2 nsga2_;
};

}  // namespace

void search_points(const SweepSearch& search, const std::vector<std::uint64_t>& digits,
                   std::size_t objectives, const PointsWorth& worth) {
  // pagmo's threads would be there while points are run in processes: a fork takes along what locks
  // they hold, and the child waits for them without end.
  const tbb::global_control one_thread(tbb::global_control::max_allowed_parallelism, 1);
  const DigitSpace space(digits);
  WorthMemory memory(space, objectives, search.budget, worth);
  FrontSearch(search, memory).run();
}

}  // namespace lacuna
