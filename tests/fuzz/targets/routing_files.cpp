// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.hpp"
#include "workloads/routing/layout_summary.hpp"
#include "workloads/routing/load_routing.hpp"
#include "workloads/routing/routing_spec.hpp"
#include "workloads/routing/statistics.hpp"
#include "workloads/sparsity_tables/activation_tables.hpp"
#include "workloads/sparsity_tables/attention_tables.hpp"

using namespace lacuna;
using namespace lacuna::routing;
using fuzz::as_file;

namespace {

/// Reads and says what `lacuna routing` says.
void describe(const std::string& bytes, const LoadOptions& options) {
  const LoadedRouting loaded = load_routing(as_file(bytes), options);
  if (const auto* trace = std::get_if<RoutingTrace>(&loaded.data)) {
    (void)trace_statistics(*trace);
    (void)layout_summaries(*trace, {});
    return;
  }
  for (const ExpertCounts& counts : std::get<std::vector<ExpertCounts>>(loaded.data)) {
    (void)count_statistics(counts);
    (void)layout_summaries(counts, {});
  }
}

}  // namespace

FUZZ_TARGET(routing) {
  describe(bytes, {});
}

FUZZ_TARGET(routing_counts) {
  LoadOptions options;
  options.as_counts = true;
  options.allow_ragged = true;
  describe(bytes, options);
}

FUZZ_TARGET(cross_layer_counts) {
  (void)load_cross_layer_counts(as_file(bytes));
}

FUZZ_TARGET(popularity_ranks) {
  (void)load_popularity_ranks(as_file(bytes));
}

FUZZ_TARGET(routing_text) {
  (void)parse_routing_spec(bytes.substr(0, bytes.find('\0')));
}

FUZZ_TARGET(attention_table) {
  (void)sparsity::load_attention_table(as_file(bytes), "m");
}

FUZZ_TARGET(activation_table) {
  (void)sparsity::load_activation_table(as_file(bytes), "m");
}

FUZZ_TARGET(threshold_table) {
  (void)sparsity::load_threshold_table(as_file(bytes), "m");
}
