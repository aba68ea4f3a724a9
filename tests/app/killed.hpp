// SPDX-License-Identifier: Apache-2.0
// Work in a child process that is killed between two system calls: what it leaves is what a power
// of the outside can leave at any moment.
#pragma once

#include <functional>

namespace lacuna::test {

enum class Killed { before_the_call, ended_before, cannot_trace };

/// Runs `work` in a child and kills it as it enters its `call`-th system call, counted from 0.
[[nodiscard]] Killed kill_at_call(unsigned call, const std::function<void()>& work);

}  // namespace lacuna::test
