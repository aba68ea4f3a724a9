// SPDX-License-Identifier: Apache-2.0
#include "bench/inputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "base/config.hpp"
#include "base/shipped_files.hpp"
#include "run/product/workload.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna::bench {
namespace fs = std::filesystem;
namespace {

Source published_or(const std::string& name, const std::string& generator) {
  const fs::path file =
      fs::path(LACUNA_SOURCE_DIR) / ".." / "shared" / "data" / "matrices" / (name + ".mtx.gz");
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) return {file.string(), name};
  return {generator, name + "-like"};
}

class LargeFiles {
 public:
  LargeFiles() : folder_(fs::temp_directory_path() / fmt::format("lacuna-bench-{}", getpid())) {
    fs::create_directories(folder_);
    const CsrMatrix matrix =
        make_matrix(fmt::format("rmat:rows=524288,edges={},seed=1", kLargeNonzeros));
    write_matrix_market(folder_ / "large.mtx", matrix);
    write_matrix_market(folder_ / "large.mtx.gz", matrix);
  }
  ~LargeFiles() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  LargeFiles(const LargeFiles&) = delete;
  LargeFiles& operator=(const LargeFiles&) = delete;
  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

}  // namespace

Source email_enron() {
  return published_or("email-Enron", "rmat:rows=32768,edges=367662,seed=1");
}
Source wiki_vote() {
  return published_or("wiki-Vote", "rmat:rows=8192,edges=103689,seed=1");
}
Source power_law() {
  return {"rmat:rows=65536,edges=1048576,seed=1", "R-MAT"};
}

const ProductWorkload& product_of(const Source& source) {
  static std::map<std::string, ProductWorkload> made;
  const auto found = made.find(source.text);
  if (found != made.end()) return found->second;
  WorkloadSpec spec;
  spec.matrix = source.text;
  return made.emplace(source.text, make_workload(spec, true, {})).first->second;
}

fs::path large_file(bool compressed) {
  static const LargeFiles files;
  return files.folder() / (compressed ? "large.mtx.gz" : "large.mtx");
}

const MachineSpec& extensor() {
  static const MachineSpec spec = [] {
    const ConfigReader reader(ConfigTree::load(find_config("arch", "extensor")));
    MachineSpec machine = read_machine(reader);
    reader.finish();
    return machine;
  }();
  return spec;
}

}  // namespace lacuna::bench
