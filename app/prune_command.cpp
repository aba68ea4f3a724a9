// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/commands.hpp"
#include "workloads/prune.hpp"

namespace lacuna {

Command add_prune(CLI::App& app) {
  struct Arguments {
    PruneRequest request;
    std::string pattern;
    std::string out;
  };
  auto arguments = std::make_shared<Arguments>();
  app.add_option("weights", arguments->request.input,
                 ".npy, .npz, .safetensors, or synthetic:ROWSxCOLS")
      ->required();
  app.add_option("--tensor", arguments->request.tensor, "which tensor of the file");
  app.add_option("--pattern", arguments->pattern,
                 "2:4, C1(4:8)->C0(2:4), uniform:0.5, block:32x32:0.25")
      ->required();
  app.add_option("--out", arguments->out, ".npy, .npz or .safetensors");
  app.add_option("--seed", arguments->request.seed, "of synthetic weights");
  return [arguments] {
    arguments->request.pattern = parse_pattern(arguments->pattern, Place{"", 0, "--pattern"});
    arguments->request.output = arguments->out;
    fmt::print("{}", to_text(prune_file(arguments->request)));
    return 0;
  };
}

}  // namespace lacuna
