// ScaffoldName: one id a byte, upper-case letters as a shift and the small letter.
#include "assay/plugin.h"

#include "assay/tokenizer.h"

namespace {

constexpr int32_t kShift = 256;

class ScaffoldName final : public assay::Tokenizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Bytes, with capitals as a shift and the small letter."); }
  explicit ScaffoldName(const Config&) {}

  int64_t size() const override { return 257; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    for (const char c : text) {
      const bool capital = c >= 'A' && c <= 'Z';
      if (capital) ids.push_back(kShift);
      ids.push_back(static_cast<unsigned char>(capital ? c - 'A' + 'a' : c));
    }
    return ids;
  }

  // Every byte string must come back as it was.
  std::string decode(const std::vector<int32_t>& ids) const override {
    std::string text;
    bool shift = false;
    for (const auto id : ids) {
      if (id == kShift) {
        shift = true;
        continue;
      }
      if (id < kShift) text += static_cast<char>(shift && id >= 'a' && id <= 'z' ? id - 'a' + 'A' : id);
      shift = false;
    }
    return text;
  }
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
