// Computes assay's results for given weights and texts, which tests/exchange_folders.py and exchange_hf.py compare with
// those of another library: exchange_probe PLAN WEIGHTS GIVEN.safetensors OUT.safetensors.
//   batches [steps, rows, positions + 1] int64: logits of the first one, and the loss before
//     each of the steps - 1 updates and after the last one
//   long [rows, positions] int64: long_logits
//   source [1] int64, for a model with an encoder: how many tokens of every row are the source
//   text.NAME, bytes: ids.NAME int64
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <iostream>
#include <set>

#include "mesh/backends.h"
#include "record/plan_line/plan_lines.h"
#include "run/checkpoint/checkpoint.h"
#include "run/checkpoint/safetensors.h"
#include "run/forward.h"
#include "run/step.h"

int main(int argc, char** argv) {
  using namespace assay;
  if (argc != 5) return 2;
  const auto line = record::read_plan_lines(argv[1]).at(0);
  std::set<std::filesystem::path> files;
  for (const auto& [name, plugin] : line.plugins) files.insert(plugin.file);
  const loader::Registry registry({files.begin(), files.end()});
  mesh::run_ranks(1, 1, [&](Mesh& mesh) {
    run::Assembled run(registry, line);
    run.build(mesh);
    run::load_weights(argv[2], run, mesh);
    const run::SafetensorsFile given(argv[3]);
    const auto batches = given.read("batches");
    std::vector<run::NamedTensor> out;
    const auto with_source = [&](Batch& batch) {
      if (!run.model->has_encoder()) return;
      const int64_t rows = batch.tokens.size(0), width = batch.tokens.size(1);
      batch.source_length = given.read("source").expand({rows}).contiguous();
      // Only predictions from the source's last token on are the decoder's.
      batch.loss_weight = at::ones({rows, width});
      batch.loss_weight.slice(1, 0, batch.source_length[0].item<int64_t>() - 1).zero_();
    };
    const auto add_logits = [&](const char* name, Batch& batch) {
      const c10::NoGradGuard no_grad;
      with_source(batch);
      run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
      out.push_back({name, pass.logits().contiguous()});
    };
    for (const auto& name : given.names()) {
      if (!name.starts_with("text.")) continue;
      const auto text = given.read(name);
      const auto ids =
          run.tokenizer->encode({static_cast<const char*>(text.const_data_ptr()), static_cast<size_t>(text.numel())});
      out.push_back({"ids." + name.substr(5), at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong)});
    }
    Batch beyond;
    beyond.tokens = given.read("long");
    add_logits("long_logits", beyond);
    std::vector<double> losses;
    for (int64_t step = 0; step < batches.size(0); ++step) {
      Batch batch;
      batch.tokens = batches[step].slice(1, 0, -1).contiguous();
      batch.targets = batches[step].slice(1, 1).contiguous();
      with_source(batch);
      if (step == 0) add_logits("logits", batch);
      run::Metrics unused;
      losses.push_back(run::accumulate_gradients(run, mesh, step, {batch}, unused).value());
      if (step + 1 < batches.size(0)) run::update(run, step, run::gradient_norm(run.parameters->all(), mesh));
      run::clear_gradients(run.parameters->all());
    }
    out.push_back({"losses", at::tensor(losses, at::kDouble)});
    run::write_safetensors(argv[4], out, {});
  });
  return 0;
}
