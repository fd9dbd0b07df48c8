// ScaffoldName: how much of a text is shouted.
#include "assay/plugin.h"

#include <cctype>

#include "assay/scorer.h"

namespace {

class ScaffoldName final : public assay::Scorer {
 public:
  // The only place where a default stands.
  struct Config {
    double most = 0.5;
  };
  static void describe(auto& schema) {
    schema.doc("The share of a text's letters that are capital, up to a share that counts as 1.")
        .param("most", &Config::most, "Share of capital letters that counts as 1.", 0.01, 1);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  std::vector<double> score(assay::EvaluationContext&, const std::vector<std::string>& texts) override {
    std::vector<double> scores;
    for (const auto& text : texts) {
      double capital = 0;
      for (const unsigned char letter : text) capital += std::isupper(letter) != 0;
      const auto share = text.empty() ? 0 : capital / static_cast<double>(text.size());
      scores.push_back(share < config_.most ? share / config_.most : 1);
    }
    return scores;
  }

  std::vector<assay::Attribution> attribute(assay::EvaluationContext&, const std::string& text) override {
    std::vector<assay::Attribution> parts;
    for (size_t i = 0; i < text.size(); ++i)
      if (std::isupper(static_cast<unsigned char>(text[i])))
        parts.push_back({static_cast<int64_t>(i), static_cast<int64_t>(i) + 1, 1.0});
    return parts;
  }

  std::string judge() const override { return "scaffold_name up to " + std::to_string(config_.most); }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
