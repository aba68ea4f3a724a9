// SPDX-License-Identifier: Apache-2.0
// The rules of the house that a program can check. Each takes a file's path from the root and its
// text, so that it is tested on planted violations, and returns one line for each fault:
// "file:line: what is there: the rule".
#pragma once

#include <string>
#include <vector>

namespace lacuna::test {

/// Who may include whom, and where SystemC may be seen. The table is in source_rules.cpp.
[[nodiscard]] std::vector<std::string> include_faults(const std::string& path,
                                                      const std::string& text);

/// No SC_THREAD, SC_CTHREAD, sc_spawn or wait( in arch: a thread switch costs several times what a
/// method activation costs.
[[nodiscard]] std::vector<std::string> thread_faults(const std::string& path,
                                                     const std::string& text);

/// No event notified past the simulation in arch: wake() and at() keep the order in which units
/// wake open to shuffling, which shows that it decides nothing.
[[nodiscard]] std::vector<std::string> notify_faults(const std::string& path,
                                                     const std::string& text);

/// The SPDX line within the first three lines of every source, build file and script.
[[nodiscard]] std::vector<std::string> licence_faults(const std::string& path,
                                                      const std::string& text);

/// The name of a class of units in product code outside arch/compute: nothing there may tell
/// classes apart. The names are read from the table in arch/compute/classes.
[[nodiscard]] std::vector<std::string> unit_class_faults(const std::string& path,
                                                         const std::string& text);

/// Enumerators that are not spelled kConstant, in the folders that have one spelling already.
[[nodiscard]] std::vector<std::string> enumerator_faults(const std::string& path,
                                                         const std::string& text);

/// Absolute paths of somebody's machine.
[[nodiscard]] std::vector<std::string> machine_path_faults(const std::string& path,
                                                           const std::string& text);

}  // namespace lacuna::test
