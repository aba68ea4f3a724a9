// SPDX-License-Identifier: Apache-2.0
// What the kinds of attention share when they are turned into operations.
#pragma once

#include "workloads/models/graph_builder.hpp"

namespace lacuna {

inline constexpr std::uint32_t kScoreBits = 32;  // softmax runs in fp32

/// Gives an einsum over ranks `s` (the new tokens) and `t` (keys) its causal mask and the
/// multiply-adds that remain: `per_pair` for each pair of each instance.
void mask_causally(Einsum& einsum, const GraphBuilder& b, std::uint64_t limit,
                   std::uint64_t per_pair);

/// The same where every head has an instance of its own (`heads` for each sequence): heads keep
/// the builder's lines when it has any.
void mask_heads(Einsum& einsum, const GraphBuilder& b, std::uint64_t heads, std::uint64_t per_pair);

/// Makes an operand a read of the cache; `scales` are those of one instance.
void make_cache(EinsumOperand& operand, std::uint32_t bits, Bits scales = Bits(0));

OperationId add_cache_append(GraphBuilder& b, const char* name, Role role,
                             std::uint64_t bits_per_token, std::uint64_t elements_read,
                             GraphBuilder::Inputs inputs);

/// Softmax over `elements` scores, with `sinks` learned logits.
OperationId add_softmax(GraphBuilder& b, GraphBuilder::Inputs scores, std::uint64_t elements,
                        std::uint64_t sinks = 0);

/// MHA, GQA, MQA with their projections, up to the context of each head.
OperationId add_grouped_query(GraphBuilder& b, const GroupedQueryAttention& a, OperationId norm,
                              std::uint64_t window);
/// MLA in the builder's form, with its indexer when it has one, up to the context of each head.
OperationId add_latent(GraphBuilder& b, const LatentAttention& a, OperationId norm);

}  // namespace lacuna
