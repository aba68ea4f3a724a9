// SPDX-License-Identifier: Apache-2.0
// What a stream may fetch ahead for operations that follow each other. Each has a share of the
// buffer while it runs; what is fetched for a later one takes no more than any operation before it
// that is not over has, and only what is in memory already. The operation that runs always gets its
// own share, as everything before it in the stream has been fetched: no operation waits for a later
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lacuna {

/// One operation's part of a stream.
struct StreamLease {
  std::uint64_t bytes = 0;  // that are fetched for it
  std::uint64_t share = 0;  // bytes of the buffer that it has
  std::size_t after = 0;    // operations, from the first, whose outputs must be in memory before
};

class StreamLeases {
 public:
  explicit StreamLeases(std::vector<StreamLease> leases);

  /// Bytes from the stream's start that belong to operations up to that of the next byte.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  /// Most bytes that may be held while the next byte is fetched: `over` operations are over, the
  /// outputs of `written` are in memory. 0: it may not be fetched yet.
  [[nodiscard]] std::uint64_t room(std::size_t over, std::size_t written) const;
  /// So many bytes have been asked for.
  void issued(std::uint64_t bytes);

 private:
  std::vector<StreamLease> leases_;
  std::size_t at_ = 0;  // whose next byte is next
  std::uint64_t end_ = 0;
};

}  // namespace lacuna
