#include "record/state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace assay::record {

std::optional<State> read_state(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;
  const auto json = nlohmann::json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  try {
    State state;
    const auto status = status_of_name(json.at("status").get<std::string>());
    if (!status) return std::nullopt;
    state.status = *status;
    state.attempt = json.value("attempt", 1);
    state.pid = json.value("pid", 0);
    state.host = json.value("host", "");
    if (json.contains("exit_code")) state.exit_code = json["exit_code"].get<int>();
    if (json.contains("signal")) state.signal = json["signal"].get<int>();
    state.reason = json.value("reason", "");
    state.failure_class = json.value("class", "");
    return state;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void write_state(const std::filesystem::path& file, const State& state) {
  nlohmann::json json = {{"status", name_of(state.status)}, {"attempt", state.attempt}, {"pid", state.pid}};
  if (!state.host.empty()) json["host"] = state.host;
  if (state.exit_code) json["exit_code"] = *state.exit_code;
  if (state.signal) json["signal"] = *state.signal;
  if (!state.reason.empty()) {
    auto reason = state.reason;
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    json["reason"] = reason;
  }
  if (!state.failure_class.empty()) json["class"] = state.failure_class;
  base::write_atomically(file, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace assay::record
