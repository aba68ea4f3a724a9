// SPDX-License-Identifier: Apache-2.0
// Work in a child process that is killed between two system calls, with all that it forked: what it
// leaves is what the loss of a machine can leave at any moment.
#pragma once

#include <functional>

namespace lacuna::test {

enum class Killed { before_the_call, ended_before, cannot_trace };

/// Runs `work` in a child and kills it as it, or a child of its own, enters the `call`-th system
/// call, counted from 0.
[[nodiscard]] Killed kill_at_call(unsigned call, const std::function<void()>& work);

}  // namespace lacuna::test
