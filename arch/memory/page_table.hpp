// SPDX-License-Identifier: Apache-2.0
// Which part of a memory holds what a machine's tensors are made of. Tensors have regions of
// addresses that no memory is as large as (regions.hpp); a page of a region is given the next free
// page of the memory when it is first touched, so that what lies behind each other in a tensor lies
// so in memory too, page by page, and tensors take the room that they need.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "base/units.hpp"

namespace lacuna {

class PageTable {
 public:
  PageTable(std::string memory, Bytes page, std::uint64_t capacity)
      : memory_(std::move(memory)), page_(page.count()), pages_(capacity / page.count()) {}

  [[nodiscard]] std::uint64_t page() const { return page_; }
  [[nodiscard]] std::uint64_t taken() const { return given_.size() * page_; }
  /// Where in the memory the address lies. Throws InputError when it is full.
  [[nodiscard]] std::uint64_t find(std::uint64_t address) {
    const auto [entry, is_new] = given_.try_emplace(address / page_, given_.size());
    if (is_new && given_.size() > pages_) {
      throw InputError(fmt::format("{} holds {} pages of {} bytes, and the tensors take "
                                   "more",
                                   memory_, pages_, page_),
                       "more channels, a type of larger capacity, or a smaller page");
    }
    return entry->second * page_ + address % page_;
  }

 private:
  std::string memory_;
  std::uint64_t page_, pages_;
  std::unordered_map<std::uint64_t, std::uint64_t> given_;
};

}  // namespace lacuna
