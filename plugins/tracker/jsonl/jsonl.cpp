// Writes a run's events to a file, one JSON object per line, in the format of events.jsonl (results/README.md).
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "assay/plugin.h"
#include "assay/tracker.h"

namespace {

class Jsonl final : public assay::Tracker {
 public:
  struct Config {
    std::string file = "metrics.jsonl";
  };
  static void describe(auto& schema) {
    schema.doc("Appends every event to a file, one JSON object per line.")
        .param("file", &Config::file, "File to write; a relative path starts at the run's folder.");
  }
  explicit Jsonl(const Config& config) : config_(config) {
    if (config_.file.empty()) throw assay::UserError("jsonl: file is empty; give a file name");
  }

  // A resumed run appends to what its earlier attempts wrote. A line that a killed attempt left unfinished is ended, so
  // that the next event starts on a line of its own.
  void open(const assay::RunInfo& run) override {
    path_ = std::filesystem::path(run.folder) / config_.file;
    char last = '\n';
    if (std::ifstream before{path_, std::ios::binary | std::ios::ate}; before && before.tellg() > 0) {
      before.seekg(-1, std::ios::end);
      before.get(last);
    }
    errno = 0;
    stream_.open(path_, std::ios::binary | std::ios::app);
    if (last != '\n') stream_ << '\n';
    check();
  }

  void on(std::string_view, std::string_view json) override {
    errno = 0;
    stream_ << json << '\n' << std::flush;
    check();
  }

 private:
  void check() const {
    if (!stream_) throw assay::UserError("jsonl: cannot write " + path_.string() + ": " + std::strerror(errno));
  }

  Config config_;
  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace

ASSAY_PLUGIN("jsonl", "1.0.0", assay::component<Jsonl>("jsonl"))
