// SPDX-License-Identifier: Apache-2.0
// The checkers of the house rules, on planted faults: each rule is seen to fail, at the right line,
// and to let pass what looks alike.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/structure/source_rules.hpp"
#include "tests/structure/source_tree.hpp"

namespace {

using namespace lacuna::test;

using Planted = std::vector<std::pair<std::string, std::string>>;  // path, included header

bool faulty(const std::string& path, const std::string& header) {
  return include_faults(path, "#include " + header + "\n").size() == 1;
}

}  // namespace

TEST_CASE("an include against the direction is a fault") {
  const Planted planted{
      {"base/error.cpp", "\"sim/simulation.hpp\""},
      {"base/error.cpp", "\"sparse_formats/csr.hpp\""},
      {"sparse_formats/csr.cpp", "\"workloads/generators.hpp\""},
      {"workloads/models/load_model.cpp", "\"arch/spec/machine_spec.hpp\""},
      {"sim/channel.hpp", "\"sparse_formats/csr.hpp\""},
      {"arch/memory/fixed_memory.cpp", "\"workloads/generators.hpp\""},
      {"arch/memory/fixed_memory.cpp", "\"dataflows/extensor_program.hpp\""},
      {"arch/spec/machine_spec.hpp", "\"sim/port.hpp\""},
      {"arch/program/tile_program.hpp", "\"arch/memory/memory_port.hpp\""},
      {"arch/energy/ledger.cpp", "\"arch/machine/machine.hpp\""},
      {"dataflows/extensor_program.cpp", "\"arch/machine/machine.hpp\""},
      {"dataflows/extensor_program.cpp", "\"arch/specials/x.hpp\""},
      {"dataflows/extensor_program.cpp", "\"sim/simulation.hpp\""},
      {"run/product/run.cpp", "\"study/ablation.hpp\""},
      {"run/product/run.cpp", "\"report/csv.hpp\""},
      {"run/model/workload.hpp", "\"app/options.hpp\""},
      {"study/ablation.cpp", "\"report/csv.hpp\""},
      {"study/ablation.cpp", "\"app/options.hpp\""},
      {"report/csv.cpp", "\"run/result_sum.hpp\""},
      {"report/csv.cpp", "\"study/ablation.hpp\""},
      {"report/csv.cpp", "\"arch/machine/machine.hpp\""},
      {"report/csv.cpp", "\"app/options.hpp\""},
      {"dataflows/extensor_program.cpp", "\"run/result.hpp\""},
      {"arch/dram/dram.cpp", "\"run/result.hpp\""},
      {"validation/table.cpp", "\"base/error.hpp\""},
      {"app/main.cpp", "\"tests/catch.hpp\""},
      {"newfolder/x.cpp", "\"base/error.hpp\""},
  };
  for (const auto& [path, header] : planted) {
    CAPTURE(path, header);
    CHECK(faulty(path, header));
  }
}

TEST_CASE("a class of units named outside arch/compute is a fault") {
  const std::string code = "if (unit.unit_class == \"mac-array\") {\n";
  CHECK(unit_class_faults("dataflows/compile.cpp", code).size() == 1);
  CHECK(unit_class_faults("arch/system/build.cpp", code).size() == 1);
  CHECK(unit_class_faults("arch/compute/mac_array.cpp", code).empty());
  CHECK(unit_class_faults("dataflows/compile.cpp", "// a \"mac-array\" is meant\n").empty());
  CHECK(unit_class_faults("app/run.cpp", "if (x == FabricDataflow::outer_product) {\n").size() ==
        1);
  CHECK(unit_class_faults("arch/compute/a.cpp", "case FabricDataflow::outer_product:\n").empty());
}

TEST_CASE("an enumerator in another spelling is a fault") {
  const std::string code =
      "enum class Phase : std::uint8_t {\n  kPrefill,  // first\n  decode = 2\n};\n";
  CHECK(enumerator_faults("workloads/phase.hpp", code) ==
        std::vector<std::string>{
            "workloads/phase.hpp:3: decode: an enumerator is spelled kConstant"});
  CHECK(enumerator_faults("arch/description/x.hpp", "enum class X { k, kA, kind };").size() == 2);
  CHECK(enumerator_faults("workloads/x.hpp", "enum class X { kFp8, kNone };").empty());
  CHECK(enumerator_faults("arch/spec/x.hpp", code).empty());
}

TEST_CASE("an include along the direction is none") {
  const Planted legal{
      {"base/error.cpp", "\"base/error.hpp\""},
      {"base/error.cpp", "<fmt/format.h>"},
      {"arch/memory/fixed_memory.cpp", "\"sim/port.hpp\""},
      {"arch/spec/machine_spec.hpp", "\"arch/program/statistics.hpp\""},
      {"dataflows/extensor_program.cpp", "\"arch/spec/machine_spec.hpp\""},
      {"run/product/run.cpp", "\"arch/machine/machine.hpp\""},
      {"study/ablation.cpp", "\"run/fabric/run.hpp\""},
      {"report/csv.cpp", "\"run/result.hpp\""},
      {"app/run_command.cpp", "\"report/csv.hpp\""},
      {"app/run_command.cpp", "\"study/ablation.hpp\""},
      {"tests/arch/memory_test.cpp", "\"report/csv.hpp\""},
  };
  for (const auto& [path, header] : legal) {
    CAPTURE(path, header);
    CHECK_FALSE(faulty(path, header));
  }
}

TEST_CASE("SystemC outside the simulator is a fault") {
  for (const std::string header : {"<systemc>", "<systemc.h>", "<tlm>", "<tlm_utils/peq.h>",
                                   "<sysc/kernel/sc_event.h>", "\"systemc\""}) {
    CAPTURE(header);
    CHECK(faulty("arch/memory/fixed_memory.cpp", header));
    CHECK(faulty("arch/spec/machine_spec.hpp", header));
    CHECK(faulty("dataflows/z_occupancy.cpp", header));
    CHECK(faulty("workloads/einsum.hpp", header));
    CHECK_FALSE(faulty("arch/buffer/stream_module.hpp", header));
    CHECK_FALSE(faulty("arch/machine/machine.cpp", header));
    CHECK_FALSE(faulty("sim/simulation.hpp", header));
    CHECK_FALSE(faulty("run/product/run.cpp", header));
    CHECK(faulty("study/ablation.cpp", header));
    CHECK(faulty("report/csv.cpp", header));
    CHECK(faulty("app/main.cpp", header));
  }
}

TEST_CASE("an include that does not start at the root is a fault") {
  CHECK(faulty("base/error.cpp", "\"error.hpp\""));
  CHECK(faulty("base/error.cpp", "\"../base/error.hpp\""));
  CHECK(faulty("base/error.cpp", "\"fmt/format.h\""));
  CHECK(faulty("base/error.cpp", "<base/error.hpp>"));
}

TEST_CASE("a fault names file, line and rule") {
  const auto faults =
      include_faults("sim/port.cpp", "// SPDX\n#include <vector>\n\n  # include \"app/run.hpp\"\n");
  REQUIRE(faults.size() == 1);
  CHECK(faults[0] == "sim/port.cpp:4: app/run.hpp: sim may include sim, base only");
}

TEST_CASE("includes in comments do not count") {
  CHECK(include_faults("base/x.cpp", "// #include \"app/run.hpp\"\n").empty());
  CHECK(include_faults("base/x.cpp", "/*\n#include \"app/run.hpp\"\n*/\n").empty());
}

TEST_CASE("threads in arch are a fault, words that hold their names are none") {
  CHECK(thread_faults("arch/x/x_module.hpp", "SC_THREAD(run);\n").size() == 1);
  CHECK(thread_faults("arch/x/x_module.hpp", "SC_CTHREAD(run, clk);\n").size() == 1);
  CHECK(thread_faults("arch/x/x_module.cpp", "\nsc_core::sc_spawn(f);\n").size() == 1);
  CHECK(thread_faults("arch/x/x_module.cpp", "f(); wait (event);\n").size() == 1);
  CHECK(thread_faults("arch/x/x_module.cpp", "sc_core::wait(3, SC_NS);\n").size() == 1);
  CHECK(thread_faults("arch/x/x.cpp", "await(x); long_wait(x); waits(x);\n").empty());
  CHECK(thread_faults("arch/x/x.cpp", "// never wait(\nconst char* s = \"wait(\";\n").empty());
  CHECK(thread_faults("tests/arch/bench.cpp", "SC_THREAD(run);\n").empty());
}

TEST_CASE("an event notified past the simulation is a fault in arch") {
  CHECK(notify_faults("arch/x/x_module.cpp", "wake_.notify(sc_core::SC_ZERO_TIME);\n").size() == 1);
  CHECK(notify_faults("arch/x/x_module.cpp", "event->notify();\n").size() == 1);
  CHECK(notify_faults("arch/x/x_module.cpp", "simulation_.wake(wake_);  // notify()\n").empty());
  CHECK(notify_faults("sim/simulation.cpp", "event.notify(delay);\n").empty());
}

TEST_CASE("a source without the licence line is a fault") {
  CHECK(licence_faults("base/x.cpp", "#include <vector>\n").size() == 1);
  CHECK(licence_faults("base/CMakeLists.txt", "").size() == 1);
  CHECK(licence_faults("scripts/x", "#!/bin/sh\n").size() == 1);
  CHECK(licence_faults("scripts/x", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n").empty());
  CHECK(licence_faults("README.md", "").empty());
}

TEST_CASE("paths of a machine are a fault, paths of the project are none") {
  // Put together here, so that this file does not hold what it looks for.
  const std::string slash = "/";
  for (const std::string folder : {"home", "Users", "root", "work", "tmp"}) {
    CAPTURE(folder);
    CHECK(machine_path_faults("a.md", "see " + slash + folder + "/me/x").size() == 1);
    CHECK(machine_path_faults("a.md", "\n\"" + slash + folder + "/me").size() == 1);
    CHECK(machine_path_faults("a.md", "docs/" + folder + "/me").empty());
    CHECK(machine_path_faults("a.md", "https:" + slash + slash + "x.org/" + folder + "/a").empty());
  }
  CHECK(machine_path_faults("a.md", "/usr/share/doc, out/demo, a/b").empty());
}

TEST_CASE("code is told from comments and literals") {
  CHECK(code_of("a // b\nc", true) == "a     \nc");
  CHECK(code_of("a /* b\n */ c", true) == "a     \n    c");
  CHECK(code_of("f(\"x // y\") z", true) == "f(\"x // y\") z");
  CHECK(code_of("f(\"x\\\"y\") z", false) == "f(      ) z");
  CHECK(code_of("1'000 + '\"' + b", false) == "1'000 +     + b");
  CHECK(code_of("R\"(a \" b)\" c", false) == "R          c");
}

TEST_CASE("the list of project files holds this one and no build product") {
  const auto files = project_files();
  const std::string here = "tests/structure/planted_faults_test.cpp";
  CHECK(std::find(files.begin(), files.end(), here) != files.end());
  for (const std::string& path : files) {
    CAPTURE(path);
    CHECK_FALSE(path.starts_with("build/"));
  }
}
