// events.jsonl: the log of a run, append-only, one JSON object per line, each with its attempt number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace assay::record {

// One process writes at a time (the run's lock ensures it). Not safe for concurrent use by threads.
class EventWriter {
 public:
  // Creates the file if it does not exist. If a killed attempt left an incomplete last line, a line feed is written
  // before the first event, so that the incomplete line does not corrupt it. Throws UserError when the file cannot be
  // written.
  EventWriter(std::filesystem::path file, int attempt);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Appends {"attempt":..,"type":type,fields...} with one write(2). Non-finite numbers become null.
  void write(std::string_view type, const nlohmann::json& fields);

 private:
  std::filesystem::path file_;
  int attempt_;
  int descriptor_ = -1;
  bool torn_ = false;  // the file ends inside a line
};

// 1 for a run without events, else the largest attempt so far + 1.
int next_attempt(const std::filesystem::path& file);

// Continues reading where the last poll ended; for a live display. A file that does not exist yet has no events.
class EventTail {
 public:
  enum class From { kBegin, kEnd };
  EventTail(std::filesystem::path file, From from);

  // The events of the complete lines since the last poll; lines that are not valid events are skipped.
  std::vector<nlohmann::json> poll();

 private:
  std::filesystem::path file_;
  std::uintmax_t offset_ = 0;
};

// The events in force. A start event supersedes all events of earlier attempts beyond the step from which it resumes
// ("from", 0 when absent). Of several events with the same type, step and label, the one of the latest attempt wins;
// start, error and end are those of the latest attempt that has them. Of an attempt whose result was rejected, only the
// error is in force. The curve of a killed and resumed run therefore equals that of an uninterrupted run.
std::vector<nlohmann::json> read_events(const std::filesystem::path& file);

}  // namespace assay::record
