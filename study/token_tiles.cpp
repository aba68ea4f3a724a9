// SPDX-License-Identifier: Apache-2.0
#include "study/token_tiles.hpp"

#include "run/model/workload.hpp"

namespace lacuna {
namespace {

struct Strategy {
  const char* name;
  std::vector<std::string> settings;
};

const std::vector<Strategy>& strategies() {
  static const std::vector<Strategy> kStrategies{{"worst case fits", {"features.swiftiles=false"}},
                                                 {"Swiftiles, buffet", {"features.tailors=false"}},
                                                 {"Swiftiles, Tailors", {}}};
  return kStrategies;
}

ModelWorkloadSpec experts_of_one_layer(std::uint64_t tokens) {
  ModelWorkloadSpec spec;
  spec.model = "deepseek-v2-lite";
  spec.step.step.batch = tokens;
  spec.step.step.context = 256;
  spec.step.layers = "1-1";
  spec.step.routing = "power-law:1.01";
  spec.expert_weights = "C1(4:8)->C0(2:4)";
  return spec;
}

}  // namespace

std::vector<std::string> token_tile_strategies() {
  std::vector<std::string> names;
  for (const Strategy& strategy : strategies()) names.emplace_back(strategy.name);
  return names;
}

std::vector<TokenTilePoint> token_tiles() {
  std::vector<TokenTilePoint> points;
  for (std::size_t s = 0; s < strategies().size(); ++s) {
    const FabricSpec machine = load_fabric("lacuna", strategies()[s].settings);
    for (const std::uint64_t tokens : {32UL, 64UL, 128UL, 256UL, 512UL, 1024UL}) {
      const RunResult r = run_model(machine, make_model_workload(experts_of_one_layer(tokens)), {});
      for (const OperationReport& op : r.operations) {
        if (part_of(op.role) != Part::kRoutedExperts || op.products == 0) continue;
        points.push_back({s, tokens, op});
      }
    }
  }
  return points;
}

}  // namespace lacuna
