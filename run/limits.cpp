// SPDX-License-Identifier: Apache-2.0
#include "run/limits.hpp"

#include <algorithm>
#include <cmath>

#include "base/whole.hpp"

namespace lacuna {
namespace {

double stored_width(const OperandFormat& format) {
  return format.padded ? 8 : real(format.nonzero_bytes);
}

void check(const std::string& machine, const CheapestActions& cheapest, const LeastTraffic& least,
           const RunResult& result) {
  const auto& dram = result.statistics.traffic.at("dram");
  check_traffic(machine, least, dram);
  std::uint64_t bytes = 0;
  for (const auto& [tensor, moved] : dram) bytes += moved.read_bytes + moved.write_bytes;
  check_energy(machine, cheapest, result.statistics.macs_effectual, bytes,
               result.energy.total_picojoules);
}

}  // namespace

LeastTraffic least_traffic(const MachineSpec& machine, const ProductOperands& operands) {
  if (operands.samples != nullptr) {
    const SampledCounts touched =
        sampled_counts(operands.a, operands.b_transposed, *operands.samples);
    return {{"A", real(touched.a_touched) * stored_width(machine.formats.a)},
            {"B", real(touched.b_touched) * stored_width(machine.formats.b)},
            {"S", real(touched.outputs)},  // a byte of coordinates at least
            {"Z", real(touched.outputs) * real(machine.formats.z_nonzero_bytes)}};
  }
  std::vector<std::uint64_t> of_a(operands.a.cols, 0), of_b(operands.a.cols, 0);
  for (const Coordinate k : operands.a.columns) ++of_a[k];
  for (const Coordinate k : operands.b_transposed.columns) ++of_b[k];
  std::uint64_t a = 0, b = 0, z = 0;
  for (std::size_t k = 0; k < of_a.size(); ++k) {
    if (of_a[k] == 0 || of_b[k] == 0) continue;
    a += of_a[k];
    b += of_b[k];
    z = std::max(z, of_a[k] * of_b[k]);  // one K step reaches each of its places once
  }
  return {{"A", real(a) * stored_width(machine.formats.a)},
          {"B", real(b) * stored_width(machine.formats.b)},
          {"Z", real(z) * real(machine.formats.z_nonzero_bytes)}};
}

LeastTraffic least_traffic(const FabricSpec& machine, const std::vector<FabricInstance>& products) {
  const bool a_whole = machine.a.storage == FabricStorage::uncompressed &&
                       machine.a.unstructured_storage == FabricStorage::uncompressed;
  const bool b_whole = machine.b.storage == FabricStorage::uncompressed;
  LeastTraffic least;
  for (const FabricInstance& product : products) {
    const GemmOperands& ops = *product.operands;
    const double a = real(a_whole ? ops.m() * ops.k() : ops.a_touched());
    const double b = real(b_whole ? ops.n() * ops.k() : ops.b_touched());
    const double z = real(machine.compress_outputs ? ops.z_least() : ops.m() * ops.n());
    // Each product moves whole bytes.
    const auto bytes = [&](double words) {
      return std::floor(words * machine.word_bytes()) * real(product.times);
    };
    if (!product.a.on_chip) least["A"] += bytes(a * product.a.width);
    if (!product.b.on_chip) least["B"] += bytes(b * product.b.width * product.b_footprint);
    if (!product.z_on_chip)
      least["Z"] += bytes(z * (product.z_width > 0 ? product.z_width : machine.z_width));
  }
  return least;
}

InMemory in_memory(const LeastTraffic& least) {
  InMemory out;
  for (const auto& [tensor, bytes] : least) {
    (tensor == "A" ? out.a : out.rest) += whole_down(bytes);
  }
  return out;
}

LeastTraffic least_traffic(const RowwiseSpec& machine, const CsrMatrix& leader,
                           const CsrMatrix& follower) {
  std::vector<std::uint64_t> named(follower.rows, 0);
  for (const Coordinate k : leader.columns) ++named[k];
  std::uint64_t of_leader = 0, of_follower = 0, z = 0;
  for (Coordinate k = 0; k < follower.rows; ++k) {
    const std::uint64_t fiber = follower.offsets[k + 1] - follower.offsets[k];
    if (named[k] == 0 || fiber == 0) continue;
    of_leader += named[k];
    of_follower += fiber;
    z = std::max(z, named[k] * fiber);
  }
  const auto bytes = [](std::uint64_t nonzeros, const FiberFormat& format) {
    return real(nonzeros) * real(format.nonzero_bits()) / 8;
  };
  return {{machine.leader_is_b ? "B" : "A", bytes(of_leader, machine.leader())},
          {machine.leader_is_b ? "A" : "B", bytes(of_follower, machine.follower())},
          {"Z", bytes(z, machine.z)}};
}

LeastTraffic least_traffic(const RowwiseSpec& machine, const SampledCounts& touched) {
  const auto bytes = [](std::uint64_t nonzeros, std::uint64_t bits) {
    return real(nonzeros) * real(bits) / 8;
  };
  const std::uint64_t leader = touched.a_touched, follower = touched.b_touched;
  return {{machine.leader_is_b ? "B" : "A", bytes(leader, machine.leader().nonzero_bits())},
          {machine.leader_is_b ? "A" : "B", bytes(follower, machine.follower().nonzero_bits())},
          {"S", bytes(touched.outputs, machine.z.coordinate_bits)},
          {"Z", bytes(touched.outputs, machine.z.nonzero_bits())}};
}

void check_run_limits(const RowwiseSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, const RunResult& result) {
  check(machine.name, cheapest_actions(components, "multiplier"), least, result);
}

void check_run_limits(const MachineSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, const RunResult& result) {
  check(machine.name, cheapest_actions(components, "multiplier"), least, result);
}

void check_run_limits(const FabricSpec& machine, const ComponentSet& components,
                      const LeastTraffic& least, ArrayTime time, const RunResult& result) {
  check(machine.name, cheapest_actions(components, "mac"), least, result);
  if (time == ArrayTime::left_out) return;  // the step that it is part of is compared
  const MachineStatistics& s = result.statistics;
  // Multiplies of the operands, against time and against what the arrays were given.
  check_limits(limits_of(machine), s.meters, s.macs_effectual, s.cycles);
}

void check_sum_limits(const MachineSpec& machine, const RunResult& total) {
  const MachineStatistics& s = total.statistics;
  check_limits(limits_of(machine), s.meters, s.macs_effectual, s.cycles);
}

void check_sum_limits(const FabricSpec& machine, const RunResult& total) {
  const MachineStatistics& s = total.statistics;
  check_limits(limits_of(machine), s.meters, s.macs_effectual, s.cycles);
}

}  // namespace lacuna
