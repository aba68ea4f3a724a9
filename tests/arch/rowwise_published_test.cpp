// SPDX-License-Identifier: Apache-2.0
// Row-wise machines on the published inputs. Sources: TeAAL artifact (data/*/gamma.csv), whose runs
// reorder and split rows of A beforehand, which these files are not; Sparseloop artifact (fig12).
#include "sparse_formats/mask_text.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "tests/arch/rowwise.hpp"

using namespace lacuna;
using lacuna::test::dram_reads;
using lacuna::test::dram_writes;

namespace {

double off(std::uint64_t ours, std::uint64_t published) {
  return std::abs(static_cast<double>(ours) / static_cast<double>(published) - 1);
}

MachineStatistics squared(const std::string& name) {
  const CsrMatrix a = load_matrix(lacuna::test::shared_data() / "matrices" / (name + ".mtx.gz"));
  return lacuna::test::multiply(lacuna::test::rowwise("gamma"), a, a).outcome.statistics;
}

CsrMatrix pe_mask(const std::string& name, std::uint64_t columns) {
  return read_mask_text(lacuna::test::shared_data() / "eyeriss-v2-pe" / (name + ".txt.gz"),
                        columns);
}

}  // namespace

TEST_CASE("merging rows of the published graphs: outputs exactly, operands within a tenth") {
  LACUNA_NEEDS_SHARED();
  struct GraphRows {
    const char* name;
    std::uint64_t a, b, z, multiplies;
  };
  for (const GraphRows& one :
       {GraphRows{"wiki-Vote", 1'293'480, 711'096, 22'006'532, 4'542'805},
        GraphRows{"p2p-Gnutella31", 2'039'688, 1'822'872, 6'701'556, 538'318}}) {
    INFO(one.name);
    const MachineStatistics s = squared(one.name);
    CHECK(s.macs_effectual == one.multiplies);
    CHECK(dram_writes(s, "Z") == one.z);
    CHECK(off(dram_reads(s, "A"), one.a) < 0.1);
    CHECK(off(dram_reads(s, "B"), one.b) < 0.1);
    CHECK(s.traffic.at("dram").at("Z_partial") == Moved{});
  }
}

TEST_CASE("one element takes the published cycles on the published masks") {
  LACUNA_NEEDS_SHARED();
  struct Layer {
    const char* name;
    std::uint64_t channels, cycles;
  };
  for (const Layer& layer :
       {Layer{"L07", 64, 1'702'140}, Layer{"L09", 64, 1'499'682}, Layer{"L19", 256, 1'457'458},
        Layer{"L21", 256, 1'677'684}, Layer{"L23", 256, 1'821'557}}) {
    INFO(layer.name);
    const CsrMatrix weights = pe_mask(std::string(layer.name) + "_weights", layer.channels);
    const CsrMatrix inputs = pe_mask(std::string(layer.name) + "_iacts", layer.channels);
    const MachineStatistics s =
        lacuna::test::multiply(lacuna::test::rowwise("eyeriss-v2-pe"), weights, transpose(inputs))
            .outcome.statistics;
    CHECK(s.cycles == Cycles(layer.cycles));
    CHECK(s.macs_effectual == layer.cycles);
  }
}
