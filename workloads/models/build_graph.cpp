// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/build_graph.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "workloads/models/graph_builder.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"

namespace lacuna {
namespace {

[[noreturn]] void bad_step(const char* field, const std::string& problem) {
  throw InputError(Place{{}, 0, field}, problem);
}

/// The counts of a layer, checked against the model and the step.
std::span<const std::uint32_t> counts_of(const GraphBuilder& builder, std::uint32_t layer) {
  if (!builder.step.tokens_per_expert || !builder.spec.layers[layer].moe) return {};
  const auto counts = builder.step.tokens_per_expert(layer);
  if (counts.empty()) return {};
  const RoutingRule& rule = builder.spec.moe.routing;
  if (counts.size() != rule.experts) {
    bad_step("tokens_per_expert", fmt::format("layer {} has counts for {} experts, the model {}",
                                              layer, counts.size(), rule.experts));
  }
  const std::uint64_t sum = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (sum > builder.tokens * rule.experts_per_token) {
    bad_step("tokens_per_expert",
             fmt::format("layer {} routes {} assignments, but {} tokens make {} at most", layer,
                         sum, builder.tokens, builder.tokens * rule.experts_per_token));
  }
  const std::uint32_t most = *std::max_element(counts.begin(), counts.end());
  if (most > builder.tokens) {
    bad_step("tokens_per_expert",
             fmt::format("layer {} gives one expert {} of {} tokens", layer, most, builder.tokens));
  }
  return counts;
}

/// Layers that execute the same operations on the same shapes.
struct LayerGroup {
  LayerSpec kind;
  std::span<const std::uint32_t> counts;
  std::span<const double> zeros;
  std::span<const sparsity::HeadLines> lines;
  std::vector<std::uint32_t> layers;
};

template <class Item>
bool alike(std::span<const Item> a, std::span<const Item> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::vector<LayerGroup> group_layers(const GraphBuilder& builder, LayerRange range) {
  std::vector<LayerGroup> groups;
  for (std::uint32_t layer = range.first; layer <= range.last; ++layer) {
    const LayerSpec& kind = builder.spec.layers[layer];
    const auto counts = counts_of(builder, layer);
    std::span<const double> zeros;
    std::span<const sparsity::HeadLines> lines;
    if (builder.step.activation_zeros) zeros = builder.step.activation_zeros(layer);
    if (builder.step.attention_lines && kind.window == 0) {
      lines = builder.step.attention_lines(layer);
    }
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const LayerGroup& g) {
      return g.kind == kind && alike(g.counts, counts) && alike(g.zeros, zeros) &&
             alike(g.lines, lines);
    });
    if (same != groups.end()) {
      same->layers.push_back(layer);
    } else {
      groups.push_back({kind, counts, zeros, lines, {layer}});
    }
  }
  return groups;
}

std::string block_name(const LayerGroup& group) {
  std::string name = group.kind.moe ? "MoE layer" : "dense layer";
  if (group.kind.window != 0) name += fmt::format(", window {}", group.kind.window);
  const std::uint32_t first = group.layers.front();
  const std::uint32_t last = group.layers.back();
  if (first == last) return name + fmt::format(" {}", first);
  const bool gapless = last - first + 1 == group.layers.size();
  return name + fmt::format(" {}{}{}", first, gapless ? "-" : "..", last);
}

OperationId add_embedding(GraphBuilder& builder) {
  builder.open_block("embedding", {});
  const std::uint64_t elements = checked_product({builder.tokens, builder.spec.hidden});
  return builder.vector("embedding", Role::kEmbedding, OperationKind::kLookup, 0, elements, {},
                        elements);
}

void add_head(GraphBuilder& builder, OperationId in) {
  builder.open_block("head", {});
  const std::uint64_t h = builder.spec.hidden;
  const std::uint64_t rows = builder.step.last_token_logits ? builder.sequences : builder.tokens;
  const OperationId norm = builder.vector("final_norm", Role::kHeadVector, OperationKind::kNorm,
                                          rows * h, rows * h, {in}, h);
  (void)builder.linear("head", Role::kHead, rows, h, builder.spec.vocabulary,
                       builder.spec.precision.plain, {norm});
}

/// Which projection of a table an operation is; the up-projections of latents have no counterpart.
std::optional<sparsity::Projection> projection_of(Role role) {
  using sparsity::Projection;
  switch (role) {
    case Role::kQuery:
    case Role::kQueryDown:
      return Projection::kQuery;
    case Role::kKey:
    case Role::kLatentDown:
      return Projection::kKey;
    case Role::kValue:
      return Projection::kValue;
    case Role::kOutput:
      return Projection::kOutput;
    case Role::kDenseGate:
    case Role::kSharedGate:
    case Role::kExpertGate:
      return Projection::kGate;
    case Role::kDenseUp:
    case Role::kSharedUp:
    case Role::kExpertUp:
      return Projection::kUp;
    case Role::kDenseDown:
    case Role::kSharedDown:
    case Role::kExpertDown:
      return Projection::kDown;
    default:
      return std::nullopt;
  }
}

void mark_zeros(GraphBuilder& builder, OperationId begin, std::span<const double> zeros) {
  if (zeros.empty()) return;
  LACUNA_CHECK(zeros.size() == sparsity::kProjections, "zeros of {} projections", zeros.size());
  for (OperationId v = begin; v < boost::num_vertices(builder.graph); ++v) {
    Operation& op = builder.at(v);
    const auto projection = projection_of(op.role);
    if (!projection || !op.einsum) continue;
    op.einsum->operands[1].density = 1 - zeros[static_cast<std::size_t>(*projection)];
  }
}

/// Bounds every element, byte and FLOP count of the step before any is computed: the widest rows of
/// a layer, for all tokens and cached keys, at 64 bits, over all layers.
void check_size(const ModelSpec& spec, const Step& step, std::uint64_t queries) {
  const MoeLayer& moe = spec.moe;
  const std::uint64_t routed =
      moe.routing.experts_per_token * std::max(spec.hidden, 2 * moe.expert_width);
  std::uint64_t attended = 0;
  if (const GroupedQueryAttention* g = spec.grouped()) attended = 2 * g->heads * g->head_dim;
  if (const LatentAttention* a = spec.latent()) {
    attended = a->heads * (2 * a->kv_rank + a->nope_dim + a->rope_dim + a->value_dim);
  }
  const std::uint64_t widest = std::max({routed, attended, 3 * spec.dense_width, spec.vocabulary});
  (void)checked_product({step.batch, step.context, widest, 64, spec.layers.size()});
  (void)checked_product({step.batch, queries, step.context, attended, 2, spec.layers.size()});
}

}  // namespace

std::uint64_t checked_new_tokens(const ModelSpec& spec, const Step& step) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (step.batch < 1 || step.batch > kMost) bad_step("batch", "expected at least one sequence");
  if (step.context < 1 || step.context > kMost) {
    bad_step("context", "expected from 1 to 2^32 - 1 tokens");
  }
  std::uint64_t tokens = step.new_tokens;
  if (tokens == 0) tokens = step.phase == Phase::kDecode ? 1 : step.context;
  if (tokens > step.context) {
    bad_step("new_tokens", fmt::format("{} new tokens do not fit a context of {}, which counts "
                                       "them",
                                       tokens, step.context));
  }
  if (tokens * step.batch > kMost) {
    bad_step("batch", fmt::format("{} sequences of {} new tokens are more than 2^32 tokens",
                                  step.batch, tokens));
  }
  if (step.layers &&
      (step.layers->first > step.layers->last || step.layers->last >= spec.layers.size())) {
    bad_step("layers", fmt::format("{}-{} is no range of the {} layers, counted from 0",
                                   step.layers->first, step.layers->last, spec.layers.size()));
  }
  check_size(spec, step, tokens);
  return tokens;
}

LatentForm form_of(const ModelSpec& spec, const Step& step) {
  const LatentAttention* a = spec.latent();
  if (a == nullptr || step.form == AttentionForm::kAbsorbed) return LatentForm::kAbsorbed;
  if (step.form == AttentionForm::kNaive) return LatentForm::kNaive;
  const std::uint64_t queries = checked_new_tokens(spec, step);
  const std::uint64_t topk = a->indexer ? a->indexer->topk : 0;
  const std::uint64_t expanded = step.expanded_cache ? queries : step.context;
  const auto flops = [&](LatentForm form, std::uint64_t limit, std::uint64_t up_tokens) {
    const auto up = static_cast<double>(2 * a->kv_rank * a->heads * (a->nope_dim + a->value_dim));
    return static_cast<double>(causal_pairs(queries, step.context, limit)) *
               static_cast<double>(pair_flops(spec, form)) +
           static_cast<double>(up_tokens) * up;
  };
  const double naive = flops(LatentForm::kNaive, 0, expanded);
  return naive < flops(LatentForm::kAbsorbed, topk, queries) ? LatentForm::kNaive
                                                             : LatentForm::kAbsorbed;
}

OperationGraph build_graph(const ModelSpec& spec, const Step& step) {
  GraphBuilder builder(spec, step);
  LACUNA_CHECK(!spec.layers.empty(), "{} has no layers", spec.name);
  Stream stream;
  if (!step.layers) stream = add_embedding(builder);
  const LayerRange all{0, static_cast<std::uint32_t>(spec.layers.size() - 1)};
  for (const LayerGroup& group : group_layers(builder, step.layers.value_or(all))) {
    builder.open_block(block_name(group), group.layers);
    builder.lines = group.lines;
    const OperationId begin = boost::num_vertices(builder.graph);
    const OperationId attended = add_attention(builder, stream, group.kind.window);
    stream = group.kind.moe ? add_moe(builder, attended, group.counts)
                            : add_dense_ffn(builder, attended);
    mark_zeros(builder, begin, group.zeros);
  }
  if (!step.layers) add_head(builder, *stream);
  check_operations(builder.graph);
  return std::move(builder.graph);
}

}  // namespace lacuna
