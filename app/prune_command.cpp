// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "app/commands.hpp"
#include "app/out_option.hpp"
#include "base/file.hpp"
#include "workloads/prune.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

/// Weights of a file have no seed, and generated ones are one tensor without a name.
void refuse_idle(const Options& app, const PruneRequest& request) {
  const bool generated = is_synthetic(request.input);
  if (app.count("--seed") > 0 && !generated) {
    throw InputError("--seed is of synthetic weights, and a file is given", "leave it out");
  }
  if (app.count("--tensor") > 0 && generated) {
    throw InputError("--tensor names a tensor of a file, and the weights are synthetic",
                     "leave it out");
  }
}

/// What is written replaces nothing unless told to, and never what is read.
void check_output(PruneRequest& request, bool force) {
  if (request.output.empty()) return;
  std::error_code error;
  const fs::path named = request.output;
  const auto refuse = [&named](const char* problem, const char* suggestion) {
    throw InputError(Place{named.string(), 0, {}}, problem, suggestion);
  };
  if (!fs::exists(fs::symlink_status(named, error))) {
    fs::path folder = named.parent_path().empty() ? fs::path(".") : named.parent_path();
    if (!fs::is_directory(folder, error)) {
      refuse("its folder is not there", "make the folder first");
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) cannot_write(named);
    return;
  }
  if (!fs::exists(named, error)) {
    refuse("is a link to something that is not there", "choose another name with --out");
  }
  if (!fs::is_regular_file(named, error)) {
    refuse("exists and is not a file", "choose another name with --out");
  }
  if (fs::equivalent(named, request.input, error)) {
    refuse("is what is read, and would be lost", "choose another name with --out");
  }
  if (!force) {
    refuse("exists already", "choose another name with --out, or replace it with --force");
  }
  request.output = fs::canonical(named);  // what a link names is replaced, not the link
}

}  // namespace

Command add_prune(Options& app) {
  struct Arguments {
    PruneRequest request;
    std::string pattern;
    std::string out;
    bool force = false;
  };
  auto arguments = std::make_shared<Arguments>();
  app.add_option("weights", arguments->request.input,
                 ".npy, .npz, .safetensors, or synthetic:ROWSxCOLS")
      .required();
  app.add_option("--tensor", arguments->request.tensor, "which tensor of the file");
  app.add_option("--pattern", arguments->pattern,
                 "2:4, C1(4:8)->C0(2:4), uniform:0.5, block:32x32:0.25")
      .required();
  add_out_option(app, arguments->out, ".npy, .npz or .safetensors, a new file");
  app.add_flag("--force", arguments->force, "replace the file when it exists")
      .needs(app.get_option("--out"));
  app.add_option("--seed", arguments->request.seed, "of synthetic weights");
  return [arguments, &app] {
    arguments->request.pattern = parse_pattern(arguments->pattern, Place{"", 0, "--pattern"});
    arguments->request.output = arguments->out;
    refuse_idle(app, arguments->request);
    check_output(arguments->request, arguments->force);
    fmt::print("{}", to_text(prune_file(arguments->request)));
    return 0;
  };
}

}  // namespace lacuna
