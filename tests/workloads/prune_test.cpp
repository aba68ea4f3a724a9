// SPDX-License-Identifier: Apache-2.0
#include "workloads/prune.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.hpp"
#include "sparse_formats/npz.hpp"
#include "sparse_formats/pattern_occupancy.hpp"
#include "sparse_formats/safetensors.hpp"
#include "tests/catch.hpp"

using namespace lacuna;
using lacuna::test::Approx;
using lacuna::test::error_of;

namespace {

std::vector<double> pruned(std::vector<double> weights, const std::vector<std::uint64_t>& shape,
                           const char* pattern) {
  apply_mask(prune(weights, shape, parse_pattern(pattern)), weights);
  return weights;
}

double norm_under(const std::vector<double>& weights, const BitMatrix& mask) {
  double all = 0;
  double kept = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    all += weights[i] * weights[i];
    if (mask.get(i / mask.cols(), i % mask.cols())) kept += weights[i] * weights[i];
  }
  return std::sqrt(kept / all);
}

}  // namespace

TEST_CASE("N:M keeps the largest magnitudes of every group, ties to the earlier") {
  CHECK(pruned({1, -4, 3, 2, 5, 5, -5, 5}, {1, 8}, "2:4") ==
        std::vector<double>{0, -4, 3, 0, 5, 5, 0, 0});
  CHECK(pruned({0, 0, 0, 0}, {1, 4}, "2:4") == std::vector<double>{0, 0, 0, 0});
  // Squares of these would vanish or overflow.
  CHECK(pruned({1e-300, 2e-300, 3e-300, 4e-300}, {1, 4}, "1:4") ==
        std::vector<double>{0, 0, 0, 4e-300});
  CHECK(pruned({1e-300, 2e-300, 3e-300, 4e-300}, {1, 4}, "C1(1:2)->C0(1:2)") ==
        std::vector<double>{0, 0, 0, 4e-300});
  CHECK(pruned({1e200, 2e200, 3e200, 4e200}, {1, 4}, "block:1x1:0.25") ==
        std::vector<double>{0, 0, 0, 4e200});
  // Groups too large for the simple selection.
  std::vector<double> ramp(200);
  for (std::size_t i = 0; i < 200; ++i) ramp[i] = static_cast<double>((i * 77) % 200);
  const auto kept = pruned(ramp, {1, 200}, "50:200");
  for (std::size_t i = 0; i < 200; ++i) CHECK(kept[i] == (ramp[i] >= 150 ? ramp[i] : 0));
}

TEST_CASE("HSS prunes rank 0 first and scores blocks by what survived") {
  // Blocks {5,5,5,5} (squares 100, survivors 50) and {7,1,1,1} (52, survivors 50) and {7.2,.1,0,0}.
  const std::vector<double> weights{5, 5, 5, 5, 7, 1, 1, 1, 7.2, .1, 0, 0, 1, 1, 1, 1};
  // Survivors of 2:4: 25+25, 49+1, 51.84+.01, 1+1: the third is best, then the first (tie with the
  // second at 50). By the norm of whole blocks the first would be best, the second next.
  CHECK(pruned(weights, {1, 16}, "C1(1:4)->C0(2:4)") ==
        std::vector<double>{0, 0, 0, 0, 0, 0, 0, 0, 7.2, .1, 0, 0, 0, 0, 0, 0});
  CHECK(pruned(weights, {1, 16}, "C1(2:4)->C0(2:4)") ==
        std::vector<double>{5, 5, 0, 0, 0, 0, 0, 0, 7.2, .1, 0, 0, 0, 0, 0, 0});
  // A third rank over groups of two blocks.
  CHECK(pruned(weights, {1, 16}, "C2(1:2)->C1(1:2)->C0(2:4)") ==
        std::vector<double>{0, 0, 0, 0, 0, 0, 0, 0, 7.2, .1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("unstructured pruning keeps the exact number of largest weights") {
  CHECK(pruned({1, -4, 3, 2, 0, 2}, {2, 3}, "uniform:0.5") ==
        std::vector<double>{0, -4, 3, 2, 0, 0});
  CHECK(pruned({1, 1, 1, 1}, {2, 2}, "uniform:0.75") == std::vector<double>{1, 1, 1, 0});
  CHECK(pruned({1, 2, 3, 4}, {2, 2}, "uniform:0") == std::vector<double>{0, 0, 0, 0});
  CHECK(pruned({1, 2, 3, 4}, {2, 2}, "dense") == std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("blocks and channels go by their norm") {
  CHECK(pruned({1, 1, 9, 0, 1, 1, 0, 0}, {2, 4}, "block:2x2:0.5") ==
        std::vector<double>{0, 0, 9, 0, 0, 0, 0, 0});
  CHECK(pruned({1, 2, 3, 1, 2, 0}, {2, 3}, "channel:1/3") == std::vector<double>{0, 0, 3, 0, 0, 0});
  // 1 + 1 < 4 + 4 < 9: two of three channels.
  CHECK(pruned({1, 2, 3, 1, 2, 0}, {2, 3}, "channel:0.5") == std::vector<double>{0, 2, 3, 0, 2, 0});
}

TEST_CASE("convolution weights are masked along input channels") {
  // [M=1, C=4, R=1, S=2]: position s=0 holds 1,2,3,4 and s=1 holds 8,7,6,5 over c.
  const std::vector<double> weights{1, 8, 2, 7, 3, 6, 4, 5};
  CHECK(pruned(weights, {1, 4, 1, 2}, "2:4") == std::vector<double>{0, 8, 0, 7, 3, 0, 4, 0});
  // [M=2, C=2, 1, 1] with a channel dropped for every m.
  CHECK(pruned({5, 1, 5, 1}, {2, 2, 1, 1}, "channel:0.5") == std::vector<double>{5, 0, 5, 0});
  const auto result = prune(weights, {1, 4, 1, 2}, parse_pattern("2:4"));
  CHECK(result.view.rows == 2);
  CHECK(result.view.cols == 4);
  CHECK_FALSE(result.violation);
}

TEST_CASE("elements that do not fill a group are kept and reported") {
  const auto result = prune(std::vector<double>{1, 2, 3, 4, 5, 6, 7}, {1, 7}, parse_pattern("2:4"));
  CHECK(result.kept == 5);
  CHECK(result.tail_elements == 3);
  CHECK_FALSE(result.violation);
  REQUIRE(result.padded_violation);
  CHECK(result.padded_violation->position == 4);
  const auto short_row = prune(std::vector<double>{1, 2, 3}, {1, 3}, parse_pattern("2:4"));
  CHECK(short_row.kept == 3);
}

TEST_CASE("kept share and norm are those of the mask") {
  const auto result = prune(std::vector<double>{3, 1, 4, 1}, {1, 4}, parse_pattern("2:4"));
  CHECK(result.kept_share() == 0.5);
  CHECK(result.kept_norm_share == Approx(5.0 / std::sqrt(27.0)).epsilon(1e-12));
  CHECK(prune(std::vector<double>{0, 0}, {1, 2}, parse_pattern("1:2")).kept_norm_share == 1.0);
  CHECK(prune(std::vector<double>{3e200, 4e200}, {1, 2}, parse_pattern("1:2")).kept_norm_share ==
        Approx(0.8).epsilon(1e-12));
  CHECK(prune(std::vector<double>{}, {0, 4}, parse_pattern("2:4")).kept_share() == 1.0);
}

TEST_CASE("no random mask of the same pattern keeps more norm") {
  for (const char* text : {"uniform:0.3", "2:4", "1:3", "C1(4:8)->C0(2:4)", "C1(1:3)->C0(3:8)",
                           "C2(1:2)->C1(1:2)->C0(3:6)", "block:4x8:0.25", "channel:0.4"}) {
    const Pattern pattern = parse_pattern(text);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      INFO(text << " seed " << seed);
      const TensorData weights = synthetic_weights({16, 96}, seed);
      const auto result = prune(weights.values, weights.shape, pattern);
      CHECK_FALSE(result.violation);
      CHECK_FALSE(result.padded_violation);
      CHECK(result.kept_norm_share == Approx(norm_under(weights.values, result.mask)));
      const auto random = make_occupancy(pattern, 16, 96, seed);
      CHECK(result.kept == random.count());
      CHECK(result.kept_norm_share >= norm_under(weights.values, random));
    }
  }
}

TEST_CASE("a small HSS problem is pruned to the best of all masks") {
  const Pattern pattern = parse_pattern("C1(1:2)->C0(2:3)");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const TensorData weights = synthetic_weights({1, 6}, seed);
    double best = 0;
    for (std::uint64_t bits = 0; bits < 64; ++bits) {
      BitMatrix mask(1, 6);
      mask.row(0)[0] = bits;
      if (!first_violation(pattern, mask)) best = std::max(best, norm_under(weights.values, mask));
    }
    CHECK(prune(weights.values, {1, 6}, pattern).kept_norm_share == Approx(best));
  }
}

TEST_CASE("weights that cannot be pruned are refused") {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([&] {
          (void)prune(std::vector<double>{1, nan}, {1, 2}, Pattern::dense(), Place{"w.npy", 0, {}});
        }).find("w.npy: element 1 (row-major) is nan") != std::string::npos);
  CHECK(error_of([&] {
          (void)prune(std::vector<double>{1}, {1}, Pattern::dense());
        }).find("shape [1] cannot be pruned") != std::string::npos);
}

TEST_CASE("a pruned file holds the surviving weights under the tensor's name") {
  const auto folder = lacuna::test::scratch("prune");
  const TensorData weights = synthetic_weights({8, 64}, 3);
  const TensorData other{"other", DType::f32, {2}, {1, 2}};
  TensorData named = weights;
  named.name = "fc";
  write_npy(folder / "fc.npy", named);
  write_npz(folder / "fc.npz", {named, other});
  write_safetensors(folder / "fc.safetensors", {named, other});
  std::vector<double> expected = weights.values;
  const Pattern pattern = parse_pattern("C1(4:8)->C0(2:4)");
  apply_mask(prune(expected, {8, 64}, pattern), expected);
  for (const char* in : {"fc.npy", "fc.npz", "fc.safetensors"}) {
    for (const char* out : {"out.npy", "out.npz", "out.safetensors"}) {
      INFO(in << " to " << out);
      const std::string tensor = std::string(in) == "fc.npy" ? "" : "fc";
      const auto report = prune_file({(folder / in).string(), tensor, pattern, folder / out, 1});
      CHECK(report.tensor == "fc");
      CHECK(report.result.kept_share() == 0.25);
      CHECK_FALSE(report.result.violation);
      const TensorData back = read_weights((folder / out).string(), {}, 0);
      CHECK(back.values == expected);
      CHECK(back.shape == weights.shape);
    }
  }
}

TEST_CASE("synthetic weights are pruned and reported without a file") {
  const auto report = prune_file({"synthetic:16x24x3x3", {}, parse_pattern("2:4"), {}, 7});
  CHECK(report.shape == std::vector<std::uint64_t>{16, 24, 3, 3});
  CHECK(report.result.kept_share() == 0.5);
  const std::string text = to_text(report);
  CHECK(text.find("pruned to 2:4") != std::string::npos);
  CHECK(text.find("kept share    0.500000  (1728 of 3456") != std::string::npos);
  CHECK(text.find("pattern check obeyed") != std::string::npos);
  // Largest two of four normals keep about 0.935 of the norm.
  const auto large = prune_file({"synthetic:512x1024", {}, parse_pattern("2:4"), {}, 7});
  CHECK(large.result.kept_norm_share > 0.92);
  CHECK(large.result.kept_norm_share < 0.95);
  CHECK(synthetic_weights({4, 4}, 1).values == synthetic_weights({4, 4}, 1).values);
  CHECK(synthetic_weights({4, 4}, 1).values != synthetic_weights({4, 4}, 2).values);
}

TEST_CASE("a request that cannot work says so before anything is written") {
  const auto folder = lacuna::test::scratch("prune");
  const auto message = [&](const std::string& in, const std::string& tensor,
                           const std::string& out) {
    return error_of([&] { (void)prune_file({in, tensor, parse_pattern("2:4"), folder / out, 1}); });
  };
  const std::string npy = (folder / "w.npy").string();
  write_npy(npy, synthetic_weights({2, 4}, 1));
  CHECK(message(npy, "", "out.pt").find("expected .npy, .npz or .safetensors") !=
        std::string::npos);
  CHECK(message((folder / "w.bin").string(), "", "out.npy").find("tells no tensor format") !=
        std::string::npos);
  CHECK(message(npy, "v", "out.npy").find("holds one array, 'w'") != std::string::npos);
  CHECK(message("synthetic:4x", "", "out.npy").find("not a shape") != std::string::npos);
  CHECK(message("synthetic:4x0", "", "out.npy").find("not a shape") != std::string::npos);
  CHECK(message("synthetic:8", "", "out.npy").find("cannot be pruned") != std::string::npos);
  CHECK(message("synthetic:99999999999x99999999999", "", "out.npy").find("too large") !=
        std::string::npos);
  CHECK(message("synthetic:4x8", "", "none/out.npy").find("cannot write") != std::string::npos);
  CHECK(message((folder / "absent.npy").string(), "", "out.npy").find("cannot read") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "out.npy"));
}
