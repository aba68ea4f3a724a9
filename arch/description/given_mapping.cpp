// SPDX-License-Identifier: Apache-2.0
// Mappings of single products that a machine's file gives, instead of the mapper's.
#include <algorithm>

#include "arch/description/array_machine.hpp"

namespace lacuna::description {
namespace {

constexpr double kMost = 1e9;
constexpr std::uint64_t kMostTileEdge = 4096;

/// A tile of outputs must have the rows, columns and registers that one array has.
void check_mapping(const ConfigReader& config, const FabricSpec::Arrays& arrays,
                   const FabricMappingChoice& choice) {
  const bool inner = arrays.tiles.empty();  // tiles of outputs have the arrays' rows
  if (inner && choice.tile_rows > arrays.rows) {
    config.fail(
        "tile_rows",
        fmt::format("a tile of {} rows, one array has {}", choice.tile_rows, arrays.rows),
        "a tile larger than the arrays is several tiles: keep tile_rows at the array's rows");
  }
  if (inner && choice.tile_columns > arrays.columns) {
    config.fail("tile_columns",
                fmt::format("a tile of {} columns, the registers of one array hold partial sums of "
                            "{} rows x {} columns",
                            choice.tile_columns, arrays.rows, arrays.columns),
                "a wider tile of B that stays in the buffer is b_tile_columns");
  }
  if (!inner && (choice.tile_rows > kMostTileEdge || choice.tile_columns > kMostTileEdge)) {
    config.fail(choice.tile_rows > kMostTileEdge ? "tile_rows" : "tile_columns",
                fmt::format("a tile has at most {} rows and columns", kMostTileEdge));
  }
  const std::uint64_t psums = std::max<std::uint64_t>(1, choice.tile_rows) *
                              std::max<std::uint64_t>(1, choice.tile_columns);
  if (psums > arrays.rf_words) {
    config.fail("tile_rows",
                fmt::format("a tile of {} x {} needs {} partial sums, the registers "
                            "of one array hold {}",
                            choice.tile_rows, choice.tile_columns, psums, arrays.rf_words));
  }
  const std::uint64_t columns = choice.tile_columns * arrays.across_n;
  if (choice.b_tile_columns == 0 || columns == 0) return;
  if (choice.b_tile_columns % columns != 0) {
    config.fail("b_tile_columns",
                fmt::format("{} columns of B are no multiple of the {} columns of a tile ({} of "
                            "each of {} arrays)",
                            choice.b_tile_columns, columns, choice.tile_columns, arrays.across_n));
  }
  if (choice.outer == FabricOuter::a && choice.b_tile_columns != columns) {
    config.fail("b_tile_columns",
                fmt::format("with `outer: A` columns of B pass, {} at a time; no tile of {} stays",
                            columns, choice.b_tile_columns),
                "leave b_tile_columns out, or let B be outer");
  }
}

/// What stays in the buffer must agree with the order of the loops.
void check_what_stays(const ConfigReader& config, const FabricSpec& machine,
                      const FabricMappingChoice& choice) {
  const bool a_outer = choice.outer == FabricOuter::a;
  if (a_outer && choice.stays != FabricStays::free) {
    config.fail("stays", "with `outer: A` a tile of A stays", "leave it out, or let B be outer");
  }
  if (!a_outer && choice.a_tile_rows > 0) {
    config.fail("a_tile_rows", "rows of A that stay while B passes", "add outer: A");
  }
  const std::uint64_t rows = std::max<std::uint64_t>(1, choice.tile_rows * machine.arrays.across_m);
  if (choice.a_tile_rows > 0 && (choice.tile_rows == 0 || choice.a_tile_rows % rows != 0)) {
    config.fail("a_tile_rows",
                fmt::format("{} rows of A in groups of {} (tile_rows of each of {} arrays)",
                            choice.a_tile_rows, rows, machine.arrays.across_m),
                "a multiple, beside tile_rows");
  }
  if (choice.stays == FabricStays::none && choice.b_tile_columns > 0) {
    config.fail("b_tile_columns", "nothing stays", "leave it out, or `stays: B`");
  }
  if (machine.tiling.strategy != TilingStrategy::dense_shape) return;
  for (const char* key : {"b_room", "a_room"}) {
    if (!config.has(key)) continue;
    config.fail(key, "tiles of this machine are sized as if every position were a nonzero",
                "leave it out");
  }
}

}  // namespace

FabricMappingChoice read_mapping(const ConfigReader& config, const FabricSpec& machine) {
  const FabricSpec::Arrays& arrays = machine.arrays;
  FabricMappingChoice choice;
  choice.m = config.integer("m", {1, kMost});
  choice.n = config.integer("n", {1, kMost});
  choice.k = config.integer("k", {1, kMost});
  choice.a_density_from = config.number("a_density_from", {0, 1}, 0.0);
  choice.a_density_to = config.number("a_density_to", {0, 1}, 1.0);
  choice.tile_rows = config.integer("tile_rows", {0, kMost}, 0);
  choice.tile_columns = config.integer("tile_columns", {0, kMost}, 0);
  choice.b_tile_columns = config.integer("b_tile_columns", {0, kMost}, 0);
  if (config.has("outer")) {  // left out: the mapper's choice, which has no name
    choice.outer = config.choice<FabricOuter>(
        "outer", {{"B", FabricOuter::b}, {"A", FabricOuter::a}}, FabricOuter::b);
  }
  choice.a_tile_rows = config.integer("a_tile_rows", {0, kMost}, 0);
  choice.stays = config.choice<FabricStays>("stays",
                                            {{"free", FabricStays::free},
                                             {"B", FabricStays::b},
                                             {"both", FabricStays::both},
                                             {"none", FabricStays::none}},
                                            FabricStays::free);
  choice.b_room = config.bytes("b_room", Bytes(0));
  choice.a_room = config.bytes("a_room", Bytes(0));
  choice.passing = config.integer("passing", {0, 2}, 0);
  check_mapping(config, arrays, choice);
  check_what_stays(config, machine, choice);
  return choice;
}

}  // namespace lacuna::description
