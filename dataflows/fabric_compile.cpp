// SPDX-License-Identifier: Apache-2.0
#include "dataflows/fabric_compile.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "arch/cost/array_cost.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/whole.hpp"
#include "dataflows/fabric_product.hpp"
#include "dataflows/row_split.hpp"
#include "dataflows/shared_blocks.hpp"

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
    for (const FabricProduct& product : products_) check_columns(product.shape());
    check_room();
    if (outside_.shared) split();
    choose_mappings();
    for (std::size_t i = 0; i < products_.size(); ++i) {
      plan_.parts.push_back(products_[i].finish(mappings_[i]));
    }
    outside_.shared ? cut_blocks() : sum_up();
    return std::move(plan_);
  }

 private:
  /// A cluster takes the level that it shares for its memory.
  static FabricSpec as_a_cluster_sees(const FabricSpec& spec) {
    FabricSpec inner = spec;
    if (!spec.shared) return inner;
    const double words = spec.shared->read_words;
    if (words > 0) inner.dram.read_words = std::max(words, spec.dram.read_words);
    inner.dram.write_words /= real(spec.clusters);
    inner.dram.latency = spec.shared->latency;
    inner.shared.reset();
    inner.clusters = 1;
    return inner;
  }

  /// Rows that a cluster takes at a time.
  [[nodiscard]] std::uint64_t turn() const {
    std::uint64_t rows = spec_.arrays.rows;
    for (const auto& [of_tile, columns] : spec_.arrays.tiles) rows = std::max(rows, of_tile);
    return rows * spec_.arrays.across_m;
  }

  /// Each cluster's rows of every product. The first cluster has as many as any other.
  void split() {
    wholes_ = std::move(products_);
    products_.clear();
    products_.reserve(wholes_.size());
    for (const FabricProduct& whole : wholes_) {
      auto& clusters = of_cluster_.emplace_back();
      const GemmOperands& operands = *whole.instance().operands;
      for (std::uint64_t c = 0; c < outside_.clusters; ++c) {
        const RowsInTurn rows{turn(), outside_.clusters, c};
        if (rows.rows_of(operands.m()) == 0) break;
        FabricInstance part = whole.instance();
        part.operands = std::make_shared<const GemmOperands>(rows_in_turn(operands.a(), rows),
                                                             operands.b_transposed());
        clusters.push_back(std::make_unique<FabricProduct>(whole, part));
      }
      products_.emplace_back(whole, clusters.front()->instance());
    }
  }

  /// Most bytes that any cluster has of each group of rows.
  [[nodiscard]] std::vector<double> a_groups(const FabricProduct& product,
                                             const FabricMapping& mapping) const {
    std::vector<double> most = product.a_groups(mapping);
    for (std::size_t i = 0; i < of_cluster_.size(); ++i) {
      if (&products_[i] == &product) add_clusters(i, mapping, most);
    }
    return most;
  }

  void add_clusters(std::size_t product, const FabricMapping& mapping,
                    std::vector<double>& most) const {
    for (const auto& cluster : of_cluster_[product]) {
      const std::vector<double> own = cluster->a_groups(mapping);
      for (std::size_t g = 0; g < own.size(); ++g) most[g] = std::max(most[g], own[g]);
    }
  }

  /// What the shared level holds of a product.
  [[nodiscard]] SharedGroups groups_of(std::size_t product, const FabricMapping& mapping) const {
    SharedGroups groups;
    for (const auto& cluster : of_cluster_[product]) {
      const std::vector<double> own = cluster->a_groups(mapping);
      groups.a.resize(std::max(groups.a.size(), own.size()));
      for (std::size_t g = 0; g < own.size(); ++g) groups.a[g] += own[g];
    }
    const FabricLoad load = products_[product].load();
    const std::vector<double>& sums = load.b_sums(mapping);
    for (std::uint64_t at = 0; at < load.n; at += mapping.columns) {
      const double words = sums[std::min(load.n, at + mapping.columns)] - sums[at];
      groups.b.push_back(words * load.b_bytes);
    }
    return groups;
  }

  /// Programs of the clusters, block after block of the shared level.
  void cut_blocks() {
    std::vector<std::vector<ScheduledProduct>> programs(outside_.clusters);
    for (std::size_t i = 0; i < products_.size(); ++i) {
      plan_.a_tile_bytes = std::max(plan_.a_tile_bytes, plan_.parts[i].product().a_visits.together);
      plan_.b_tile_bytes = std::max(plan_.b_tile_bytes, plan_.parts[i].product().b_visits.together);
      plan_.parts[i].instance = wholes_[i].instance();
      const SharedShape shape =
          choose_blocks(outside_, outside_machine_, mappings_[i], groups_of(i, mappings_[i]));
      SharedProduct& product = plan_.shared.products.emplace_back();
      product.times = wholes_[i].instance().times;
      for (auto& program : programs) program.push_back({{}, product.times});
      for_each_block(i, shape, [&](std::uint64_t m, std::uint64_t n) {
        SharedBlock block{m, n, {}};
        const auto schedules = cut_block(i, shape, m, n);
        for (std::size_t c = 0; c < schedules.size(); ++c) {
          block.of_cluster.push_back(schedules[c]->product());
          programs[c].back().blocks.push_back(schedules[c]);
        }
        product.blocks.push_back(std::move(block));
      });
    }
    for (auto& program : programs) {
      plan_.shared.clusters.push_back(
          make_program(std::move(program), static_cast<std::uint64_t>(room_)));
      share_out(plan_.shared.clusters.back());
    }
    plan_.program.a_capacity = plan_.shared.clusters.front().a_capacity;
    plan_.program.b_capacity = plan_.shared.clusters.front().b_capacity;
  }

  template <class Visit>
  void for_each_block(std::size_t product, const SharedShape& shape, const Visit& visit) const {
    const FabricMapping& mapping = mappings_[product];
    const FabricShape whole = products_[product].shape();
    const std::uint64_t rows = ceil_div(ceil_div(whole.m, mapping.rows), shape.a_groups);
    const std::uint64_t columns = ceil_div(ceil_div(whole.n, mapping.columns), shape.b_groups);
    const bool a_outside = outside_.shared->a_outside;
    for (std::uint64_t i = 0; i < rows * columns; ++i) {
      stop_if_requested();
      a_outside ? visit(i / columns, i % columns) : visit(i % rows, i / rows);
    }
  }

  using Schedules = std::vector<std::shared_ptr<const FabricSchedule>>;

  /// What each cluster does in block (m, n). The first says how tiles are walked.
  [[nodiscard]] Schedules cut_block(std::size_t i, const SharedShape& shape, std::uint64_t m,
                                    std::uint64_t n) const {
    const std::uint64_t rows = shape.a_groups * mappings_[i].rows;
    const std::uint64_t columns = shape.b_groups * mappings_[i].columns;
    Schedules schedules;
    std::shared_ptr<const FabricSchedule> lead;
    FabricMapping mapping;
    std::uint64_t groups = 0;
    for (std::uint64_t c = 0; c < outside_.clusters; ++c) {
      const FabricProduct* own = c < of_cluster_[i].size() ? of_cluster_[i][c].get() : nullptr;
      if (own == nullptr || m * rows >= own->shape().m) {
        schedules.push_back(std::make_shared<FabricSchedule>(idle_beside(*lead->product()), mapping,
                                                             spec_.word_bytes(), groups));
        continue;
      }
      FabricInstance part = own->instance();
      const GemmOperands& operands = *part.operands;
      part.operands = std::make_shared<const GemmOperands>(
          rows_between(operands.a(), m * rows, std::min(operands.m(), (m + 1) * rows)),
          rows_between(operands.b_transposed(), n * columns,
                       std::min(operands.n(), (n + 1) * columns)));
      const FabricProduct product(*own, part);
      if (c == 0) {
        mapping = for_product(mappings_[i], product.shape());
        groups = ceil_div(product.shape().m, mapping.rows);
      }
      schedules.push_back(product.finish(mapping, groups).schedule);
      if (c == 0) lead = schedules.back();
    }
    return schedules;
  }

  /// A cluster without rows: what all clusters get of B passes by.
  [[nodiscard]] static ArrayProduct idle_beside(const ArrayProduct& lead) {
    ArrayProduct idle = lead;
    idle.operands = nullptr;
    idle.a.clear();
    idle.z = {};
    idle.a_visits = idle.b_visits = {};
    return idle;
  }

  /// Where the machine's file divides the buffer.
  void share_out(ArrayProgram& program) const {
    const auto bytes = [&](const FabricHolding& holding) {
      return static_cast<std::uint64_t>(holding.share * real(spec_.glb_bytes()));
    };
    if (spec_.glb.a.share > 0) program.a_capacity = bytes(spec_.glb.a);
    if (spec_.glb.b.share > 0) program.b_capacity = bytes(spec_.glb.b);
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
    return choose_mapping(spec_, machine_, holdings);
  }

  void sum_up() {
    std::vector<ScheduledProduct> scheduled;
    for (const FabricPart& part : plan_.parts) {
      plan_.a_tile_bytes = std::max(plan_.a_tile_bytes, part.product().a_visits.together);
      plan_.b_tile_bytes = std::max(plan_.b_tile_bytes, part.product().b_visits.together);
      scheduled.push_back({{part.schedule}, part.instance.times});
    }
    plan_.program = make_program(std::move(scheduled), static_cast<std::uint64_t>(room_));
    share_out(plan_.program);
  }

  const FabricSpec& outside_;  // the machine
  ArrayCost outside_machine_;
  FabricSpec spec_;  // as one cluster sees it
  ArrayCost machine_;
  std::vector<FabricProduct> products_;  // on clusters: the rows of the first
  // On clusters: the products, and what each cluster with rows has of them.
  std::vector<FabricProduct> wholes_;
  std::vector<std::vector<std::unique_ptr<FabricProduct>>> of_cluster_;
  std::vector<FabricMapping> mappings_;
  double on_chip_ = 0, room_ = 0;  // bytes of the buffer: taken, left
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
