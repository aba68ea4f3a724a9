// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lacuna {

/// JSON Schema (draft 2020-12) of machines' files, from what their reader asks for while it reads
/// the shipped ones: a key that none of them needs, behind a choice none of them makes, is not in
/// it. Throws InputError when no machine is found or one of them is wrong.
[[nodiscard]] std::string machine_schema();

}  // namespace lacuna
