// SPDX-License-Identifier: Apache-2.0
// `--out`, alike in every command.
#pragma once

#include <string>

#include "app/options.hpp"

namespace lacuna {

/// An empty name, as of a variable that is not set, would run and keep nothing.
inline Option add_out_option(Options& app, std::string& out, const std::string& about) {
  return app.add_option("--out", out, about).not_empty();
}

}  // namespace lacuna
