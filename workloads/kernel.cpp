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

void refuse_mask(const Kernel& kernel) {
  if (kernel.operands.size() < 3) return;
  for (const KernelOperand& operand : kernel.operands) {
    if (!same_ranks(operand.ranks, kernel.z_ranks)) continue;
    refuse(
        fmt::format("{} has the ranks of the result, {}: a mask over outputs, by which no machine "
                    "filters them before it multiplies",
                    operand.name, fmt::join(operand.ranks, ", ")),
        fmt::format("leave {} out: the product without it is what these machines would do",
                    operand.name));
  }
}

/// Two operands: as written, or that with the most ranks and what the others make.
std::pair<KernelOperand, KernelOperand> pair_of(const Kernel& kernel, LoweredKernel& out) {
  const auto& operands = kernel.operands;
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
    if (has(lead->ranks, rank) || has(kernel.z_ranks, rank)) continue;
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
        out.empty_slices == 0 ? std::string()
                              : fmt::format("; {} without nonzeros of {} or {} left out",
                                            out.empty_slices, a.name, b.name)));
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
  refuse_mask(kernel);
  LoweredKernel out;
  const auto [a, b] = pair_of(kernel, out);
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
  for (auto& [key, matrix] : of_a) {
    const auto other = of_b.find(key);
    if (other == of_b.end()) continue;
    out.slices.push_back({std::move(matrix), std::move(other->second)});
  }
  if (out.slices.empty()) {
    refuse("no product is left: one of the operands has no nonzeros where the other has some",
           "check the operands");
  }
  out.empty_slices = slices - out.slices.size();
  note_shapes(a, b, roles, out);
  return out;
}

}  // namespace lacuna
