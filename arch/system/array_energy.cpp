// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_energy.hpp"

#include <algorithm>

#include "arch/compute/arrays/arrays.hpp"

namespace lacuna {
namespace {

bool has_metadata(const FabricSpec& spec) {
  return spec.glb.metadata.count() > 0;
}

bool has_saf(const FabricSpec& spec) {
  const auto& e = spec.energy;
  return e.saf && e.rank1_select_pj + e.rank0_select_pj + e.vfmu_word_pj + e.compress_word_pj > 0;
}

/// Words of this machine in one access of the component.
double words_per_access(const FabricSpec& spec, const ComponentSet& set, std::string_view name) {
  const unsigned width = set.at(name).width_bits;
  return width == 0 ? 1.0 : static_cast<double>(width) / spec.word_bits;
}

/// A kind that the table does not have is the machine's fault, at its place.
ComponentEnergy priced_dram(const FabricSpec& spec, const EnergyTable& table) {
  if (table.dram_pj_per_bit.contains(spec.dram.kind)) {
    return dram_component(table, "dram", spec.dram.kind);
  }
  std::vector<std::string> known;
  for (const auto& [kind, energy] : table.dram_pj_per_bit) known.push_back(kind);
  throw InputError(spec.dram.kind_place,
                   fmt::format("the energy table {} has no kind of DRAM named '{}'", table.name,
                               shortened(spec.dram.kind)),
                   suggest(spec.dram.kind, known));
}

}  // namespace

ComponentSet fabric_components(const FabricSpec& spec, const EnergyTable& table) {
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  const std::uint64_t arrays = spec.clusters * spec.arrays.across_m * spec.arrays.across_n;
  set.components.push_back(priced_dram(spec, table));
  // Ports are the released designs'.
  const auto line = static_cast<unsigned>(spec.glb.line_words * spec.word_bits);
  const auto buffer = [&](const std::string& name, Bytes capacity, std::uint64_t slices,
                          const SramShape& ports, std::uint64_t count) {
    SramShape slice = ports;
    slice.capacity = Bytes(ceil_div(capacity.count(), slices));
    set.components.push_back(sram_component(table, name, slice, slices * count));
  };
  buffer("smem", spec.glb.capacity, spec.glb.slices, {{}, line, spec.glb.banks, 2}, spec.clusters);
  if (has_metadata(spec)) {
    buffer("smem_metadata", spec.glb.metadata, spec.glb.slices, {{}, 64, 1, 1}, spec.clusters);
  }
  if (spec.shared) {
    const auto width = static_cast<unsigned>(spec.shared->line_words * spec.word_bits);
    buffer(spec.shared->name, spec.shared->capacity, spec.shared->slices,
           {{}, width, spec.shared->banks, 2}, 1);
  }
  const auto registers = [&](const char* name, const OperandRegisters& r) {
    set.components.push_back(memory_component(table, name, r.depth, r.bits, r.count));
  };
  if (const auto sums = sum_registers(spec)) {
    registers("rf", *sums);
  } else {
    const Bytes rf = bytes_for(Bits(spec.arrays.rf_words * spec.word_bits));
    set.components.push_back(sram_component(table, "rf", {rf, spec.word_bits, 16, 2}, arrays));
  }
  registers("lrf", data_registers(spec));
  registers("lrf_metadata", metadata_registers(spec));
  set.components.push_back(
      mac_component(table, "mac", Precision::parse(spec.precision), spec.macs()));
  return set;
}

void add_saf_component(const FabricSpec& spec, ComponentSet& set) {
  if (!has_saf(spec)) return;
  ComponentEnergy saf;
  saf.name = "saf";
  saf.component_class = "logic";
  saf.standing = "as the machine states it";
  saf.actions = {{"rank1_select", Picojoules(spec.energy.rank1_select_pj)},
                 {"rank0_select", Picojoules(spec.energy.rank0_select_pj)},
                 {"vfmu_word", Picojoules(spec.energy.vfmu_word_pj)},
                 {"compress_word", Picojoules(spec.energy.compress_word_pj)}};
  set.components.push_back(std::move(saf));
}

NeededActions fabric_actions(const FabricSpec& spec) {
  NeededActions needed{{"dram", {"read", "write"}},
                       {"smem", {"read", "write"}},
                       {"rf", {"read", "write"}},
                       {"lrf", {"read"}},
                       {"mac", {"compute", "gated", "skipped"}}};
  if (has_metadata(spec)) {
    needed.push_back({"smem_metadata", {"read", "write"}});
    needed.push_back({"lrf_metadata", {"read"}});
  }
  if (spec.shared) needed.push_back({spec.shared->name, {"read", "write"}});
  return needed;
}

EnergyAccount account_fabric(const FabricSpec& spec, const ComponentSet& set,
                             const FabricCounts& counts) {
  EnergyAccount account(set);
  const auto put = [&account](std::string_view component, std::string_view action, double count) {
    if (count > 0) account.add(component, action, count);
  };
  // A component set in which metadata costs nothing at DRAM has actions of its own for it.
  const auto& dram_set = set.at("dram");
  const bool apart = dram_set.actions.count("metadata_read") > 0;
  const double dram = words_per_access(spec, set, "dram");
  const double read_metadata = counts.dram_a.metadata + counts.dram_b.metadata;
  const double filled_metadata = counts.fill_a.metadata + counts.fill_b.metadata;
  put("dram", "read", (counts.dram_a.data + counts.dram_b.data) / dram);
  put("dram", "write", counts.dram_z.data / dram);
  put("dram", apart ? "metadata_read" : "read", read_metadata / dram);
  put("dram", apart ? "metadata_write" : "write", counts.dram_z.metadata / dram);

  const double smem = words_per_access(spec, set, "smem");
  const double b_read = counts.glb_b_line_words > 0 ? counts.glb_b_line_words : counts.glb_b.data;
  put("smem", "read", (counts.glb_a.data + b_read + counts.psum_glb_reads) / smem);
  put("smem", "write",
      (counts.fill_a.data + counts.fill_b.data + counts.psum_glb_writes + counts.z_glb_writes) /
          smem);
  if (has_metadata(spec)) {
    const double metadata = words_per_access(spec, set, "smem_metadata");
    put("smem_metadata", "read", (counts.glb_a.metadata + counts.glb_b.metadata) / metadata);
    put("smem_metadata", "write", filled_metadata / metadata);
    put("lrf_metadata", "read", counts.lrf_metadata);
  } else {
    // No memory of its own: metadata lies with the data.
    put("smem", "read", (counts.glb_a.metadata + counts.glb_b.metadata) / smem);
    put("smem", "write", filled_metadata / smem);
    put("lrf", "read", counts.lrf_metadata);
  }
  if (spec.shared) {
    // Data and metadata lie together, and outputs on their way.
    const double line = words_per_access(spec, set, spec.shared->name);
    const double z = counts.shared_z.all();
    const double in = (spec.shared->a.share > 0 ? counts.dram_a.all() : 0) +
                      (spec.shared->b.share > 0 ? counts.dram_b.all() : 0);
    put(spec.shared->name, "read", (counts.shared_a.all() + counts.shared_b.all() + z) / line);
    put(spec.shared->name, "write", (in + z) / line);
  }
  put("rf", "read", counts.rf_reads);
  put("rf", "write", counts.rf_writes);
  put("lrf", "read", counts.lrf_data);  // reads and writes cost the same
  put("mac", "compute", counts.mac_compute);
  put("mac", "gated", counts.mac_gated);
  if (set.find("saf") != nullptr) {
    put("saf", "rank1_select", counts.rank1_selects);
    put("saf", "rank0_select", counts.rank0_selects);
    put("saf", "vfmu_word", counts.vfmu_words);
    put("saf", "compress_word", counts.compressed_words);
  }
  account.check();
  return account;
}

}  // namespace lacuna
