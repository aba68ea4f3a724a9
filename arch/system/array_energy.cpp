// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_energy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arch/compute/arrays/arrays.hpp"
#include "arch/energy/buffer_price.hpp"
#include "arch/energy/network_price.hpp"
#include "arch/system/array_units.hpp"

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

double bytes_per_cycle(const FabricSpec& spec, double words) {
  return words > 0 ? words * spec.word_bytes() : std::numeric_limits<double>::infinity();
}

/// A kind that the table does not have is the machine's fault, at its place.
ComponentEnergy priced_dram(const FabricSpec& spec, const EnergyTable& table) {
  if (table.dram.contains(spec.dram.kind)) {
    const double words = spec.dram.read_words + (spec.dram.shared ? 0 : spec.dram.write_words);
    return dram_component(table, "dram", spec.dram.kind, 64,
                          words * spec.word_bytes() * spec.clock.count() * 1e-9);
  }
  std::vector<std::string> known;
  for (const auto& [kind, price] : table.dram) known.push_back(kind);
  throw InputError(spec.dram.kind_place,
                   fmt::format("the energy table {} has no kind of DRAM named '{}'", table.name,
                               shortened(spec.dram.kind)),
                   suggest(spec.dram.kind, known));
}

/// Memories of data: the buffers of the clusters, and the level that they share.
void add_buffers(const FabricSpec& spec, const EnergyTable& table, double clock_ns,
                 ComponentSet& set) {
  const auto buffer = [&](const std::string& name, BufferShape shape, const LevelPrice& price,
                          std::uint64_t count) {
    // Ports are the released designs' where the machine does not say.
    shape.whole.ports = price.ports.value_or(shape.whole.ports);
    shape.wire_mm = price.wire_mm;
    set.components.push_back(buffer_component(table, name, shape, clock_ns, count));
  };
  const auto bits = [&](std::uint64_t words) {
    return static_cast<unsigned>(words * spec.word_bits);
  };
  const std::size_t own = spec.shared ? 1 : 0;
  buffer("smem",
         {{spec.glb.capacity, bits(spec.glb.line_words), spec.glb.banks, SramPorts::rw2},
          spec.glb.slices,
          bytes_per_cycle(spec, spec.glb.words_per_cycle),
          bytes_per_cycle(spec, spec.glb.write_words_per_cycle),
          {}},
         spec.prices.level(own), spec.clusters);
  if (has_metadata(spec)) {
    buffer("smem_metadata", {{spec.glb.metadata, 64, 1, SramPorts::rw1}, spec.glb.slices, 0, 0, {}},
           {}, spec.clusters);
  }
  if (!spec.shared) return;
  const FabricSharedLevel& level = *spec.shared;
  buffer(level.name,
         {{level.capacity, bits(level.line_words), level.banks, SramPorts::rw2},
          level.slices,
          bytes_per_cycle(spec, level.read_words),
          bytes_per_cycle(spec, level.write_words),
          {}},
         spec.prices.level(0), 1);
}

/// What moves data between memory, buffers and arrays; its wires are as long as the rest is large.
void add_links(const FabricSpec& spec, const EnergyTable& table, double clock_ns,
               ComponentSet& set) {
  const double whole_mm = link_length_mm(set);
  const double of_cluster = whole_mm / std::sqrt(static_cast<double>(spec.clusters));
  const std::size_t own = spec.shared ? 1 : 0;
  const auto add = [&](const char* name, std::size_t level, LinkShape shape, std::uint64_t count) {
    shape.length_mm = spec.prices.level(level).link_mm.value_or(shape.length_mm);
    set.components.push_back(link_component(table, name, shape, clock_ns, count));
  };
  const double written = spec.dram.shared ? 0 : spec.dram.write_words;
  add("link_memory", 0, {(spec.dram.read_words + written) * spec.word_bytes(), 1, 0, whole_mm}, 1);
  const auto both = [&](double read, double write) {
    return bytes_per_cycle(spec, read) + bytes_per_cycle(spec, write);
  };
  if (spec.shared) {
    add("link_shared", 1,
        {both(spec.shared->read_words, spec.shared->write_words), spec.clusters,
         spec.shared->latency.count(), whole_mm},
        1);
  }
  add("link_arrays", own + 1,
      {both(spec.glb.words_per_cycle, spec.glb.write_words_per_cycle),
       spec.arrays.across_m * spec.arrays.across_n, spec.glb.latency.count(), of_cluster},
      spec.clusters);
}

}  // namespace

ComponentSet fabric_components(const FabricSpec& spec, const EnergyTable& given) {
  EnergyTable table = given;
  if (!spec.prices.cells.empty()) table.sram.cells = spec.prices.cells;
  const double clock_ns = 1e9 / spec.clock.count();
  ComponentSet set;
  set.name = table.name;
  set.node_nm = table.node_nm;
  const std::uint64_t arrays = spec.clusters * spec.arrays.across_m * spec.arrays.across_n;
  set.components.push_back(priced_dram(spec, table));
  add_buffers(spec, table, clock_ns, set);
  const auto registers = [&](const char* name, const OperandRegisters& r) {
    set.components.push_back(memory_component(table, name, r.depth, r.bits, r.count, clock_ns));
  };
  if (const auto sums = sum_registers(spec)) {
    registers("rf", *sums);
  } else {
    const Bytes rf = bytes_for(Bits(spec.arrays.rf_words * spec.word_bits));
    set.components.push_back(
        sram_component(table, "rf", {rf, spec.word_bits, kSumBanks, SramPorts::rw2}, arrays));
  }
  registers("lrf", data_registers(spec));
  registers("lrf_metadata", metadata_registers(spec));
  set.components.push_back(
      mac_component(table, "mac", Precision::parse(spec.precision), spec.macs(), {}, clock_ns));
  for (ComponentEnergy& unit : array_units(spec, table, clock_ns)) {
    set.components.push_back(std::move(unit));
  }
  add_links(spec, table, clock_ns, set);
  return set;
}

void add_saf_component(const FabricSpec& spec, ComponentSet& set) {
  if (!has_saf(spec)) return;
  ComponentEnergy saf;
  saf.name = "saf";
  saf.component_class = "logic";
  saf.standing = "as the machine states it";
  saf.source = "energies of selecting, fetching and packing in the machine's file";
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
  const double byte = spec.word_bytes();
  const auto move = [&](const char* link, double words) {
    if (set.find(link) != nullptr) put(link, "byte", words * byte);
  };
  move("link_memory", counts.dram_a.all() + counts.dram_b.all() + counts.dram_z.all());
  move("link_shared", counts.shared_a.all() + counts.shared_b.all() + counts.shared_z.all());
  // Outputs on their way to memory cross it too.
  move("link_arrays", counts.glb_a.all() + b_read + counts.glb_b.metadata + counts.psum_glb_reads +
                          counts.psum_glb_writes + counts.z_glb_writes + counts.dram_z.all());
  if (set.find("scatter") != nullptr) put("scatter", "word", counts.rf_writes);
  account.check();
  return account;
}

}  // namespace lacuna
