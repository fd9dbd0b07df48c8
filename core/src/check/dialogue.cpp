// Scorers, attacks and defenses: valid results, which depend neither on the texts or conversations beside them nor on
// the mesh.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "assay/attack.h"
#include "assay/defense.h"
#include "check/stand_ins.h"
#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/evaluate.h"

namespace assay::check {
namespace {

// Gives a property the context of an evaluation.
class WithContext final : public Evaluator {
 public:
  explicit WithContext(std::function<void(EvaluationContext&)> use) : use_(std::move(use)) {
    set_identity({"check", "evaluator", "check", "evaluate.check"});
  }
  void evaluate(EvaluationContext& context) override { use_(context); }

 private:
  std::function<void(EvaluationContext&)> use_;
};

// use(instance, context) returns text, of which that of the first rank is returned.
template <class Kind>
std::string in_evaluation(const Subject& subject, int tensor,
                          const std::function<std::string(Kind&, EvaluationContext&)>& use) {
  TinyRun tiny(subject);
  tiny.mesh(tensor, 1);
  std::string text;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const Instance<Kind> instance(subject);
    for (auto* component : instance.all()) component->bind(*run.vocabulary);
    std::string own;
    WithContext evaluator([&](EvaluationContext& context) { own = use(*instance, context); });
    run::evaluate(run, mesh, {&evaluator, "check", "check", Split::kValidation, 0, ""}, 0);
    if (mesh.first()) text = own;
  });
  return text;
}

// "" when the text is the same on every mesh, up to a relative difference of numbers that only their last bits have.
template <class Kind>
std::string on_meshes(const Subject& subject, const std::function<std::string(Kind&, EvaluationContext&)>& use) {
  const auto one = in_evaluation<Kind>(subject, 1, use);
  for (const int ranks : {2, 4})
    if (const auto other = in_evaluation<Kind>(subject, ranks, use); other != one)
      return "tensor = " + std::to_string(ranks) + " gives '" + other + "', and one rank '" + one + "'";
  return "";
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g ", value);
  return text;
}
std::string written(const std::vector<int32_t>& tokens) {
  std::string text;
  for (const auto id : tokens) text += std::to_string(id) + " ";
  return text;
}

const std::vector<std::string> kTexts{"ab ab", "a longer text", "", "b"};

std::string scores_are_valid(Scorer& scorer, EvaluationContext& context) {
  const auto all = scores_of(scorer, context, kTexts);
  for (size_t i = 0; i < kTexts.size(); ++i)
    if (const auto alone = scores_of(scorer, context, {kTexts[i]})[0]; std::abs(alone - all[i]) > 1e-9)
      return "'" + kTexts[i] + "' scores " + std::to_string(all[i]) + " among others and " + std::to_string(alone) +
             " alone";
  if (!scores_of(scorer, context, {}).empty()) return "it scores texts that there are not";
  return scorer.judge().empty() ? "judge is empty" : "";
}

std::string parts_are_valid(Scorer& scorer, EvaluationContext& context) {
  for (const auto& text : kTexts) {
    int64_t end = 0;
    for (const auto& part : scorer.attribute(context, text)) {
      if (part.begin < end || part.end < part.begin || part.end > static_cast<int64_t>(text.size()))
        return "a part of '" + text + "' is [" + std::to_string(part.begin) + ", " + std::to_string(part.end) +
               "); parts must be within the text, in order and without overlap";
      if (!std::isfinite(part.value)) return "a part of '" + text + "' has a value that is not finite";
      end = part.end;
    }
  }
  return "";
}

std::vector<Conversation> conversations(const EvaluationContext& context) {
  std::vector<Conversation> all;
  uint64_t stream = 7;
  for (const std::vector<std::string>& said : {std::vector<std::string>{"ab ab"}, {"a", "bc", "cd d"}, {"", "b"}}) {
    auto& one = all.emplace_back();
    for (const auto& text : said) one.turns.push_back(context.vocabulary().tokenizer().encode(text));
    one.stream = stream++;
  }
  return all;
}

// Draws from the whole distribution, by the draws of the row's prompt.
class DrawingDecoder final : public Decoder {
 public:
  DrawingDecoder() { set_identity({"check", "decoder", "check", "decoder"}); }
  Choice next(DecodeContext& context) override {
    const auto p = context.logits().softmax(-1).to(at::kCPU, at::kDouble).contiguous();
    const auto B = p.size(0), V = p.size(1);
    auto chosen = context.ended().to(at::kCPU).to(at::kLong);
    for (int64_t b = 0; b < B; ++b) {
      auto left = context.draws(b).uniform(static_cast<uint64_t>(context.step()));
      int64_t id = 0;
      while (id + 1 < V && left >= p.const_data_ptr<double>()[b * V + id])
        left -= p.const_data_ptr<double>()[b * V + id++];
      chosen.data_ptr<int64_t>()[b] = id;
    }
    return {chosen, {}};
  }
};

std::string fault_of_tokens(const std::vector<int32_t>& tokens, const EvaluationContext& context) {
  const auto& special = context.vocabulary().special();
  for (const auto id : tokens) {
    if (id < 0 || id >= context.vocabulary().size()) return "a token is not in the vocabulary";
    for (const auto& [name, known] : special)
      if (known == id) return "it says the special token " + name;
  }
  return "";
}

std::string proposals(Attack& attack, EvaluationContext& context, bool alone, std::string* fault) {
  DrawingDecoder decoder;
  Speaker speaker(context, decoder, 40, 6);
  attack.prepare(speaker);
  const auto all = conversations(context);
  std::vector<Proposal> made;
  if (!attack.attacks()) return "";
  if (alone)
    for (const auto& one : all) made.push_back(attack.propose(speaker, {one}).at(0));
  else
    made = attack.propose(speaker, all);
  std::string text;
  for (const auto& one : made) {
    if (fault && fault->empty()) *fault = fault_of_tokens(one.tokens, context);
    const auto [begin, end] = one.trigger;
    if (fault && fault->empty() && (begin < 0 || end < begin || end > static_cast<int64_t>(one.tokens.size())))
      *fault = "the trigger is not within the utterance";
    text += written(one.tokens) + (one.fell_back ? "fell back\n" : "\n");
  }
  if (fault && fault->empty() && made.size() != all.size()) *fault = "it makes another number of utterances";
  return text;
}

std::string responses(Defense& defense, EvaluationContext& context, bool alone, std::string* fault) {
  DrawingDecoder decoder;
  Speaker speaker(context, decoder, 40, 6);
  std::vector<Attacked> all;
  for (auto& one : conversations(context)) {
    auto& attacked = all.emplace_back(Attacked{std::move(one)});
    if (defense.needs_oracle() && !attacked.conversation.turns.back().empty()) attacked.trigger = Span{0, 1};
  }
  std::vector<Response> made;
  if (alone)
    for (const auto& one : all) made.push_back(defense.respond(speaker, {one}).at(0));
  else
    made = defense.respond(speaker, all);
  std::string text;
  for (size_t i = 0; i < std::min(made.size(), all.size()); ++i) {
    const auto size = static_cast<int64_t>(all[i].conversation.turns.back().size());
    if (fault && fault->empty()) *fault = fault_of_tokens(made[i].tokens, context);
    for (const auto place : made[i].masked)
      if (fault && fault->empty() && (place < 0 || place >= size)) *fault = "a masked token is not in the last turn";
    if (fault && fault->empty() && made[i].blamed >= static_cast<int64_t>(made[i].first_reply.size()))
      *fault = "the blamed token is not in the first reply";
    text += written(made[i].tokens) + std::to_string(made[i].masked.size()) + "\n";
  }
  if (fault && fault->empty() && made.size() != all.size()) *fault = "it gives another number of replies";
  return text;
}

}  // namespace

void scorer(const Subject& subject) {
  subject.property("scores are in [0, 1], and are the same beside other texts",
                   [&] { return in_evaluation<Scorer>(subject, 1, scores_are_valid); });
  subject.property("parts of a text are within it, in order and without overlap",
                   [&] { return in_evaluation<Scorer>(subject, 1, parts_are_valid); });
  subject.property("tensor = 1, 2, 4 give the same scores", [&] {
    return on_meshes<Scorer>(subject, [](Scorer& scorer, EvaluationContext& context) {
      std::string text;
      for (const auto score : scores_of(scorer, context, kTexts)) text += rounded(score);
      return text;
    });
  });
}

void attack(const Subject& subject) {
  subject.property("utterances are of the vocabulary without special tokens, with the trigger in them", [&] {
    std::string fault;
    in_evaluation<Attack>(subject, 1, [&](Attack& attack, EvaluationContext& context) {
      return proposals(attack, context, false, &fault);
    });
    return fault;
  });
  subject.property("an utterance does not depend on the conversations beside it", [&]() -> std::string {
    const auto made = [&](bool alone) {
      return in_evaluation<Attack>(subject, 1, [&](Attack& attack, EvaluationContext& context) {
        return proposals(attack, context, alone, nullptr);
      });
    };
    return made(true) == made(false) ? "" : "it says otherwise alone than among others";
  });
  subject.property("tensor = 1, 2, 4 give the same utterances", [&] {
    return on_meshes<Attack>(
        subject, [](Attack& attack, EvaluationContext& context) { return proposals(attack, context, false, nullptr); });
  });
}

void defense(const Subject& subject) {
  subject.property("replies are of the vocabulary without special tokens, and masked tokens are of the last turn", [&] {
    std::string fault;
    in_evaluation<Defense>(subject, 1, [&](Defense& defense, EvaluationContext& context) {
      return responses(defense, context, false, &fault);
    });
    return fault;
  });
  subject.property("a reply does not depend on the conversations beside it", [&]() -> std::string {
    const auto made = [&](bool alone) {
      return in_evaluation<Defense>(subject, 1, [&](Defense& defense, EvaluationContext& context) {
        return responses(defense, context, alone, nullptr);
      });
    };
    return made(true) == made(false) ? "" : "it replies otherwise alone than among others";
  });
  subject.property("tensor = 1, 2, 4 give the same replies", [&] {
    return on_meshes<Defense>(subject, [](Defense& defense, EvaluationContext& context) {
      return responses(defense, context, false, nullptr);
    });
  });
}

}  // namespace assay::check
