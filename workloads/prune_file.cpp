// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "sparse_formats/npz.hpp"
#include "sparse_formats/safetensors.hpp"
#include "workloads/prune.hpp"

namespace lacuna {
namespace {

constexpr std::string_view kSynthetic = "synthetic:";

[[noreturn]] void unknown_type(const std::string& path) {
  throw InputError(Place{path, 0, {}}, "the extension tells no tensor format",
                   "expected .npy, .npz or .safetensors");
}

std::vector<std::uint64_t> parse_shape(std::string_view text, const std::string& input) {
  std::vector<std::uint64_t> shape;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    std::uint64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc{} || size == 0 || (next != end && *next != 'x')) {
      throw InputError(fmt::format("'{}' is not a shape of synthetic weights", input),
                       "write synthetic:512x1024 or synthetic:64x32x3x3");
    }
    shape.push_back(size);
    if (next == end) return shape;
    at = next + 1;
  }
}

void write_weights(const std::filesystem::path& path, const TensorData& tensor) {
  const std::string extension = path.extension().string();
  if (extension == ".npy") {
    write_npy(path, tensor);
  } else if (extension == ".npz") {
    write_npz(path, {tensor});
  } else {
    write_safetensors(path, {tensor});
  }
}

}  // namespace

bool is_synthetic(const std::string& input) {
  return input.starts_with(kSynthetic);
}

TensorData read_weights(const std::string& input, const std::string& tensor, std::uint64_t seed) {
  if (is_synthetic(input)) {
    return synthetic_weights(parse_shape(std::string_view(input).substr(kSynthetic.size()), input),
                             seed);
  }
  const std::filesystem::path path(input);
  const std::string extension = path.extension().string();
  if (extension == ".npz") return read_npz(path, tensor);
  if (extension == ".safetensors" || input.ends_with(".safetensors.index.json")) {
    return read_safetensors(path, tensor);
  }
  if (extension != ".npy") unknown_type(input);
  TensorData out = read_npy(path);
  if (!tensor.empty() && tensor != out.name) {
    throw InputError(Place{input, 0, {}},
                     fmt::format("an .npy file holds one array, '{}', not '{}'", out.name, tensor),
                     "leave the tensor's name out");
  }
  return out;
}

PruneReport prune_file(const PruneRequest& request) {
  const std::string extension = request.output.extension().string();
  if (!request.output.empty() && extension != ".npy" && extension != ".npz" &&
      extension != ".safetensors") {
    unknown_type(request.output.string());
  }
  TensorData tensor = read_weights(request.input, request.tensor, request.seed);
  PruneReport report;
  report.input = request.input;
  report.tensor = tensor.name;
  report.dtype = name_of(tensor.dtype);
  report.written_dtype = name_of(written_dtype(tensor.dtype));
  report.shape = tensor.shape;
  report.pattern = request.pattern;
  report.result =
      prune(tensor.values, tensor.shape, request.pattern, Place{request.input, 0, tensor.name});
  if (!request.output.empty()) {
    apply_mask(report.result, tensor.values);
    write_weights(request.output, tensor);
  }
  return report;
}

std::string to_text(const PruneReport& report) {
  const PruneResult& result = report.result;
  std::string out = fmt::format("{} {} ({}) pruned to {}\n", report.tensor,
                                shape_text(report.shape), report.dtype, report.pattern.text());
  out += fmt::format("  kept share    {:.6f}  ({} of {}; the pattern allows {:.6f})\n",
                     result.kept_share(), result.kept, result.elements,
                     report.pattern.density().value());
  out += fmt::format("  kept norm     {:.6f}  (L2, share of the whole)\n", result.kept_norm_share);
  out += fmt::format("  pattern check {}\n",
                     result.violation ? "broken: " + result.violation->text : "obeyed");
  if (result.tail_elements > 0) {
    out += fmt::format(
        "  tail          {} elements outside whole groups are kept{}\n", result.tail_elements,
        result.padded_violation
            ? "; padded with zeros they break the rule: " + result.padded_violation->text
            : "; padded with zeros they obey the rule");
  }
  return out;
}

}  // namespace lacuna
