// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/low_rank.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/quantity_text.hpp"
#include "workloads/models/graph_builder.hpp"

namespace lacuna {
namespace {

/// What a rule may call a part.
constexpr std::array<std::pair<std::string_view, Part>, 4> kParts{
    {{"attention", Part::kAttentionProjections},
     {"ffn", Part::kDenseFfn},
     {"experts", Part::kRoutedExperts},
     {"shared", Part::kSharedExperts}}};

[[noreturn]] void bad_rank(const std::string& problem, const std::string& suggestion) {
  throw InputError(Place{"", 0, "low_rank"}, problem, suggestion);
}

std::map<std::string, std::uint64_t> parse_rules(const std::string& text) {
  std::map<std::string, std::uint64_t> rules;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, comma - begin);
    begin = comma + 1;
    const auto colon = item.find(':');
    const auto rank =
        colon == std::string::npos ? std::nullopt : parse_integer(item.substr(colon + 1));
    if (!rank || *rank == 0 || *rank > (1U << 20)) {
      bad_rank(fmt::format("'{}': expected WHAT:RANK", item), "write experts:512 or o_proj:1024");
    }
    if (!rules.emplace(item.substr(0, colon), *rank).second) {
      bad_rank(fmt::format("'{}' is given twice", item.substr(0, colon)), "give each once");
    }
  }
  return rules;
}

/// Positions of the reduced rank and of the weight's own in an einsum that can be split.
struct WeightRanks {
  std::size_t in, out;
};
std::optional<WeightRanks> weight_ranks(const Operation& op) {
  if (!op.einsum || op.einsum->operands.size() != 3) return std::nullopt;
  const Einsum& einsum = *op.einsum;
  if (einsum.operands[2].kind != OperandKind::kWeight || einsum.ranks.size() != 3) {
    return std::nullopt;
  }
  if (einsum.batch != 1 && einsum.rows_per_instance.empty()) return std::nullopt;  // per head
  const auto& z = einsum.operands[0].ranks;
  WeightRanks out{};
  for (const std::uint32_t rank : einsum.operands[2].ranks) {
    (std::find(z.begin(), z.end(), rank) == z.end() ? out.in : out.out) = rank;
  }
  return out;
}

class Rewriter {
 public:
  Rewriter(const OperationGraph& graph, const ModelSpec& model, const std::string& rules)
      : from_(graph), model_(model), rules_(parse_rules(rules)) {}

  Factorized run() {
    to_[boost::graph_bundle] = info_of(from_);
    const auto count = boost::num_vertices(from_);
    for (OperationId v = 0; v < count; ++v) {
      const std::uint64_t rank = rank_of(from_[v]);
      first_.push_back(boost::num_vertices(to_));
      if (rank == 0) {
        put(from_[v]);
      } else {
        split(from_[v], rank);
      }
      last_.push_back(boost::num_vertices(to_) - 1);
      connect(v);
    }
    for (const auto& [what, rank] : rules_) {
      if (used_.count(what) == 0) {
        bad_rank(fmt::format("'{}' is no weight that the step multiplies with", what),
                 "expected attention, ffn, experts, shared, or an operation like o_proj");
      }
    }
    check_operations(to_);
    return {std::move(to_), notes()};
  }

 private:
  /// 0: stays as it is.
  std::uint64_t rank_of(const Operation& op) {
    const auto ranks = weight_ranks(op);
    if (!ranks) return 0;
    auto rule = rules_.find(op.name);
    for (const auto& [name, part] : kParts) {
      if (rule == rules_.end() && part_of(op.role) == part) rule = rules_.find(std::string(name));
    }
    if (rule == rules_.end()) return 0;
    used_.insert(rule->first);
    const std::uint64_t in = op.einsum->ranks[ranks->in].size;
    const std::uint64_t out = op.einsum->ranks[ranks->out].size;
    const std::uint64_t times = info_of(from_).blocks[op.block].repeat();
    before_ += op.weight_elements * times;
    if (rule->second * (in + out) < in * out) return rule->second;
    after_ += op.weight_elements * times;
    larger_.insert(op.name);
    return 0;
  }

  OperationId put(Operation op) {
    const OperationId id = boost::add_vertex(to_);
    to_[id] = std::move(op);
    return id;
  }

  void connect(OperationId v) {
    for (const auto e : boost::make_iterator_range(boost::in_edges(v, from_))) {
      const OperationId producer = boost::source(e, from_);
      LACUNA_CHECK(producer < v, "{} comes before what it reads", from_[v].name);
      boost::add_edge(last_[producer], first_[v], from_[e], to_);
    }
  }

  [[nodiscard]] const WeightFormat& format_of(const Operation& op) const {
    const ModelPrecision& p = model_.precision;
    const Part part = part_of(op.role);
    if (part == Part::kRoutedExperts) return p.experts;
    if (part == Part::kAttentionProjections) return p.attention;
    return part == Part::kDenseFfn || part == Part::kSharedExperts ? p.ffn : p.plain;
  }

  void split(const Operation& op, std::uint64_t rank) {
    const WeightRanks ranks = *weight_ranks(op);
    const WeightFormat& format = format_of(op);
    const std::uint64_t in = op.einsum->ranks[ranks.in].size;
    const std::uint64_t out = op.einsum->ranks[ranks.out].size;
    const bool grouped = !op.einsum->rows_per_instance.empty();
    const std::uint64_t bias =
        grouped ? (model_.moe.expert_bias ? out : 0) : op.weight_elements - in * out;
    // Experts that are touched, an expectation when they are not counted.
    const double touched =
        static_cast<double>(op.weight_elements) / static_cast<double>(in * out + bias);

    Operation v = op, u = op;
    v.name += "_v";
    u.name += "_u";
    v.einsum->ranks[ranks.out].size = rank;
    u.einsum->ranks[ranks.in].size = rank;
    v.einsum->macs = dense_macs(*v.einsum);
    u.einsum->macs = dense_macs(*u.einsum);
    GraphBuilder::make_weight(*v.einsum, 2, format, rank, in);
    GraphBuilder::make_weight(*u.einsum, 2, format, out, rank);
    weigh(v, touched, format, 0);
    weigh(u, touched, format, bias);
    u.einsum->operands[1].density = 1;  // zeros of the input do not pass the first factor
    u.einsum->operands[1].scale_bits = Bits(0);
    v.activation_write_bytes = total_bytes(*v.einsum, 0);
    if (grouped) {
      u.activation_read_bytes = total_bytes(*u.einsum, 1);
      if (format.activation_block != 0) {
        const std::uint64_t scales = ceil_div(rank, format.activation_block) * format.scale_bits;
        const std::uint64_t rows = total_elements(*u.einsum, 1) / rank;
        u.activation_read_bytes += bytes_for(Bits(rows * scales));
      }
    } else {
      GraphBuilder::match_activation(u.einsum->operands[1], format, u.einsum->ranks[0].size, rank);
      u.activation_read_bytes = total_bytes(*u.einsum, 1);
    }
    const std::uint64_t times = info_of(from_).blocks[op.block].repeat();
    after_ += (v.weight_elements + u.weight_elements) * times;
    const OperationId first = put(std::move(v));
    const OperationId second = put(std::move(u));
    lacuna::connect(to_, first, second, 1);
  }

  void weigh(Operation& op, double touched, const WeightFormat& format, std::uint64_t bias) const {
    const EinsumOperand& weight = op.einsum->operands[2];
    const std::uint64_t elements = instance_elements(*op.einsum, 2);
    const double bits = static_cast<double>(elements * format.bits + weight.scale_bits.count() +
                                            bias * model_.precision.plain.bits);
    const auto times = [touched](double x) {
      return static_cast<std::uint64_t>(std::llround(touched * x));
    };
    op.weight_elements = times(static_cast<double>(elements + bias));
    op.weight_bytes = Bytes(times(bits / 8));
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> out{
        fmt::format("low rank: {} elements of touched weights became {}", before_, after_)};
    if (!larger_.empty()) {
      out.push_back(fmt::format("low rank: {} stay as they are, the factors would be no smaller",
                                fmt::join(larger_, ", ")));
    }
    return out;
  }

  const OperationGraph& from_;
  const ModelSpec& model_;
  std::map<std::string, std::uint64_t> rules_;
  OperationGraph to_;
  std::vector<OperationId> first_, last_;  // in to_, by vertex of from_
  std::set<std::string> used_, larger_;
  std::uint64_t before_ = 0, after_ = 0;
};

}  // namespace

Factorized factorize(const OperationGraph& graph, const ModelSpec& model,
                     const std::string& rules) {
  return Rewriter(graph, model, rules).run();
}

}  // namespace lacuna
