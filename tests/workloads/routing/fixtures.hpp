// SPDX-License-Identifier: Apache-2.0
// Hand-sized routing files in every format, so that the readers are tested without real data.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "tests/catch.hpp"
#include "workloads/routing/load_routing.hpp"

namespace lacuna::test {

/// Writes a fixture and gives its path.
inline std::filesystem::path fixture(const std::string& name, const std::string& content) {
  static const auto folder = scratch("routing_fixtures");
  write_file(folder / name, content);
  return folder / name;
}

/// Two layers, a prefill of three tokens and two decode steps of two; top-2 of 4.
inline const std::string kCompactCsv =
    "step,phase,tok,layer,e0,e1,w0,w1\n"
    "0,prefill,0,0,3,1,0.6,0.2\n"
    "0,prefill,1,0,3,0,0.5,0.3\n"
    "0,prefill,2,0,2,1,0.4,0.3\n"
    "1,decode,0,0,3,2,0.6,0.2\n"
    "1,decode,1,0,3,1,0.6,0.2\n"
    "2,decode,0,0,0,1,0.6,0.2\n"
    "2,decode,1,0,0,2,0.6,0.2\n"
    "0,prefill,0,5,1,0,0.6,0.2\n"
    "0,prefill,1,5,1,2,0.5,0.3\n"
    "0,prefill,2,5,1,3,0.4,0.3\n"
    "1,decode,0,5,2,1,0.6,0.2\n"
    "1,decode,1,5,2,0,0.6,0.2\n"
    "2,decode,0,5,1,2,0.6,0.2\n"
    "2,decode,1,5,0,3,0.6,0.2\n";

inline const std::string kCommunityMeta =
    R"({"type":"meta","model_id":"org/Tiny-MoE-Chat","vllm_version":"0","torch_version":"2",)"
    R"("device":"x","seed":1,"layers_logged":[0,1],"top_k":2})"
    "\n";

inline std::string route_line(int token, int layer, int a, int b) {
  return fmt::format(
      R"({{"type":"route","req_id":"r","token_idx":{},"layer":{},"topk_ids":[{},{}],)"
      R"("topk_weights":[0.75,0.25]}})"
      "\n",
      token, layer, a, b);
}

/// Token-major, two layers, steps of three, one and one tokens.
inline std::string community_jsonl() {
  std::string out = kCommunityMeta;
  for (const auto& [token, a, b] :
       {std::tuple{0, 1, 2}, {1, 2, 3}, {2, 0, 2}, {0, 3, 1}, {0, 2, 1}}) {
    out += route_line(token, 0, a, b) + route_line(token, 1, b, a);
  }
  return out;
}

inline const std::string kMixtralJsonl =
    R"({"dataset": "g", "problem_id": 0, "layer": 0, "experts": [1, 0], "gating_probs": [0.8, 0.2], "token_idx": 0}
{"dataset": "g", "problem_id": 0, "layer": 0, "experts": [1, 2], "gating_probs": [0.7, 0.3], "token_idx": 1}
{"dataset": "g", "problem_id": 0, "layer": 1, "experts": [3, 2], "gating_probs": [0.6, 0.4], "token_idx": 0}
{"dataset": "g", "problem_id": 0, "layer": 1, "experts": [0, 2], "gating_probs": [0.9, 0.1], "token_idx": 1}
{"dataset": "g", "problem_id": 1, "layer": 0, "experts": [2, 0], "gating_probs": [0.8, 0.2], "token_idx": 0}
{"dataset": "g", "problem_id": 1, "layer": 1, "experts": [1, 3], "gating_probs": [0.8, 0.2], "token_idx": 0}
)";

inline const std::string kDenseCsv =
    "layer_id,token_id,expert_0,expert_1,expert_2,expert_3\r\n"
    "0,0,0.000000,0.300000,0.000000,0.500000\r\n"
    "0,1,0.250000,0.000000,0.200000,0.000000\r\n";

/// [tokens 2][k 2][layers 3].
inline const std::string kAi2Jsonl =
    R"({"input_ids":[5,6],"predicted_token_ids":[6,7],"exp_ids":[[[0,1,2],[3,2,1]],[[1,1,1],[2,3,0]]]}
{"input_ids":[8],"predicted_token_ids":[9],"exp_ids":[[[2,2,2],[0,1,3]]]}
)";

inline const std::string kBalanceJsonl =
    R"({"layer":0,"batch_id":0,"origin_rows":[0,1],"topk_experts":[[0,1],[1,2]],"topk_weights":[[0.5,0.4],[0.6,0.1]]}
{"layer":1,"batch_id":0,"origin_rows":[0,1],"topk_experts":[[3,1],[0,2]],"topk_weights":[[0.5,0.4],[0.6,0.1]]}
)";

inline const std::string kCountCsv =
    "model,topk_counted,domain,layer,expert,count\n"
    "Tiny-MoE,2,code,0,0,5\nTiny-MoE,2,code,0,1,3\nTiny-MoE,2,code,0,2,2\nTiny-MoE,2,code,0,3,0\n"
    "Tiny-MoE,2,code,1,0,1\nTiny-MoE,2,code,1,1,2\nTiny-MoE,2,code,1,2,3\nTiny-MoE,2,code,1,3,4\n"
    "Tiny-MoE,2,prose,0,0,2\nTiny-MoE,2,prose,0,1,2\nTiny-MoE,2,prose,0,2,2\n"
    "Tiny-MoE,2,prose,0,3,2\n";

/// The error text of loading `content` under `name`.
inline std::string load_error(const std::string& name, const std::string& content,
                              const routing::LoadOptions& options = {}) {
  const auto path = fixture(name, content);
  return error_of([&] { static_cast<void>(routing::load_routing(path, options)); });
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace lacuna::test
