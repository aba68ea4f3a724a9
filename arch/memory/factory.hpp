// SPDX-License-Identifier: Apache-2.0
// How whoever wires a machine comes by its memories, when they are not to be the fixed ones.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "arch/memory/i_memory.hpp"
#include "arch/spec/machine_spec.hpp"

namespace lacuna {

namespace sim {
class Simulation;
}

using MemoryFactory = std::function<std::unique_ptr<IMemory>(
    const std::string& name, sim::Simulation& simulation, const DramSpec& spec)>;

/// By `factory`; when there is none, what `spec` says.
[[nodiscard]] std::unique_ptr<IMemory> make_memory(const MemoryFactory& factory,
                                                   const std::string& name,
                                                   sim::Simulation& simulation,
                                                   const DramSpec& spec);

}  // namespace lacuna
