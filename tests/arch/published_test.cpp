// SPDX-License-Identifier: Apache-2.0
// Do runs on the published matrices give the published counts exactly? Sources: TeAAL artifact
// (data/baselines/extensor.csv, data/pregenerated), and counts computed by its rules.
#include <algorithm>

#include "dataflows/tiling.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "tests/arch/products.hpp"

using namespace lacuna;
using lacuna::test::at;
using lacuna::test::dram_reads;
using lacuna::test::dram_writes;
using lacuna::test::machine;

namespace {

struct Published {
  std::string name;
  LoopTiles tiles;  // m1, k1, n1
  std::uint64_t a, b, partial, z;
  std::uint64_t multiplies, adds, k0_tries, k1_tries;
  std::uint64_t teaal_a, teaal_b, teaal_a_error;
  std::uint64_t llb_a, llb_b;
  std::uint64_t m2, m1, n1, k1, m0, n0;
};

const Published kWikiVote{.name = "wiki-Vote",
                          .tiles = {12, 64, 128},
                          .a = 1'650'800,
                          .b = 1'650'800,
                          .partial = 12'400'000,
                          .z = 29'297'792,
                          .multiplies = 4'542'805,
                          .adds = 2'711'693,
                          .k0_tries = 55'682'881,
                          .k1_tries = 236'095,
                          .teaal_a = 1'783'800,
                          .teaal_b = 1'719'856,
                          .teaal_a_error = 0,
                          .llb_a = 106'103'272,
                          .llb_b = 94'581'992,
                          .m2 = 12,
                          .m1 = 130,
                          .n1 = 5'330,
                          .k1 = 218'805,
                          .m0 = 2'719'941,
                          .n0 = 31'118'422};

const Published kGnutella{.name = "p2p-Gnutella31",
                          .tiles = {32, 64, 128},
                          .a = 12'312'364,
                          .b = 3'391'516,
                          .partial = 53'963'488,
                          .z = 8'601'616,
                          .multiplies = 538'318,
                          .adds = 717,
                          .k0_tries = 29'738'344,
                          .k1_tries = 24'082'597,
                          .teaal_a = 14'362'784,
                          .teaal_b = 4'540'128,
                          .teaal_a_error = 712,
                          .llb_a = 437'718'432,
                          .llb_b = 542'643'152,
                          .m2 = 512,
                          .m1 = 13'548,
                          .n1 = 1'552'502,
                          .k1 = 8'857'448,
                          .m0 = 12'748'829,
                          .n0 = 29'365'693};

CsrMatrix load(const std::string& name) {
  CsrMatrix matrix = load_matrix(lacuna::test::shared_data() / "matrices" / (name + ".mtx.gz"));
  if (!matrix.has_values()) fill_values(matrix, 1, name);
  return matrix;
}

void check_counts(const Published& p, const MachineStatistics& s) {
  CHECK(dram_reads(s, "A") == p.a);
  CHECK(dram_reads(s, "B") == p.b);
  CHECK(dram_reads(s, "Z_partial") + dram_writes(s, "Z_partial") == p.partial);
  CHECK(dram_writes(s, "Z") == p.z);
  CHECK(s.macs_effectual == p.multiplies);
  CHECK(s.adds == p.adds);
  CHECK(16 * s.z_nonzeros == p.z);
  CHECK(s.actions.at("intersect_k0").at("try") == p.k0_tries);
  CHECK(s.actions.at("intersect_k1").at("try") == p.k1_tries);
  CHECK(s.traffic.at("llb").at("A").read_bytes == p.llb_a);
  CHECK(s.traffic.at("llb").at("B").read_bytes == p.llb_b);
  CHECK(s.iterations.at("M2") == p.m2);
  CHECK(s.iterations.at("M1") == p.m1);
  CHECK(s.iterations.at("N1") == p.n1);
  CHECK(s.iterations.at("K1") == p.k1);
  CHECK(s.iterations.at("M0") == p.m0);
  CHECK(s.iterations.at("N0") == p.n0);
  CHECK(s.iterations.at("K0") == p.multiplies);
}

/// Both fidelities, counts and cycles.
void check_published(const Published& p) {
  const CsrMatrix a = load(p.name);
  const MachineSpec spec = machine("extensor");
  const ProductOperands operands(a, transpose(a), spec.microtile);
  const auto run = [&](Fidelity fidelity) {
    return lacuna::test::simulate(spec, operands, p.tiles, at(fidelity)).statistics;
  };
  const MachineStatistics tile = run(Fidelity::tile);
  const MachineStatistics element = run(Fidelity::element);
  check_counts(p, tile);
  check_counts(p, element);
  CHECK(tile.traffic == element.traffic);
  CHECK(tile.actions == element.actions);
  const auto tile_cycles = static_cast<double>(tile.cycles.count());
  const auto element_cycles = static_cast<double>(element.cycles.count());
  INFO(p.name << ": " << tile.cycles.count() << " cycles by tile, " << element.cycles.count()
              << " by element");
  CHECK(std::abs(tile_cycles - element_cycles) <= 0.001 * tile_cycles);
}

void check_teaal(const Published& p) {
  const CsrMatrix a = load(p.name);
  const MachineSpec spec = machine("extensor-teaal");
  const ProductOperands operands(a, transpose(a), spec.microtile);
  const auto s = lacuna::test::simulate(spec, operands, p.tiles).statistics;
  CHECK(dram_reads(s, "A") == p.teaal_a + p.teaal_a_error);
  CHECK(dram_reads(s, "B") == p.teaal_b);
}

/// Effectual multiplies and nonzeros of A * A, by name.
struct Product {
  const char* name;
  std::uint64_t multiplies, nonzeros;
};
constexpr Product kProducts[] = {{"bcsstk18", 2'554'954, 713'208},
                                 {"bcsstk29", 30'850'506, 1'965'686},
                                 {"ca-CondMat", 4'127'524, 2'355'437},
                                 {"cage10", 2'172'087, 942'575},
                                 {"cit-HepPh", 6'550'654, 3'713'328},
                                 {"ct2010", 2'244'998, 1'475'292},
                                 {"delaunay_n16", 2'478'510, 1'359'028},
                                 {"ego-facebook", 18'806'166, 2'896'485},
                                 {"email-Enron", 51'501'448, 30'492'154},
                                 {"finan512", 7'713'792, 4'597'248},
                                 {"graphchallenge_dnn_n1024-l1", 1'048'576, 49'152},
                                 {"memplus", 9'518'740, 5'121'784},
                                 {"nasa4704", 2'528'934, 361'492},
                                 {"p2p-Gnutella08", 94'194, 89'625},
                                 {"p2p-Gnutella31", 538'318, 537'601},
                                 {"rajat01", 5'373'531, 4'686'910},
                                 {"soc-Epinions1", 39'924'100, 20'580'980},
                                 {"sx-mathoverflow", 36'877'724, 18'607'884},
                                 {"tols4000", 51'310, 18'266},
                                 {"wiki-Vote", 4'542'805, 1'831'112}};

}  // namespace

TEST_CASE("wiki-Vote: the published traffic, tries and loop trips, in both fidelities") {
  LACUNA_NEEDS_SHARED();
  check_published(kWikiVote);
}

TEST_CASE("p2p-Gnutella31: the published traffic, tries and loop trips, in both fidelities") {
  LACUNA_NEEDS_SHARED();
  check_published(kGnutella);
}

TEST_CASE("the TeAAL model's A and B traffic, 712 bytes of A apart on p2p-Gnutella31") {
  LACUNA_NEEDS_SHARED();
  check_teaal(kWikiVote);
  check_teaal(kGnutella);
}

TEST_CASE("A * A of every square matrix: multiplies, outputs and 16 bytes for each") {
  LACUNA_NEEDS_SHARED();
  const MachineSpec spec = machine("extensor");
  for (const Product& p : kProducts) {
    CAPTURE(p.name);
    if (!std::filesystem::exists(lacuna::test::shared_data() / "matrices" /
                                 (std::string(p.name) + ".mtx.gz"))) {
      WARN("skipped: no file of " << p.name);
      continue;
    }
    const CsrMatrix a = load(p.name);
    const ProductOperands operands(a, transpose(a), spec.microtile);
    const auto s =
        lacuna::test::simulate(spec, operands, tile_product(operands, spec, p.name).tiles)
            .statistics;
    CHECK(s.macs_effectual == p.multiplies);
    CHECK(s.z_nonzeros == p.nonzeros);
    CHECK(s.adds == p.multiplies - p.nonzeros);
    CHECK(dram_writes(s, "Z") == 16 * p.nonzeros);
  }
}
