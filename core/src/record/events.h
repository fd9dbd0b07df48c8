// events.jsonl: what happened in a run, one JSON object a line, append-only, each line with its attempt number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace assay::record {

// One process writes at a time (the run's lock sees to that). Not for concurrent use by threads.
class EventWriter {
 public:
  // Creates the file where there is none. A last line that a killed attempt left without its end is closed by a line
  // feed before the first event, so that it spoils no other line. Throws UserError when the file cannot be written.
  EventWriter(std::filesystem::path file, int attempt);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  // Appends {"attempt":..,"type":type,fields...} with one write(2). Numbers that are not finite become null.
  void write(std::string_view type, const nlohmann::json& fields);

 private:
  std::filesystem::path file_;
  int attempt_;
  int descriptor_ = -1;
  bool torn_ = false;  // the file ends inside a line
};

// 1 for a run without events, else the largest attempt so far + 1.
int next_attempt(const std::filesystem::path& file);

// Reads on from where the last poll ended; for a live display. A file that does not exist yet has no events.
class EventTail {
 public:
  enum class From { kBegin, kEnd };
  EventTail(std::filesystem::path file, From from);

  // The events of the complete lines since the last poll; lines that are no event are skipped.
  std::vector<nlohmann::json> poll();

 private:
  std::filesystem::path file_;
  std::uintmax_t offset_ = 0;
};

// The events in force. A start event supersedes all that earlier attempts wrote beyond the step it goes on from
// ("from", 0 when absent), of several events of one type, step and label the latest attempt's wins, and start, error
// and end are those of the latest attempt that has them. Of an attempt whose result was refused nothing but its error
// is in force. So the curve of a killed and resumed run equals an uninterrupted one's.
std::vector<nlohmann::json> read_events(const std::filesystem::path& file);

}  // namespace assay::record
