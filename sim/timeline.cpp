// SPDX-License-Identifier: Apache-2.0
#include "sim/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace lacuna::sim {

unsigned Timeline::row(const std::string& unit) {
  const auto at = std::find(rows_.begin(), rows_.end(), unit);
  if (at != rows_.end()) return static_cast<unsigned>(at - rows_.begin());
  rows_.push_back(unit);
  return static_cast<unsigned>(rows_.size() - 1);
}

void Timeline::slice(unsigned row, const char* what, Cycles begin, Cycles end, std::uint64_t amount,
                     const char* unit_of_amount) {
  if (slices_.size() >= limit_) {
    ++dropped_;
    return;
  }
  slices_.push_back({row, what, begin, end, amount, unit_of_amount});
}

std::string Timeline::chrome_trace() const {
  fmt::memory_buffer out;
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"unit\":\"1 us = 1 "
                 "cycle\",\"dropped_slices\":{}}},\"traceEvents\":[\n",
                 dropped_);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    fmt::format_to(to,
                   "{}{{\"ph\":\"M\",\"pid\":1,\"tid\":{},\"name\":\"thread_name\",\"args\":{{"
                   "\"name\":\"{}\"}}}}",
                   i == 0 ? "" : ",\n", i, rows_[i]);
  }
  for (const Slice& s : slices_) {
    fmt::format_to(to,
                   ",\n{{\"ph\":\"X\",\"pid\":1,\"tid\":{},\"name\":\"{}\",\"ts\":{},\"dur\":{},"
                   "\"args\":{{\"{}\":{}}}}}",
                   s.row, s.what, s.begin.count(), (s.end - s.begin).count(), s.unit_of_amount,
                   s.amount);
  }
  fmt::format_to(to, "\n]}}\n");
  return fmt::to_string(out);
}

}  // namespace lacuna::sim
