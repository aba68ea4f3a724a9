// SPDX-License-Identifier: Apache-2.0
// The commands of `lacuna`, one file each. add_*() declares a command's options; the returned
// action runs it and gives the exit code.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace lacuna {

using Command = std::function<int()>;

Command add_run(CLI::App& app);
Command add_tile(CLI::App& app);
Command add_prune(CLI::App& app);
Command add_validate(CLI::App& app);
Command add_figure(CLI::App& app);
Command add_model(CLI::App& app);
Command add_routing(CLI::App& app);
Command add_dial(CLI::App& app);
Command add_schema(CLI::App& app);
Command add_list(CLI::App& app);

}  // namespace lacuna
