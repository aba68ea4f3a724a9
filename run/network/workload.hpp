// SPDX-License-Identifier: Apache-2.0
// A network as a workload: layer tables that ship with the program, or a folder of pruned layers
// (SMTX), on any machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "dataflows/fabric_compile.hpp"

namespace lacuna {

struct NetworkWorkloadSpec {
  std::string network;  // a YAML of layers, a shipped name, or dlmc:FOLDER; empty: no network
  std::string weights = "dense";      // of layer tables
  std::string activations = "dense";  // dense or uniform:0.5
  std::string densities;              // file of lines "layer,density": traced activations, instead
  std::string columns;                // of a folder: file of lines "layer,columns"
  std::uint64_t n = 1024;             // columns of the layers that it does not name
  std::uint64_t images = 1;           // of layer tables
  bool re_prune = false;  // a folder's layers to the sparsest pattern that keeps their density
  std::uint64_t seed = 1;
};

[[nodiscard]] NetworkWorkloadSpec read_network_workload(const ConfigReader& config,
                                                        const std::filesystem::path& folder);
[[nodiscard]] ConfigTree to_config(const NetworkWorkloadSpec& spec);

struct LayerWorkload {
  std::string name, group;
  std::uint64_t times = 1;
  FabricInstance instance;
  bool weights = true;  // A is, and in memory from the start
};

struct NetworkWorkload {
  std::string name;
  std::vector<LayerWorkload> layers;
  bool re_prune = false;
  std::uint64_t seed = 1;
  std::vector<std::string> notes;
  std::map<std::string, std::string> inputs;  // file -> sha256
};

/// Throws InputError for files that are missing or malformed.
[[nodiscard]] NetworkWorkload make_network_workload(const NetworkWorkloadSpec& spec);

}  // namespace lacuna
