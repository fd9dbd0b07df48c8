#include "app/recorder.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace assay::app {
namespace fs = std::filesystem;

Recorder::Recorder(record::EventWriter& events, const record::RunLayout& layout, int attempt)
    : events_(events), layout_(layout), attempt_(attempt) {
  remove_progress();  // left by a killed attempt
}

Recorder::~Recorder() { remove_progress(); }

void Recorder::event(const std::string& type, const nlohmann::json& fields) {
  events_.write(type, fields);
  if (type == "evaluate") remove_progress();
}

void Recorder::evaluating(const nlohmann::json& fields) {
  auto progress = fields;
  progress["attempt"] = attempt_;
  // The file is renamed into place, so that readers never see a partial file. It is not synced, because it may be lost.
  const auto aside = layout_.progress().string() + ".part";
  std::ofstream(aside) << progress.dump() << "\n";
  std::error_code ignored;
  fs::rename(aside, layout_.progress(), ignored);
}

void Recorder::remove_progress() {
  std::error_code ignored;
  fs::remove(layout_.progress(), ignored);
}

}  // namespace assay::app
