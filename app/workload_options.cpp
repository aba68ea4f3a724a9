// SPDX-License-Identifier: Apache-2.0
#include "app/workload_options.hpp"

namespace lacuna {

void add_step_options(Options& app, StepArguments& a) {
  app.add_option("--phase", a.phase, "of a model: decode (default) or prefill");
  app.add_option("--batch", a.step.batch, "sequences, 1 by default");
  app.add_option("--context", a.step.context,
                 "keys the last new token sees, itself included; 4096 by default");
  app.add_option("--new-tokens", a.step.new_tokens,
                 "per sequence: 1 in decode, the whole context in prefill by default");
  app.add_option("--layers", a.layers, "only these, like 3-5, without embedding and head");
  app.add_option("--attention", a.attention,
                 "MLA's form: auto (default, the cheaper), naive or absorbed");
  app.add_option("--cache", a.cache, "KV cache: bf16 (default) or fp8");
  app.add_option("--routing", a.routing,
                 "uniform, balanced, power-law:1.01, correlated:0.3, counts:FILE or a trace, "
                 "with #map=... where it is another model's");
  app.add_option("--precision", a.precision,
                 "of weights: bf16, fp8, int8, int4 or mxfp4, or by part: "
                 "attention=fp8,ffn=fp8,experts=mxfp4");
  app.add_option("--seed", a.seed, "of synthetic routing and of operands, 1 by default");
}

void add_model_workload_options(Options& app, ModelWorkloadSpec& spec) {
  const Option model =
      app.add_option("--model", spec.model, "a step of a model: config.json, its folder, a name");
  add_step_options(app, spec.step);
  app.add_option("--weights", spec.weights, "pattern of a model's or network's weights");
  app.add_option("--attention-weights", spec.attention_weights, "of attention projections alone");
  app.add_option("--ffn-weights", spec.ffn_weights, "of dense and shared feed-forward alone");
  app.add_option("--expert-weights", spec.expert_weights, "of routed experts alone");
  app.add_option("--activations", spec.activations,
                 "of a model or network: pattern of what weights meet");
  app.add_option("--activation-table", spec.activation_table,
                 "zeros measured by projection: FILE#target=0.5#model=NAME#map=layers:...");
  app.add_option("--attention-table", spec.attention_table,
                 "lines that heads keep in prefill: FILE#model=NAME#map=layers:...#heads=mod");
  app.add_option("--low-rank", spec.low_rank,
                 "weights as two thin factors: experts:512, or o_proj:1024");
  app.add_option("--layout", spec.layout,
                 "rows of routed experts: grouped:128, capacity:1.25 or block-sparse:128");
  model.group("A model");
  for (const char* name : {"--weights", "--activations", "--seed"}) {
    app.get_option(name).group("A model or a network");
  }
  for (const char* name :
       {"--phase", "--batch", "--context", "--new-tokens", "--layers", "--attention", "--cache",
        "--routing", "--precision", "--attention-weights", "--ffn-weights", "--expert-weights",
        "--activation-table", "--attention-table", "--low-rank", "--layout"}) {
    app.get_option(name).needs(model).group("A model");
  }
}

void add_network_options(Options& app, NetworkWorkloadSpec& spec) {
  const Option network = app.add_option(
      "--network", spec.network, "layers: a shipped name, a file, or dlmc:FOLDER of .smtx files");
  app.add_option("--images", spec.images, "of a network at once, 1 by default");
  app.add_option("--densities", spec.densities,
                 "of activations: file of lines layer,density; --activations for the others");
  app.add_option("--columns", spec.columns, "of dlmc: file of lines layer,columns");
  app.add_option("--n", spec.n, "of dlmc: columns of the other layers, 1024 by default");
  app.add_flag("--re-prune", spec.re_prune,
               "of dlmc: to the sparsest pattern of each machine that keeps a layer's density");
  network.group("A network");
  for (const char* name : {"--images", "--densities", "--columns", "--n", "--re-prune"}) {
    app.get_option(name).needs(network).group("A network");
  }
}

}  // namespace lacuna
