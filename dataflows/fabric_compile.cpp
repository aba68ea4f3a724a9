// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_compile.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "dataflows/fabric_product.hpp"

namespace lacuna {
namespace {

double d(std::uint64_t x) {
  return static_cast<double>(x);
}

class Compiler {
 public:
  Compiler(const FabricSpec& spec, const std::vector<FabricInstance>& instances, FabricMode mode)
      : spec_(spec) {
    LACUNA_CHECK(!instances.empty(), "an operation without products");
    products_.reserve(instances.size());
    for (const FabricInstance& instance : instances) products_.emplace_back(spec, instance, mode);
  }

  FabricPlan compile() {
    for (FabricProduct& product : products_) {
      plan_.unsupported = product.prepare(plan_.warnings);
      if (!plan_.unsupported.empty()) {
        plan_.warnings.clear();
        return std::move(plan_);
      }
    }
    // Products of one operation say the same again.
    std::sort(plan_.warnings.begin(), plan_.warnings.end());
    plan_.warnings.erase(std::unique(plan_.warnings.begin(), plan_.warnings.end()),
                         plan_.warnings.end());
    check_room();
    choose_mappings();
    for (std::size_t i = 0; i < products_.size(); ++i) {
      plan_.parts.push_back(products_[i].finish(mappings_[i]));
    }
    sum_up();
    return std::move(plan_);
  }

 private:
  /// What stays on chip must leave a quarter of the buffer to what passes.
  void check_room() {
    for (const FabricProduct& product : products_) {
      on_chip_ = std::max(on_chip_, product.on_chip_bytes());
    }
    const double capacity = d(spec_.glb.capacity.count());
    if (on_chip_ <= 0.75 * capacity) return;
    throw InputError(fmt::format("{:.0f} bytes that stay on chip leave less than a quarter of the "
                                 "{:.0f} bytes of {}'s global buffer",
                                 on_chip_, capacity, spec_.name),
                     "let the operation before write its outputs to DRAM");
  }

  void choose_mappings() {
    mappings_.resize(products_.size());
    if (spec_.tiling.strategy == TilingStrategy::dense_shape) {
      std::transform(products_.begin(), products_.end(), mappings_.begin(),
                     [](const FabricProduct& product) { return product.own_mapping(); });
      return;
    }
    std::map<std::string, std::vector<std::size_t>> alike;
    for (std::size_t i = 0; i < products_.size(); ++i) {
      alike[products_[i].key_of_a()].push_back(i);
    }
    for (const auto& [key, members] : alike) {
      const FabricMapping mapping = choose_together(members);
      for (const std::size_t i : members) {
        mappings_[i] = for_product(mapping, products_[i].shape());
      }
    }
  }

  FabricMapping choose_together(const std::vector<std::size_t>& members) {
    FabricHoldings holdings;
    const FabricProduct& first = products_[members.front()];
    holdings.m = first.shape().m;
    holdings.capacity = d(spec_.glb_bytes()) - on_chip_;
    for (const std::size_t i : members) {
      holdings.n.push_back(products_[i].shape().n);
      holdings.demand.push_back(products_[i].demand());
    }
    holdings.a_groups = [&](std::uint64_t rows) { return first.a_groups(rows); };
    holdings.b_groups = [&](std::uint64_t columns) {
      std::vector<ColumnGroups> groups;
      for (const std::size_t i : members) groups.push_back(products_[i].b_groups(columns));
      return groups;
    };
    return choose_tiled_mapping(spec_, holdings);
  }

  void sum_up() {
    const double word = spec_.word_bytes(), latency = d(spec_.dram.latency.count());
    std::vector<ScheduledProduct> scheduled;
    double z = 0;
    for (const FabricPart& part : plan_.parts) {
      const FabricSchedule& schedule = *part.schedule;
      const std::uint64_t times = part.instance.times;
      plan_.counts.add(part.counts, d(times));
      plan_.instructions += schedule.instructions() * times;
      plan_.z_bytes += schedule.z_bytes() * times;
      plan_.a_again_bytes += schedule.a().again * times;
      plan_.b_again_bytes += schedule.b().again * times;
      plan_.a_tile_bytes = std::max(plan_.a_tile_bytes, schedule.a().tile);
      plan_.b_tile_bytes = std::max(plan_.b_tile_bytes, schedule.b().tile);
      const FabricTables& tables = schedule.tables();
      double group = 0;  // bytes of A's first rows, which the first walk takes as they come
      for (std::uint64_t c = 0; c < tables.chunks; ++c) group += tables.a[c].all() * word;
      const double fill = (std::max(d(schedule.a().tile), group) + d(schedule.b().tile)) /
                          (spec_.dram.read_words * word);
      plan_.fill_cycles = std::max(plan_.fill_cycles, latency + fill);
      z = std::max(z, *std::max_element(tables.z_bytes.begin(), tables.z_bytes.end()));
      scheduled.push_back({part.schedule, times});
    }
    plan_.drain_cycles = latency + z / (spec_.dram.write_words * word);
    const auto reserved = static_cast<std::uint64_t>(on_chip_);
    plan_.program = make_program(std::move(scheduled), spec_.glb_bytes() - reserved);
  }

  const FabricSpec& spec_;
  std::vector<FabricProduct> products_;
  std::vector<FabricMapping> mappings_;
  double on_chip_ = 0;
  FabricPlan plan_;
};

}  // namespace

FabricPlan compile_fabric(const FabricSpec& spec, const std::vector<FabricInstance>& instances,
                          FabricMode mode) {
  return Compiler(spec, instances, mode).compile();
}

FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands, FabricMode mode) {
  FabricInstance instance;
  instance.operands = std::shared_ptr<const GemmOperands>(std::shared_ptr<void>(), &operands);
  return compile_fabric(spec, std::vector<FabricInstance>{instance}, mode);
}

}  // namespace lacuna
