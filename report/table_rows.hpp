// SPDX-License-Identifier: Apache-2.0
// What the terminal table says, apart from how it is laid out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

enum class Tone { plain, good, warning, bad };

struct TableCell {
  std::string text;             // clean; empty: nothing to say
  std::optional<double> value;  // what is set in relation to the first run's
  bool wraps = false;           // words, which may be broken over lines; numbers may not
  Tone tone = Tone::plain;
};

struct TableRow {
  std::string label;
  std::vector<TableCell> cells;  // one per run; none: the row is the heading of a group
};

/// All rows, in groups; rows and groups without content are left out.
[[nodiscard]] std::vector<TableRow> table_rows(const std::vector<RunResult>& results);

struct TableNote {
  Tone tone;
  std::string text;  // clean
};

/// Reasons, failed checks, warnings and flags, for below the table. What several runs share is said
/// once. `labels` are those of run_labels().
[[nodiscard]] std::vector<TableNote> table_notes(const std::vector<RunResult>& results,
                                                 const std::vector<std::string>& labels);

}  // namespace lacuna::report
