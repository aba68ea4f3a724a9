// SPDX-License-Identifier: Apache-2.0
#include "report/plots.hpp"

#include <algorithm>

#include "report/csv.hpp"
#include "report/plot_scripts.hpp"

namespace lacuna::report {

std::vector<Figure> figures(const std::vector<RunResult>& results) {
  std::vector<Figure> all{{"energy", energy_csv(results), energy_script(results)},
                          {"traffic", traffic_csv(results), traffic_script(results)},
                          {"occupancy", occupancy_csv(results), occupancy_script(results)},
                          {"pe_load", pe_load_csv(results), pe_load_script(results)},
                          {"stalls", stalls_csv(results), stalls_script(results)}};
  if (!operation_series(results).empty()) {  // figure_names() knows the names
    const std::string groups = operation_groups_csv(results);
    all.push_back({"operations", operations_csv(results), {}});
    all.push_back({"operation_time", groups, operation_time_script(results)});
    all.push_back({"operation_energy", groups, operation_energy_script(results)});
  }
  return all;
}

std::vector<std::string> figure_names(bool operations) {
  std::vector<std::string> names{"energy", "traffic", "occupancy", "pe_load", "stalls"};
  if (operations) {
    names.insert(names.end(), {"operations", "operation_time", "operation_energy"});
  }
  return names;
}

}  // namespace lacuna::report
