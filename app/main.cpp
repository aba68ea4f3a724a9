// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <deque>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace lacuna {
namespace {

constexpr const char* kNoOutput = "cannot write to the standard output";

/// Never throws: a standard error that cannot be written must not hide the exit code.
void complain(const std::string& message) {
  std::fputs(("lacuna: " + message + "\n").c_str(), stderr);
}

/// Seconds from the user's wish to the end of a program that does not poll.
constexpr unsigned kGrace = 2;

/// Safe at any moment: whoever looks sees a result that is complete, the earlier one or the new.
extern "C" void end_now(int) {
  constexpr std::string_view kMessage = "lacuna: interrupted\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(130);
}

extern "C" void request_stop(int) {
  // A second Ctrl-C ends at once.
  if (stop_requested.exchange(true)) _exit(130);
  ::alarm(kGrace);
}

void heed_signals() {
  struct sigaction action {};
  action.sa_handler = end_now;
  sigaction(SIGALRM, &action, nullptr);
  action.sa_handler = request_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is a write that fails, with its message
}

/// Where no exception can pass, as out of a destructor, want of memory still has its message.
[[noreturn]] void end_at_once() {
  constexpr std::string_view kNoMemory =
      "lacuna: not enough memory for this workload; try a smaller one\n";
  constexpr std::string_view kOther = "lacuna: internal error: an exception nobody took\n";
  std::string_view message = kOther;
  int code = 3;
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    message = kNoMemory;
    code = 2;
  } catch (...) {
  }
  // Nothing that would ask for memory.
  while (!message.empty()) {
    const auto written = ::write(STDERR_FILENO, message.data(), message.size());
    if (written <= 0) break;
    message.remove_prefix(static_cast<std::size_t>(written));
  }
  _exit(code);
}

int run_main(int argc, char** argv) {
  CLI::App app("Lacuna: a cycle-approximate simulator of sparse tensor accelerators", "lacuna");
  app.set_version_flag("--version", std::string("lacuna ") + LACUNA_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  std::deque<Options> options;  // commands ask theirs again when they run
  std::vector<std::pair<CLI::App*, Command>> commands;
  const auto add = [&](const char* name, const char* about, Command (*declare)(Options&)) {
    CLI::App* sub = app.add_subcommand(name, about);
    commands.emplace_back(sub, declare(options.emplace_back(*sub)));
  };
  add("run", "simulate a workload on one machine or several, side by side", add_run);
  add("tile", "tile sizes of a matrix on a machine, by every strategy", add_tile);
  add("prune", "prune weights to a structured pattern", add_prune);
  add("validate", "published numbers beside simulated ones, with the error", add_validate);
  add("figure", "regenerate a published figure", add_figure);
  add("model", "parameters, FLOPs, cache bytes and the operation graph of a model", add_model);
  add("routing", "what a routing trace says, and three ways to execute its experts", add_routing);
  add("sweep", "many points: machines, workloads and axes over their keys", add_sweep);
  add("map", "how a product is cut for a machine, and what else there is", add_map);
  add("diff", "what differs between two results, and what was set differently", add_diff);
  add("dial", "the sparsity dial: loss and cost over the share of inactive experts", add_dial);
  add("schema", "JSON Schema of a machine's configuration, for editors", add_schema);
  add("list", "what ships: machines, workloads, energy tables", add_list);
  std::vector<std::string> names;
  for (const auto& [sub, command] : commands) names.push_back(sub->get_name());
  if (argc > 1 && argv[1][0] != '-' &&
      std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    throw InputError(fmt::format("'{}' is not a command", argv[1]), suggest(argv[1], names));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::string command;
    for (const CLI::App* sub : app.get_subcommands()) command = sub->get_name() + " ";
    complain(fmt::format("{}; try 'lacuna {}--help'", error.what(), command));
    return 2;
  }
  heed_signals();
  for (const auto& [sub, command] : commands) {
    if (!sub->parsed()) continue;
    const int code = command();
    if (std::fflush(stdout) != 0) throw InputError(kNoOutput);
    return code;
  }
  return 2;
}

}  // namespace

}  // namespace lacuna

int main(int argc, char** argv) {
  std::set_terminate(lacuna::end_at_once);
  try {
    return lacuna::run_main(argc, argv);
  } catch (const lacuna::InputError& error) {
    lacuna::complain(error.what());
    return 2;
  } catch (const lacuna::Interrupted&) {
    lacuna::complain("interrupted, nothing was written");
    return 130;
  } catch (const std::bad_alloc&) {
    lacuna::complain("not enough memory for this workload; try a smaller one");
    return 2;
  } catch (const std::length_error&) {  // of a container: more than any memory
    lacuna::complain("not enough memory for this workload; try a smaller one");
    return 2;
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) {
      lacuna::complain(lacuna::kNoOutput);
      return 2;
    }
    lacuna::complain(std::string("internal error: ") + error.what());
    return 3;
  }
}
