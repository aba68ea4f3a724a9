// SPDX-License-Identifier: Apache-2.0
// The commands of `lacuna`, one file each. add_*() declares a command's options; the returned
// action runs it and gives the exit code.
#pragma once

#include <functional>

#include "app/options.hpp"

namespace lacuna {

using Command = std::function<int()>;

Command add_run(Options& app);
Command add_tile(Options& app);
Command add_prune(Options& app);
Command add_validate(Options& app);
Command add_figure(Options& app);
Command add_model(Options& app);
Command add_routing(Options& app);
Command add_dial(Options& app);
Command add_sweep(Options& app);
Command add_map(Options& app);
Command add_diff(Options& app);
Command add_schema(Options& app);
Command add_list(Options& app);

}  // namespace lacuna
