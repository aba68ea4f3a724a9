// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lacuna {

/// JSON Schema (draft 2020-12) of the machines of a kind, from what their reader asks for while it
/// reads the shipped ones: a key that none of them needs, behind a choice none of them makes, is
/// not in it. Throws InputError when no machine of the kind is found or one of them is wrong.
[[nodiscard]] std::string machine_schema(const std::string& kind);

}  // namespace lacuna
