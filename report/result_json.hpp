// SPDX-License-Identifier: Apache-2.0
// A result as JSON text, schema "lacuna.result/1", and back. Every number carries its unit in its
// key. Keys beyond those of the schema: workload, counts, bounds, stalls, iterations, actions,
// dram_bandwidth, pe_busy, beside, energy_table, energy_flags; in tiling: ranks, clamped,
// share_bytes, work_nonzeros, occupancy; in check: reference. A machine that cannot run the
// workload has `unsupported` (why) and null for everything measured. The resolved configuration and
// the timeline are files of their own and not part of it. A model's step has `tokens`,
// `energy_pj_per_token` and `operations`, which are not read back: each of one execution, beside
// `cycles_in_step`, which is all its executions where operations overlap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "run/result.hpp"

namespace lacuna::report {

inline constexpr std::string_view kResultSchema = "lacuna.result/1";

/// One object, keys in a fixed order. Doubles read back to the same value; those that are not
/// finite are written as null. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string result_json(const RunResult& result);

/// One object for one result, an array otherwise.
[[nodiscard]] std::string results_json(const std::vector<RunResult>& results);

/// Reads what result_json() wrote, `file` being the name used in messages. Keys it does not know
/// are ignored: later versions may add some. Throws InputError for text that is not JSON, another
/// schema, a missing key of the schema or a value of the wrong type.
[[nodiscard]] RunResult parse_result_json(std::string_view text,
                                          const std::string& file = "result");

/// The same for one object or an array of them.
[[nodiscard]] std::vector<RunResult> parse_results_json(std::string_view text,
                                                        const std::string& file = "result");

}  // namespace lacuna::report
