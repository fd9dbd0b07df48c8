// ScaffoldName: made-up sums to learn, one a document.
#include "assay/plugin.h"

#include <string>

#include "assay/dataset.h"
#include "assay/random.h"

namespace {

class ScaffoldName final : public assay::Dataset {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t documents = 1000;
    int64_t largest = 99;
  };
  static void describe(auto& schema) {
    schema.doc("Sums of two made-up numbers, one a document.")
        .param("documents", &Config::documents, "In the training split; a tenth of it in each other one.", 10, 1e9)
        .param("largest", &Config::largest, "Largest summand.", 1, 1e9);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  int64_t size(assay::Split split) const override {
    return split == assay::Split::kTrain ? config_.documents : config_.documents / 10;
  }

  // A pure function of its place.
  assay::Document document(assay::Split split, int64_t index) const override {
    if (index < 0 || index >= size(split))
      throw assay::UserError("there is no document " + std::to_string(index) + " in the split '" +
                             assay::name_of(split) + "'");
    const auto id = std::string(assay::name_of(split)) + std::to_string(index);
    const assay::Draws draws(1, id);
    const auto bound = static_cast<uint64_t>(config_.largest) + 1;
    const auto a = draws.below(bound, 0), b = draws.below(bound, 1);
    return {std::to_string(a) + "+" + std::to_string(b) + "=" + std::to_string(a + b) + "\n", id, {}};
  }

  std::vector<assay::Source> sources() const override { return {{"made-up sums", "", ""}}; }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
