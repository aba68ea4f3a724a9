// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/tns.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/file_reader.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"
#include "sparse_formats/text_cursor.hpp"

namespace lacuna {
namespace {

constexpr std::size_t kFewestRanks = 2, kMostRanks = 8;
constexpr const char* kForm = "coordinates counted from 1, then a value, like 3 1 4 0.5";

Coordinate coordinate_of(const TextCursor& cursor, std::string_view word, std::size_t rank) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || value == 0 ||
      value > limits::kMatrixExtent) {
    cursor.fail(fmt::format("{} is no coordinate of rank {}", shown(word), rank + 1),
                fmt::format("coordinates run from 1 to {}", grouped(limits::kMatrixExtent)));
  }
  return static_cast<Coordinate>(value - 1);
}

/// The words of the first line: all of its coordinates and the value.
std::vector<std::string> first_line(TextCursor& cursor) {
  std::vector<std::string> words;
  while (!cursor.line_ended() && words.size() <= kMostRanks + 1) words.emplace_back(cursor.word());
  if (words.size() < kFewestRanks + 1 || words.size() > kMostRanks + 1) {
    cursor.fail(fmt::format("{} numbers, a line has {} to {}", words.size(), kFewestRanks + 1,
                            kMostRanks + 1),
                kForm);
  }
  return words;
}

double value_of(const std::string& word, const TextCursor& cursor) {
  TextCursor alone(word, {});
  double value = 0;
  try {
    value = alone.real("value");
  } catch (const InputError&) {
    cursor.fail(fmt::format("{} is no value", shown(word)), kForm);
  }
  return value;
}

void add(SparseTensor& tensor, std::size_t rank, Coordinate at) {
  tensor.coordinates.push_back(at);
  tensor.shape[rank] = std::max<std::uint64_t>(tensor.shape[rank], std::uint64_t{at} + 1);
}

void read_entry(TextCursor& cursor, SparseTensor& tensor) {
  for (std::size_t rank = 0; rank < tensor.order(); ++rank) {
    const std::string_view word = cursor.word();
    if (word.empty()) {
      cursor.fail(fmt::format("{} coordinates, the tensor has {} ranks", rank, tensor.order()),
                  kForm);
    }
    add(tensor, rank, coordinate_of(cursor, word, rank));
  }
  if (cursor.line_ended()) cursor.fail("the value is missing", kForm);
  tensor.values.push_back(cursor.real("value"));
  cursor.expect_line_end("the value");
}

SparseTensor parse(TextCursor& cursor, const std::function<void(double)>& progress) {
  SparseTensor tensor;
  while (cursor.next_line()) {
    if (cursor.at_comment('#')) {
      cursor.skip_line();
      continue;
    }
    if (tensor.nnz() == limits::kMatrixEntries) {
      cursor.fail(fmt::format("more than {} entries", grouped(limits::kMatrixEntries)));
    }
    if (tensor.shape.empty()) {
      const std::vector<std::string> words = first_line(cursor);
      tensor.shape.resize(words.size() - 1);
      for (std::size_t r = 0; r < tensor.order(); ++r) {
        add(tensor, r, coordinate_of(cursor, words[r], r));
      }
      tensor.values.push_back(value_of(words.back(), cursor));
    } else {
      read_entry(cursor, tensor);
    }
    if (progress && tensor.values.size() % 65536 == 0) progress(cursor.share());
  }
  if (tensor.shape.empty()) cursor.fail("there is no entry", kForm);
  return tensor;
}

}  // namespace

SparseTensor parse_tns(std::string_view text, const std::string& file) {
  TextCursor cursor(text, file);
  return parse(cursor, {});
}

SparseTensor read_tns(const std::filesystem::path& path,
                      const std::function<void(double)>& progress) {
  FileReader reader(path, FileReader::Use::streamed);
  std::string head;
  (void)reader.read(head);
  TextCursor cursor(reader, std::move(head), path.string());
  return parse(cursor, progress);
}

bool is_tns(const std::filesystem::path& path) {
  return (path.extension() == ".gz" ? path.stem() : path).extension() == ".tns";
}

}  // namespace lacuna
