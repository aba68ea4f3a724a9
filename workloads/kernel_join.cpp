// SPDX-License-Identifier: Apache-2.0
#include "workloads/kernel_join.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kMostFormed = 64'000'000;  // nonzeros: some 2 GiB while they are made

using Ranks = std::vector<std::string>;
using Key = std::vector<Coordinate>;

std::size_t place_of(const Ranks& ranks, const std::string& rank) {
  return static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), rank) - ranks.begin());
}
bool among(const Ranks& ranks, const std::string& rank) {
  return place_of(ranks, rank) < ranks.size();
}

Ranks common(const Ranks& a, const Ranks& b) {
  Ranks out;
  std::copy_if(a.begin(), a.end(), std::back_inserter(out),
               [&](const std::string& rank) { return among(b, rank); });
  return out;
}

/// Coordinates of some of an operand's ranks.
class Selected {
 public:
  Selected(const KernelOperand& operand, const Ranks& ranks) {
    for (const std::string& rank : ranks) places_.push_back(place_of(operand.ranks, rank));
  }
  [[nodiscard]] Key of(std::span<const Coordinate> at) const {
    Key key;
    key.reserve(places_.size());
    for (const std::size_t place : places_) key.push_back(at[place]);
    return key;
  }

 private:
  std::vector<std::size_t> places_;
};

/// An operand's nonzeros by the coordinates that it shares, first with the lead, then with the
/// other.
struct Sorted {
  std::vector<std::pair<Key, std::uint64_t>> by_key;

  Sorted(const KernelOperand& operand, const Ranks& first, const Ranks& second) {
    Ranks both = first;
    both.insert(both.end(), second.begin(), second.end());
    const Selected selected(operand, both);
    for (std::uint64_t i = 0; i < operand.tensor.nnz(); ++i) {
      by_key.emplace_back(selected.of(operand.tensor.at(i)), i);
    }
    std::sort(by_key.begin(), by_key.end());
  }
  using At = std::vector<std::pair<Key, std::uint64_t>>::const_iterator;
  /// Nonzeros whose key begins so.
  [[nodiscard]] std::pair<At, At> range(const Key& prefix) const {
    const auto begins = [&](const auto& entry) {
      return Key(entry.first.begin(),
                 entry.first.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
    };
    return {std::partition_point(by_key.begin(), by_key.end(),
                                 [&](const auto& entry) { return begins(entry) < prefix; }),
            std::partition_point(by_key.begin(), by_key.end(),
                                 [&](const auto& entry) { return begins(entry) <= prefix; })};
  }
};

/// Distinct coordinates of the lead's nonzeros along some of its ranks.
std::set<Key> places_of(const KernelOperand& lead, const Ranks& ranks) {
  const Selected selected(lead, ranks);
  std::set<Key> out;
  for (std::uint64_t i = 0; i < lead.tensor.nnz(); ++i) out.insert(selected.of(lead.tensor.at(i)));
  return out;
}

class Joiner {
 public:
  Joiner(const KernelOperand& lead, const KernelOperand& x, const KernelOperand& y)
      : lead_(lead),
        x_(x),
        y_(y),
        x_shares_(common(x.ranks, lead.ranks)),
        y_shares_(common(y.ranks, lead.ranks)) {
    for (const std::string& rank : common(x.ranks, y.ranks)) {
      if (!among(lead.ranks, rank)) met_.push_back(rank);
    }
    out_.name = x.name + "*" + y.name;
    out_.ranks = x.ranks;
    out_.tensor.shape = x.tensor.shape;
    for (std::size_t i = 0; i < y.ranks.size(); ++i) {
      if (among(x.ranks, y.ranks[i])) continue;
      of_y_.push_back(i);
      out_.ranks.push_back(y.ranks[i]);
      out_.tensor.shape.push_back(y.tensor.shape[i]);
    }
    values_ = x.tensor.has_values() && y.tensor.has_values();
  }

  KernelOperand run() {
    Ranks of_lead = x_shares_;
    for (const std::string& rank : y_shares_) {
      if (!among(of_lead, rank)) of_lead.push_back(rank);
    }
    const Sorted x(x_, x_shares_, met_), y(y_, y_shares_, met_);
    std::vector<std::size_t> y_places;
    for (const std::string& rank : y_shares_) y_places.push_back(place_of(of_lead, rank));
    for (const Key& at : places_of(lead_, of_lead)) {
      stop_if_requested();
      Key y_key;
      for (const std::size_t place : y_places) y_key.push_back(at[place]);
      meet(x.range(Key(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(x_shares_.size()))),
           y.range(y_key));
    }
    return std::move(out_);
  }

 private:
  using Range = std::pair<Sorted::At, Sorted::At>;

  /// What follows the part of a key that the lead has.
  static std::span<const Coordinate> rest(const Key& key, std::size_t of_lead) {
    return std::span(key).subspan(of_lead);
  }

  /// Nonzeros of both that agree on the ranks where they meet, in step.
  void meet(Range x, Range y) {
    const auto compare = [&](const Sorted::At& i, const Sorted::At& j) {
      const auto of_x = rest(i->first, x_shares_.size()), of_y = rest(j->first, y_shares_.size());
      return std::lexicographical_compare_three_way(of_x.begin(), of_x.end(), of_y.begin(),
                                                    of_y.end());
    };
    while (x.first != x.second && y.first != y.second) {
      const auto order = compare(x.first, y.first);
      if (order < 0) {
        ++x.first;
      } else if (order > 0) {
        ++y.first;
      } else {
        for (auto other = y.first; other != y.second && compare(x.first, other) == 0; ++other) {
          add(x.first->second, other->second);
        }
        ++x.first;
      }
    }
  }

  void add(std::uint64_t i, std::uint64_t j) {
    SparseTensor& out = out_.tensor;
    const auto of_x = x_.tensor.at(i), of_y = y_.tensor.at(j);
    out.coordinates.insert(out.coordinates.end(), of_x.begin(), of_x.end());
    for (const std::size_t place : of_y_) out.coordinates.push_back(of_y[place]);
    if (values_) out.values.push_back(x_.tensor.values[i] * y_.tensor.values[j]);
    if (out.nnz() <= kMostFormed) return;
    throw InputError(Place{{}, 0, "einsum"},
                     fmt::format("{} has more than {} nonzeros where {} has some", out_.name,
                                 grouped(kMostFormed), lead_.name),
                     "a smaller tensor, or fewer columns");
  }

  const KernelOperand& lead_;
  const KernelOperand& x_;
  const KernelOperand& y_;
  Ranks x_shares_, y_shares_;  // with the lead
  Ranks met_;                  // ranks of both that the lead has not
  std::vector<std::size_t> of_y_;
  bool values_ = false;
  KernelOperand out_;
};

}  // namespace

KernelOperand join(const KernelOperand& lead, const KernelOperand& x, const KernelOperand& y) {
  return Joiner(lead, x, y).run();
}

}  // namespace lacuna
