// SPDX-License-Identifier: Apache-2.0
// Comparisons with published numbers that could not fail, or left something out without a word.
#include <cstdlib>

#include "study/published/rows.hpp"
#include "tests/app/command.hpp"

namespace lacuna {
namespace {

using test::contains;
using test::Ran;
using test::run_lacuna;

/// A variable of the environment, while a test runs.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

/// A copy of the published numbers, in which `edit` changes a file.
template <class Edit>
std::filesystem::path published_with(const std::string& file, Edit&& edit) {
  const auto folder = test::scratch("published");
  std::filesystem::copy(test::source_dir() / "validation" / "published", folder);
  std::string text = read_file(folder / file);
  edit(text);
  write_file(folder / file, text);
  return folder;
}

}  // namespace

TEST_CASE("fault: rows of an unknown design are counted, named, and an error") {
  const auto folder = published_with("sparse-gemm-2048.csv", [](std::string& text) {
    text = text.substr(0, text.find("dense_tc,1.0,0.9")) + "newcomer,0.5,1.0,0.4,0.5\n";
  });
  const Variable variable("LACUNA_PUBLISHED", folder.string());
  std::size_t unknown = 0;
  for (const PublishedRow& row : sparse_gemm_rows()) {
    if (row.problem.empty()) continue;
    ++unknown;
    CHECK_THAT(row.problem, contains("sparse-gemm-2048.csv:") && contains("'newcomer'"));
    CHECK(row.fails());
  }
  CHECK(unknown == 1);
  const Ran ran = run_lacuna("validate", {"validate", "--only", "gemm-2048"});
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, contains("newcomer: SKIPPED") && contains("1 rows of unknown designs"));
}

TEST_CASE("fault: validate exits with 1 when a number that must hold does not, in every group") {
  // Parameters of one model.
  {
    const auto folder = published_with("model-numbers.csv", [](std::string& text) {
      text.replace(text.find("46702792704"), 11, "46702792705");
    });
    const Variable variable("LACUNA_PUBLISHED", folder.string());
    const Ran ran = run_lacuna("models", {"validate", "--only", "models"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.out, contains("36 of them must hold and 1 do not"));
  }
  // A released cycle count.
  {
    const auto folder = published_with("sparse-gemm-2048.csv", [](std::string& text) {
      text = text.substr(0, text.find("dense_tc,1.0,0.9")) + "nvstc,0.5,1.0,0.5543,0.7384\n";
    });
    const Variable variable("LACUNA_PUBLISHED", folder.string());
    const Ran ran = run_lacuna("gemm", {"validate", "--only", "gemm-2048"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.out, contains("MORE THAN"));
  }
  CHECK(run_lacuna("sound", {"validate", "--only", "models"}).code == 0);
}

TEST_CASE("fault: the overbooking figure says what it lacks, and does not exit with 0") {
  const auto folder = test::scratch("matrices");
  write_file(folder / "sound.mtx",
             "%%MatrixMarket matrix coordinate pattern general\n3 3 3\n1 1\n2 3\n3 2\n");
  write_file(folder / "damaged.mtx",
             "%%MatrixMarket matrix coordinate pattern general\n3 3 9\n1 1\n2 3\n");
  write_file(folder / "wide.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 3 1\n1 1\n");
  const auto draw = [&](const std::string& name, std::vector<std::string> only) {
    std::vector<std::string> words{"figure",     "overbooking",
                                   "--matrices", folder.string(),
                                   "--out",      (test::scratch("out") / name).string()};
    for (const std::string& matrix : only) words.insert(words.end(), {"--only", matrix});
    return run_lacuna(name, words);
  };
  CHECK(draw("sound", {"sound"}).code == 0);
  const Ran ran = draw("damaged", {"sound", "damaged", "wide"});
  INFO(ran.out << ran.err);
  CHECK(ran.code == 2);
  CHECK_THAT(ran.err, contains("damaged.mtx"));
  CHECK_THAT(ran.out, contains("FAULT, left out: ") && contains("damaged.mtx") &&
                          contains("wide.mtx: not square") &&
                          contains("The means are over the other matrices"));
  CHECK(draw("none", {"damaged"}).code == 2);
}

}  // namespace lacuna
