// SPDX-License-Identifier: Apache-2.0
#include "sparse_formats/mask_text.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file_reader.hpp"
#include "base/limits.hpp"
#include "base/quantity_text.hpp"

namespace lacuna {
namespace {

class MaskReader {
 public:
  MaskReader(std::uint64_t columns, const std::string& file)
      : file_(file), columns_(columns), by_line_(columns == 0) {
    if (columns > limits::kMatrixExtent) {
      fail(fmt::format("{} columns", grouped(columns)),
           fmt::format("at most {}", grouped(limits::kMatrixExtent)));
    }
  }

  CsrMatrix read(std::string_view text) {
    for (const char c : text) {
      if (c == '0' || c == '1') {
        place(c == '1');
      } else if (c == '\n') {
        end_line();
        ++line_;
      } else if (c != ' ' && c != '\t' && c != '\r' && c != ',') {
        fail(fmt::format("a character that is neither 0 nor 1 ({:#04x})",
                         static_cast<unsigned char>(c)),
             "a mask has one digit for each place");
      }
    }
    end_line();
    if (at_ != 0) {
      fail(fmt::format("the last row has {} of {} columns", at_, columns_),
           "give the number of columns that the mask has");
    }
    if (matrix_.rows == 0) fail("no digits", "a mask has one digit for each place");
    matrix_.cols = static_cast<Coordinate>(columns_);
    return std::move(matrix_);
  }

 private:
  void place(bool nonzero) {
    if (nonzero) matrix_.columns.push_back(static_cast<Coordinate>(at_));
    ++at_;
    if (by_line_) {
      if (at_ > limits::kMatrixExtent || (columns_ != 0 && at_ > columns_)) {
        fail(fmt::format("a row of more than {} columns",
                         grouped(columns_ != 0 ? columns_ : limits::kMatrixExtent)),
             "rows are of one length, or give the number of columns");
      }
    } else if (at_ == columns_) {
      end_row();
    }
  }
  void end_line() {
    if (!by_line_ || at_ == 0) return;
    if (columns_ == 0) columns_ = at_;
    if (at_ != columns_) {
      fail(fmt::format("a row of {} columns, the first has {}", at_, columns_),
           "rows are of one length, or give the number of columns");
    }
    end_row();
  }
  void end_row() {
    at_ = 0;
    if (matrix_.rows == limits::kMatrixExtent) {
      fail(fmt::format("more than {} rows", grouped(limits::kMatrixExtent)), "a smaller mask");
    }
    ++matrix_.rows;
    matrix_.offsets.push_back(matrix_.columns.size());
  }
  [[noreturn]] void fail(const std::string& problem, const std::string& suggestion) const {
    throw InputError(Place{file_, line_, {}}, problem, suggestion);
  }

  const std::string& file_;
  std::uint64_t columns_;
  bool by_line_;
  std::uint64_t at_ = 0;
  std::uint64_t line_ = 1;
  CsrMatrix matrix_;
};

}  // namespace

CsrMatrix parse_mask_text(std::string_view text, std::uint64_t columns, const std::string& file) {
  return MaskReader(columns, file).read(text);
}

CsrMatrix read_mask_text(const std::filesystem::path& path, std::uint64_t columns) {
  FileReader reader(path);
  std::string text;
  while (reader.read(text)) {
  }
  return parse_mask_text(text, columns, path.string());
}

}  // namespace lacuna
