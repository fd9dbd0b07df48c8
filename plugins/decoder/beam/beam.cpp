// Beam search with a length penalty. Sutskever, Vinyals, Le 2014, arXiv:1409.3215, sec. 3.2; scores are divided by
// length^penalty, and the search of a prompt ends as in Hugging Face with early_stopping = false: when as many
// continuations have ended as there are beams, and the best open one would not be among them if it ended now.
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../banned.h"
#include "../most_likely.h"
#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Beam final : public assay::Decoder {
 public:
  struct Config {
    int64_t beams = 4;
    double length_penalty = 1.0;
    int64_t no_repeat_ngram = 0, min_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Beam search: keeps the open continuations of highest ln p and returns the continuation, open or "
            "ended, of highest ln p / length^length_penalty; the end of text counts as a token. The search "
            "stops when as many continuations have ended as there are beams and no open one would be among "
            "them if it ended now, so with length_penalty above 0 it may miss a longer text of a higher "
            "value.")
        .paper("arXiv:1409.3215")
        .param("beams", &Config::beams, "Open continuations per prompt; 1 is greedy search.", 1, 1024)
        .param("length_penalty", &Config::length_penalty,
               "Exponent of the length: 0 compares ln p, 1 its mean over tokens; higher values prefer longer "
               "text.",
               0, 10);
    assay::decoding::describe_bans<Config>(schema);
  }
  explicit Beam(const Config& config) : config_(config) {}

  assay::Choice next(assay::DecodeContext& context) override {
    // As in Hugging Face, what is banned does not change the ln p of the others.
    const auto log_p_BV =
        assay::decoding::allowed(context, at::log_softmax(context.logits().to(at::kCPU, at::kDouble), -1),
                                 config_.no_repeat_ngram, config_.min_tokens)
            .contiguous();
    const auto scores = context.scores().to(at::kCPU), ended = context.ended().to(at::kCPU),
               lengths = context.lengths().to(at::kCPU), prompts = context.prompts().to(at::kCPU);
    const int64_t B = log_p_BV.size(0), V = log_p_BV.size(1);
    const auto end_of_text = context.vocabulary().special(assay::kEndOfText);
    std::vector<int64_t> tokens, parents;
    for (int64_t begin = 0, end; begin < B; begin = end) {  // rows of a prompt are adjacent, as returned below
      end = begin + 1;
      while (end < B && prompts.data_ptr<int64_t>()[end] == prompts.data_ptr<int64_t>()[begin]) ++end;
      Search search{config_, {}, {}};
      std::vector<Row> open;
      for (int64_t row = begin; row < end; ++row) {
        const double score = scores.data_ptr<double>()[row];
        const int64_t length = lengths.data_ptr<int64_t>()[row];
        if (ended.data_ptr<bool>()[row])
          search.ended.push_back({row, end_of_text, score, length});
        else
          add_most_likely(open, {row, 0, score, length + 1}, log_p_BV.const_data_ptr<double>() + row * V, V);
      }
      if (!open.empty()) search.advance(std::move(open), end_of_text);
      for (const auto& row : search.rows()) {
        tokens.push_back(row.token);
        parents.push_back(row.parent);
      }
    }
    return {at::tensor(tokens, at::kLong), at::tensor(parents, at::kLong)};
  }

 private:
  struct Row {
    int64_t parent, token;
    double score;    // ln p
    int64_t length;  // of the continuation, this token included
  };

  static bool more_likely(const Row& one, const Row& other) { return one.score > other.score; }

  // Twice as many as beams: enough stay open even where half of them end.
  void add_most_likely(std::vector<Row>& all, const Row& from, const double* log_p, int64_t V) const {
    for (const auto id : assay::decoding::most_likely(log_p, V, std::min(2 * config_.beams, V)))
      if (log_p[id] > assay::decoding::kBanned) all.push_back({from.parent, id, from.score + log_p[id], from.length});
  }

  // The search of one prompt.
  struct Search {
    const Config& config;
    std::vector<Row> ended, open;

    double value(const Row& row) const {
      return row.score / std::pow(static_cast<double>(row.length), config.length_penalty);
    }
    void sort_by_value(std::vector<Row>& rows) const {
      std::stable_sort(rows.begin(), rows.end(),
                       [&](const Row& one, const Row& other) { return value(one) > value(other); });
    }
    void advance(std::vector<Row> candidates, int64_t end_of_text) {
      const auto beams = static_cast<size_t>(config.beams);
      std::stable_sort(candidates.begin(), candidates.end(), more_likely);
      for (size_t rank = 0; rank < candidates.size() && open.size() < beams; ++rank) {
        if (candidates[rank].token != end_of_text)
          open.push_back(candidates[rank]);
        else if (rank < beams)  // an end counts only among the `beams` most likely candidates
          ended.push_back(candidates[rank]);
      }
      sort_by_value(ended);
      if (ended.size() > beams) ended.resize(beams);
      const bool full = ended.size() == beams;
      if (open.empty() || (full && value(open.front()) <= value(ended.back()))) open.clear();
    }
    // Best first; only the best when nothing is open.
    std::vector<Row> rows() const {
      auto all = ended;
      all.insert(all.end(), open.begin(), open.end());
      sort_by_value(all);
      if (open.empty()) all.resize(1);
      return all;
    }
  };

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("beam", "1.1.0", assay::component<Beam>("beam"))
