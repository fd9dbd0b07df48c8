// A run that is killed and resumed, and what must then equal an uninterrupted run.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/programs.h"
#include "record/events.h"

namespace assay::testing {

inline constexpr int kSteps =
    12;  // of 20 contexts; the text has 225 of 16 bytes, so the last ones are a second epoch's

class Resume : public Programs {
 protected:
  // Writes tiny.toml with dropout in micro-batches that do not divide a replica's share, where every step is logged and
  // checkpoints are saved; case.toml extends it with the files `plugins`. `how`: further parameters of kills_at_step.
  void write_case(const std::vector<std::string>& plugins, int killed_at, const std::string& event = "step",
                  const std::string& mesh = "{ tensor = 2 }", const std::string& how = "") {
    write_experiment("[resources]\nmesh = " + mesh +
                     "\nmicro_batch = 4\n[log]\nevery = 1\n[[tracker]]\nuse = \"kills_at_step\"\nstep = " +
                     std::to_string(killed_at) + "\nevent = \"" + event + "\"\n" + how);
    folder_.write("experiments/dropout.toml", "[model]\ndropout = 0.1\n");  // before the plugins: some models lack it
    std::string files;
    for (const auto& plugin : plugins) files += ", \"" + plugin + "\"";
    folder_.write("experiments/case.toml",
                  "extends = [\"tiny.toml\", \"dropout.toml\"" + files +
                      "]\n[experiment]\nname = \"tiny\"\n[train]\nsteps = " + std::to_string(kSteps) +
                      "\nbatch = 20\nclip_norm = 0.5\nskip_loss_z = 1000\nskip_norm_z = 1000\ncheckpoint = \"3 "
                      "steps\"\nkeep = \"all\"\n");
  }

  // Returns what must be equal in a finished run: tensors, losses and metrics, records.
  std::map<std::string, std::string> exact(const std::string& results) {
    auto found = records(results);
    for (const auto& line : plan(results)) {
      const auto run = experiment(results).run(line["train_id"]);
      const auto checkpoint = run.checkpoints() / ("step-" + std::to_string(kSteps));
      for (const auto& file : {run.weights(), checkpoint / "weights.safetensors", checkpoint / "optimizer.safetensors"})
        found[file.lexically_relative(experiment(results).folder())] = base::read_file(file);
      auto manifest = read_json(checkpoint / "manifest.json");
      found["manifest"] = without_measured(manifest).dump();
      for (auto event : assay::record::read_events(run.events())) {
        if (event["type"] == "start") continue;
        event.erase("attempt");
        found["events"] += without_measured(event).dump() + "\n";
      }
    }
    return found;
  }

  void expect_equal(const std::map<std::string, std::string>& one, const std::map<std::string, std::string>& other) {
    ASSERT_EQ(one.size(), other.size());
    for (const auto& [name, bytes] : one)
      EXPECT_TRUE(other.count(name) && other.at(name) == bytes) << name << " differs";  // the bytes are not printed
  }

  nlohmann::json start_of_last_attempt() {
    nlohmann::json start;
    for (const auto& event : read_events(experiment().run(plan()[0]["train_id"])))
      if (event["type"] == "start") start = event;
    return start;
  }
};

}  // namespace assay::testing
