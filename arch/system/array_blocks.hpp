// SPDX-License-Identifier: Apache-2.0
// The blocks of a machine of arrays and their wiring: memory, a level that clusters share where
// there is one, and for each cluster a buffer, its operand streams, a unit and its outputs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/buffer/level_ports.hpp"
#include "arch/memory/factory.hpp"
#include "arch/program/shared_program.hpp"
#include "arch/spec/fabric_spec.hpp"
#include "arch/system/arrays_module.hpp"

namespace lacuna {

/// What moves and what works on it: one program for each cluster, and its blocks at the shared
/// level, if there is one.
struct ArrayWorkload {
  std::vector<const ArrayProgram*> clusters;
  const std::vector<SharedProduct>* shared = nullptr;
};

/// "glb", or of several clusters "glb0".
[[nodiscard]] std::string of_cluster(const char* name, std::size_t cluster, std::uint64_t clusters);

using ArrayUnits = std::vector<std::shared_ptr<IUnit>>;  // one for each part of a program

class ArrayBlocks {
 public:
  ArrayBlocks(sim::Simulation& simulation, const FabricSpec& spec, const ArrayWorkload& work,
              std::vector<ArrayUnits> units, const MemoryFactory& factory);

  /// Bytes that a cluster reads of an operand, for each operation of its program.
  using OperandBytes = std::vector<std::uint64_t>;
  void start(const ArrayWorkload& work, const std::vector<OperandBytes>& a,
             const std::vector<OperandBytes>& b);
  [[nodiscard]] const ArraysModule& arrays(std::size_t cluster) const {
    return *clusters_[cluster].arrays;
  }
  [[nodiscard]] const IMemory& reads() const { return *dram_read_; }
  [[nodiscard]] const IMemory& writes() const { return dram_write_ ? *dram_write_ : *dram_read_; }
  /// Bytes that the shared level gave; nothing of an operand that passes it by.
  [[nodiscard]] std::uint64_t shared_bytes(Tensor operand) const;
  /// One stream brings B to all clusters.
  [[nodiscard]] bool multicast() const { return clusters_.size() > b_streams_.size(); }
  void meter(Meters& meters) const;

 private:
  /// Who is served first of those that ask one memory at once.
  enum class Rank : unsigned { z, b, a };
  struct Cluster {
    std::unique_ptr<sim::BufferMeter> buffer;
    std::unique_ptr<BufferBanks> banks;      // when they are waited for
    std::unique_ptr<BufferPort> write_port;  // into the buffer, when it has a rate
    std::unique_ptr<StreamModule> a;
    StreamModule* b = nullptr;
    std::unique_ptr<DrainModule> z;
    std::unique_ptr<ArraysModule> arrays;
  };
  /// What several clusters share.
  struct Shared {
    sim::BufferMeter buffer;
    std::unique_ptr<BufferBanks> banks;  // when they are waited for
    std::unique_ptr<BufferPort> read_port, write_port;
    std::unique_ptr<BufferPort> own_b_port;  // without contention each operand has one
    std::unique_ptr<StreamModule> a, b;
    std::unique_ptr<LevelReader> read_a, read_b;
    std::unique_ptr<DrainModule> z;
    std::unique_ptr<LevelWriter> write_z;
  };

  void build_shared(const ArrayWorkload& work);
  void build_operand(const ArrayWorkload& work, Tensor tensor);
  void build_cluster(std::size_t c, const ArrayProgram& program, ArrayUnits units);
  void build_b_streams(const ArrayWorkload& work);
  [[nodiscard]] MemoryClient client(IMemory& memory, Rank rank, std::size_t cluster = 0) const;
  [[nodiscard]] MemoryClient reader(Tensor operand, std::size_t cluster) const;
  [[nodiscard]] FillPort fill(std::size_t cluster, Rank rank) const;
  [[nodiscard]] IMemory& written() const { return dram_write_ ? *dram_write_ : *dram_read_; }
  [[nodiscard]] std::string name(const char* block, std::size_t cluster) const {
    return of_cluster(block, cluster, clusters_.size());
  }

  sim::Simulation& simulation_;
  const FabricSpec& spec_;
  // Reads and writes have a channel each, as in the released designs, or share that of the reads.
  std::unique_ptr<IMemory> dram_read_, dram_write_;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<StreamModule>> b_streams_;
  std::vector<Cluster> clusters_;
};

}  // namespace lacuna
