// SPDX-License-Identifier: Apache-2.0
#include "run/product/kernel_workload.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"
#include "run/explicit_rows.hpp"
#include "sparse_formats/tns.hpp"
#include "workloads/einsum.hpp"
#include "workloads/kernel.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDensity = "density:";
constexpr std::string_view kOnes = "ones:";

[[noreturn]] void refuse_kernel(const std::string& field, const std::string& problem,
                                const std::string& suggestion) {
  throw InputError(Place{{}, 0, field}, problem, suggestion);
}

bool is_drawn(const std::string& source) {
  return source == "dense" || source.starts_with(kDensity);
}

/// What an operand is made of, without what is said of its values.
std::string pattern_of(const std::string& source) {
  return source.starts_with(kOnes) ? source.substr(kOnes.size()) : source;
}

double density_of(const std::string& name, const std::string& source) {
  if (source == "dense") return 1;
  const std::string text = source.substr(kDensity.size());
  char* end = nullptr;
  const double density = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(density > 0 && density <= 1)) {
    refuse_kernel("operands." + name, fmt::format("'{}' has no density", shortened(source)),
                  "above 0, at most 1, like density:0.1");
  }
  return density;
}

/// Extents of ranks as they become known.
class Extents {
 public:
  explicit Extents(const KernelSpec& spec) {
    for (const auto& [rank, extent] : spec.sizes) given_[rank] = extent;
    extents_ = given_;
  }
  /// Of an operand that has extents of its own; those of a tensor that says no more than its
  /// largest coordinate may be smaller than the rank.
  void meet(const std::string& operand, const std::string& rank, std::uint64_t extent,
            bool at_least) {
    const auto [known, is_new] = extents_.try_emplace(rank, extent);
    if (is_new) {
      from_[rank] = {operand, at_least};
      return;
    }
    const auto& [other, other_at_least] = from_[rank];
    const bool may_grow = other_at_least && !given_.contains(rank);
    if (known->second < extent ? may_grow : at_least || known->second == extent) {
      if (known->second < extent || !at_least) from_[rank] = {operand, at_least};
      known->second = std::max(known->second, extent);
      return;
    }
    refuse_kernel("operands." + operand,
                  fmt::format("the rank {} has {} places in {} and {} {}", rank, extent, operand,
                              known->second, given_.contains(rank) ? "by `sizes`" : "in " + other),
                  "operands agree on the extent of a rank");
  }
  [[nodiscard]] std::uint64_t of(const std::string& operand, const std::string& rank) const {
    const auto found = extents_.find(rank);
    if (found != extents_.end()) return found->second;
    refuse_kernel("sizes", fmt::format("how long the rank {} of {} is, is not said", rank, operand),
                  fmt::format("sizes: {{{}: 64}}", rank));
  }

 private:
  std::map<std::string, std::uint64_t> given_, extents_;
  std::map<std::string, std::pair<std::string, bool>> from_;
};

SparseTensor read_operand(const EinsumTerm& term, const std::string& source,
                          const std::function<void(double)>& progress) {
  SparseTensor tensor =
      is_tns(source) ? read_tns(source, progress) : tensor_of(make_matrix(source, progress));
  if (tensor.order() == term.ranks.size()) return tensor;
  refuse_kernel("operands." + term.name,
                fmt::format("{} has {} ranks, {} has {}", shortened(source), tensor.order(),
                            term.name, term.ranks.size()),
                "an equation that names each of its ranks");
}

/// Drawn as a matrix of its first rank by the others.
SparseTensor draw_operand(const EinsumTerm& term, const std::vector<std::uint64_t>& shape,
                          double density, std::uint64_t seed) {
  double places = 1, others = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    places *= static_cast<double>(shape[i]);
    if (i > 0) others *= static_cast<double>(shape[i]);
  }
  const bool too_long = std::max(others, static_cast<double>(shape.front())) >
                        static_cast<double>(limits::kMatrixExtent);
  if (too_long || places * density > static_cast<double>(kMostExplicitNonzeros)) {
    refuse_kernel(
        "operands." + term.name,
        fmt::format("{:.4g} places with {:.4g} nonzeros are not drawn", places, places * density),
        fmt::format("at most {} nonzeros", grouped(kMostExplicitNonzeros)));
  }
  const CsrMatrix matrix =
      make_matrix(fmt::format("uniform:rows={},cols={},density={},seed={}", shape.front(),
                              static_cast<std::uint64_t>(others), density, seed));
  SparseTensor tensor;
  tensor.shape = shape;
  for (Coordinate row = 0; row < matrix.rows; ++row) {
    for (Coordinate column : matrix.cols_of(row)) {
      const std::size_t first = tensor.coordinates.size();
      tensor.coordinates.resize(first + shape.size());
      tensor.coordinates[first] = row;
      for (std::size_t i = shape.size(); i-- > 1; column /= static_cast<Coordinate>(shape[i])) {
        tensor.coordinates[first + i] = column % static_cast<Coordinate>(shape[i]);
      }
    }
  }
  tensor.values = matrix.values;
  return tensor;
}

const std::string& source_of(const KernelSpec& spec, const std::string& name) {
  for (const auto& [operand, source] : spec.operands) {
    if (operand == name) return source;
  }
  std::vector<std::string> names;
  for (const auto& [operand, source] : spec.operands) names.push_back(operand);
  refuse_kernel("operands", fmt::format("what {} is, is not said", name), suggest(name, names));
}

/// Each operand and size is one of the equation's.
void check_names(const KernelSpec& spec, const std::vector<EinsumTerm>& terms) {
  std::vector<std::string> operands, ranks;
  for (std::size_t i = 1; i < terms.size(); ++i) {
    if (std::find(operands.begin(), operands.end(), terms[i].name) != operands.end()) {
      refuse_kernel("einsum", fmt::format("two operands are called {}", terms[i].name),
                    "a name for each; they may have one source");
    }
    operands.push_back(terms[i].name);
    ranks.insert(ranks.end(), terms[i].ranks.begin(), terms[i].ranks.end());
  }
  if (operands.size() < 2) {
    refuse_kernel("einsum", "one operand alone is no product", "Z[m,n] = A[m,k] * B[k,n]");
  }
  const auto known = [](const char* field, const auto& pairs,
                        const std::vector<std::string>& names) {
    for (const auto& [name, value] : pairs) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      refuse_kernel(field, fmt::format("the equation has no {}", shortened(name)),
                    suggest(name, names));
    }
  };
  known("operands", spec.operands, operands);
  known("sizes", spec.sizes, ranks);
}

/// Every rank with its extent, as make_einsum() checks them.
void check_equation(const KernelSpec& spec, const std::vector<EinsumTerm>& terms,
                    const Extents& extents) {
  std::vector<Rank> ranks;
  for (std::size_t i = 1; i < terms.size(); ++i) {
    for (const std::string& rank : terms[i].ranks) {
      const auto same = [&](const Rank& known) { return known.name == rank; };
      if (std::any_of(ranks.begin(), ranks.end(), same)) continue;
      ranks.push_back({rank, extents.of(terms[i].name, rank)});
    }
  }
  (void)make_einsum(spec.equation, ranks);
}

Kernel make_operands(const KernelSpec& spec, std::uint64_t seed,
                     const std::function<void(double)>& progress) {
  const std::vector<EinsumTerm> terms = einsum_terms(spec.equation);
  check_names(spec, terms);
  Extents extents(spec);
  Kernel kernel{terms.front().ranks, {}};
  for (std::size_t i = 1; i < terms.size(); ++i) {
    KernelOperand& operand = kernel.operands.emplace_back();
    operand.name = terms[i].name;
    operand.ranks = terms[i].ranks;
    const std::string source = pattern_of(source_of(spec, operand.name));
    operand.ones = source_of(spec, operand.name).starts_with(kOnes);
    if (is_drawn(source)) continue;
    operand.tensor = read_operand(terms[i], source, progress);
    for (std::size_t r = 0; r < operand.ranks.size(); ++r) {
      extents.meet(operand.name, operand.ranks[r], operand.tensor.shape[r], is_tns(source));
    }
  }
  check_equation(spec, terms, extents);
  for (std::size_t i = 1; i < terms.size(); ++i) {
    KernelOperand& operand = kernel.operands[i - 1];
    std::vector<std::uint64_t> shape;
    for (const std::string& rank : operand.ranks) shape.push_back(extents.of(operand.name, rank));
    const std::string source = pattern_of(source_of(spec, operand.name));
    if (is_drawn(source)) {
      operand.tensor = draw_operand(terms[i], shape, density_of(operand.name, source), seed + i);
    }
    operand.tensor.shape = shape;
  }
  return kernel;
}

std::string beside(const std::string& source, const fs::path& folder) {
  std::error_code ignored;
  if (source.starts_with(kOnes)) {
    return std::string(kOnes) + beside(pattern_of(source), folder);
  }
  if (is_drawn(source) || is_generated(source) || fs::path(source).is_absolute()) return source;
  const fs::path candidate = folder / source;
  return fs::exists(candidate, ignored) ? candidate.string() : source;
}

}  // namespace

KernelSpec read_kernel(const ConfigReader& config, const fs::path& folder) {
  KernelSpec spec;
  spec.equation = config.text("einsum");
  (void)einsum_terms(spec.equation, config.place("einsum"));
  const ConfigReader operands = config.mapping("operands"), sizes = config.mapping("sizes");
  for (const std::string& name : operands.keys()) {
    spec.operands.emplace_back(name, beside(operands.text(name), folder));
  }
  for (const std::string& rank : sizes.keys()) {
    spec.sizes.emplace_back(rank, sizes.integer(rank, {1, limits::kMatrixExtent}));
  }
  return spec;
}

void put_kernel(const KernelSpec& spec, ConfigTree& tree) {
  tree.put("einsum", spec.equation);
  for (const auto& [name, source] : spec.operands) {
    std::error_code ignored;
    const std::string what = pattern_of(source);
    const bool file = !is_drawn(what) && !is_generated(what) && fs::exists(what, ignored);
    const std::string ones(source.starts_with(kOnes) ? kOnes : "");
    tree.at_or_add("operands").put(name, ones + (file ? fs::absolute(what).string() : what));
  }
  for (const auto& [rank, extent] : spec.sizes) {
    tree.at_or_add("sizes").put(rank, fmt::format("{}", extent));
  }
}

std::string kernel_name(const KernelSpec& spec) {
  std::string name;
  for (const char c : spec.equation) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      name += c;
    } else if (!name.empty() && name.back() != '-' && c != ',' && c != ' ') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

std::vector<ProductWorkload> make_kernel(const KernelSpec& spec, const std::string& name,
                                         std::uint64_t seed, bool values,
                                         const std::function<void(double)>& progress) {
  LoweredKernel lowered = lower(make_operands(spec, seed, progress));
  std::vector<ProductWorkload> out;
  for (KernelSlice& slice : lowered.slices) {
    ProductWorkload& product = out.emplace_back();
    product.name = name;
    product.a = std::move(slice.a);
    product.b_transposed = std::move(slice.b_transposed);
    product.seed = seed;
    product.notes = lowered.notes;
    product.samples = std::move(slice.samples);
    if (!values) continue;
    if (product.samples && !product.samples->ones && !product.samples->places.has_values()) {
      fill_values(product.samples->places, seed, "S");
    }
    if (!product.a.has_values()) fill_values(product.a, seed, "A");
    if (!product.b_transposed.has_values()) fill_values(product.b_transposed, seed, "B");
  }
  for (const auto& [operand, given] : spec.operands) {
    const std::string source = pattern_of(given);
    if (is_drawn(source)) continue;
    const std::string file = is_tns(source) ? source : matrix_file(source);
    if (!file.empty()) out.front().inputs[file] = sha256_of(file);
  }
  return out;
}

}  // namespace lacuna
