// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/graph_builder.hpp"

#include "base/error.hpp"

namespace lacuna {

GraphBuilder::GraphBuilder(const ModelSpec& the_spec, const Step& the_step)
    : spec(the_spec),
      step(the_step),
      sequences(the_step.batch),
      queries(checked_new_tokens(the_spec, the_step)),
      context(the_step.context),
      tokens(sequences * queries),
      value_bits(the_spec.precision.plain.activation_bits),
      form(form_of(the_spec, the_step)) {
  GraphInfo& info = graph[boost::graph_bundle];
  info.name = spec.name;
  if (!step.layers) info.phase = name_of(step.phase);
  info.sequences = sequences;
  info.tokens = tokens;
}

void GraphBuilder::open_block(std::string name, std::vector<std::uint32_t> layers) {
  graph[boost::graph_bundle].blocks.push_back({std::move(name), std::move(layers)});
}

Bytes GraphBuilder::plain_bytes(std::uint64_t elements) const {
  return bytes_for(Bits(checked_product({elements, spec.precision.plain.bits})));
}

Bytes GraphBuilder::value_bytes(std::uint64_t elements) const {
  return bytes_for(Bits(checked_product({elements, value_bits})));
}

OperationId GraphBuilder::add(Operation operation, Inputs inputs) {
  operation.block = static_cast<std::uint32_t>(graph[boost::graph_bundle].blocks.size() - 1);
  // Not add_vertex(operation, graph): its search for a name trips GCC's -Wmaybe-uninitialized.
  const OperationId id = boost::add_vertex(graph);
  graph[id] = std::move(operation);
  std::uint32_t operand = 0;
  for (const OperationId input : inputs) connect(input, id, ++operand);
  return id;
}

OperationId GraphBuilder::einsum(std::string name, Role role, Einsum einsum, Inputs inputs,
                                 std::uint64_t vector_weights) {
  Operation op;
  op.name = std::move(name);
  op.role = role;
  op.kind = OperationKind::kEinsum;
  op.activation_write_bytes = total_bytes(einsum, 0);
  for (std::size_t i = 1; i < einsum.operands.size(); ++i) {
    const EinsumOperand& operand = einsum.operands[i];
    if (operand.resident) continue;
    const Bytes bytes = total_bytes(einsum, i);
    switch (operand.kind) {
      case OperandKind::kWeight:
        op.weight_elements += total_elements(einsum, i);
        op.weight_bytes += bytes;
        break;
      case OperandKind::kActivation:
        op.activation_read_bytes += bytes;
        break;
      case OperandKind::kCache:
        op.cache_read_bytes += bytes;
        break;
      case OperandKind::kIndex:
        op.index_bytes += bytes;
        break;
    }
  }
  op.weight_elements += vector_weights;
  op.weight_bytes += plain_bytes(vector_weights);
  op.einsum = std::move(einsum);
  return add(std::move(op), inputs);
}

void GraphBuilder::make_weight(Einsum& einsum, std::size_t index, const WeightFormat& format,
                               std::uint64_t out, std::uint64_t in) {
  EinsumOperand& operand = einsum.operands.at(index);
  operand.kind = OperandKind::kWeight;
  operand.bits = format.bits;
  operand.scale_bits = format.scale_size(out, in);
}

void GraphBuilder::match_activation(EinsumOperand& operand, const WeightFormat& format,
                                    std::uint64_t rows, std::uint64_t in) {
  operand.bits = format.activation_bits;
  if (format.activation_block == 0) return;
  operand.scale_bits =
      Bits(checked_product({rows, ceil_div(in, format.activation_block), format.scale_bits}));
}

OperationId GraphBuilder::linear(std::string name, Role role, std::uint64_t rows, std::uint64_t in,
                                 std::uint64_t out, const WeightFormat& format, Inputs inputs,
                                 bool bias) {
  Einsum product = make_einsum("Z[m,n] = A[m,k] * B[k,n]", {{"m", rows}, {"k", in}, {"n", out}});
  product.operands[0].bits = value_bits;
  match_activation(product.operands[1], format, rows, in);
  make_weight(product, 2, format, out, in);
  return einsum(std::move(name), role, std::move(product), inputs, bias ? out : 0);
}

OperationId GraphBuilder::vector(std::string name, Role role, OperationKind kind,
                                 std::uint64_t elements_read, std::uint64_t elements_written,
                                 Inputs inputs, std::uint64_t weights) {
  Operation op;
  op.name = std::move(name);
  op.role = role;
  op.kind = kind;
  op.activation_read_bytes = value_bytes(elements_read);
  op.activation_write_bytes = value_bytes(elements_written);
  op.weight_elements = weights;
  op.weight_bytes = plain_bytes(weights);
  return add(std::move(op), inputs);
}

}  // namespace lacuna
