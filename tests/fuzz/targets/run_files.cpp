// SPDX-License-Identifier: Apache-2.0
#include "run/product/workload.hpp"
#include "tests/fuzz/target.hpp"

using namespace lacuna;

FUZZ_TARGET(run_file) {
  const ConfigReader config(ConfigTree::parse(bytes, "run.yaml"));
  for (const WorkloadSpec& spec : read_workloads(config, {})) (void)to_config(spec).to_yaml();
  config.finish();
}
