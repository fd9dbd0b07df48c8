// train.json: the record of a finished training. Outside "measured", records of equal runs are byte-equal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "record/metric.h"
#include "record/plan_line/plan_line.h"
#include "record/provenance.h"

namespace assay::record {

struct DataSource {
  std::string name, sha256, licence;
};

struct TrainMeasured {
  double seconds = 0, train_seconds = 0, startup_seconds = 0, tokens_per_second = 0;
  std::map<std::string, double> phases{};  // seconds of training and evaluation per phase
  std::int64_t peak_memory_bytes = 0;
  std::string started;        // ISO time
  nlohmann::json trunk = {};  // {run, step} if the first steps are another run's; null otherwise
};

// What the worker adds to its plan line. train_record fills in machine, host and concurrent jobs.
struct TrainResult {
  std::int64_t steps = 0, skipped_steps = 0, tokens = 0, parameters = 0, parameters_non_embedding = 0;
  double flops_six_nd = 0, flops_exact = 0;  // 0: not counted
  std::vector<RecordedMetric> metrics;
  std::string training_code;  // build id of the training library
  std::string libtorch;
  std::string device;                      // "cpu", "cuda:0"
  std::map<std::string, std::string> gpu;  // name, versions and settings; empty: none
  nlohmann::json training_segments;        // list of {from, mesh, threads, device}; see run/checkpoint/checkpoint.h
  std::string weights_sha256;              // of weights.safetensors; empty: not kept
  std::vector<DataSource> data;
  std::map<std::string, std::int64_t> data_counts;  // of what the dataset has read
  std::vector<std::string> data_warnings;           // what it has read over
  TrainMeasured measured;
};

nlohmann::json train_record(const PlanLine& plan_line, const TrainResult& result);

// Whether a record exists and is complete. A truncated record counts as absent.
bool has_record(const std::filesystem::path& file);

// Writes compact JSON and a line feed, atomically; creates the folders. Throws Bug when the file exists, because a
// record is written only once.
void write_record(const std::filesystem::path& file, const nlohmann::json& record);

}  // namespace assay::record
