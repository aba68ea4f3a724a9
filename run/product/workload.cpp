// SPDX-License-Identifier: Apache-2.0
#include "run/product/workload.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity_text.hpp"
#include "run/explicit_rows.hpp"
#include "sparse_formats/pattern.hpp"
#include "sparse_formats/pattern_bits.hpp"
#include "sparse_formats/pattern_occupancy.hpp"
#include "workloads/matrix_source.hpp"

namespace lacuna {
namespace {

namespace fs = std::filesystem;

struct RandomShape {
  Coordinate m, n, k;
};

/// `place`: where a file gives it; on the command line it is the option.
RandomShape parse_gemm(const std::string& text, const Place& place) {
  constexpr Coordinate kMost = 1U << 24;  // parameter: its square is far beyond any memory
  const auto fail = [&](const std::string& problem) {
    const std::string given = fmt::format("--gemm {}: ", shortened(text));
    throw InputError(
        place, (place.file.empty() ? given : std::string()) + problem,
        fmt::format("write MxNxK, like 1024x512x2048, each size from 1 to {}", grouped(kMost)));
  };
  RandomShape shape{};
  Coordinate* const edges[] = {&shape.m, &shape.n, &shape.k};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    const auto [next, error] = std::from_chars(at, end, *edges[i]);
    const bool separator = i == 2 ? next == end : next != end && *next == 'x';
    if (error == std::errc::invalid_argument || !separator) fail("expected three sizes");
    if (error != std::errc{} || *edges[i] == 0 || *edges[i] > kMost) {
      fail(fmt::format("{} is not a size of a product", std::string(at, next)));
    }
    at = next + 1;
  }
  return shape;
}

std::string matrix_beside(const std::string& source, const fs::path& folder) {
  std::error_code ignored;
  if (source.empty() || is_generated(source) || fs::path(source).is_absolute()) return source;
  const fs::path candidate = folder / source;
  return fs::exists(candidate, ignored) ? candidate.string() : source;
}

std::string absolute_matrix(const std::string& source) {
  std::error_code ignored;
  return is_generated(source) || !fs::exists(source, ignored) ? source
                                                              : fs::absolute(source).string();
}

void note_input(ProductWorkload& workload, const std::string& source) {
  const std::string file = matrix_file(source);
  if (!file.empty()) workload.inputs[file] = sha256_of(file);
}

/// The rule of sparse_formats/matrix_market.hpp, with the number that it concerns.
void note_zeros(ProductWorkload& workload, const CsrMatrix& matrix, const char* name) {
  const auto zeros = std::count(matrix.values.begin(), matrix.values.end(), 0.0);
  if (zeros == 0) return;
  workload.notes.push_back(fmt::format(
      "{} stored zero{} of {} count{} as nonzero{}: they occupy "
      "storage and move",
      zeros, zeros == 1 ? "" : "s", name, zeros == 1 ? "s" : "", zeros == 1 ? "" : "s"));
}

struct Gemm {
  RandomShape shape;
  Pattern a, b;
};

Gemm read_gemm(const WorkloadSpec& spec) {
  return {parse_gemm(spec.gemm, {}), parse_pattern(spec.a_pattern, Place{"", 0, "--a"}),
          parse_pattern(spec.b_pattern, Place{"", 0, "--b"})};
}

/// Of what will be drawn, before it is.
void check_explicit(const WorkloadSpec& spec, const Gemm& gemm) {
  const auto nonzeros = [](const Pattern& pattern, Coordinate rows, Coordinate cols) {
    return pattern.density().value() * static_cast<double>(rows) * static_cast<double>(cols);
  };
  const double sum =
      nonzeros(gemm.a, gemm.shape.m, gemm.shape.k) + nonzeros(gemm.b, gemm.shape.n, gemm.shape.k);
  if (sum <= static_cast<double>(kMostExplicitNonzeros)) return;
  throw InputError(
      fmt::format("--gemm {}: A and B have {:.4g} nonzeros; checks and machines that take every "
                  "nonzero (ExTensor's class) take {} at most",
                  spec.gemm, sum, kMostExplicitNonzeros),
      "run it on a machine of the tensor-core class without --check, or take a smaller product "
      "or sparser patterns");
}

CsrMatrix dense_matrix(Coordinate rows, std::uint64_t cols) {
  return make_matrix(fmt::format("uniform:rows={},cols={},density=1", rows, cols));
}

void check_shapes(const WorkloadSpec& spec, const CsrMatrix& a, const CsrMatrix& b_transposed) {
  if (a.cols == b_transposed.cols) return;
  throw InputError(
      fmt::format("A is {} x {} and B is {} x {}: the columns of A must equal the rows of B",
                  a.rows, a.cols, b_transposed.cols, b_transposed.rows),
      spec.matrix_b.empty() && !spec.transpose_b
          ? "a rectangular matrix can be multiplied by its transpose: --bt"
          : "check --matrix and --matrix-b");
}

}  // namespace

std::vector<WorkloadSpec> read_workloads(const ConfigReader& config, const fs::path& folder) {
  const WorkloadSpec like = read_workload(config, folder);
  if (like.gemm.empty()) return {like};
  std::vector<WorkloadSpec> all;
  const auto or_dense = [](std::vector<std::string> texts) {
    if (texts.empty()) texts.emplace_back("dense");
    return texts;
  };
  const auto of_a = or_dense(config.texts("a")), of_b = or_dense(config.texts("b"));
  for (const auto& a : of_a) {
    for (const auto& b : of_b) {
      all.push_back(like);
      all.back().a_pattern = a;
      all.back().b_pattern = b;
      // Runs of one table need names of their own.
      if (of_a.size() * of_b.size() > 1) all.back().name.clear();
    }
  }
  return all;
}

WorkloadSpec read_workload(const ConfigReader& config, const fs::path& folder) {
  WorkloadSpec spec;
  spec.name = config.text("name", "");
  if (config.has("einsum")) {
    spec.kernel = read_kernel(config, folder);
    spec.seed = config.integer("seed", {0, 1e15}, 1);
    return spec;
  }
  spec.gemm = config.text("gemm", "");
  if (spec.gemm.empty()) {
    spec.matrix = matrix_beside(config.text("matrix"), folder);
    spec.matrix_b = matrix_beside(config.text("matrix_b", ""), folder);
    spec.transpose_b = config.boolean("transpose_b", false);
    spec.dense_columns = config.integer("dense_columns", {0, 1e9}, 0);
  } else {
    (void)parse_gemm(spec.gemm, config.place("gemm"));
    const auto first = [&config](std::string_view key) {
      const auto texts = config.texts(key);
      return texts.empty() ? std::string("dense") : texts.front();
    };
    spec.a_pattern = first("a");
    spec.b_pattern = first("b");
  }
  spec.seed = config.integer("seed", {0, 1e15}, 1);
  if (config.has("tiling")) {
    const auto tiling = config.mapping("tiling");
    spec.tiles.m1 = tiling.integer("m1", {1, 1e9});
    spec.tiles.k1 = tiling.integer("k1", {1, 1e9});
    spec.tiles.n1 = tiling.integer("n1", {1, 1e9});
  }
  return spec;
}

ConfigTree to_config(const WorkloadSpec& spec) {
  ConfigTree tree;
  if (!spec.name.empty()) tree.put("name", spec.name);
  if (!spec.kernel.empty()) {
    put_kernel(spec.kernel, tree);
  } else if (!spec.gemm.empty()) {
    tree.put("gemm", spec.gemm);
    tree.put("a", spec.a_pattern);
    tree.put("b", spec.b_pattern);
  } else {
    tree.put("matrix", absolute_matrix(spec.matrix));
    if (!spec.matrix_b.empty()) tree.put("matrix_b", absolute_matrix(spec.matrix_b));
    if (spec.transpose_b) tree.put("transpose_b", "true");
    if (spec.dense_columns > 0) tree.put("dense_columns", fmt::format("{}", spec.dense_columns));
  }
  tree.put("seed", fmt::format("{}", spec.seed));
  if (spec.tiles.m1 != 0) {
    ConfigTree& tiling = tree.at_or_add("tiling");
    tiling.put("m1", fmt::format("{}", spec.tiles.m1));
    tiling.put("k1", fmt::format("{}", spec.tiles.k1));
    tiling.put("n1", fmt::format("{}", spec.tiles.n1));
  }
  return tree;
}

FabricShape shape_of_gemm(const WorkloadSpec& spec) {
  const auto [m, n, k] = read_gemm(spec).shape;
  return {m, n, k};
}

FabricWorkload make_gemm_occupancies(const WorkloadSpec& spec) {
  const Gemm gemm = read_gemm(spec);
  const auto [m, n, k] = gemm.shape;
  FabricWorkload workload = pattern_workload(m, n, k, spec.a_pattern, spec.b_pattern, spec.seed);
  workload.name = name_of(spec);
  return workload;
}

std::string name_of(const WorkloadSpec& spec) {
  if (!spec.name.empty()) return spec.name;
  if (!spec.kernel.empty()) return kernel_name(spec.kernel);
  if (spec.gemm.empty()) return matrix_name(spec.matrix);
  return fmt::format("gemm-{}-a-{}-b-{}", spec.gemm,
                     parse_pattern(spec.a_pattern, Place{"", 0, "--a"}).text(),
                     parse_pattern(spec.b_pattern, Place{"", 0, "--b"}).text());
}

ProductWorkload make_workload(const WorkloadSpec& spec, bool values,
                              const std::function<void(double)>& progress) {
  if (spec.dense_columns > 0 && (!spec.matrix_b.empty() || spec.transpose_b)) {
    throw InputError("a dense B and another B are given",
                     "give --dense-b alone, or --matrix-b and --bt");
  }
  ProductWorkload workload;
  workload.name = name_of(spec);
  workload.tiles = spec.tiles;
  workload.seed = spec.seed;
  if (!spec.gemm.empty()) {
    const Gemm gemm = read_gemm(spec);
    check_explicit(spec, gemm);
    const auto [m, n, k] = gemm.shape;
    workload.a = make_occupancy(gemm.a, m, k, spec.seed, {Axis::along_row, "A"}).to_csr();
    workload.b_transposed =
        make_occupancy(gemm.b, n, k, spec.seed, {Axis::along_row, "B"}).to_csr();
  } else {
    workload.a = make_matrix(spec.matrix, progress);
    note_input(workload, spec.matrix);
    note_zeros(workload, workload.a, "A");
    if (spec.dense_columns > 0) {
      workload.b_transposed = transpose(dense_matrix(workload.a.cols, spec.dense_columns));
    } else if (spec.matrix_b.empty()) {
      workload.b_transposed = spec.transpose_b ? workload.a : transpose(workload.a);
    } else {
      const CsrMatrix b = make_matrix(spec.matrix_b, progress);
      note_input(workload, spec.matrix_b);
      workload.b_transposed = spec.transpose_b ? b : transpose(b);
    }
    if (spec.dense_columns == 0) note_zeros(workload, workload.b_transposed, "B");
  }
  check_shapes(spec, workload.a, workload.b_transposed);
  if (values) {
    if (!workload.a.has_values()) fill_values(workload.a, spec.seed, "A");
    if (!workload.b_transposed.has_values()) fill_values(workload.b_transposed, spec.seed, "B");
  }
  return workload;
}

}  // namespace lacuna
