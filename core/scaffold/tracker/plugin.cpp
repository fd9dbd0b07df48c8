// ScaffoldName: the losses of a run as a table of two columns.
#include "assay/plugin.h"

#include <fstream>
#include <string>

#include "assay/tracker.h"

namespace {

class ScaffoldName final : public assay::Tracker {
 public:
  // The only place where a default stands.
  struct Config {
    std::string file = "losses.tsv";
  };
  static void describe(auto& schema) {
    schema.doc("Writes step and loss into a table in the run's folder.")
        .param("file", &Config::file, "Name of the file.");
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  void open(const assay::RunInfo& run) override { out_.open(run.folder + "/" + config_.file, std::ios::app); }

  // An event is a JSON object; whatever JSON library you like can read it. Here two numbers are enough.
  void on(std::string_view type, std::string_view json) override {
    if (type == "step") out_ << number(json, "\"step\":") << '\t' << number(json, "\"loss\":") << std::endl;
  }

 private:
  static std::string number(std::string_view json, std::string_view key) {
    const auto at = json.find(key);
    if (at == std::string_view::npos) return "";
    const auto begin = at + key.size();
    return std::string(json.substr(begin, json.find_first_of(",}", begin) - begin));
  }

  Config config_;
  std::ofstream out_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
