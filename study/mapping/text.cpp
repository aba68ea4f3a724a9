// SPDX-License-Identifier: Apache-2.0
#include "study/mapping/text.hpp"

#include <fmt/format.h>

#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

std::string bytes_text(double bytes) {
  return human_bytes(bytes);
}

std::uint64_t tile_of(const FabricMapping& m) {
  return m.a_outer ? m.tile_rows : m.b_resident ? m.tile_columns : 0;
}

const char* what_stays(const FabricMapping& m) {
  if (m.a_outer) return "a tile of A";
  if (!m.b_resident) return "nothing";
  return m.a_whole ? "a tile of B and all of A" : "a tile of B";
}

/// The candidate that differs in a larger tile alone and does not fit: the one that needs least.
const FabricMapping* next_larger(const MapSearch& search, const FabricMapping& mapping) {
  const FabricMapping* next = nullptr;
  for (const FabricMapping& m : search.misfits) {
    if (m.array_rows != mapping.array_rows || m.array_columns != mapping.array_columns) continue;
    if (m.a_outer != mapping.a_outer || m.a_whole != mapping.a_whole) continue;
    if (m.b_resident != mapping.b_resident || tile_of(m) <= tile_of(mapping)) continue;
    if (next == nullptr || tile_of(m) < tile_of(*next)) next = &m;
  }
  return next;
}

const char* busiest_block(const FabricMapping& mapping) {
  switch (mapping.estimate.limiter) {
    case Limiter::memory_reads:
      return "reads of memory";
    case Limiter::memory_writes:
      return "writes to memory";
    default:
      return "the arrays or the buffer's port";
  }
}

}  // namespace

std::string loop_nest(const FabricSpec& machine, const FabricMapping& mapping,
                      const FabricShape& shape) {
  std::string out;
  std::size_t depth = 0;
  const auto loop = [&](const char* rank, std::uint64_t times, const std::string& remark) {
    out += fmt::format("{:>{}}for {} in {}{}\n", "", 2 * depth++, rank, times,
                       remark.empty() ? "" : "    # " + remark);
  };
  const std::uint64_t row_groups = ceil_div(shape.m, mapping.rows);
  const std::uint64_t column_groups = ceil_div(shape.n, mapping.columns);
  if (mapping.a_outer) {
    loop("M2", ceil_div(shape.m, mapping.tile_rows),
         fmt::format("{} rows of A stay, {}", mapping.tile_rows, bytes_text(mapping.a_need)));
    loop("N1", column_groups, "B passes, once for each M2");
    loop("M1", std::min(row_groups, mapping.tile_rows / mapping.rows), "");
  } else if (mapping.b_resident) {
    loop("N2", ceil_div(shape.n, mapping.tile_columns),
         fmt::format("{} columns of B stay, {}", mapping.tile_columns, bytes_text(mapping.b_need)));
    loop("M1", row_groups,
         mapping.a_whole ? "all of A stays, " + bytes_text(mapping.a_need)
                         : "A passes, once for each N2");
    loop("N1", std::min(column_groups, mapping.tile_columns / mapping.columns), "");
  } else {
    loop("M1", row_groups, "nothing stays");
    loop("N1", column_groups, "A and B pass, again for each tile of outputs");
  }
  loop("K", shape.k, "partial sums stay in the arrays");
  out += fmt::format("{:>{}}in space: M0 {} x {} arrays, N0 {} x {} arrays\n", "", 2 * depth,
                     mapping.array_rows, machine.arrays.across_m, mapping.array_columns,
                     machine.arrays.across_n);
  return out;
}

std::string what_bounds(const FabricSpec& machine, const MapSearch& search,
                        const FabricMapping& mapping) {
  const std::string buffer = fmt::format("the buffer has {}", bytes_text(search.room));
  const double taken = mapping.a_need + mapping.b_need;
  std::string out = fmt::format("{} of A and {} of B; {}", bytes_text(mapping.a_need),
                                bytes_text(mapping.b_need), buffer);
  if (const FabricMapping* next = next_larger(search, mapping); next != nullptr) {
    out +=
        fmt::format(", a tile of {} {} would need {}", tile_of(*next),
                    mapping.a_outer ? "rows" : "columns", bytes_text(next->a_need + next->b_need));
  } else if (tile_of(mapping) >= (mapping.a_outer ? search.shape.m : search.shape.n)) {
    out += ", the tile is the whole operand";
  } else if (taken < search.room) {
    out += ", a larger tile would fit";
  }
  return out + fmt::format("\nbusiest by estimate: {} of {}", busiest_block(mapping), machine.name);
}

std::string in_short(const FabricMapping& mapping) {
  std::string out = fmt::format("{} stays", what_stays(mapping));
  if (tile_of(mapping) > 0) {
    out += fmt::format(" ({} {})", tile_of(mapping), mapping.a_outer ? "rows" : "columns");
  }
  return out + fmt::format(", {} x {} outputs an array", mapping.array_rows, mapping.array_columns);
}

ConfigTree to_config(const FabricMappingChoice& choice) {
  ConfigTree tree;
  const auto put = [&](const char* key, std::uint64_t value) {
    if (value > 0) tree.put(key, fmt::format("{}", value));
  };
  put("m", choice.m);
  put("n", choice.n);
  put("k", choice.k);
  put("tile_rows", choice.tile_rows);
  put("tile_columns", choice.tile_columns);
  put("b_tile_columns", choice.b_tile_columns);
  put("a_tile_rows", choice.a_tile_rows);
  if (choice.outer != FabricOuter::free) {
    tree.put("outer", choice.outer == FabricOuter::a ? "A" : "B");
  }
  if (choice.stays != FabricStays::free) {
    const char* const names[] = {"free", "B", "both", "none"};
    tree.put("stays", names[static_cast<std::size_t>(choice.stays)]);
  }
  if (choice.b_room > Bytes(0)) tree.put("b_room", fmt::format("{} B", choice.b_room.count()));
  if (choice.a_room > Bytes(0)) tree.put("a_room", fmt::format("{} B", choice.a_room.count()));
  put("passing", choice.passing);
  return tree;
}

}  // namespace lacuna
