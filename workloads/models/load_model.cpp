// SPDX-License-Identifier: Apache-2.0
#include "workloads/models/load_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "workloads/models/family_readers.hpp"

namespace lacuna {
namespace {

constexpr std::array<std::pair<const char*, Family>, 10> kFamilies{{
    {"deepseek_v2", Family::kDeepSeek},
    {"deepseek_v3", Family::kDeepSeek},
    {"deepseek_v32", Family::kDeepSeek},
    {"kimi_k2", Family::kDeepSeek},
    {"glm_moe_dsa", Family::kDeepSeek},
    {"mixtral", Family::kMixtral},
    {"olmoe", Family::kOlmoe},
    {"qwen2_moe", Family::kQwen2Moe},
    {"qwen3_moe", Family::kQwen3Moe},
    {"gpt_oss", Family::kGptOss},
}};

/// Keys of other architectures that change shapes: a file that carries one is not what its other
/// keys make it look like.
constexpr std::array<const char*, 12> kForeignKeys{
    "o_lora_rank",     "o_groups",        "compress_ratios",      "compress_rates",
    "num_hash_layers", "hc_mult",         "linear_attn_config",   "linear_num_key_heads",
    "moe_latent_size", "zero_expert_num", "attention_chunk_size", "full_attention_interval"};

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const auto& [name, family] : kFamilies) names.emplace_back(name);
  return names;
}

std::string foreign_keys(const ConfigJson& config) {
  std::string found;
  for (const char* key : kForeignKeys) {
    if (config.given(key)) found += fmt::format("{}'{}'", found.empty() ? "" : ", ", key);
  }
  return found;
}

[[noreturn]] void refuse_family(const ConfigJson& config, const std::string& type) {
  const bool grouped = config.given("num_key_value_heads") && config.given("num_attention_heads");
  std::string why = fmt::format("'{}' is not a model family known here", type);
  if (!config.given("kv_lora_rank")) {
    why += "; there is no 'kv_lora_rank', so its attention is not MLA";
    if (!grouped) why += ", and no 'num_key_value_heads', so it is not grouped-query either";
  }
  if (const std::string foreign = foreign_keys(config); !foreign.empty()) {
    why += "; not understood: " + foreign;
  }
  config.fail("model_type", why, suggest(type, family_names()));
}

Family family_of(const ConfigJson& config) {
  if (!config.given("model_type")) {
    if (config.given("kv_lora_rank")) return Family::kDeepSeek;
    throw InputError(config.place({}),
                     "neither 'model_type' nor 'kv_lora_rank' (MLA) nor 'dim' (DeepSeek's own "
                     "spelling) is given: the model family cannot be told",
                     fmt::format("model_type is one of: {}", fmt::join(family_names(), ", ")));
  }
  const std::string type = config.text("model_type");
  for (const auto& [name, family] : kFamilies) {
    if (type == name) return family;
  }
  refuse_family(config, type);
}

/// The attention keys must be those of the family, whatever model_type claims.
void check_attention_keys(const ConfigJson& config, Family family) {
  for (const char* key : kForeignKeys) {
    if (!config.given(key)) continue;
    config.fail(key, "changes the model's shapes in a way that is not understood",
                "only DeepSeek V2 to V3.2, Kimi-K2, Mixtral, OLMoE, Qwen2/3-MoE and gpt-oss "
                "configurations are");
  }
  if (family == Family::kDeepSeek) {
    if (!config.given("kv_lora_rank")) {
      throw InputError(config.place("kv_lora_rank"),
                       fmt::format("'kv_lora_rank' is required: the attention of {} is MLA, and "
                                   "no other attention keys are understood for it",
                                   config.text("model_type", "a DeepSeek model")));
    }
    return;
  }
  for (const char* key : {"kv_lora_rank", "q_lora_rank", "index_topk"}) {
    if (config.given(key)) {
      config.fail(key, fmt::format("is a key of latent attention, in a configuration of model_type "
                                   "'{}', whose attention is grouped-query",
                                   config.text("model_type")));
    }
  }
}

std::uint32_t dtype_bits(const ConfigJson& config, std::string& name) {
  const char* key = config.given("dtype") ? "dtype" : "torch_dtype";
  std::string dtype = config.text(key, "bfloat16");
  if (dtype.rfind("torch.", 0) == 0) dtype = dtype.substr(6);
  if (dtype == "bfloat16") return name = "bf16", 16;
  if (dtype == "float16") return name = "fp16", 16;
  if (dtype == "float32") return name = "fp32", 32;
  config.fail(key, fmt::format("'{}' is not a number format known here", dtype),
              suggest(dtype, {"bfloat16", "float16", "float32"}));
}

/// Modules that keep the plain format. Those that are never quantised here (router, head,
/// embeddings, norms) may be named; others would change bytes.
void check_excluded_modules(const ConfigJson& quantization) {
  for (const char* key :
       {"modules_to_not_convert", "ignored_layers", "ignore", "exclude_modules"}) {
    if (!quantization.given(key)) continue;
    for (const std::string& module : quantization.texts(key)) {
      const std::string last = module.substr(module.rfind('.') + 1);
      constexpr std::array<std::string_view, 6> plain{"gate",
                                                      "router",
                                                      "lm_head",
                                                      "embed_tokens",
                                                      "e_score_correction_bias",
                                                      "shared_expert_gate"};
      if (last.ends_with("norm")) continue;
      if (std::find(plain.begin(), plain.end(), last) != plain.end()) continue;
      quantization.fail(key,
                        fmt::format("'{}' keeps its plain format, which is not understood", module),
                        "only the router, the head and embeddings may be named");
    }
  }
}

void read_quantization(const ConfigJson& config, ModelSpec& spec) {
  const ConfigJson quantization = config.object("quantization_config");
  const std::string method = quantization.text("quant_method");
  if (method == "mxfp4") {
    spec.precision.experts = WeightFormat{"mxfp4", 4, 1, 32, 8, 16, 0};
    return;
  }
  if (method != "fp8") {
    quantization.fail("quant_method", fmt::format("'{}' is not understood", method),
                      "expected one of: fp8, mxfp4");
  }
  const std::string format = quantization.text("fmt", "e4m3");
  if (format != "e4m3" && format != "float8_e4m3fn") {
    quantization.fail("fmt", fmt::format("'{}' is not understood", format),
                      "expected e4m3 (or its other name, float8_e4m3fn)");
  }
  check_excluded_modules(quantization);
  WeightFormat fp8 = fp8_blocks(0, 0);  // without blocks: one scale for a matrix
  if (quantization.given("weight_block_size")) {
    const auto block = quantization.integers("weight_block_size");
    const bool sound = block.size() == 2 && block[0] >= 1 && block[0] <= kMaxWidth &&
                       block[1] >= 1 && block[1] <= kMaxWidth;
    if (!sound) {
      quantization.fail("weight_block_size", "expected two block extents, like [128, 128]");
    }
    fp8 = fp8_blocks(static_cast<std::uint32_t>(block[0]), static_cast<std::uint32_t>(block[1]));
  }
  spec.precision.attention = spec.precision.ffn = spec.precision.experts = fp8;
}

void read_precision(const ConfigJson& outer, const ConfigJson& config, ModelSpec& spec) {
  const bool inner_dtype = config.given("dtype") || config.given("torch_dtype");
  spec.format_assumed = !inner_dtype && !outer.given("dtype") && !outer.given("torch_dtype");
  WeightFormat plain;
  plain.bits = plain.activation_bits = dtype_bits(inner_dtype ? config : outer, plain.name);
  spec.precision = {plain, plain, plain, plain};
  if (config.given("quantization_config")) {
    read_quantization(config, spec);
  } else if (outer.given("quantization_config")) {
    read_quantization(outer, spec);
  }
}

/// NVIDIA's tool leaves config.json as it was and says beside it what it made of the weights.
void refuse_sidecar(const std::filesystem::path& file) {
  const std::filesystem::path sidecar = file.parent_path() / "hf_quant_config.json";
  std::error_code ignored;
  if (file.filename() != "config.json" || !std::filesystem::exists(sidecar, ignored)) return;
  const std::string name = sidecar.string();
  const std::string text = read_small_file(sidecar, limits::kModelConfigBytes, "its quantisation");
  const ConfigJson config = ConfigJson::parse(text, name);
  std::string algorithm = "a quantisation that it does not name";
  if (config.is_object("quantization")) {
    algorithm = config.object("quantization").text("quant_algo", algorithm);
  }
  throw InputError(Place{name, config.place("quantization").line, "quantization.quant_algo"},
                   fmt::format("the weights are {}, by the file beside {}, which is not understood "
                               "yet",
                               algorithm, file.filename().string()),
                   "to read the model as config.json alone says, take that file by itself");
}

std::string model_name(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  if (stem == "config" && file.has_parent_path()) {
    const std::string folder = std::filesystem::absolute(file).parent_path().filename().string();
    if (!folder.empty()) stem = folder;
  }
  for (const std::string_view tail : {"_config", ".config"}) {
    if (stem.size() > tail.size() && stem.ends_with(tail)) stem.resize(stem.size() - tail.size());
  }
  return stem;
}

}  // namespace

ModelSpec parse_model(const std::string& text, const std::string& file) {
  const ConfigJson outer = ConfigJson::parse(text, file);
  const bool nested = outer.is_object("text_config") && !outer.given("hidden_size");
  const ConfigJson config = nested ? outer.object("text_config") : outer;
  ModelSpec spec;
  spec.name = model_name(file);
  if (config.given("dim") && !config.given("hidden_size")) {
    spec.model_type = "deepseek (native)";
    for (const char* key : kForeignKeys) {
      if (config.given(key)) config.fail(key, "changes shapes in a way that is not understood");
    }
    read_deepseek_native(config, spec);
    refuse_telling_keys(config);
    return spec;
  }
  spec.family = family_of(config);
  spec.model_type = config.text("model_type", "unnamed, by its keys");
  check_attention_keys(config, spec.family);
  read_trunk(config, spec);
  read_precision(outer, config, spec);
  if (spec.family == Family::kDeepSeek) {
    read_deepseek(config, spec);
  } else {
    read_grouped_query(config, spec);
  }
  refuse_telling_keys(config);
  return spec;
}

ModelSpec load_model(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  const std::filesystem::path file = folder ? path / "config.json" : path;
  const std::string text =
      read_small_file(file, limits::kModelConfigBytes, "a config.json, not the weights");
  refuse_sidecar(file);
  return parse_model(text, file.string());
}

}  // namespace lacuna
