// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/component.hpp"

#include "arch/energy/account.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;
using lacuna::test::near;
using lacuna::test::pj;
using lacuna::test::table_45;

namespace {

ComponentSet published(const std::string& name) {
  const auto folder = lacuna::test::energy_folder();
  return ComponentSet::load(find_energy_file(name, {&folder, 1}));
}

ComponentSet parse_set(const std::string& text) {
  return ComponentSet::read(ConfigReader(ConfigTree::parse(text, "set.yaml")), &table_45());
}

}  // namespace

TEST_CASE("the published sets' areas add up to the published totals") {
  CHECK(published("tc-65nm").area().count() == lacuna::test::Approx(4.54e6).margin(5e3));
  CHECK(published("stc-45nm").area().count() == lacuna::test::Approx(3.14e6).margin(5e3));
  CHECK(published("dstc-45nm").area().count() == lacuna::test::Approx(3.05e6).margin(5e3));
}

TEST_CASE("our formulas reproduce the published 45 nm sets") {
  const auto stc = published("stc-45nm");
  const auto dstc = published("dstc-45nm");
  const auto check = [](const ComponentEnergy& ours, const ComponentEnergy& theirs) {
    INFO(theirs.name);
    for (const auto& [action, energy] : ours.actions) {
      const auto listed = theirs.actions.find(action);
      if (listed == theirs.actions.end()) continue;
      INFO(action);
      // SRAM by the grid: within 0.01 %, and as published to the fifth place where that is less.
      CHECK(energy.count() ==
            lacuna::test::Approx(listed->second.count()).epsilon(1e-4).margin(0.51e-5));
    }
    CHECK(ours.flags.empty());
  };
  const auto& table = table_45();
  check(dram_component(table, "dram", "lpddr4"), stc.at("dram"));
  check(sram_component(table, "smem", {Bytes(256 << 10), 512, 2, SramPorts::rw2}), stc.at("smem"));
  check(sram_component(table, "smem_metadata", {Bytes(64 << 10), 64, 1}), stc.at("smem_metadata"));
  check(sram_component(table, "rf", {Bytes(2 << 10), 8, 16, SramPorts::rw2}), stc.at("rf"));
  check(memory_component(table, "lrf", 1, 8), stc.at("lrf"));
  check(mac_component(table, "mac", Precision::parse("int8")), stc.at("mac"));
  check(memory_component(table, "rf_metadata", 128, 16), dstc.at("rf_metadata"));
  check(memory_component(table, "lrf", 64, 16), dstc.at("lrf"));
  check(memory_component(table, "lrf_metadata", 32, 4), dstc.at("lrf_metadata"));
  const auto validation = published("dstc-validation-45nm");
  check(dram_component(table, "dram", "hbm2"), validation.at("dram"));
  check(sram_component(table, "smem", {Bytes(512 << 10), 256, 2}), validation.at("smem"));
  check(sram_component(table, "rf", {Bytes(2 << 10), 16, 1}), validation.at("rf"));
  check(mac_component(table, "mac", Precision::parse("int16")), validation.at("mac"));
  CHECK(memory_component(table, "rf_metadata", 128, 16).area.count() + stc.at("rf").area.count() ==
        near(dstc.at("rf").area.count()));
  CHECK(mac_component(table, "mac", Precision::parse("int8")).area.count() == near(332.25));
}

TEST_CASE("the released worked examples follow from the published sets") {
  // M128 K1152 N1024 in uJ: STC 2:4 and TC, by level, with the counts of the released mappings.
  const double macs = 128.0 * 1152 * 1024;
  const auto run = [&](const ComponentSet& set, double density, double lanes, double n_lrf,
                       double metadata_words) {
    EnergyAccount account(set);
    const double done = macs * density;
    const double refills = 128.0 * 1152 * density * 1024 / n_lrf;
    const double nonzeros = 128.0 * 1152 * density;
    const double b_words = 1152.0 * 1024;
    const double outputs = 128.0 * 1024;
    account.add("mac", "compute", done);
    account.add("mac", "skipped", macs - done);
    account.add("lrf", "read", done);
    account.add("lrf", "write", refills);
    if (metadata_words > 0) {
      account.add("lrf_metadata", "read", done * metadata_words);
      account.add("lrf_metadata", "write", refills * metadata_words);
      account.add("smem_metadata", "read", refills * metadata_words / 8);
      account.add("smem_metadata", "write", nonzeros * metadata_words / 8);
    }
    const double steps = 1152 / lanes;
    account.add("rf", "write", outputs * (steps + 1));
    account.add("rf", "read", outputs * (steps - 1));
    account.add("smem", "read", (refills + b_words * 128 / 64) / 64);
    account.add("smem", "write", (nonzeros + b_words) / 64);
    account.add("dram", "read", (nonzeros + b_words) / 8);
    account.add("dram", "write", outputs / 8);
    account.check();
    return account;
  };
  const auto stc = run(published("stc-45nm"), 0.5, 32, 128, 0.25);
  CHECK(stc.total().count() * 1e-6 == lacuna::test::Approx(173.42).epsilon(2e-4));
  CHECK(stc.by_component().at("mac").count() * 1e-6 == lacuna::test::Approx(42.339).margin(6e-4));
  CHECK(stc.by_component().at("rf").count() * 1e-6 == lacuna::test::Approx(15.738).margin(6e-4));
  CHECK(stc.by_component().at("dram").count() * 1e-6 == lacuna::test::Approx(88.605).margin(6e-4));
  const auto tc = run(published("tc-65nm"), 1.0, 16, 64, 0);
  CHECK(tc.total().count() * 1e-6 == lacuna::test::Approx(276.58).epsilon(2e-4));
  const auto dense = run(published("stc-45nm"), 1.0, 16, 64, 0);
  CHECK(dense.total().count() * 1e-6 == lacuna::test::Approx(248.15).epsilon(2e-4));
}

TEST_CASE("total energy is exactly the sum of actions times the table") {
  EnergyAccount account(
      parse_set("name: m\n"
                "components:\n"
                "  dram: {class: dram, kind: hbm2}\n"
                "  llb: {class: sram, capacity: 1000 KiB, width_bits: 256}\n"
                "  mac: {class: mac, precision: int8, count: 64}\n"));
  account.add("dram", "read", 1e6);
  account.add("dram", "write", 12345);
  account.add("llb", "read", 3.25);
  account.add("llb", "read", 0.5);
  account.add("mac", "compute", 1e9);
  account.add("mac", "gated", 77);
  double expected = 0;
  for (const auto& line : account.lines()) {
    CHECK(line.energy.count() == line.count * line.per_action.count());
    expected += line.energy.count();
  }
  CHECK(account.lines().size() == 5);
  CHECK(account.lines()[2].count == 3.75);
  CHECK(account.total().count() == expected);
  CHECK(expected ==
        near(249.6 * (1e6 + 12345) + 3.75 * pj(account.set(), "llb", "read") +
             1e9 * pj(account.set(), "mac", "compute") + 77 * pj(account.set(), "mac", "gated")));
  double parts = 0;
  for (const auto& [component, energy] : account.by_component()) parts += energy.count();
  CHECK(parts == near(expected));
  CHECK_NOTHROW(account.check());
  CHECK(account.set().area().count() == near(account.set().at("llb").area.count() + 64 * 332.25));
  CHECK(account.set().flags().front().find("llb: interpolated: ") == 0);
}

TEST_CASE("counting an unknown action says which there are") {
  EnergyAccount account(published("stc-45nm"));
  CHECK(error_of([&] { account.add("mac", "multiply", 1); }) ==
        "component 'mac' has no action 'multiply'; it has: compute, gated, idle, skipped, "
        "skipped_as_listed");
  CHECK(error_of([&] { account.add("llb", "read", 1); }) ==
        "no component 'llb' in the energy set 'stc-45nm'; it has: dram, smem, smem_metadata, rf, "
        "lrf, lrf_metadata, mac");
  CHECK_THROWS_AS(account.add("mac", "compute", -1), ModelError);
  CHECK(account.total() == Picojoules(0));
}

TEST_CASE("a set that lacks what a machine counts is refused once, with all that is missing") {
  const auto set = published("tc-65nm");
  CHECK_NOTHROW(require_actions(set, {{"mac", {"compute", "gated"}}, {"dram", {"read"}}}));
  CHECK(error_of([&] {
          require_actions(set,
                          {{"mac", {"compute", "reused"}}, {"glb", {"read"}}, {"rf", {"update"}}});
        }) ==
        "the energy set 'tc-65nm' lacks what the machine counts: reused of 'mac' (it has compute, "
        "gated, idle, skipped); component 'glb'; update of 'rf' (it has gated, idle, read, write); "
        "its components: dram, smem, rf, lrf, lrf_metadata, mac");
}

TEST_CASE("components are read by class with their attributes") {
  const auto set = parse_set(
      "name: all\n"
      "components:\n"
      "  dram: {class: dram, kind: lpddr4, width_bits: 128}\n"
      "  spad: {class: memory, depth: 64, width_bits: 16}\n"
      "  file: {class: register_file, depth: 32, width_bits: 4}\n"
      "  reg: {class: register, width_bits: 8}\n"
      "  add: {class: adder, precision: int16, clock_ns: 1}\n"
      "  mul: {class: multiplier, precision: fp32}\n"
      "  fma: {class: mac, precision: fp16, accumulate: fp32}\n"
      "  fast: {class: mac, precision: int8, clock_ns: 1}\n"
      "  xbar: {class: crossbar, inputs: 1, outputs: 4, width_bits: 32}\n"
      "  bus: {class: wire, width_bits: 64, length_um: 100}\n"
      "  isect: {class: saf, unit: bitmask_intersect, size: 64}\n"
      "  given: {actions: {spill: 2.5}, width_bits: 8, area_um2: 3, count: 2}\n");
  CHECK(pj(set, "dram", "read") == near(1024));
  CHECK(pj(set, "spad", "write") == lacuna::test::Approx(0.49218).epsilon(1e-5));
  CHECK(pj(set, "file", "gated") == lacuna::test::Approx(0.00209).margin(1e-5));
  CHECK(pj(set, "reg", "read") == near(0.072));
  CHECK(pj(set, "add", "compute") == near(0.105));
  CHECK(pj(set, "mul", "compute") == near(24.4));
  CHECK(pj(set, "fma", "compute") == near(24.4 / 4 + 7.928));
  CHECK(pj(set, "fast", "compute") == near(0.845));
  CHECK(pj(set, "xbar", "transfer") == near(0.68215));
  CHECK(pj(set, "bus", "transfer") == near(64 * 100 * 0.3254e-3));
  CHECK(pj(set, "isect", "compute") == near(2.98));
  CHECK(pj(set, "given", "spill") == near(2.5));
  CHECK(set.at("given").count == 2);
}

TEST_CASE("mistakes in a component are reported where they stand") {
  CHECK(error_of([] { (void)parse_set("name: m\ncomponents:\n  llb: {class: srm}\n"); }) ==
        "set.yaml:3: components.llb.class: 'srm' is not a component class; did you mean 'sram'?");
  CHECK(
      error_of([] { (void)parse_set("name: m\ncomponents:\n  d: {class: dram, kind: hbm5}\n"); })
          .find("set.yaml:3: components.d: the 45nm energy table has no DRAM named 'hbm5'; did you "
                "mean 'hbm") == 0);
  CHECK(error_of([] {
          (void)parse_set("name: m\ncomponents:\n  d: {class: mac, precision: int88}\n");
        }).find("set.yaml:3: components.d.precision: 'int88' is not a precision") == 0);
  CHECK(error_of([] {
          (void)parse_set("name: m\ncomponents:\n  d: {class: mac, precision: int8, widht: 3}\n");
        }).find("unknown key 'widht'") != std::string::npos);
  CHECK(error_of([] {
          (void)parse_set(
              "name: m\ncomponents:\n  s: {class: sram, capacity: 1 B, width_bits: 64}\n");
        }).find("set.yaml:3: components.s: an SRAM of 1 B cannot be 64 bits wide") == 0);
  CHECK(error_of([] {
          (void)ComponentSet::read(ConfigReader(
              ConfigTree::parse("name: m\ncomponents:\n  s: {class: wire}\n", "set.yaml")));
        }).find("needs an energy table") != std::string::npos);
}

TEST_CASE("tables are found by name in folders, or by path") {
  const auto folder = lacuna::test::energy_folder();
  const std::vector<std::filesystem::path> folders{"/nonexistent", folder};
  CHECK(EnergyTable::load("65nm", folders).node_nm == 65);
  CHECK(EnergyTable::load((folder / "45nm.yaml").string(), {}).name == "45nm");
  CHECK(find_energy_file("dstc-45nm", folders) == folder / "published" / "dstc-45nm.yaml");
  const std::vector<std::filesystem::path> only{folder};
  CHECK(error_of([&] { (void)EnergyTable::load("45mn", only); }).find("did you mean '45nm'?") !=
        std::string::npos);
  CHECK_THROWS_AS(EnergyTable::load("nothing/there.yaml", only), InputError);
}

TEST_CASE("a damaged table is refused with its place") {
  const auto broken = [](const char* assignment) {
    auto tree = ConfigTree::load(lacuna::test::energy_folder() / "45nm.yaml");
    tree.set(assignment);
    return error_of([&] { (void)EnergyTable::read(ConfigReader(tree)); });
  };
  CHECK(broken("units.adder.scaling=cubic").find("'cubic' is not a value of scaling") !=
        std::string::npos);
  CHECK(broken("units.adder.rows=[]").find("at least one row") != std::string::npos);
  CHECK(broken("units.adder.rows=[{clock_ns: 2, pj: 1}, {clock_ns: 1, pj: 1}]").find("ascending") !=
        std::string::npos);
  CHECK(broken("sram.bank_share=2").find("sram.bank_share") != std::string::npos);
  CHECK(broken("sram.points=[]").find("unknown key 'points'") != std::string::npos);
  CHECK(broken("sram.cell_leakage.hp.45nm=3").find("'45nm' is not a node in nm") !=
        std::string::npos);
  CHECK(broken("dram.lpddr4=-1").find("dram.lpddr4") != std::string::npos);
  CHECK(broken("dram.hbm2.refresh_mw=-1").find("dram.hbm2.refresh_mw") != std::string::npos);
  CHECK(broken("anchors={adder: {bits: 8}}").find("cannot be anchored") != std::string::npos);
  CHECK(broken("speling=1").find("unknown key 'speling'") != std::string::npos);
}
