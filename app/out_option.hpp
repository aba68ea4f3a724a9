// SPDX-License-Identifier: Apache-2.0
// `--out`, alike in every command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lacuna {

/// An empty name, as of a variable that is not set, would run and keep nothing.
inline CLI::Option* add_out_option(CLI::App& app, std::string& out, const std::string& about) {
  return app.add_option("--out", out, about)->check([](const std::string& text) {
    return text.empty() ? std::string("is empty, expected a name") : std::string();
  });
}

}  // namespace lacuna
