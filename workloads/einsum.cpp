// SPDX-License-Identifier: Apache-2.0
#include "workloads/einsum.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "base/error.hpp"

namespace lacuna {
namespace {

class EquationParser {
 public:
  EquationParser(std::string_view text, const Place& place) : text_(text), place_(place) {}

  std::vector<EinsumTerm> parse() {
    std::vector<EinsumTerm> terms{term()};
    expect('=');
    terms.push_back(term());
    while (peek() == '*') {
      ++at_;
      terms.push_back(term());
    }
    if (peek() != '\0') fail("the end");
    return terms;
  }

 private:
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    if (peek() != c) fail(fmt::format("'{}'", c));
    ++at_;
  }
  std::string word() {
    std::string out;
    (void)peek();
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (std::isalnum(c) == 0 && c != '_') break;
      out += text_[at_++];
    }
    if (out.empty()) fail("a name");
    return out;
  }
  EinsumTerm term() {
    EinsumTerm out{word(), {}};
    expect('[');
    out.ranks.push_back(word());
    while (peek() == ',') {
      ++at_;
      out.ranks.push_back(word());
    }
    expect(']');
    return out;
  }
  [[noreturn]] void fail(const std::string& expected) const {
    throw InputError(place_,
                     fmt::format("expected {} at character {} of \"{}\"", expected, at_ + 1, text_),
                     "write it like Z[m,n] = A[m,k] * B[k,n]");
  }

  std::string_view text_;
  const Place& place_;
  std::size_t at_ = 0;
};

[[noreturn]] void bad_equation(std::string_view equation, const std::string& problem) {
  throw InputError(Place{{}, 0, "einsum"}, fmt::format("{} in \"{}\"", problem, equation));
}

std::uint64_t product_of(std::initializer_list<std::uint64_t> factors) {
  std::uint64_t product = 1;
  for (const std::uint64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      throw InputError(Place{{}, 0, "einsum"}, "more than 2^64 multiply-adds",
                       "use smaller shapes, or a smaller batch or context");
    }
  }
  return product;
}

bool has_rank(const EinsumOperand& operand, std::uint32_t rank) {
  return std::find(operand.ranks.begin(), operand.ranks.end(), rank) != operand.ranks.end();
}

std::uint64_t total_rows(const Einsum& einsum) {
  return std::accumulate(einsum.rows_per_instance.begin(), einsum.rows_per_instance.end(),
                         std::uint64_t{0});
}

EinsumOperand resolve(const EinsumTerm& term, const std::vector<Rank>& ranks,
                      std::string_view equation) {
  EinsumOperand operand;
  operand.name = term.name;
  for (const std::string& name : term.ranks) {
    const auto at = std::find_if(ranks.begin(), ranks.end(),
                                 [&](const Rank& rank) { return rank.name == name; });
    if (at == ranks.end()) bad_equation(equation, fmt::format("rank '{}' has no size", name));
    const auto index = static_cast<std::uint32_t>(at - ranks.begin());
    if (has_rank(operand, index)) {
      bad_equation(equation, fmt::format("rank '{}' appears twice in {}", name, term.name));
    }
    operand.ranks.push_back(index);
  }
  return operand;
}

}  // namespace

std::vector<EinsumTerm> einsum_terms(std::string_view equation, const Place& place) {
  return EquationParser(equation, place).parse();
}

Einsum make_einsum(std::string_view equation, const std::vector<Rank>& sizes, std::uint64_t batch) {
  const std::vector<EinsumTerm> terms = einsum_terms(equation);
  Einsum out;
  out.equation = std::string(equation);
  out.ranks = sizes;
  out.batch = batch;
  for (const EinsumTerm& term : terms) out.operands.push_back(resolve(term, sizes, equation));
  for (std::uint32_t r = 0; r < sizes.size(); ++r) {
    const bool read = std::any_of(out.operands.begin() + 1, out.operands.end(),
                                  [&](const EinsumOperand& o) { return has_rank(o, r); });
    if (!read) bad_equation(equation, fmt::format("rank '{}' is in no operand", sizes[r].name));
    const auto same = [&](const Rank& rank) { return rank.name == sizes[r].name; };
    if (std::count_if(sizes.begin(), sizes.end(), same) != 1) {
      bad_equation(equation, fmt::format("rank '{}' has two sizes", sizes[r].name));
    }
  }
  out.macs = dense_macs(out);
  return out;
}

void set_rows_per_instance(Einsum& einsum, std::vector<std::uint32_t> rows) {
  LACUNA_CHECK(rows.size() == einsum.batch && !einsum.ranks.empty(), "{} rows for {} instances",
               rows.size(), einsum.batch);
  einsum.rows_per_instance = std::move(rows);
  einsum.ranks[0].size = 0;
  for (const std::uint32_t n : einsum.rows_per_instance) {
    einsum.ranks[0].size = std::max<std::uint64_t>(einsum.ranks[0].size, n);
  }
  einsum.macs = dense_macs(einsum);
}

std::uint64_t dense_macs(const Einsum& einsum) {
  const bool uneven = !einsum.rows_per_instance.empty();
  std::uint64_t points = uneven ? total_rows(einsum) : einsum.batch;
  for (std::size_t r = uneven ? 1 : 0; r < einsum.ranks.size(); ++r) {
    points = product_of({points, einsum.ranks[r].size});
  }
  // Callers double it into FLOPs.
  (void)product_of({points, 2});
  return points;
}

std::uint64_t instance_elements(const Einsum& einsum, std::size_t operand) {
  std::uint64_t elements = 1;
  for (const std::uint32_t rank : einsum.operands.at(operand).ranks) {
    elements = product_of({elements, einsum.ranks[rank].size});
  }
  return elements;
}

std::uint64_t touched_instances(const Einsum& einsum) {
  if (einsum.rows_per_instance.empty()) return einsum.batch;
  return einsum.batch - static_cast<std::uint64_t>(std::count(einsum.rows_per_instance.begin(),
                                                              einsum.rows_per_instance.end(), 0U));
}

std::uint64_t total_elements(const Einsum& einsum, std::size_t operand) {
  const EinsumOperand& o = einsum.operands.at(operand);
  if (o.shared) return instance_elements(einsum, operand);
  if (einsum.rows_per_instance.empty()) {
    const std::uint64_t elements = product_of({einsum.batch, instance_elements(einsum, operand)});
    const auto& mask = einsum.mask;
    if (!mask || !has_rank(o, mask->query_rank) || !has_rank(o, mask->key_rank)) return elements;
    // Per (query, key) pair there are the same elements and multiply-adds, so both divide evenly.
    const std::uint64_t rectangle =
        einsum.ranks[mask->query_rank].size * einsum.ranks[mask->key_rank].size;
    const std::uint64_t pairs = einsum.macs / (dense_macs(einsum) / rectangle / einsum.batch);
    return elements / rectangle / einsum.batch * pairs;
  }
  const bool has_rows = has_rank(o, 0);
  std::uint64_t elements = has_rows ? total_rows(einsum) : touched_instances(einsum);
  for (const std::uint32_t rank : o.ranks) {
    if (rank != 0) elements = product_of({elements, einsum.ranks[rank].size});
  }
  return elements;
}

Bytes total_bytes(const Einsum& einsum, std::size_t operand) {
  const EinsumOperand& o = einsum.operands.at(operand);
  const std::uint64_t copies = o.shared ? 1 : touched_instances(einsum);
  return bytes_for(Bits(product_of({total_elements(einsum, operand), o.bits})) +
                   o.scale_bits * copies);
}

GemmShape gemm_shape(const Einsum& einsum) {
  LACUNA_CHECK(einsum.operands.size() == 3, "{} is not a product of two operands", einsum.equation);
  GemmShape shape;
  for (std::uint32_t r = 0; r < einsum.ranks.size(); ++r) {
    const bool z = has_rank(einsum.operands[0], r);
    const bool a = has_rank(einsum.operands[1], r);
    const bool b = has_rank(einsum.operands[2], r);
    LACUNA_CHECK(!(z && a && b) && (z || (a && b)), "rank '{}' of {} makes it no matrix product",
                 einsum.ranks[r].name, einsum.equation);
    (!z ? shape.k : a ? shape.m : shape.n) *= einsum.ranks[r].size;
  }
  return shape;
}

}  // namespace lacuna
