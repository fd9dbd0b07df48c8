#include "app/worker_generate.h"

#include <ATen/Parallel.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "app/worker_infill.h"
#include "base/byte_text.h"
#include "mesh/backends.h"
#include "run/checkpoint/checkpoint.h"
#include "run/checkpoint/safetensors.h"
#include "run/decode/decode.h"
#include "run/forward.h"

namespace assay::app {
using nlohmann::json;

namespace {

// Cosine similarities between the final hidden states of all tokens, including the end-of-text token before them, as
// rows.
json cosines(run::Assembled& run, const Mesh& mesh, const std::vector<int32_t>& ids) {
  const c10::NoGradGuard no_grad;
  std::vector<int64_t> tokens{run.vocabulary->special(kEndOfText)};
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  // The last token may be beyond the model's last position, because the model has not read it.
  const auto limit = guard(*run.model, "limit", [&] { return run.model->limit(); });
  if (limit && static_cast<int64_t>(tokens.size()) > *limit) tokens.resize(static_cast<size_t>(*limit));
  Batch batch;
  batch.tokens = at::tensor(tokens).unsqueeze(0);
  run::ForwardPass forward(*run.model, batch, {}, run.vocabulary->size(), mesh, run.compute);
  const auto states_TD = forward.hidden()[0].to(at::kCPU, at::kDouble);
  const auto unit_TD = states_TD / states_TD.norm(2, -1, true).clamp_min(1e-12);
  const auto cosines_TT = at::matmul(unit_TD, unit_TD.t()).contiguous();
  auto rows = json::array();
  for (int64_t i = 0; i < cosines_TT.size(0); ++i) {
    const auto* row = cosines_TT.const_data_ptr<double>() + i * cosines_TT.size(1);
    rows.push_back(std::vector<double>(row, row + cosines_TT.size(1)));
  }
  return rows;
}

}  // namespace

json worker_generate(const json& request) {
  const auto line = record::PlanLine::from_json(request.at("line"));
  // Tokenizer and model files must be as planned. The corpus must exist, because the dataset is created like every
  // component, but its content is not used.
  check_paths(line.train.data.tokenizer);
  check_paths(line.train.model);
  const auto registry = registry_of(line.plugins);
  std::vector<std::string> prompts;
  for (const auto& prompt : request.value("prompts", json::array()))
    prompts.push_back(base::bytes_of_text(prompt.get<std::string>()));
  run::DecodeRequest decoding;
  if (request.value("stream", false))
    decoding.on_text = [](const std::string& text) {
      std::cout << json{{"text", base::text_of_bytes(text)}}.dump() << "\n" << std::flush;
    };
  decoding.tokens = request.at("tokens");
  decoding.seed = request.at("seed");
  const std::string weights = request.at("weights");
  const auto metadata = run::SafetensorsFile(weights).metadata();
  if (const auto id = metadata.find("train_id"); id != metadata.end() && id->second != line.train_id)
    throw UserError(weights + ": the file holds the weights of run " + id->second + ", not of " + line.train_id);
  const auto compute = run::resolve_compute(line);
  json answer = json::array();
  mesh::run_ranks(1, 1, [&](Mesh& mesh) {
    at::set_num_threads(line.resources.threads);
    const c10::DeviceGuard device(compute.device);
    run::Assembled run(registry, line);
    run.compute = compute;
    run.build(mesh, /*draw=*/false, /*trains=*/false);
    run::load_weights(weights, run, mesh);
    const auto others = run.instances.all().size();
    auto& decoder = run.instances.create<Decoder>(request.at("decoder"), "decoder");
    for (size_t i = others; i < run.instances.all().size(); ++i) {
      auto* component = run.instances.all()[i];
      guard(*component, "bind", [&] { component->bind(*run.vocabulary); });
    }
    if (request.contains("infill")) {
      answer = infill_text(run, mesh, decoder, request.at("infill"), decoding);
      return;
    }
    decoding.prompts = run::encoded(*run.tokenizer, prompts);
    const auto began = std::chrono::steady_clock::now();
    const auto continuations = run::decode(run, mesh, decoder, decoding);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    for (size_t i = 0; i < continuations.size(); ++i) {
      const auto& [ids, text, log_prob, ended] = continuations[i];
      answer.push_back({{"prompt", request.at("prompts")[i]},
                        {"text", base::text_of_bytes(text)},
                        {"ids", ids},
                        {"log_prob", log_prob},
                        {"ended", ended},
                        {"measured", {{"seconds", seconds.count()}}}});
      if (request.value("cosines", false)) {
        auto whole = decoding.prompts[i].tokens;
        whole.insert(whole.end(), ids.begin(), ids.end());
        answer.back()["cosines"] = cosines(run, mesh, whole);
        auto& tokens = answer.back()["tokens"] = json::array({kEndOfText});
        for (size_t t = 0; t + 1 < answer.back()["cosines"].size(); ++t)
          tokens.push_back(base::text_of_bytes(run.tokenizer->decode({whole[t]})));
      }
    }
  });
  return answer;
}

}  // namespace assay::app
