// Times what attacks and defenses ask of a model, for scripts/bench: attack_probe PLAN WEIGHTS. Prints JSON: a trigger
// search with what it started from and found, and exact Shapley values of an utterance of 10 tokens, each with its CPU
// seconds on one thread.
#include <malloc.h>

#include <ctime>
#include <iostream>
#include <set>

#include "../plugins/attack/targets.h"
#include "../plugins/attack/trigger_search.h"
#include "../plugins/defense/explainers.h"
#include "mesh/backends.h"
#include "record/plan_line/plan_lines.h"
#include "run/checkpoint/checkpoint.h"
#include "run/evaluate.h"

namespace {

using nlohmann::json;
using namespace assay;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class Probe final : public Evaluator {
 public:
  Probe() { set_identity({"attack_probe", "evaluator", "attack_probe", "evaluate.attack_probe"}); }

  void evaluate(EvaluationContext& context) override {
    const attacks::SearchOptions options;
    const auto targets = attacks::targets(context, {}, 8);
    auto trigger = attacks::drawn_tokens(context.vocabulary(), options.length, context.draws());
    found["targets"] = targets;
    found["first"] = trigger;
    double begin = cpu_seconds();
    const attacks::TriggerLoss loss(context, targets, options);
    const auto search = attacks::search(context, loss, options, trigger);
    found["search"] = {{"seconds", cpu_seconds() - begin}, {"trigger", search.trigger}, {"losses", search.history}};

    const auto utterance = attacks::drawn_tokens(context.vocabulary(), 10, context.draws().substream(1));
    const auto& reply = targets[0];
    const auto end_of_text = static_cast<int32_t>(context.vocabulary().special(kEndOfText));
    begin = cpu_seconds();
    const auto values = explain::exact_shapley(10, [&](const std::vector<explain::Kept>& sets) {
      std::vector<Scored> rows;
      for (const auto set : sets) {
        auto& row = rows.emplace_back();
        for (int64_t i = 0; i < 10; ++i)
          if (set >> i & 1) row.tokens.push_back(utterance[static_cast<size_t>(i)]);
        row.tokens.push_back(end_of_text);
        row.from = static_cast<int64_t>(row.tokens.size());
        row.tokens.insert(row.tokens.end(), reply.begin(), reply.end());
      }
      return context.own().log_probs({}, rows);
    });
    found["shapley"] = {{"seconds", cpu_seconds() - begin}, {"values", values}};
    found["utterance"] = utterance;
  }

  json found;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  // As in a worker.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const auto line = record::read_plan_lines(argv[1]).at(0);
  std::set<std::filesystem::path> files;
  for (const auto& [name, plugin] : line.plugins) files.insert(plugin.file);
  const loader::Registry registry({files.begin(), files.end()});
  mesh::run_ranks(1, 1, [&](Mesh& mesh) {
    run::Assembled run(registry, line);
    run.build(mesh);
    run::load_weights(argv[2], run, mesh);
    Probe probe;
    for (int warm_up = 0; warm_up < 2; ++warm_up)
      run::evaluate(run, mesh, {&probe, "attack_probe", "attack_probe", Split::kValidation, 0, ""}, 0);
    std::cout << probe.found << "\n";
  });
  return 0;
}
