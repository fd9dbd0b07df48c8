#include "record/events.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "assay/error.h"

namespace assay::record {
namespace {

bool ends_inside_a_line(int descriptor) {
  const auto size = ::lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

bool is_event(const nlohmann::json& line) {
  const auto has_field = [&](const char* key, auto check) { return line.contains(key) && check(line[key]); };
  return line.is_object() && has_field("attempt", [](const auto& value) { return value.is_number_integer(); }) &&
         has_field("type", [](const auto& value) { return value.is_string(); });
}

// Events without a step (start, error, end) count as of step -1.
std::int64_t step_of(const nlohmann::json& event) { return event.value("step", std::int64_t{-1}); }

// Of an attempt whose result was rejected, only the error remains.
void drop_refused(std::vector<nlohmann::json>& events) {
  std::set<int> refused;
  for (const auto& event : events)
    if (event.value("refused", false)) refused.insert(event["attempt"].get<int>());
  if (refused.empty()) return;
  std::erase_if(events,
                [&](const auto& event) { return refused.count(event["attempt"]) > 0 && event["type"] != "error"; });
}

}  // namespace

EventWriter::EventWriter(std::filesystem::path file, int attempt) : file_(std::move(file)), attempt_(attempt) {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw UserError(file_.string() + ": cannot be opened for appending: " + std::strerror(errno));
  torn_ = ends_inside_a_line(descriptor_);
}

EventWriter::~EventWriter() { ::close(descriptor_); }

void EventWriter::write(std::string_view type, const nlohmann::json& fields) {
  nlohmann::ordered_json event;
  event["attempt"] = attempt_;
  event["type"] = type;
  for (const auto& [key, value] : fields.items()) event[key] = value;
  // Exception messages may contain arbitrary bytes; they must not make writing an event fail.
  auto line = event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (torn_) line.insert(line.begin(), '\n');
  ssize_t wrote = 0;
  do wrote = ::write(descriptor_, line.data(), line.size());
  while (wrote < 0 && errno == EINTR);
  torn_ = wrote >= 0 && wrote < static_cast<ssize_t>(line.size());
  if (wrote < 0 || torn_)
    throw UserError(file_.string() + ": cannot append an event: " +
                    (torn_ ? "it was written only in part; check the free disk space" : std::strerror(errno)));
}

EventTail::EventTail(std::filesystem::path file, From from) : file_(std::move(file)) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(file_, absent);
  if (from == From::kEnd && !absent) offset_ = size;
}

std::vector<nlohmann::json> EventTail::poll() {
  std::vector<nlohmann::json> events;
  std::ifstream stream(file_, std::ios::binary);
  if (!stream.seekg(static_cast<std::streamoff>(offset_))) return events;
  std::string line;
  while (std::getline(stream, line) && !stream.eof()) {  // eof: the line is incomplete
    offset_ += line.size() + 1;
    auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_event(event)) events.push_back(std::move(event));
  }
  return events;
}

int next_attempt(const std::filesystem::path& file) {
  int last = 0;
  for (const auto& event : EventTail(file, EventTail::From::kBegin).poll())
    last = std::max(last, event["attempt"].get<int>());
  return last + 1;
}

std::vector<nlohmann::json> read_events(const std::filesystem::path& file) {
  auto all = EventTail(file, EventTail::From::kBegin).poll();
  drop_refused(all);
  const auto of_first = [&](const nlohmann::json& event) { return event["attempt"] == all.front()["attempt"]; };
  if (std::all_of(all.begin(), all.end(), of_first)) return all;             // nothing is superseded, as in most runs
  std::map<int, std::int64_t> start_of;                                      // attempt -> step it resumes from
  std::map<std::tuple<std::string, std::int64_t, std::string>, int> latest;  // type, step, label -> attempt
  const auto key_of = [](const nlohmann::json& event) {
    return std::make_tuple(event["type"].get<std::string>(), step_of(event), event.value("label", std::string()));
  };
  for (const auto& event : all) {
    const int attempt = event["attempt"];
    if (event["type"] == "start") start_of[attempt] = event.value("from", std::int64_t{0});
    auto& last = latest[key_of(event)];
    last = std::max(last, attempt);
  }
  std::vector<nlohmann::json> kept;
  for (const auto& event : all) {
    const int attempt = event["attempt"];
    if (latest[key_of(event)] != attempt) continue;
    const bool superseded = std::any_of(start_of.upper_bound(attempt), start_of.end(),
                                        [&](const auto& later) { return step_of(event) > later.second; });
    const bool outlived = step_of(event) < 0 && start_of.upper_bound(attempt) != start_of.end();
    if (!superseded && !outlived) kept.push_back(event);
  }
  return kept;
}

}  // namespace assay::record
