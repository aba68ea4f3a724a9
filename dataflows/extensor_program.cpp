// SPDX-License-Identifier: Apache-2.0
#include "dataflows/extensor_program.hpp"

#include <algorithm>

#include "arch/program/stored_bytes.hpp"
#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

struct InListOrder {
  bool operator()(const Microtile& tile, Coordinate n1) const { return tile.inner_block < n1; }
  bool operator()(Coordinate n1, const Microtile& tile) const { return n1 < tile.inner_block; }
};

std::uint64_t share_of(Bytes capacity, double share) {
  return static_cast<std::uint64_t>(share * static_cast<double>(capacity.count()));
}

}  // namespace

ProductOperands::ProductOperands(CsrMatrix a_matrix, CsrMatrix b_matrix_transposed,
                                 const MicrotileSpec& shape, const OutputSamples* sampled_by)
    : a(std::move(a_matrix)),
      b_transposed(std::move(b_matrix_transposed)),
      a_grid(a, {shape.m0, shape.k0}),
      b_grid(b_transposed, {shape.n0, shape.k0}),
      samples(sampled_by) {}

ExtensorProgram::ExtensorProgram(const ProductOperands& operands, const MachineSpec& machine,
                                 LoopTiles tiles)
    : operands_(operands),
      machine_(machine),
      tiles_(tiles),
      stored_a_(operands.a_grid, machine.formats, machine.dram.burst),
      a_share_(share_of(machine.llb.capacity, machine.llb.shares.a)),
      b_share_(share_of(machine.llb.capacity, machine.llb.shares.b)),
      b_has_k1_(operands.b_grid.inner_blocks()) {
  LACUNA_CHECK(tiles.m1 > 0 && tiles.k1 > 0 && tiles.n1 > 0, "tile of {} x {} x {}", tiles.m1,
               tiles.k1, tiles.n1);
  const PebBudget peb{machine.peb.capacity.count(), machine.formats.z_nonzero_bytes};
  const auto& [a, b, a_grid, b_grid, sampled_by] = operands;
  if (sampled_by == nullptr) {
    occupancy_.emplace(a, b, a_grid, b_grid, peb);
    return;
  }
  samples_.emplace(*sampled_by, machine.microtile, machine);
  sampled_occupancy_.emplace(a, b, a_grid, b_grid, *samples_, peb);
  s_has_n1_.assign(b_grid.outer_blocks(), 0);
  for (const Microtile& tile : samples_->grid().all()) s_has_n1_[tile.inner_block] = 1;
}

bool ExtensorProgram::next_stripe() {
  const auto& grid = operands_.b_grid;
  while (std::uint64_t{n2_} * tiles_.n1 < grid.outer_blocks()) {
    const auto first = static_cast<Coordinate>(n2_ * tiles_.n1);
    const auto last =
        static_cast<Coordinate>(std::min<std::uint64_t>(grid.outer_blocks(), first + tiles_.n1));
    std::fill(b_has_k1_.begin(), b_has_k1_.end(), 0);
    bool any = false;
    for (Coordinate n1 = first; n1 < last; ++n1) {
      if (samples_ && s_has_n1_[n1] == 0) continue;
      for (const Microtile& tile : grid.list(n1)) {
        b_has_k1_[tile.inner_block] = 1;
        any = true;
      }
    }
    if (any) {
      const StripeGeometry stripe{first, last, static_cast<Coordinate>(tiles_.k1)};
      stripe_rows_ = samples_ ? &sampled_occupancy_->stripe(stripe) : &occupancy_->stripe(stripe);
      // The K2 intersection stops when either list ends.
      const auto a_end = std::find_if(stripe_rows_->rbegin(), stripe_rows_->rend(),
                                      [](const auto& rows) { return !rows.empty(); });
      const auto b_last = std::find(b_has_k1_.rbegin(), b_has_k1_.rend(), 1);
      const auto a_blocks = static_cast<std::uint64_t>(stripe_rows_->rend() - a_end);
      const auto b_blocks =
          ceil_div(static_cast<std::uint64_t>(b_has_k1_.rend() - b_last), tiles_.k1);
      k2_end_ = static_cast<Coordinate>(std::min(a_blocks, b_blocks));
      lay_out_stripe();
      return true;
    }
    ++n2_;
  }
  return false;
}

/// Z is stored stripe by stripe, row by row.
void ExtensorProgram::lay_out_stripe() {
  stored_a_.rewind();
  z_before_stripe_ += z_of_stripe_;
  z_of_stripe_ = 0;
  z_before_row_.assign(operands_.a_grid.outer_blocks(), 0);
  z_of_row_.assign(operands_.a_grid.outer_blocks(), 0);
  for (const auto& rows : *stripe_rows_) {
    for (const RowOccupancy& row : rows) z_before_row_[row.m1] += row.added;
  }
  for (auto& row : z_before_row_) z_of_stripe_ += std::exchange(row, z_of_stripe_);
}

/// The K2 intersection works by skip-ahead like the others (arch/intersect/fiber_intersect.hpp).
void ExtensorProgram::step_k2(bool a_has, bool b_has) {
  if (!a_has && !b_has) return;
  const int side = a_has && b_has ? 0 : a_has ? 1 : 2;
  if (side == 0 || side != k2_side_) ++k2_tries_;
  k2_side_ = side;
}

std::shared_ptr<StationaryTile> ExtensorProgram::make_stationary() const {
  const auto& grid = operands_.b_grid;
  const OperandFormat& format = machine_.formats.b;
  auto tile = std::make_shared<StationaryTile>();
  tile->n2 = n2_;
  tile->k2 = k2_;
  tile->k1_first = static_cast<Coordinate>(k2_ * tiles_.k1);
  tile->k1_last = static_cast<Coordinate>(
      std::min<std::uint64_t>(grid.inner_blocks(), tile->k1_first + tiles_.k1));
  const auto first = static_cast<Coordinate>(n2_ * tiles_.n1);
  const auto last = std::min<std::uint64_t>(grid.outer_blocks(), first + tiles_.n1);
  for (Coordinate n1 = first; n1 < last; ++n1) {
    const auto list = grid.list(n1, tile->k1_first, tile->k1_last);
    if (list.empty() || (samples_ && s_has_n1_[n1] == 0)) continue;
    tile->columns.push_back({n1, list, tile->ends.size()});
    tile->bytes += list_bytes(list.size(), format);
    for (const Microtile& microtile : list) {
      tile->bytes += stored_bytes(microtile, format, machine_.dram.burst);
      tile->ends.push_back(tile->bytes);
    }
  }
  if (format.padded && !tile->columns.empty()) {  // the N1 list comes before everything else
    const std::uint64_t list = list_bytes(tile->columns.size(), format);
    tile->bytes += list;
    for (auto& end : tile->ends) end += list;
  }
  return tile;
}

bool ExtensorProgram::next_stationary() {
  while (true) {
    if (!stripe_loaded_) {
      if (!next_stripe()) return false;
      stripe_loaded_ = true;
      k2_ = 0;
      k2_side_ = 0;
    }
    for (; k2_ < k2_end_; ++k2_) {
      const bool a_has = !(*stripe_rows_)[k2_].empty();
      const auto tile = make_stationary();
      tile->address = b_stored_;
      b_stored_ += tile->bytes;
      step_k2(a_has, !tile->columns.empty());
      if (!a_has || tile->columns.empty()) continue;
      tile->id = next_id_++;
      ++totals_.stationary_tiles;
      if (tile->bytes > b_share_) ++totals_.overbooked_tiles;
      totals_.stationary_fill +=
          std::min(1.0, static_cast<double>(tile->bytes) /
                            static_cast<double>(std::max<std::uint64_t>(b_share_, 1)));
      stationary_ = tile;
      next_row_ = 0;
      return true;
    }
    stripe_loaded_ = false;
    ++n2_;
  }
}

bool ExtensorProgram::next(PassInstruction& pass) {
  pass.loads_stationary = false;
  pass.k2_tries = 0;
  if (!stationary_) {
    if (!next_stationary()) return false;
    pass.loads_stationary = true;
    pass.k2_tries = std::exchange(k2_tries_, 0);
  }
  const auto& rows = (*stripe_rows_)[k2_];
  pass.stationary = stationary_;
  pass.m2 = static_cast<Coordinate>(rows[next_row_].m1 / tiles_.m1);
  pass.rows.clear();
  pass.a_segments.clear();
  for (; next_row_ < rows.size() && rows[next_row_].m1 / tiles_.m1 == pass.m2; ++next_row_) {
    fill_row(rows[next_row_], pass);
  }
  ++totals_.passes;
  totals_.rows += pass.rows.size();
  pass.last_of_stationary = next_row_ == rows.size();
  if (pass.last_of_stationary) {
    stationary_.reset();
    ++k2_;
  }
  return true;
}

void ExtensorProgram::fill_row(const RowOccupancy& occupancy, PassInstruction& pass) {
  RowInstruction& row = pass.rows.emplace_back();
  row.m1 = occupancy.m1;
  row.tiles = operands_.a_grid.list(row.m1, stationary_->k1_first, stationary_->k1_last);
  row.a_first = pass.a_segments.size();
  if (samples_) fill_samples(row);
  row.a_bytes =
      stored_a_.load(row.m1, row.tiles, samples_ ? takes_part_ : b_has_k1_, pass.a_segments);
  row.a_end = pass.a_segments.size();
  if (row.a_bytes > a_share_) row.a_walks = walked_columns(row);
  const std::uint64_t z = machine_.formats.z_nonzero_bytes;
  row.z_address = (z_before_stripe_ + z_before_row_[row.m1]) * z;
  row.z_final_address =
      row.z_address + std::exchange(z_of_row_[row.m1], z_of_row_[row.m1] + occupancy.added) * z;
  row.z_read_bytes = occupancy.before * z;
  // What returned leaves again; by the end each nonzero has left for good exactly once.
  row.z_partial_bytes = occupancy.before * z;
  row.z_final_bytes = occupancy.added * z;
  row.z_peb_spill_bytes = 2 * occupancy.peb_excess;
  row.multiplies = occupancy.multiplies;
  row.z_added = occupancy.added;
  totals_.multiplies += occupancy.multiplies;
  totals_.z_nonzeros += occupancy.added;
  if (machine_.strict) check_fits(row);
}

void ExtensorProgram::fill_samples(RowInstruction& row) {
  const std::vector<ColumnList>& columns = stationary_->columns;
  // `fill_row` goes through the rows of the K2 block in their order.
  const auto complete = sampled_occupancy_->complete(k2_, next_row_);
  row.s_complete.assign(complete.begin(), complete.end());
  const auto first = static_cast<Coordinate>(n2_ * tiles_.n1);
  const auto last = static_cast<Coordinate>(
      std::min<std::uint64_t>(operands_.b_grid.outer_blocks(), first + tiles_.n1));
  row.s_tiles = samples_->grid().list(row.m1, first, last);
  takes_part_.assign(b_has_k1_.size(), 0);
  auto column = columns.begin();
  for (const Microtile& tile : row.s_tiles) {
    while (column != columns.end() && column->n1 < tile.inner_block) ++column;
    if (column == columns.end()) break;
    if (column->n1 != tile.inner_block) continue;
    const std::uint64_t bytes = samples_->bytes(tile);
    row.s_segments.push_back({Tensor::s, samples_->address(tile), bytes, 0});
    row.s_bytes += bytes;
    for (const Microtile& of_b : column->tiles) takes_part_[of_b.inner_block] = 1;
  }
}

std::uint64_t ExtensorProgram::walked_columns(const RowInstruction& row) const {
  const auto tiles = row.tiles;
  std::uint64_t walked = 0;
  for (const ColumnList& column : stationary_->columns) {
    if (samples_ &&
        !std::binary_search(row.s_tiles.begin(), row.s_tiles.end(), column.n1, InListOrder{})) {
      continue;
    }
    std::size_t i = 0, j = 0;
    while (i < tiles.size() && j < column.tiles.size() &&
           tiles[i].inner_block != column.tiles[j].inner_block) {
      tiles[i].inner_block < column.tiles[j].inner_block ? ++i : ++j;
    }
    if (i < tiles.size() && j < column.tiles.size()) ++walked;
  }
  return walked;
}

void ExtensorProgram::check_fits(const RowInstruction& row) const {
  if (row.z_peb_spill_bytes > 0) {
    throw InputError(
        fmt::format("{}: buffers.peb.capacity is {}, but Z microtiles of block row {} against the "
                    "tile (n2 {}, k2 {}) need {} more",
                    machine_.name, to_text(machine_.peb.capacity), row.m1, stationary_->n2,
                    stationary_->k2, human_bytes(static_cast<double>(row.z_peb_spill_bytes) / 2)),
        "enlarge it, use a smaller microtile, or set buffers.strict to false");
  }
  if (stationary_->bytes > b_share_ && machine_.llb.policy == BufferPolicy::buffet) {
    throw InputError(fmt::format("{}: the tile of B (n2 {}, k2 {}) needs {}, but its share of "
                                 "buffers.llb.capacity is {}",
                                 machine_.name, stationary_->n2, stationary_->k2,
                                 human_bytes(static_cast<double>(stationary_->bytes)),
                                 human_bytes(static_cast<double>(b_share_))),
                     "enlarge the buffer or its share, use smaller tiles or the tailors policy");
  }
}

}  // namespace lacuna
