// ScaffoldName: a share of the documents is read with its words in reverse order.
#include "assay/plugin.h"

#include <algorithm>
#include <string>
#include <vector>

#include "assay/transform.h"

namespace {

class ScaffoldName final : public assay::Transform {
 public:
  // The only place where a default stands.
  struct Config {
    double rate = 0.5;
  };
  static void describe(auto& schema) {
    schema.doc("Turns the order of words round in a share of the documents.")
        .param("rate", &Config::rate, "The share of documents.", 0, 1);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  assay::Stage stage() const override { return assay::Stage::kDocument; }
  bool keeps_text() const override { return true; }
  const char* rate_parameter() const override { return "rate"; }

  // All draws come from `draws`, so that the result depends on nothing but the sample and the seed.
  void apply(assay::Sample& sample, const assay::Draws& draws) const override {
    if (draws.uniform(0) >= config_.rate) return;
    std::string turned;
    for (size_t end = sample.text.size(); end != std::string::npos;) {
      const auto space = end == 0 ? std::string::npos : sample.text.rfind(' ', end - 1);
      const auto begin = space == std::string::npos ? 0 : space + 1;
      turned += sample.text.substr(begin, end - begin);
      if (space != std::string::npos) turned += ' ';
      end = space;
    }
    sample.text = turned;
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
