// Bytes as tokens: 256 ids for any text, without a learned vocabulary. Xue et al. 2022 (ByT5), arXiv:2105.13626,
// sec. 3.
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

class Bytes final : public assay::Tokenizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Every byte is a token.").paper("arXiv:2105.13626"); }
  explicit Bytes(const Config&) {}

  int64_t size() const override { return 256; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids(text.size());
    for (size_t i = 0; i < text.size(); ++i) ids[i] = static_cast<unsigned char>(text[i]);
    return ids;
  }

  std::string decode(const std::vector<int32_t>& ids) const override {
    std::string text;
    text.reserve(ids.size());
    for (const int32_t id : ids)
      if (id >= 0 && id < 256) text.push_back(static_cast<char>(id));
    return text;
  }
};

}  // namespace

ASSAY_PLUGIN("bytes", "1.0.0", assay::component<Bytes>("bytes"))
