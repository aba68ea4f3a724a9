// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_compile.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "arch/cost/array_cost.hpp"
#include "base/error.hpp"
#include "base/whole.hpp"
#include "dataflows/cluster_products.hpp"
#include "dataflows/fabric_product.hpp"

namespace lacuna {
namespace {

class Compiler {
 public:
  Compiler(const FabricSpec& spec, const std::vector<FabricInstance>& instances, FabricMode mode)
      : outside_(spec),
        outside_machine_(spec, mode),
        spec_(as_a_cluster_sees(spec)),
        machine_(spec_, mode) {
    LACUNA_CHECK(!instances.empty(), "an operation without products");
    products_.reserve(instances.size());
    for (const FabricInstance& instance : instances) products_.emplace_back(spec_, instance);
  }

  ConsideredMappings consider() {
    ConsideredMappings out;
    if (!prepare()) {
      out.unsupported = plan_.unsupported;
      return out;
    }
    check_room();
    choose_mappings();
    out.chosen = mappings_.front();
    out.shape = products_.front().shape();
    out.room = room_;
    considered_ = &out.all;
    (void)choose_for({&products_.front()}, whole_room(), {});
    return out;
  }

  FabricPlan compile() {
    if (!prepare()) return std::move(plan_);
    // Products of one operation say the same again.
    std::sort(plan_.warnings.begin(), plan_.warnings.end());
    plan_.warnings.erase(std::unique(plan_.warnings.begin(), plan_.warnings.end()),
                         plan_.warnings.end());
    check_room();
    if (outside_.shared) {
      clusters_.emplace(outside_, spec_, std::move(products_));
      products_ = clusters_->leads();
    }
    choose_mappings();
    for (std::size_t i = 0; i < products_.size(); ++i) {
      plan_.parts.push_back(products_[i].finish(mappings_[i]));
    }
    outside_.shared ? cut_blocks() : sum_up();
    return std::move(plan_);
  }

 private:
  /// False when the machine cannot run some product; the plan says why.
  bool prepare() {
    for (FabricProduct& product : products_) {
      plan_.unsupported = product.prepare(plan_.warnings);
      if (!plan_.unsupported.empty()) {
        plan_.warnings.clear();
        return false;
      }
    }
    for (const FabricProduct& product : products_) check_columns(product.shape());
    return true;
  }

  /// Most bytes that any cluster has of each group of rows.
  [[nodiscard]] std::vector<double> a_groups(const FabricProduct& product,
                                             const FabricMapping& mapping) const {
    std::vector<double> most = product.a_groups(mapping);
    for (std::size_t i = 0; clusters_ && i < products_.size(); ++i) {
      if (&products_[i] == &product) clusters_->raise_to_most(i, mapping, most);
    }
    return most;
  }

  /// Programs of the clusters, block after block of the shared level.
  void cut_blocks() {
    std::vector<std::vector<ScheduledProduct>> programs(outside_.clusters);
    for (std::size_t i = 0; i < products_.size(); ++i) {
      note_tiles(plan_.parts[i]);
      plan_.parts[i].instance = clusters_->whole(i);
      const SharedShape shape = choose_blocks(outside_, outside_machine_, mappings_[i],
                                              clusters_->groups(i, mappings_[i]));
      plan_.shared.products.push_back(clusters_->cut(i, mappings_[i], shape, programs));
    }
    for (auto& program : programs) {
      plan_.shared.clusters.push_back(
          make_program(std::move(program), static_cast<std::uint64_t>(room_)));
      share_out(plan_.shared.clusters.back());
    }
    plan_.shares = plan_.shared.clusters.front().shares();
  }

  /// Where the machine's file divides the buffer.
  void share_out(ArrayProgram& program) const {
    const auto bytes = [&](const FabricHolding& holding) {
      return static_cast<std::uint64_t>(holding.share * real(spec_.glb_bytes()));
    };
    ArrayShares& shares = program.operations.front().shares;
    if (spec_.glb.a.share > 0) shares.a = bytes(spec_.glb.a);
    if (spec_.glb.b.share > 0) shares.b = bytes(spec_.glb.b);
  }

  /// Bytes of the buffer that each operand may take.
  [[nodiscard]] FabricRoom whole_room() const {
    const auto most = [&](const FabricHolding& holding) {
      return holding.share > 0
                 ? std::min(room_, std::floor(holding.share * real(spec_.glb_bytes())))
                 : room_;
    };
    return {room_, most(spec_.glb.a), most(spec_.glb.b)};
  }

  /// Where the loops do not cut N, the partial sums of all columns must fit.
  void check_columns(const FabricShape& shape) const {
    const FabricSpec::Arrays& arrays = spec_.arrays;
    if (!arrays.whole_columns || shape.n <= arrays.columns * arrays.across_n) return;
    throw InputError(
        fmt::format("{} columns of Z leave no room for the partial sums of {} rows in {}, which "
                    "holds {} columns; its loops do not cut N",
                    shape.n, arrays.rows, spec_.name, arrays.columns * arrays.across_n),
        "cut N in dataflow.loops (N1, N0), or make the level of Z larger");
  }

  /// What stays on chip must leave a quarter of the buffer to what passes.
  void check_room() {
    for (const FabricProduct& product : products_) {
      on_chip_ = std::max(on_chip_, product.on_chip_bytes());
    }
    const double capacity = real(spec_.glb_bytes());
    room_ = std::floor(capacity - on_chip_);
    if (on_chip_ <= 0.75 * capacity) return;
    throw InputError(fmt::format("{:.0f} bytes that stay on chip leave less than a quarter of the "
                                 "{:.0f} bytes of {}'s global buffer",
                                 on_chip_, capacity, spec_.name),
                     "let the operation before write its outputs to DRAM");
  }

  /// Products that are mapped together: each alone, or those that share a shape of A on a machine
  /// that sizes tiles by what they hold.
  [[nodiscard]] std::vector<std::vector<std::size_t>> groups() const {
    std::vector<std::vector<std::size_t>> groups;
    std::map<std::string, std::size_t> alike;
    const bool alone = spec_.tiling.strategy == TilingStrategy::dense_shape;
    for (std::size_t i = 0; i < products_.size(); ++i) {
      if (alone || products_[i].given_mapping() != nullptr) {
        groups.push_back({i});
        continue;
      }
      const auto [found, is_new] = alike.try_emplace(products_[i].key_of_a(), groups.size());
      if (is_new) groups.emplace_back();
      groups[found->second].push_back(i);
    }
    return groups;
  }

  /// Each product takes what is best for it. Where one needs much of A and another much of B, the
  /// shares of the buffer, which last for the operation, are settled first.
  void choose_mappings() {
    const auto all = groups();
    std::optional<Mappings> best = map_all(all, whole_room(), true);
    if (best->a + best->b > room_) {
      const double a = best->a, b = best->b;
      best.reset();
      for (const double share : {a, room_ - b, room_ / 4, room_ / 2, 3 * room_ / 4}) {
        if (share <= 0 || share >= room_) continue;
        auto found = map_all(all, {room_, share, room_ - share}, false);
        if (found && (!best || found->estimate.cycles < best->estimate.cycles))
          best = std::move(found);
      }
      if (!best) refuse(products_.front(), a, b);
    }
    mappings_ = std::move(best->of_product);
    plan_.estimate = best->estimate;
  }

  struct Mappings {
    std::vector<FabricMapping> of_product;
    double a = 0, b = 0;  // bytes of the buffer that some product needs
    Estimate estimate;    // of all
  };

  /// Nothing when some product does not fit; an error when they `must`.
  std::optional<Mappings> map_all(const std::vector<std::vector<std::size_t>>& groups,
                                  FabricRoom room, bool must) {
    Mappings out;
    out.of_product.resize(products_.size());
    for (const auto& members : groups) {
      const FabricChoice choice = choose_together(members, room);
      if (!choice.mapping) {
        if (must) refuse(products_[members.front()], choice.least_a, choice.least_b);
        return std::nullopt;
      }
      out.a = std::max(out.a, choice.mapping->a_need);
      out.b = std::max(out.b, choice.mapping->b_need);
      out.estimate.add(choice.mapping->estimate, 1);
      for (const std::size_t i : members) {
        out.of_product[i] = for_product(*choice.mapping, products_[i].shape());
      }
    }
    return out;
  }

  [[noreturn]] void refuse(const FabricProduct& product, double a, double b) const {
    const FabricShape shape = product.shape();
    const bool given = product.given_mapping() != nullptr;
    throw InputError(
        fmt::format("{} of {} x {} x {} (M x N x K) needs {:.0f} bytes of A and {:.0f} of B in the "
                    "global buffer of {}, which has {:.0f} (glb.capacity and glb.metadata{})",
                    given ? "the given mapping" : "the smallest tile", shape.m, shape.n, shape.k, a,
                    b, spec_.name, room_, on_chip_ > 0 ? ", less what stays on chip" : ""),
        given ? "make its tiles smaller, or leave them to the mapper (mappings)"
              : "give the buffer more room");
  }

  FabricChoice choose_together(const std::vector<std::size_t>& members, FabricRoom room) {
    std::vector<const FabricProduct*> products;
    for (const std::size_t i : members) products.push_back(&products_[i]);
    FabricChoice alone = choose_for(products, room, {});
    if (alone.ideal || !alone.mapping || products.front()->given_mapping() != nullptr) {
      return alone;
    }
    std::vector<FabricMapping> denser = denser_mappings(products, room);
    return denser.empty() ? alone : choose_for(products, room, std::move(denser));
  }

  using Patterns = std::pair<FabricPattern, FabricPattern>;

  /// Patterns of the machine's menus that are denser than the products', the densest first.
  [[nodiscard]] std::vector<Patterns> denser_patterns(
      const std::vector<const FabricProduct*>& products) const {
    std::vector<Patterns> patterns;
    const FabricPattern& own_a = products.front()->a_pattern();
    const FabricPattern& own_b = products.front()->b_pattern();
    for (auto a = spec_.a.patterns.rbegin(); a != spec_.a.patterns.rend(); ++a) {
      if (a->pattern.density() < own_a.pattern.density()) break;
      // Products of one operation may differ in B: only A's pattern is theirs together.
      if (products.size() > 1) {
        if (own_a.pattern.density() < a->pattern.density()) patterns.emplace_back(*a, own_b);
        continue;
      }
      for (auto b = spec_.b.patterns.rbegin(); b != spec_.b.patterns.rend(); ++b) {
        if (b->pattern.density() < own_b.pattern.density()) break;
        if (own_a.pattern.density() == a->pattern.density() &&
            own_b.pattern.density() == b->pattern.density()) {
          continue;
        }
        patterns.emplace_back(*a, *b);
      }
    }
    return patterns;
  }

  /// The products with these patterns, and the mapping chosen for them.
  struct Denser {
    std::vector<FabricProduct> products;
    std::optional<FabricMapping> mapping;
    double a = 0, b = 0, stored_a = 0, stored_b = 0;
    [[nodiscard]] bool limits(const Denser& other) const {
      return a >= other.a && b >= other.b && stored_a >= other.stored_a &&
             stored_b >= other.stored_b;
    }
  };

  static void describe(const FabricProduct& product, Denser& out) {
    out.a = product.a_pattern().pattern.density().value();
    out.b = product.b_pattern().pattern.density().value();
    out.stored_a = product.stored_a();
    out.stored_b = product.stored_b();
  }

  /// Of those that limit `one`, the nearest first.
  static std::vector<FabricMapping> limits_of(const std::vector<Denser>& known, const Denser& one) {
    std::vector<FabricMapping> limits;
    for (auto other = known.rbegin(); other != known.rend(); ++other) {
      if (other->mapping && other->limits(one)) limits.push_back(*other->mapping);
    }
    return limits;
  }

  std::vector<FabricMapping> denser_mappings(const std::vector<const FabricProduct*>& products,
                                             FabricRoom room) {
    std::vector<Denser> known;
    for (const auto& [a, b] : denser_patterns(products)) {
      Denser one;
      std::vector<const FabricProduct*> as;
      one.products.reserve(products.size());
      for (const FabricProduct* product : products) {
        one.products.emplace_back(spec_, product->instance());
        one.products.back().prepare_as(a, products.size() > 1 ? product->b_pattern() : b);
        as.push_back(&one.products.back());
      }
      describe(*as.front(), one);
      one.mapping = choose_for(as, room, limits_of(known, one)).mapping;
      one.products.clear();
      known.push_back(std::move(one));
    }
    Denser own;
    describe(*products.front(), own);
    return limits_of(known, own);
  }

  FabricChoice choose_for(const std::vector<const FabricProduct*>& products, FabricRoom room,
                          std::vector<FabricMapping> denser) const {
    FabricHoldings holdings;
    const FabricProduct& first = *products.front();
    const FabricProduct* widest = &first;
    for (const FabricProduct* product : products) {
      holdings.products.push_back(product->load());
      if (product->shape().n > widest->shape().n) widest = product;
    }
    holdings.m = first.shape().m;
    holdings.room = room;
    holdings.a_groups = [&](const FabricMapping& mapping) { return a_groups(first, mapping); };
    holdings.chunk = [widest](const FabricMapping& mapping) {
      return widest->largest_chunk(mapping);
    };
    if (spec_.tiling.strategy == TilingStrategy::dense_shape) {
      holdings.b_column_most = [&](const FabricMapping& mapping) {
        return first.largest_b_column(mapping);
      };
    }
    holdings.given = first.given_mapping();
    holdings.denser = std::move(denser);
    holdings.considered = considered_;
    return choose_mapping(spec_, machine_, holdings);
  }

  void note_tiles(const FabricPart& part) {
    plan_.a_tile_bytes = std::max(plan_.a_tile_bytes, part.product().a_visits.together);
    plan_.b_tile_bytes = std::max(plan_.b_tile_bytes, part.product().b_visits.together);
  }

  void sum_up() {
    std::vector<ScheduledProduct> scheduled;
    for (const FabricPart& part : plan_.parts) {
      note_tiles(part);
      scheduled.push_back({{part.schedule}, part.instance.times});
    }
    plan_.program = make_program(std::move(scheduled), static_cast<std::uint64_t>(room_));
    share_out(plan_.program);
    plan_.shares = plan_.program.shares();
  }

  const FabricSpec& outside_;  // the machine
  ArrayCost outside_machine_;
  FabricSpec spec_;  // as one cluster sees it
  ArrayCost machine_;
  std::vector<FabricProduct> products_;  // on clusters: the rows of the first
  std::optional<ClusterProducts> clusters_;
  std::vector<FabricMapping> mappings_;
  double on_chip_ = 0, room_ = 0;  // bytes of the buffer: taken, left
  FabricPlan plan_;
  std::vector<FabricMapping>* considered_ = nullptr;
};

}  // namespace

FabricPlan compile_fabric(const FabricSpec& spec, const std::vector<FabricInstance>& instances,
                          FabricMode mode) {
  return Compiler(spec, instances, mode).compile();
}

ConsideredMappings considered_mappings(const FabricSpec& spec, const FabricInstance& product,
                                       FabricMode mode) {
  LACUNA_CHECK(!spec.shared, "the mappings of clusters are not listed");
  return Compiler(spec, {product}, mode).consider();
}

FabricMappingChoice as_given(const FabricMapping& mapping, const FabricShape& shape) {
  FabricMappingChoice choice;
  choice.m = shape.m;
  choice.n = shape.n;
  choice.k = shape.k;
  choice.tile_rows = mapping.array_rows;
  choice.tile_columns = mapping.array_columns;
  choice.passing = mapping.passing;
  if (mapping.a_outer) {
    choice.outer = FabricOuter::a;
    choice.a_tile_rows = mapping.tile_rows;
  } else if (mapping.b_resident) {
    choice.outer = FabricOuter::b;
    choice.b_tile_columns = mapping.tile_columns;
    choice.stays = mapping.a_whole ? FabricStays::both : FabricStays::b;
    choice.b_room = Bytes(whole_near(mapping.b_room));
    choice.a_room = Bytes(whole_up(mapping.a_room));
  } else {
    choice.stays = FabricStays::none;
  }
  return choice;
}

FabricPlan compile_fabric(const FabricSpec& spec, const GemmOperands& operands, FabricMode mode) {
  FabricInstance instance;
  instance.operands = std::shared_ptr<const GemmOperands>(std::shared_ptr<void>(), &operands);
  return compile_fabric(spec, std::vector<FabricInstance>{instance}, mode);
}

}  // namespace lacuna
