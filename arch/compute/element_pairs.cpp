// SPDX-License-Identifier: Apache-2.0
#include "arch/compute/element_pairs.hpp"

#include <algorithm>

#include "arch/intersect/list_intersect.hpp"

namespace lacuna {
namespace {

constexpr std::uint64_t kMostCells = std::uint64_t{1} << 26;  // 600 MB

std::uint64_t lines(std::uint64_t entries_of_32_bits) {
  return (entries_of_32_bits + 1) / 2;
}

}  // namespace

ElementPairs::ElementPairs(const TileProgram& program, IntersectKind kind, Bytes peb_line)
    : program_(program),
      kind_(kind),
      peb_line_(peb_line.count()),
      a_shape_(program.a().shape()),
      b_shape_(program.b().shape()),
      stride_(std::min(b_shape_.outer, program.b_matrix_transposed().rows)),
      a_(program.a().inner_blocks()),
      b_(program.b().inner_blocks()),
      s_(program.samples() != nullptr ? program.samples()->grid().inner_blocks() : 0) {
  // A microtile can be far larger than the tensor; an accumulator that is not must still fit.
  const std::uint64_t cells =
      std::uint64_t{std::min(a_shape_.outer, program.a_matrix().rows)} * stride_;
  if (cells > kMostCells) {
    throw InputError(fmt::format("a Z microtile of {} x {} is too large to carry values",
                                 a_shape_.outer, stride_),
                     "make tiling.microtile.m0 or n0 smaller, or run without --check");
  }
  accumulator_.resize(static_cast<std::size_t>(cells));
  present_.resize(accumulator_.size());
  LACUNA_CHECK(program.a_matrix().has_values() && program.b_matrix_transposed().has_values(),
               "the element fidelity needs values");
}

void ElementPairs::begin_tile(const StationaryTile& tile) {
  b_.resize(tile.ends.size());
  for (const ColumnList& column : tile.columns) {
    b_.expand(program_.b_matrix_transposed(), b_shape_, column.n1, column.tiles,
              column.first_offset);
  }
}

void ElementPairs::begin_row(const RowInstruction& row) {
  a_.resize(row.tiles.size());
  a_.expand(program_.a_matrix(), a_shape_, row.m1, row.tiles, 0);
  const SampledTiles* const samples = program_.samples();
  if (samples == nullptr) return;
  s_.resize(row.s_tiles.size());
  s_.expand(samples->places(), samples->grid().shape(), row.m1, row.s_tiles, 0);
}

void ElementPairs::begin_z(Coordinate m1, Coordinate n1) {
  z_key_ = (std::uint64_t{m1} << 32) | n1;
  const auto found = z_.find(z_key_);
  if (found == z_.end()) return;
  for (const Cell& cell : found->second) {
    accumulator_[cell.at] = cell.value;
    present_[cell.at] = 1;
    touched_.push_back(cell.at);
  }
  counts_.z_before += found->second.size();
}

void ElementPairs::end_z(bool complete) {
  if (touched_.empty()) return;
  std::vector<Cell>& cells = z_[z_key_];
  counts_.z_added += touched_.size() - cells.size();
  cells.resize(touched_.size());
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const std::uint32_t at = touched_[i];
    cells[i] = {at, accumulator_[at]};
    present_[at] = 0;
    accumulator_[at] = 0;
  }
  touched_.clear();
  if (complete) scale(cells);
}

void ElementPairs::scale(std::vector<Cell>& cells) {
  const CsrMatrix& places = program_.samples()->places();
  const auto m1 = static_cast<Coordinate>(z_key_ >> 32), n1 = static_cast<Coordinate>(z_key_);
  for (Cell& cell : cells) {
    const Coordinate m = m1 * a_shape_.outer + cell.at / stride_;
    const auto row = places.cols_of(m);
    const auto at =
        std::lower_bound(row.begin(), row.end(), n1 * b_shape_.outer + cell.at % stride_);
    cell.value *= places.values_of(m)[static_cast<std::size_t>(at - row.begin())];
  }
  counts_.scaled += cells.size();
}

std::uint64_t ElementPairs::run(std::size_t a_index, std::size_t b_index, std::size_t s_index,
                                std::uint64_t scaled) {
  const auto a_fibers = a_[a_index];
  const auto b_fibers = b_[b_index];
  const bool samples = program_.samples() != nullptr;
  const auto s_fibers = samples ? s_[s_index] : std::span<const MicrotileFiber>{};
  // The pair moves to the PE: coordinates, pointers and values in words of 64 bits.
  std::uint64_t a_lines = 2 * lines(a_fibers.size()), b_lines = 2 * lines(b_fibers.size());
  std::uint64_t s_lines = 2 * lines(s_fibers.size());
  std::uint64_t a_entries = 0, b_entries = 0;
  for (const MicrotileFiber& fiber : a_fibers) {
    a_lines += lines(fiber.end - fiber.begin) + (fiber.end - fiber.begin);
    a_entries += fiber.end - fiber.begin;
  }
  first_of_b_.clear();
  for (const MicrotileFiber& fiber : b_fibers) {
    b_lines += lines(fiber.end - fiber.begin) + (fiber.end - fiber.begin);
    first_of_b_.push_back(b_entries);
    b_entries += fiber.end - fiber.begin;
  }
  for (const MicrotileFiber& fiber : s_fibers) {  // values only where outputs are complete
    s_lines += lines(fiber.end - fiber.begin) + (scaled > 0 ? fiber.end - fiber.begin : 0);
  }
  counts_.peb_fills += ceil_div(8 * a_lines, peb_line_) + ceil_div(8 * b_lines, peb_line_) +
                       ceil_div(8 * s_lines, peb_line_);
  Buffet a_buffer(a_entries), b_buffer(b_entries);
  for (std::uint64_t i = 0; i < a_entries; ++i) a_buffer.fill();
  for (std::uint64_t i = 0; i < b_entries; ++i) b_buffer.fill();
  const std::uint64_t before = counts_.tries + counts_.place_tries;
  std::uint64_t a_first = 0;
  steps_.clear();
  std::uint64_t arrived = 8 * (b_lines + s_lines);
  SortedIntersect<MicrotileFiber, MicrotileFiber> rows(kind_, s_fibers, a_fibers);
  std::size_t next = samples && rows.next() ? rows.b_index() : a_fibers.size();
  std::uint64_t walked = 0;  // of the tries of `rows`
  for (std::size_t i = 0; i < a_fibers.size(); ++i) {
    const MicrotileFiber& a = a_fibers[i];
    const std::uint64_t tries_before = counts_.tries + counts_.place_tries;
    const std::uint64_t length = a.end - a.begin;
    // Its coordinate and pointer, its coordinates, its values.
    arrived += 8 + 8 * (lines(length) + length);
    if (!samples) run_row(a, b_fibers, nullptr, a_buffer, b_buffer, a_first);
    if (i == next) {
      run_row(a, b_fibers, &rows.a(), a_buffer, b_buffer, a_first);
      counts_.place_tries += rows.tries() - std::exchange(walked, rows.tries());
      next = rows.next() ? rows.b_index() : a_fibers.size();
    }
    a_first += length;
    if (i + 1 == a_fibers.size()) counts_.place_tries += rows.tries() - walked;
    steps_.push_back({std::min(arrived, 8 * (a_lines + b_lines + s_lines)),
                      counts_.tries + counts_.place_tries - tries_before});
  }
  steps_.back().busy += scaled;
  counts_.peb_reads += a_buffer.reads() + b_buffer.reads();
  a_buffer.shrink(a_entries);
  b_buffer.shrink(b_entries);
  return counts_.tries + counts_.place_tries - before;
}

void ElementPairs::run_row(const MicrotileFiber& a, std::span<const MicrotileFiber> b,
                           const MicrotileFiber* places, Buffet& a_buffer, Buffet& b_buffer,
                           std::uint64_t a_first) {
  ++counts_.m0;
  const auto meet = [&](std::size_t i) {
    ++counts_.n0;
    intersect(a, b[i], std::size_t{a.outer} * stride_ + b[i].outer, a_buffer, b_buffer, a_first,
              first_of_b_[i]);
  };
  if (places == nullptr) {
    for (std::size_t i = 0; i < b.size(); ++i) meet(i);
    return;
  }
  columns_.clear();
  const CsrMatrix& s = program_.samples()->places();
  for (std::uint64_t i = places->begin; i < places->end; ++i) {
    columns_.push_back(s.columns[i] % b_shape_.outer);
  }
  SortedIntersect<Coordinate, MicrotileFiber> columns(kind_, columns_, b);
  while (columns.next()) meet(columns.b_index());
  counts_.place_tries += columns.tries();
}

void ElementPairs::intersect(const MicrotileFiber& a, const MicrotileFiber& b, std::size_t cell,
                             Buffet& a_buffer, Buffet& b_buffer, std::uint64_t a_first,
                             std::uint64_t b_first) {
  const CsrMatrix& am = program_.a_matrix();
  const CsrMatrix& bm = program_.b_matrix_transposed();
  std::uint64_t i = a.begin, j = b.begin;
  int side = 0;
  while (i < a.end && j < b.end) {
    const Coordinate x = am.columns[i];
    const Coordinate y = bm.columns[j];
    const int now = x == y ? 0 : x < y ? 1 : 2;
    if (now == 0 || now != side || kind_ == IntersectKind::two_finger) {
      // A try compares the two coordinates at the heads.
      ++counts_.tries;
      a_buffer.read(a_first + (i - a.begin));
      b_buffer.read(b_first + (j - b.begin));
    }
    side = now;
    if (now == 0) {
      a_buffer.read(a_first + (i - a.begin));
      b_buffer.read(b_first + (j - b.begin));
      ++counts_.multiplies;
      if (present_[cell] == 0) {
        present_[cell] = 1;
        touched_.push_back(static_cast<std::uint32_t>(cell));
      } else {
        ++counts_.adds;
      }
      accumulator_[cell] += am.values[i] * bm.values[j];
      ++i;
      ++j;
    } else if (now == 1) {
      ++i;
    } else {
      ++j;
    }
  }
}

CsrMatrix ElementPairs::result() const {
  std::vector<Entry> entries;
  for (const auto& [key, cells] : z_) {
    const auto m1 = static_cast<Coordinate>(key >> 32);
    const auto n1 = static_cast<Coordinate>(key);
    for (const Cell& cell : cells) {
      entries.push_back({m1 * a_shape_.outer + cell.at / stride_,
                         n1 * b_shape_.outer + cell.at % stride_, cell.value});
    }
  }
  return from_entries(program_.a_matrix().rows, program_.b_matrix_transposed().rows,
                      std::move(entries), false);
}

}  // namespace lacuna
