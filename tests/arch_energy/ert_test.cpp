// SPDX-License-Identifier: Apache-2.0
#include "arch/energy/ert.hpp"

#include <fstream>

#include "arch/energy/account.hpp"
#include "tests/arch_energy/tables.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::error_of;
using lacuna::test::pj;

namespace {

AccelergyTable parse(const std::string& text) {
  return AccelergyTable::read(ConfigTree::parse(text, "ERT.yaml"));
}

const char* const kTable =
    "ERT:\n"
    "    version: '0.4'\n"
    "    tables:\n"
    "      - name: system.DRAM[1..1]\n"
    "        actions:\n"
    "          - name: read\n"
    "            arguments: {global_cycle_seconds: 1e-09, action_latency_cycles: 1}\n"
    "            energy: 512.0\n"
    "          - name: write\n"
    "            arguments: {}\n"
    "            energy: 500\n"
    "      - name: system.SMEM[1..1]\n"
    "        actions:\n"
    "          - {name: read, arguments: {}, energy: 12.5}\n"
    "          - {name: write, arguments: {}, energy: 13}\n"
    "          - {name: metadata_read, arguments: {}, energy: 2}\n"
    "          - {name: leak, arguments: null, energy: 1.0e-03}\n"
    "      - name: system.PE[0..255].mac[1..4]\n"
    "        actions:\n"
    "          - {name: mac_random, arguments: null, energy: 0.5}\n"
    "          - {name: mac_gated, arguments: null, energy: 0.25}\n";

ComponentSet base() {
  return ComponentSet::load(lacuna::test::energy_folder() / "published" / "stc-45nm.yaml");
}

const NeededActions kNeeded{{"dram", {"read", "write"}},
                            {"smem", {"read", "write"}},
                            {"smem_metadata", {"read"}},
                            {"mac", {"compute", "gated"}}};

}  // namespace

TEST_CASE("an Accelergy table replaces our energies, matched by the last name of a path") {
  const auto table = parse(kTable);
  CHECK(table.version == "0.4");
  CHECK(table.components[2].last == "mac");
  const auto set = with_accelergy_table(base(), table, kNeeded);
  CHECK(pj(set, "dram", "write") == 500);
  CHECK(pj(set, "smem", "read") == 12.5);
  CHECK(pj(set, "smem", "idle") == 1e-3);
  CHECK(pj(set, "smem_metadata", "read") == 2);
  CHECK(pj(set, "mac", "compute") == 0.5);
  CHECK(pj(set, "mac", "gated") == 0.25);
  CHECK(set.at("mac").area == base().at("mac").area);
  CHECK(set.at("mac").count == 1024);
  // Nothing of ours is left: what the table lacks and nobody needs is gone.
  CHECK(set.find("rf") == nullptr);
  CHECK_FALSE(set.at("smem_metadata").actions.contains("write"));
  CHECK(set.at("smem").flags.front() == "from the Accelergy table ERT.yaml, system.SMEM[1..1]");
  EnergyAccount account(set);
  account.add("mac", "compute", 10);
  CHECK(account.total().count() == 5);
}

TEST_CASE("what the table lacks is reported in one message") {
  CHECK(error_of([] {
          (void)with_accelergy_table(base(), parse(kTable),
                                     {{"smem", {"read", "gated"}},
                                      {"smem_metadata", {"read", "write"}},
                                      {"rf", {"read", "write"}},
                                      {"mac", {"compute"}}});
        }) ==
        "ERT.yaml: the energy reference table lacks what the machine counts: gated of 'smem' "
        "(system.SMEM[1..1] has leak, metadata_read, read, write); write of 'smem_metadata' "
        "(system.SMEM[1..1] has leak, metadata_read, read, write); component 'rf' (needed: read, "
        "write); add the actions, or map the names, for instance prices: {names: {\"smem.gated\": "
        "\"leak\", \"smem_metadata.write\": \"write\", \"rf\": \"DRAM\"}}; its components: "
        "system.DRAM[1..1], system.SMEM[1..1], system.PE[0..255].mac[1..4]");
}

TEST_CASE("names are mapped explicitly where they differ") {
  ErtMapping mapping;
  mapping.components["rf"] = "SMEM";
  mapping.actions["rf.read"] = "metadata_read";
  const auto set =
      with_accelergy_table(base(), parse(kTable), {{"rf", {"read", "write"}}}, mapping);
  CHECK(pj(set, "rf", "read") == 2);
  CHECK(pj(set, "rf", "write") == 13);
  mapping.components["rf"] = "system.RF";
  CHECK(error_of([&] {
          (void)with_accelergy_table(base(), parse(kTable), {}, mapping);
        }).find("'rf' is mapped to 'system.RF', which the table does not have; it has: ") !=
        std::string::npos);
  mapping.components = {{"smme", "SMEM"}};
  CHECK(error_of([&] {
          (void)with_accelergy_table(base(), parse(kTable), {}, mapping);
        }).find("did you mean 'smem'?") != std::string::npos);
}

TEST_CASE("a name that several paths end in must be mapped") {
  const auto table = parse(
      "ERT:\n  version: 0.4\n  tables:\n"
      "  - {name: a.rf, actions: [{name: read, energy: 1}]}\n"
      "  - {name: b.rf, actions: [{name: read, energy: 2}]}\n");
  CHECK(error_of([&] {
          (void)with_accelergy_table(base(), table, {{"rf", {"read"}}});
        }) ==
        "ERT.yaml: several components of the table are named 'rf': a.rf, b.rf; map the name to a "
        "full path");
  ErtMapping mapping;
  mapping.components["rf"] = "b.rf";
  CHECK(pj(with_accelergy_table(base(), table, {{"rf", {"read"}}}, mapping), "rf", "read") == 2);
}

TEST_CASE("the map in the message can be pasted, and is taken") {
  const auto path = lacuna::test::scratch("accelergy_names");
  std::ofstream(path / "ERT.yaml") << kTable;
  AccelergyFiles files;
  files.ert = (path / "ERT.yaml").string();
  const NeededActions needed{{"rf", {"read", "write"}}};
  const auto said = error_of([&] { (void)with_accelergy_files(base(), files, needed, 1); });
  const auto begin = said.find("prices: {names: "), end = said.find("}}", begin) + 2;
  REQUIRE(begin != std::string::npos);
  const auto pasted = ConfigTree::parse(said.substr(begin, end - begin), "pasted.yaml");
  const ConfigReader prices = ConfigReader(pasted).mapping("prices").mapping("names");
  for (const auto& ours : prices.keys()) files.names[ours] = prices.text(ours);
  CHECK(files.names.contains("rf"));
  CHECK(pj(with_accelergy_files(base(), files, needed, 1), "rf", "read") == 512);
  files.names = {{"rf", "SMEM"}, {"rf.read", "metadata_read"}};
  CHECK(pj(with_accelergy_files(base(), files, needed, 1), "rf", "read") == 2);
  files.names = {{"rg.read", "read"}};
  CHECK(
      error_of([&] {
        (void)with_accelergy_files(base(), files, needed, 1);
      }).find("maps 'rg.read', which is neither a component of the machine nor an action of one") !=
      std::string::npos);
}

TEST_CASE("leakage is the table's idle energy in each cycle, or said to be missing") {
  const auto set = with_accelergy_table(base(), parse(kTable), kNeeded, {}, 2);
  CHECK(set.at("smem").static_mw == 0.5e-3);
  CHECK(set.at("mac").static_mw == 0);
  CHECK(set.at("mac").flags.back().find("not priced: leakage") == 0);
}

TEST_CASE("an area reference table replaces our areas, and lacks none that is needed") {
  const auto read = [](const std::string& rows) {
    return AccelergyAreas::read(
        ConfigTree::parse("ART:\n  version: 0.4\n  tables:\n" + rows, "ART.yaml"));
  };
  const auto areas = read(
      "  - name: system.SMEM[1..1]\n    area: 1069101.875\n"
      "  - name: system.PE[0..255].mac[1..4]\n    area: 417.0\n");
  const auto set = with_accelergy_areas(base(), areas, {{"smem", {"read"}}, {"mac", {"compute"}}});
  CHECK(set.at("smem").area.count() == 1069101.875);
  CHECK(set.at("mac").area.count() == 417);
  CHECK(set.at("rf").area.count() == 0);
  CHECK(set.at("rf").flags.back() == "not priced: area, which the Accelergy table does not have");
  CHECK(pj(set, "smem", "read") == pj(base(), "smem", "read"));
  CHECK(error_of([&] {
          (void)with_accelergy_areas(base(), areas, {{"rf", {"read"}}});
        })
            .find("lacks components of the machine: rf; add them, or map the names, for instance "
                  "prices: {names: {\"rf\": \"") != std::string::npos);
  CHECK(error_of([] {
          (void)AccelergyAreas::read(ConfigTree::parse("ERT: {}\n", "ART.yaml"));
        }).find("not an Accelergy area reference table") != std::string::npos);
  CHECK(error_of([&] { (void)read("  - {name: a, area: -1}\n"); }).find("area") !=
        std::string::npos);
}

TEST_CASE("Accelergy's own pair of tables prices a machine with a map of names") {
  LACUNA_NEEDS_SHARED();
  const auto folder = lacuna::test::shared_data() / "ert";
  AccelergyFiles files;
  files.ert = (folder / "tl04_sparse_tensor_core_like.ERT.yaml").string();
  files.art = (folder / "tl04_sparse_tensor_core_like.ART.yaml").string();
  files.names = {{"mac.gated", "leak"}, {"mac.skipped", "leak"}, {"lrf_metadata", "LRF"}};
  const auto set = with_accelergy_files(base(), files, kNeeded, 1);
  CHECK(pj(set, "smem", "read") == 124.695312);
  CHECK(set.at("smem").area.count() == 1069101.875);
  CHECK(set.at("mac").area.count() == 417);
  CHECK(set.at("lrf_metadata").area.count() == 30.62);
}

TEST_CASE("summaries and actions with several arguments give the mean and say so") {
  const auto summary = parse(
      "ERT_summary:\n  version: 0.3\n  table_summary:\n"
      "  - name: chip.rf\n"
      "    actions:\n"
      "    - {name: read, average_energy: 2, max_energy: 3, min_energy: 1}\n"
      "    - {name: write, energy: 4}\n"
      "    primitive_estimation(s):\n"
      "    - {name: chip.rf, estimator: Aladdin_table}\n");
  const auto set = with_accelergy_table(base(), summary, {{"rf", {"read", "write"}}});
  CHECK(pj(set, "rf", "read") == 2);
  CHECK(pj(set, "rf", "write") == 4);
  CHECK(set.at("rf").flags.at(1) == "mean of arguments: read is 1 to 3 pJ");
  const auto several = parse(
      "ERT:\n  version: 0.4\n  tables:\n"
      "  - name: chip.rf\n"
      "    actions:\n"
      "    - {name: read, arguments: {address_delta: 0}, energy: 1}\n"
      "    - {name: read, arguments: {address_delta: 1}, energy: 2}\n");
  CHECK(several.components[0].actions.at("read").pj == 1.5);
  CHECK(several.components[0].actions.at("read").high == 2);
}

TEST_CASE("what is no energy reference table is refused with its place") {
  CHECK(error_of([] {
          (void)parse("ART:\n  version: 0.4\n");
        }).find("not an Accelergy energy reference table") != std::string::npos);
  CHECK(error_of([] {
          (void)parse("ERT:\n  version: 0.5\n  tables: []\n");
        }).find("version 0.5 of the table is not known; expected 0.3 or 0.4") != std::string::npos);
  CHECK(error_of([] {
          (void)parse("ERT:\n  version: 0.4\n  tables: []\n");
        }).find("no components") != std::string::npos);
  CHECK(error_of([] {
          (void)parse(
              "ERT:\n  version: 0.4\n  tables:\n  - name: a\n    actions:\n    - {name: read, "
              "energy: lots}\n");
        }).find("ERT.yaml:6: ERT.tables[0].actions[0].energy: 'lots' is not a number") == 0);
  CHECK(error_of([] {
          (void)parse(
              "ERT:\n  version: 0.4\n  tables:\n  - name: a\n    actions:\n    - {name: read}\n");
        }).find("'energy' is required") != std::string::npos);
}
