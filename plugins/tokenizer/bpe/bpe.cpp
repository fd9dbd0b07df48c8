// GPT-2's byte-level byte-pair encoding, from the two files that define it. Radford et al. 2019, "Language models are
// unsupervised multitask learners", sec. 2.2.
#include <mutex>

#include "assay/plugin.h"
#include "assay/tokenizer.h"
#include "merging.h"
#include "pieces.h"
#include "vocabulary_files.h"

namespace {

struct HashOfText {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

class Bpe final : public assay::Tokenizer {
 public:
  struct Config {
    assay::Path encoder, merges;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Byte-level BPE from GPT-2's two files (scripts/data gpt2), or from two that scripts/vocabulary "
            "learned from a text. Decoding restores any bytes exactly; <|endoftext|> is the file's own token, "
            "and text never encodes to it.")
        .required("encoder", &Config::encoder, "encoder.json: a JSON object of tokens and their ids.")
        .required("merges", &Config::merges, "vocab.bpe: one merge per line, best first, after a line '#version:'.");
  }
  explicit Bpe(const Config& config) : pairs_(VocabularyFiles(config.encoder.file, config.merges.file).read()) {}

  int64_t size() const override { return static_cast<int64_t>(pairs_.bytes_of_id.size()); }

  std::vector<int32_t> encode(std::string_view text) const override {
    const std::lock_guard one_at_a_time(mutex_);
    std::vector<int32_t> ids;
    pieces_.each(text, [&](std::string_view piece) {
      const auto known = known_.find(piece);
      if (known != known_.end()) {
        ids.insert(ids.end(), known->second.begin(), known->second.end());
        return;
      }
      auto made = Merging(pairs_, piece).ids();
      ids.insert(ids.end(), made.begin(), made.end());
      if (known_.size() < kMaxKnown && piece.size() <= kLongestKnown) known_.emplace(piece, std::move(made));
    });
    return ids;
  }

  std::string decode(const std::vector<int32_t>& ids) const override {
    std::string text;
    for (const int32_t id : ids)
      if (id >= 0 && id < size()) text += pairs_.bytes_of_id[static_cast<size_t>(id)];
    return text;
  }

  std::vector<assay::Source> sources() const override {
    return {{std::string("Unicode ") + kUnicodeVersion + " letters, numbers and white space", kClassesSha256,
             "Unicode-3.0"}};
  }

  std::map<std::string, int64_t> special_ids() const override {
    if (!pairs_.end_of_text) return {};
    return {{assay::kEndOfText, *pairs_.end_of_text}};
  }

 private:
  // Words repeat, so their ids are cached; both bounds keep the cache small for any text.
  static constexpr size_t kMaxKnown = 1 << 17, kLongestKnown = 64;

  BytePairs pairs_;
  Pieces pieces_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::vector<int32_t>, HashOfText, std::equal_to<>> known_;
};

}  // namespace

ASSAY_PLUGIN("bpe", "1.1.0", assay::component<Bpe>("bpe"))
