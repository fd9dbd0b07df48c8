// Event files that TensorBoard shows: training metrics by step, evaluations with their coordinates in the tag.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/plugin.h"
#include "assay/tracker.h"
#include "event_file.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void add(std::vector<Scalar>& scalars, const std::string& tag, const json& value) {
  if (value.is_number()) scalars.push_back({tag, value.get<double>()});  // others are not finite or n/a
}

std::vector<Scalar> of_step(const json& event) {
  std::vector<Scalar> scalars;
  for (const char* name : {"loss", "lr", "grad_norm", "tokens"})
    add(scalars, std::string("train/") + name, event.value(name, json()));
  const auto metrics = event.value("metrics", json::object());
  for (const auto& [name, value] : metrics.items()) add(scalars, "train/" + name, value);
  add(scalars, "train/tokens_per_second", event.value("/measured/tokens_per_second"_json_pointer, json()));
  return scalars;
}

// lm/bits_per_byte@length=512: the name in tables except for the slash, by which TensorBoard groups tags.
std::vector<Scalar> of_evaluation(const json& event) {
  std::vector<Scalar> scalars;
  for (const auto& metric : event.value("metrics", json::array())) {
    auto tag = event.value("label", std::string()) + "/" + metric.value("name", std::string());
    char separator = '@';
    const auto coordinates = metric.value("coordinates", json::object());
    for (const auto& [name, value] : coordinates.items()) {
      tag += separator + name + "=" + value.dump();
      separator = ',';
    }
    add(scalars, tag, metric.value("value", json()));
  }
  return scalars;
}

// Every attempt writes its own file, for the file of a killed attempt may end inside a record. A file begins with a
// session start, at which readers drop what earlier files hold for its step and later steps: the step after the one
// that a resumed attempt continues from. The first attempt writes one too, for TensorBoard's Python server drops
// nothing at the first session start that it reads. An earlier attempt may have evaluated at the step that this one
// continues from, with the same weights; such values are not written again.
class TensorBoard final : public assay::Tracker {
 public:
  struct Config {
    std::string folder = ".";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Writes event files for TensorBoard: training metrics by step, and evaluations with their "
            "coordinates. Values that are not finite are left out.")
        .param("folder", &Config::folder, "Folder to write to; a relative path starts at the run's folder.");
  }
  explicit TensorBoard(const Config& config) : config_(config) {
    if (config_.folder.empty()) throw assay::UserError("tensorboard: folder is empty; give a folder's name");
  }

  void open(const assay::RunInfo& run) override {
    folder_ = fs::path(run.folder) / config_.folder;
    attempt_ = run.attempt;
    std::error_code wrong;
    fs::create_directories(folder_, wrong);
    if (wrong) throw assay::UserError("tensorboard: cannot create " + folder_.string() + ": " + wrong.message());
    errno = 0;
    stream_.open(file_of(attempt_), std::ios::binary | std::ios::trunc);
    check();
  }

  void on(std::string_view type, std::string_view text) override {
    const auto event = json::parse(text);
    const auto step = event.value("step", int64_t{0});
    const double time = event.value("/measured/time"_json_pointer, 0.0);
    if (type == "start") start(event, time);
    if (type == "step") write(step, time, of_step(event));
    if (type == "evaluate") write(step, time, of_evaluation(event));
  }

 private:
  // Readers read files in the order of their names.
  fs::path file_of(int attempt) const {
    auto number = std::to_string(attempt);
    number.insert(0, 10 - std::min<size_t>(10, number.size()), '0');
    return folder_ / ("events.out.tfevents." + number + ".assay");
  }

  void start(const json& event, double time) {
    write(version_event(time));
    if (attempt_ > 1) from_ = event.value("from", int64_t{0});
    for (int earlier = 1; earlier < attempt_; ++earlier)
      for (auto& [step, tag] : scalars_in(file_of(earlier).string()))
        if (step == from_) known_.insert(std::move(tag));
    write(start_event(time, from_ + 1));
  }

  void write(int64_t step, double time, std::vector<Scalar> scalars) {
    if (step == from_) std::erase_if(scalars, [&](const Scalar& scalar) { return known_.count(scalar.tag) > 0; });
    if (!scalars.empty()) write(scalars_event(time, step, scalars));
  }

  void write(const std::string& event) {
    errno = 0;
    stream_ << framed(event) << std::flush;
    check();
  }

  void check() const {
    if (!stream_)
      throw assay::UserError("tensorboard: cannot write " + file_of(attempt_).string() + ": " + std::strerror(errno));
  }

  Config config_;
  fs::path folder_;
  std::ofstream stream_;
  int attempt_ = 1;
  int64_t from_ = -1;            // the step that a later attempt continues from
  std::set<std::string> known_;  // tags that earlier attempts wrote at that step
};

}  // namespace

ASSAY_PLUGIN("tensorboard", "1.0.0", assay::component<TensorBoard>("tensorboard"))
