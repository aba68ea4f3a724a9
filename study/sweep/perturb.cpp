// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/perturb.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "base/random.hpp"
#include "study/sweep/csv_table.hpp"

namespace lacuna {
namespace {

using Numbers = std::vector<std::uint64_t>;

/// Of memory the accesses can be published and the channel not.
bool is_published(std::string_view standing, PriceKind kind) {
  constexpr std::string_view kAccesses = "accesses published; channel ";
  if (!standing.starts_with(kAccesses)) return standing == "published";
  return kind == PriceKind::access || standing.substr(kAccesses.size()) == "published";
}

/// What a point has of one price: J or mm2.
struct PricePart {
  std::size_t price;
  double amount;
};

struct PricedPoint {
  std::uint64_t number;
  SweepResult result;
  std::vector<PricePart> parts;
};

/// The points of a sweep with what they have of every price that may move.
class PricedSweep {
 public:
  PricedSweep(const SweepSpec& spec, SweepStore& store) : judge_(spec) {
    if (store.count() > kMostPerturbedPoints) {
      throw InputError(fmt::format("--perturb: {} points, of which {} at most are priced again",
                                   grouped(store.count()), grouped(kMostPerturbedPoints)),
                       "sweep fewer steps around the front");
    }
    store.each([&](const SweepRow& row) {
      if (!row.result.failed) add(row, store.shares(row.result.id));
    });
  }

  [[nodiscard]] const std::vector<PerturbedPrice>& prices() const { return prices_; }

  /// With a factor on each price.
  [[nodiscard]] Numbers front(const std::vector<double>& factors) const {
    ParetoFront front;
    for (const PricedPoint& point : points_) {
      SweepResult now = point.result;
      double joules = 0, mm2 = 0;
      for (const PricePart& part : point.parts) {
        double& sum = prices_[part.price].kind == PriceKind::area ? mm2 : joules;
        sum += part.amount * (factors[part.price] - 1);
      }
      reprice(now.values, joules, mm2);
      if (judge_.holds(now)) front.add(point.number, judge_.costs(now));
    }
    Numbers out;
    for (const ParetoFront::Member& member : front.members()) out.push_back(member.point);
    return out;
  }

 private:
  void add(const SweepRow& row, const std::vector<ComponentShare>& shares) {
    PricedPoint& point = points_.emplace_back();
    point.number = row.point.index;
    point.result = row.result;
    for (const ComponentShare& share : shares) {
      add_part(point, share, PriceKind::access, share.access_j);
      add_part(point, share, PriceKind::leakage, share.static_j);
      add_part(point, share, PriceKind::area, share.mm2);
    }
  }

  void add_part(PricedPoint& point, const ComponentShare& share, PriceKind kind, double amount) {
    if (!(amount > 0) || is_published(share.standing, kind)) return;
    const auto key = std::tuple(share.component, share.standing, kind);
    const auto [at, fresh] = places_.emplace(key, prices_.size());
    if (fresh) prices_.push_back({share.component, share.standing, kind, 1, {}, {}});
    point.parts.push_back({at->second, amount});
  }

  SweepJudge judge_;
  std::vector<PricedPoint> points_;
  std::vector<PerturbedPrice> prices_;
  std::map<std::tuple<std::string, std::string, PriceKind>, std::size_t> places_;
};

Numbers without(const Numbers& some, const Numbers& others) {
  Numbers out;
  std::set_difference(some.begin(), some.end(), others.begin(), others.end(),
                      std::back_inserter(out));
  return out;
}

std::string spaced(const Numbers& numbers) {
  std::string out;
  for (const std::uint64_t n : numbers) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  return out;
}

}  // namespace

const char* to_text(PriceKind kind) {
  switch (kind) {
    case PriceKind::access:
      return "access energy";
    case PriceKind::leakage:
      return "leakage";
    case PriceKind::area:
      return "area";
  }
  return "";
}

Perturbation perturb(const SweepSpec& spec, SweepStore& store, double by, std::uint64_t draws,
                     std::uint64_t seed) {
  LACUNA_CHECK(by > 0 && by < 1, "prices move by {}", by);
  const PricedSweep sweep(spec, store);
  std::vector<double> factors(sweep.prices().size(), 1);
  const Numbers base = sweep.front(factors);
  Perturbation out;
  for (std::size_t p = 0; p < factors.size(); ++p) {
    for (const double factor : {1 - by, 1 + by}) {
      factors[p] = factor;
      const Numbers moved = sweep.front(factors);
      PerturbedPrice& price = out.prices.emplace_back(sweep.prices()[p]);
      price.factor = factor;
      price.leave = without(base, moved);
      price.enter = without(moved, base);
    }
    factors[p] = 1;
  }
  std::map<std::uint64_t, std::uint64_t> times;
  for (const std::uint64_t n : base) times[n] = 0;
  RandomStream random(seed, "prices of a sweep");
  for (out.draws = 0; out.draws < draws; ++out.draws) {
    for (double& factor : factors) factor = 1 - by + 2 * by * random.uniform();
    for (const std::uint64_t n : sweep.front(factors)) ++times[n];
  }
  for (const auto& [number, count] : times) {
    out.points.push_back({number, std::binary_search(base.begin(), base.end(), number), count});
  }
  return out;
}

void write_perturbation(const Perturbation& perturbation, const std::filesystem::path& folder) {
  CsvTable prices(folder / "perturbed.csv");
  prices.row(
      {"component", "price", "standing", "factor", "leave", "enter", "which_leave", "which_enter"});
  for (const PerturbedPrice& price : perturbation.prices) {
    prices.row({csv_line(price.component), to_text(price.kind), csv_line(price.standing),
                fmt::format("{:.6g}", price.factor), std::to_string(price.leave.size()),
                std::to_string(price.enter.size()), spaced(price.leave), spaced(price.enter)});
  }
  CsvTable points(folder / "perturbed-points.csv");
  points.row({"number", "front", "draws", "of_draws"});
  for (const PerturbedPoint& point : perturbation.points) {
    points.row({std::to_string(point.point), point.in_front ? "1" : "0",
                std::to_string(point.draws), std::to_string(perturbation.draws)});
  }
}

}  // namespace lacuna
