// SPDX-License-Identifier: Apache-2.0
// `lacuna diff`: two results, side by side.
#include <fmt/format.h>

#include <memory>

#include "app/commands.hpp"
#include "report/result_diff.hpp"

namespace lacuna {
namespace {

constexpr std::size_t kShown = 25;

struct DiffCommand {
  std::string a, b;
  bool all = false, json = false;
};

int execute(const DiffCommand& command) {
  const auto runs = report::compare_results(command.a, command.b);
  if (command.json) {
    fmt::print("{}\n", report::differences_json(runs));
  } else {
    fmt::print("{}", report::differences_text(runs, command.all ? 0 : kShown));
  }
  return 0;
}

}  // namespace

Command add_diff(Options& app) {
  auto command = std::make_shared<DiffCommand>();
  app.add_option("a", command->a, "a result: its folder or result.json").required();
  app.add_option("b", command->b, "the other").required();
  app.add_flag("--all", command->all, "every value that differs");
  app.add_flag("--json", command->json, "as JSON");
  return [command] { return execute(*command); };
}

}  // namespace lacuna
