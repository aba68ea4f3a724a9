// SPDX-License-Identifier: Apache-2.0
#include "workloads/kernel.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"
#include "workloads/kernel_join.hpp"

namespace lacuna {
namespace {

using Ranks = std::vector<std::string>;

constexpr std::uint64_t kMostSlices = 4096;

[[noreturn]] void refuse(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{{}, 0, "einsum"}, problem, suggestion);
}

bool has(const Ranks& ranks, const std::string& rank) {
  return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
}

bool same_ranks(Ranks a, Ranks b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

/// Some ranks of an operand as one, the last of them fastest.
class Flattened {
 public:
  Flattened(const KernelOperand& operand, const Ranks& ranks) : ranks_(ranks) {
    for (const std::string& rank : ranks) {
      const auto at = std::find(operand.ranks.begin(), operand.ranks.end(), rank);
      places_.push_back(static_cast<std::size_t>(at - operand.ranks.begin()));
      const std::uint64_t length = operand.tensor.shape[places_.back()];
      if (__builtin_mul_overflow(extent_, length, &extent_) || extent_ > limits::kMatrixExtent) {
        refuse(fmt::format("the ranks {} of {} have more than {} places together",
                           fmt::join(ranks, ", "), operand.name, grouped(limits::kMatrixExtent)),
               "a part of the tensor, or an einsum that contracts fewer of its ranks at once");
      }
      strides_.push_back(length);
    }
  }
  [[nodiscard]] Coordinate extent() const { return static_cast<Coordinate>(extent_); }
  [[nodiscard]] Coordinate at(std::span<const Coordinate> coordinates) const {
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < places_.size(); ++i)
      at = at * strides_[i] + coordinates[places_[i]];
    return static_cast<Coordinate>(at);
  }
  [[nodiscard]] std::string text() const {
    return ranks_.empty() ? "1" : fmt::format("({})", fmt::join(ranks_, ","));
  }

 private:
  Ranks ranks_;
  std::vector<std::size_t> places_;
  std::vector<std::uint64_t> strides_;
  std::uint64_t extent_ = 1;
};

/// What each rank of a product of two operands is.
struct Roles {
  Ranks batch, rows, contracted, columns;
};

Roles roles_of(const KernelOperand& a, const KernelOperand& b, const Ranks& z) {
  Roles roles;
  for (const std::string& rank : a.ranks) {
    const bool in_b = has(b.ranks, rank), in_z = has(z, rank);
    if (!in_b && !in_z) {
      refuse(
          fmt::format("{} alone has the rank {}: it would be summed before anything is multiplied",
                      a.name, rank),
          "sum it beforehand, or name it in the result");
    }
    (in_b && in_z ? roles.batch : in_b ? roles.contracted : roles.rows).push_back(rank);
  }
  for (const std::string& rank : b.ranks) {
    if (has(a.ranks, rank)) continue;
    if (!has(z, rank)) {
      refuse(
          fmt::format("{} alone has the rank {}: it would be summed before anything is multiplied",
                      b.name, rank),
          "sum it beforehand, or name it in the result");
    }
    roles.columns.push_back(rank);
  }
  return roles;
}

/// An operand's nonzeros as a matrix for each slice of the batch.
std::map<Coordinate, CsrMatrix> matrices(const KernelOperand& operand, const Ranks& batch,
                                         const Ranks& rows, const Ranks& columns) {
  const Flattened slice(operand, batch), row(operand, rows), column(operand, columns);
  std::map<Coordinate, std::vector<Entry>> entries;
  const bool pattern = !operand.tensor.has_values();
  for (std::uint64_t i = 0; i < operand.tensor.nnz(); ++i) {
    const auto at = operand.tensor.at(i);
    entries[slice.at(at)].push_back(
        {row.at(at), column.at(at), pattern ? 1.0 : operand.tensor.values[i]});
  }
  std::map<Coordinate, CsrMatrix> out;
  for (auto& [key, list] : entries) {
    out[key] = from_entries(row.extent(), column.extent(), std::move(list), pattern);
  }
  return out;
}

/// Whether an operand samples the product of the others: it has the ranks of the result, but for
/// those that all others have too (a mask that the products of a batch share).
bool is_sampling(const KernelOperand& operand, const std::vector<KernelOperand>& operands,
                 const Ranks& z_ranks) {
  const auto in_all_others = [&](const std::string& rank) {
    return std::all_of(operands.begin(), operands.end(), [&](const KernelOperand& other) {
      return &other == &operand || has(other.ranks, rank);
    });
  };
  return std::all_of(operand.ranks.begin(), operand.ranks.end(),
                     [&](const std::string& rank) { return has(z_ranks, rank); }) &&
         std::all_of(z_ranks.begin(), z_ranks.end(), [&](const std::string& rank) {
           return has(operand.ranks, rank) || in_all_others(rank);
         });
}

/// Takes the operand that samples the product of the others out of them, if there is one.
std::optional<KernelOperand> take_samples(std::vector<KernelOperand>& operands,
                                          const Ranks& z_ranks) {
  std::optional<KernelOperand> samples;
  if (operands.size() > 2) {
    const auto found = std::find_if(operands.begin(), operands.end(), [&](const auto& operand) {
      return is_sampling(operand, operands, z_ranks);
    });
    if (found != operands.end()) {
      samples = std::move(*found);
      operands.erase(found);
    }
  }
  for (const KernelOperand& operand : operands) {
    if (operand.ones) {
      refuse(fmt::format("{} is of ones, but does not sample the result", operand.name),
             "`ones:` is for an operand with the ranks of the result, beside two others");
    }
    if (samples && same_ranks(operand.ranks, z_ranks)) {
      refuse(
          fmt::format("{} and {} both have the ranks of the result", samples->name, operand.name),
          "multiply the two beforehand: one operand samples the result");
    }
  }
  return samples;
}

/// S of each product; of one that all share, of key 0.
std::map<Coordinate, CsrMatrix> sampled_places(const KernelOperand& samples, const Roles& roles) {
  const auto shares = [&](const std::string& rank) { return !has(samples.ranks, rank); };
  const auto missing = std::count_if(roles.batch.begin(), roles.batch.end(), shares);
  if (missing != 0 && missing != std::ssize(roles.batch)) {
    refuse(fmt::format("{} has some of the ranks that make a batch, {}, and not all", samples.name,
                       fmt::join(roles.batch, ", ")),
           "all of them, or none: then the products share it");
  }
  return matrices(samples, missing == 0 ? roles.batch : Ranks{}, roles.rows, roles.columns);
}

/// Two operands: as written, or that with the most ranks and what the others make.
std::pair<KernelOperand, KernelOperand> pair_of(const std::vector<KernelOperand>& operands,
                                                const Ranks& z_ranks, LoweredKernel& out) {
  if (operands.size() == 2) return {operands[0], operands[1]};
  const auto lead = std::max_element(
      operands.begin(), operands.end(),
      [](const auto& x, const auto& y) { return x.ranks.size() < y.ranks.size(); });
  std::optional<KernelOperand> formed;
  for (auto other = operands.begin(); other != operands.end(); ++other) {
    if (other == lead) continue;
    formed = formed ? join(*lead, *formed, *other) : *other;
  }
  for (const std::string& rank : formed->ranks) {
    if (has(lead->ranks, rank) || has(z_ranks, rank)) continue;
    refuse(fmt::format("the rank {} is contracted between operands beside {}", rank, lead->name),
           "two einsums, one after the other");
  }
  out.notes.push_back(
      fmt::format("{} is formed before the run, where {} has nonzeros: its {} nonzeros are read as "
                  "one operand; "
                  "forming it takes no time and no energy here",
                  formed->name, lead->name, grouped(formed->tensor.nnz())));
  return {*lead, *formed};
}

void note_shapes(const KernelOperand& a, const KernelOperand& b, const Roles& roles,
                 LoweredKernel& out) {
  if (!roles.batch.empty()) {
    out.notes.push_back(fmt::format(
        "a product for each of ({}), one after another{}", fmt::join(roles.batch, ","),
        out.empty_slices == 0
            ? std::string()
            : fmt::format("; {} without nonzeros of an operand left out", out.empty_slices)));
  }
  if (a.ranks.size() - roles.batch.size() > 2 || b.ranks.size() - roles.batch.size() > 2) {
    out.notes.push_back(
        fmt::format("A is {} as {} x {}, B is {} as {} x {}", a.name,
                    Flattened(a, roles.rows).text(), Flattened(a, roles.contracted).text(), b.name,
                    Flattened(a, roles.contracted).text(), Flattened(b, roles.columns).text()));
  }
}

}  // namespace

LoweredKernel lower(const Kernel& kernel) {
  LoweredKernel out;
  std::vector<KernelOperand> operands = kernel.operands;
  const auto samples = take_samples(operands, kernel.z_ranks);
  const auto [a, b] = pair_of(operands, kernel.z_ranks, out);
  const Roles roles = roles_of(a, b, kernel.z_ranks);
  const std::uint64_t slices = Flattened(a, roles.batch).extent();
  if (slices > kMostSlices) {
    refuse(fmt::format("the ranks {}, which all operands and the result have, make {} products",
                       fmt::join(roles.batch, ", "), grouped(slices)),
           fmt::format("at most {} are taken; a product of elements is no matrix product",
                       grouped(kMostSlices)));
  }
  auto of_a = matrices(a, roles.batch, roles.rows, roles.contracted);
  // Its own order of the contracted ranks may differ: A's counts.
  auto of_b = matrices(b, roles.batch, roles.columns, roles.contracted);
  std::map<Coordinate, CsrMatrix> of_s;
  if (samples) of_s = sampled_places(*samples, roles);
  const bool shared = samples && !roles.batch.empty() && !has(samples->ranks, roles.batch.front());
  for (auto& [key, matrix] : of_a) {
    const auto other = of_b.find(key);
    if (other == of_b.end()) continue;
    KernelSlice slice{std::move(matrix), std::move(other->second), {}};
    if (samples) {
      const auto places = of_s.find(shared ? 0 : key);
      if (places == of_s.end()) continue;
      slice.samples = {places->second, samples->ones};
    }
    out.slices.push_back(std::move(slice));
  }
  if (out.slices.empty()) {
    refuse("no product is left: one of the operands has no nonzeros where the other has some",
           "check the operands");
  }
  out.empty_slices = slices - out.slices.size();
  note_shapes(a, b, roles, out);
  if (samples) {
    out.notes.push_back(fmt::format(
        "{} samples the product, as S of the machine{}", samples->name,
        samples->ones ? ": a mask of ones, its values take no room and multiply nothing" : ""));
  }
  return out;
}

}  // namespace lacuna
