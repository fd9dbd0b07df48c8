// Complete plan lines from the values that a test gives.
#pragma once

#include <nlohmann/json.hpp>

#include "record/plan_line/plan_line.h"

namespace assay::testing {

// As in plan.jsonl. The defaults are a run on one rank of the CPU with no training step; an evaluation needs only its
// id or label, a plugin nothing.
inline nlohmann::json plan_line_json(const nlohmann::json& given = nlohmann::json::object()) {
  auto line = nlohmann::json::parse(R"({
    "schema": 1, "experiment": "tiny", "train_id": "t", "group": "g", "label": "", "axes": {}, "seed": 1, "data_id": "d",
    "train": {"data": {"dataset": {"use": "text"}, "tokenizer": {"use": "bytes"}, "context": 16},
              "model": {"use": "gpt"}, "objectives": [], "transforms": [],
              "optimizer": {"use": "adamw"}, "scheduler": {"use": "constant"},
              "train": {"steps": 0, "batch": 1, "clip_norm": 1.0, "precision": "fp32", "non_finite": "stop"},
              "seeds": {"init": 1, "data": 1}},
    "evaluate": [], "trackers": [],
    "resources": {"mesh": {"tensor": 1, "data": 1, "sequence_parallel": false}, "device": "cpu", "threads": 1,
                  "micro_batch": 1},
    "budget": {"kind": "steps", "target": 0}, "log_every": 10, "checkpoint": {"every": 0, "keep": "weights"},
    "plugins": {}, "source": {"file": "experiments/tiny.toml", "sha256": "0"}})");
  line.update(given, /*merge_objects=*/true);
  for (auto& evaluation : line["evaluate"]) {
    nlohmann::json whole = {{"every", 0}, {"config", {{"use", "lm"}}}, {"split", "validation"}};
    whole["id"] = evaluation.value("label", "");
    whole["label"] = evaluation.value("id", "");
    whole.update(evaluation);
    evaluation = whole;
  }
  for (auto& plugin : line["plugins"]) {
    nlohmann::json whole = {{"plugin", "p"}, {"version", "1"}, {"file", ""}, {"sha256", "0"}};
    whole.update(plugin);
    plugin = whole;
  }
  return line;
}

inline record::PlanLine plan_line(const nlohmann::json& given = nlohmann::json::object()) {
  return record::PlanLine::from_json(plan_line_json(given));
}

}  // namespace assay::testing
