// SPDX-License-Identifier: Apache-2.0
// Types of DRAM as data: a file in configs/memory, or one of the user's, in the words of JEDEC's
// standards; and how a machine's addresses are spread over channels, banks and rows.
#pragma once

#include <string>

#include "arch/spec/dram_device.hpp"
#include "base/config.hpp"

namespace lacuna::description {

/// `name`: of a shipped type, or of a file. Throws InputError at `place` or in the file.
[[nodiscard]] DramDevice load_dram_type(const std::string& name, const Place& place);
/// The values of such a file.
[[nodiscard]] DramDevice read_dram_type(const ConfigReader& config, const std::string& name);

/// The keys of a memory of banks: type, channels, mapping, page, controller.
[[nodiscard]] BankedSpec read_banks(const ConfigReader& config, Hertz clock);

}  // namespace lacuna::description
