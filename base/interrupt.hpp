// SPDX-License-Identifier: Apache-2.0
// The user's wish to end the program. A signal sets it; every loop that may last polls it, wherever
// it stands, so that Ctrl-C is heeded within a moment.
#pragma once

#include <unistd.h>

#include <atomic>
#include <exception>

namespace lacuna {

/// The user asked for an end; nothing of the run is kept.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// Set by the handler of SIGINT and SIGTERM, for good.
inline std::atomic<bool> stop_requested{false};

/// Throws Interrupted when the user wants an end. One relaxed load: cheap enough for every row or
/// tile, not for every nonzero.
inline void stop_if_requested() {
  if (stop_requested.load(std::memory_order_relaxed)) [[unlikely]] {
    ::alarm(0);  // that ends a program which does not poll: this one does, and cleans up in peace
    throw Interrupted();
  }
}

}  // namespace lacuna
