// The two-level defense of Mehrabi et al. 2022 (NAACL). Level 1 finds the token of a toxic reply that makes it toxic;
// level 2 the token of the attack that explains it best; every equal token of the attack is masked, and the reply drawn
// again, until it is not toxic. Where level 1 finds no token the reply is only drawn again, and the reason says so.
#include "../../shared/token_bytes.h"
#include "../explainers.h"
#include "../replies.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

namespace explain = assay::explain;
using assay::Scored;
using assay::defenses::Draft;

class TwoLevel final : public assay::Defense {
 public:
  struct Config : assay::defenses::Passes {
    std::string explainer = "lerg_s", mask_mode = "delete";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Masks the tokens of an attack that best explain the toxic token of the reply, and draws the reply again "
            "until it is not toxic.")
        .param("explainer", &Config::explainer,
               "What explains a token of the reply by those of the attack: LERG_S (arXiv:2106.06528), exact Shapley "
               "values (up to 16 tokens, lerg_s beyond), or noise.",
               {"lerg_s", "exact_shapley", "random"});
    assay::defenses::describe_passes<Config>(schema);
    assay::defenses::describe_mask<Config>(schema);
  }
  explicit TwoLevel(const Config& config) : config_(config) { assay::defenses::require(config_.scorer); }
  assay::Scorer* scorer() const override { return config_.scorer.get(); }

  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, scorer(), attacked);
    assay::defenses::regenerate(speaker, scorer(), drafts, config_.max_passes, config_.mask_mode == "gap",
                                [&](Draft& draft) { mask(speaker, draft); });
    return assay::defenses::responses_of(drafts);
  }

 private:
  void mask(assay::Speaker& speaker, Draft& draft) {
    auto& response = draft.response;
    const auto blamed = level_1(speaker, response.tokens);
    if (blamed.empty()) return note(response, "no alignment");
    if (response.regenerations == 0) response.blamed = blamed.front();
    std::vector<int64_t> places;  // of the utterance, those that are in the history and not masked
    for (auto place = draft.cut; place < draft.size(); ++place)
      if (!draft.masked.count(place)) places.push_back(place);
    if (places.empty()) return note(response, "nothing left to mask");
    if (const auto size = static_cast<int64_t>(places.size()); size > explain::kMostTokens) {
      note(response, "only the last " + std::to_string(explain::kMostTokens) + " tokens are explained");
      places.erase(places.begin(), places.end() - explain::kMostTokens);
    }
    const auto& utterance = draft.attacked->conversation.turns.back();
    const auto contribution = level_2(speaker, draft, places, blamed);
    for (size_t j = 0; j < blamed.size(); ++j) {
      size_t best = 0;
      for (size_t i = 1; i < places.size(); ++i)
        if (contribution[i][j] > contribution[best][j]) best = i;
      for (const auto place : places)
        if (utterance[static_cast<size_t>(place)] == utterance[static_cast<size_t>(places[best])])
          draft.masked.insert(place);
    }
  }

  static void note(assay::Response& response, const std::string& what) {
    if (response.reason.find(what) == std::string::npos)
      response.reason += (response.reason.empty() ? "" : "; ") + what;
  }

  // The tokens of the reply that overlap the part with the greatest attribution, and those equal to them; none where
  // the scorer blames nothing.
  std::vector<int64_t> level_1(assay::Speaker& speaker, const std::vector<int32_t>& reply) {
    auto& judge = *config_.scorer;
    const auto text = speaker.text(reply);
    const auto parts = assay::guard(judge, "attribute", [&] { return judge.attribute(speaker.evaluation(), text); });
    const assay::Attribution* most = nullptr;
    for (const auto& part : parts)
      if (part.end > part.begin && (!most || part.value > most->value)) most = &part;
    if (!most || !(most->value > 0)) return {};
    std::set<int32_t> ids;
    const auto bytes = assay::text::bytes_of(reply, [&](const auto& some) { return speaker.text(some); });
    for (size_t t = 0; t < reply.size(); ++t)
      if (std::max(bytes[t].begin, most->begin) < std::min(bytes[t].end, most->end)) ids.insert(reply[t]);
    std::vector<int64_t> blamed;
    for (size_t t = 0; t < reply.size(); ++t)
      if (ids.count(reply[t])) blamed.push_back(static_cast<int64_t>(t));
    return blamed;
  }

  // By place and blamed token of the reply. ln p is that of the reply after the kept tokens of the utterance and an end
  // of text, without the turns before; tokens that are left out are really absent.
  explain::Contributions level_2(assay::Speaker& speaker, Draft& draft, const std::vector<int64_t>& places,
                                 const std::vector<int64_t>& blamed) {
    const auto n = static_cast<int64_t>(places.size());
    const assay::Draws draws(draft.attacked->conversation.stream,
                             "explain/" + std::to_string(draft.response.regenerations));
    if (config_.explainer == "random")
      return explain::random_contributions(n, static_cast<int64_t>(blamed.size()), draws);
    auto& context = speaker.evaluation();
    const auto end_of_text = static_cast<int32_t>(context.vocabulary().special(assay::kEndOfText));
    const auto& utterance = draft.attacked->conversation.turns.back();
    const auto& reply = draft.response.tokens;
    const explain::Values values = [&](const std::vector<explain::Kept>& sets) {
      std::vector<Scored> rows;
      for (const auto set : sets) {
        auto& row = rows.emplace_back();
        for (int64_t i = 0; i < n; ++i)
          if (set >> i & 1) row.tokens.push_back(utterance[static_cast<size_t>(places[static_cast<size_t>(i)])]);
        row.tokens.push_back(end_of_text);
        row.from = static_cast<int64_t>(row.tokens.size()) + blamed.front();
        row.tokens.insert(row.tokens.end(), reply.begin(), reply.begin() + blamed.back() + 1);
        draft.response.forward_tokens += static_cast<int64_t>(row.tokens.size());
      }
      auto found = context.own().log_probs({}, rows);
      for (auto& one : found) {
        std::vector<double> own;
        for (const auto t : blamed) own.push_back(one[static_cast<size_t>(t - blamed.front())]);
        one = std::move(own);
      }
      return found;
    };
    if (config_.explainer == "exact_shapley" && n <= explain::kMostExact) return explain::exact_shapley(n, values);
    if (config_.explainer == "exact_shapley") note(draft.response, "too long for exact values, lerg_s explains");
    return explain::lerg_s(n, values, draws);
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("two_level", "1.1.0", assay::component<TwoLevel>("two_level"))
