// SPDX-License-Identifier: Apache-2.0
#include "arch/memory/factory.hpp"

#include "arch/memory/banked_memory.hpp"
#include "arch/memory/fixed_memory.hpp"

namespace lacuna {

std::unique_ptr<IMemory> make_memory(const MemoryFactory& factory, const std::string& name,
                                     sim::Simulation& simulation, const DramSpec& spec) {
  if (factory) return factory(name, simulation, spec);
  if (spec.banked) return std::make_unique<BankedMemory>(name, simulation, spec);
  return std::make_unique<FixedMemory>(name, simulation, spec);
}

}  // namespace lacuna
