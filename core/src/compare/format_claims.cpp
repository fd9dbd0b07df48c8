// Verdicts for a terminal, as Markdown and as JSON.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "compare/cell_text.h"
#include "compare/claims.h"
#include "compare/exact_tests.h"
#include "compare/format.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string metrics_text(const JudgedClaim& claim) {
  if (claim.right_metric.empty() || claim.right_metric == claim.left_metric) return claim.left_metric;
  return fmt::format("{} against {}", claim.left_metric, claim.right_metric);
}

std::string pair_text(const JudgedClaim& claim, const ClaimPair& pair) {
  auto text = pair.right.empty() ? pair.left : fmt::format("{} against {}", pair.left, pair.right);
  if (pair.test) {
    text += fmt::format(": {} = {:.4g} \u00b1 {:.2g}", claim.quantity, pair.test->difference, half_width(*pair.test));
    if (claim.is_about_equality)
      text += fmt::format(", p {} inside the margin, {} outside", p_text(pair.p_support), p_text(pair.p_refute));
    else if (!pair.by_rank)
      text += fmt::format(", p {}", p_text(p_two_sided(*pair.test)));
    if (pair.sign_flip_p && !claim.is_about_equality)
      text += fmt::format(", sign-flip p {} (floor {})", p_text(*pair.sign_flip_p),
                          p_text(sign_flip_floor(pair.test->n_left)));
  } else {
    text += ":";
  }
  text += fmt::format(", n {}", pair.n);
  if (pair.n < pair.planned) text += fmt::format(" of {}", pair.planned);
  if (pair.diverged > 0) text += fmt::format(" ({} diverged)", pair.diverged);
  if (pair.correlation) text += fmt::format(", r {:.2f}", *pair.correlation);
  if (pair.documents)
    text += fmt::format(", over documents [{:.4g}, {:.4g}]", pair.documents->low, pair.documents->high);
  if (pair.by_rank) text += "; decided by the exact signed-rank test, in which a diverged run is worst";
  return text;
}

std::string stated_text(const JudgedClaim& claim) {
  if (!claim.in_plan) return "Stated after the plan was made; not in it.";
  if (claim.results_when_stated == 0) return "Stated before there was any result.";
  return fmt::format("Stated when there were {} results.", claim.results_when_stated);
}

std::string decision_text(const JudgedClaim& claim, double level) {
  const auto p = claim.verdict == Verdict::kRefuted ? claim.p_refute : claim.p_support;
  return fmt::format("p {} after Holm over the claims, at level {:.2g}", p_text(p), level);
}

std::string summary_text(const Judgement& judgement) {
  const auto claims = judgement.claims.size();
  return fmt::format("{} claim{}: {} supported, {} refuted, {} undecided", claims, claims == 1 ? "" : "s",
                     judgement.count(Verdict::kSupported), judgement.count(Verdict::kRefuted),
                     judgement.count(Verdict::kUndecided));
}

Json pair_json(const ClaimPair& pair) {
  Json json = {{"left", pair.left},
               {"right", pair.right},
               {"n", pair.n},
               {"planned", pair.planned},
               {"diverged", pair.diverged}};
  json["difference"] = pair.test ? Json(pair.test->difference) : Json(nullptr);
  json["documents"] = pair.documents ? Json::array({pair.documents->low, pair.documents->high}) : Json(nullptr);
  json["half_width"] = pair.test ? Json(half_width(*pair.test)) : Json(nullptr);
  json["p"] = pair.test ? Json(p_two_sided(*pair.test)) : Json(nullptr);
  json["p_support"] = pair.p_support;
  json["p_refute"] = pair.p_refute;
  json["sign_flip_p"] = optional_number(pair.sign_flip_p);
  json["correlation"] = optional_number(pair.correlation);
  json["by_rank"] = pair.by_rank;
  json["needed"] = pair.needed ? Json(*pair.needed) : Json(nullptr);
  return json;
}

}  // namespace

std::string claim_statement(const JudgedClaim& claim) {
  return fmt::format("{} in {}, {}", claim.holds, metrics_text(claim), claim.over);
}

std::vector<std::string> claim_lines(const JudgedClaim& claim, double level) {
  std::vector<std::string> lines;
  for (const auto& pair : claim.pairs) lines.push_back(pair_text(claim, pair));
  lines.push_back(decision_text(claim, level));
  lines.insert(lines.end(), claim.remarks.begin(), claim.remarks.end());
  lines.push_back(stated_text(claim));
  return lines;
}

std::vector<std::string> claim_captions(const Judgement& judgement) {
  std::vector<std::string> lines{
      "Paired t tests over seeds, on this held-out text; \u00b1 is the 95% interval's half-width; Holm over the "
      "claims."};
  if (judgement.looks > 0)
    lines.push_back(
        fmt::format("Looks at the growing study so far: {}; the level is what they have left (Lan and DeMets' "
                    "O'Brien-Fleming spending).",
                    judgement.looks));
  return lines;
}

std::string format_claims_text(const Judgement& judgement) {
  auto text = fmt::format("{}: {}\n", judgement.experiment, summary_text(judgement));
  for (const auto& claim : judgement.claims) {
    text += fmt::format("\n{:<9}  {}\n", name_of(claim.verdict), claim.says);
    const auto add = [&](const std::string& line) { text += "           " + line + "\n"; };
    if (!claim.source.empty()) add(claim.source);
    add(fmt::format("{}   in {}, {}", claim.holds, metrics_text(claim), claim.over));
    for (const auto& line : claim_lines(claim, judgement.level)) add(line);
  }
  text += "\n";
  for (const auto& caption : claim_captions(judgement)) text += caption + "\n";
  for (const auto& [name, value] : judgement.provenance) text += name + ": " + value + "\n";
  return text;
}

std::string format_claims_markdown(const Judgement& judgement) {
  auto text = fmt::format("**{}**: {}\n", judgement.experiment, summary_text(judgement));
  for (const auto& claim : judgement.claims) {
    text += fmt::format("\n**{}**: {}", name_of(claim.verdict), escaped_markdown(claim.says));
    text += claim.source.empty() ? "\n\n" : fmt::format(" ({})\n\n", escaped_markdown(claim.source));
    const auto add = [&](const std::string& line) { text += "- " + line + "\n"; };
    add(fmt::format("`{}` in {}, {}", claim.holds, metrics_text(claim), claim.over));
    for (const auto& line : claim_lines(claim, judgement.level)) add(escaped_markdown(line));
  }
  text += "\n";
  for (const auto& caption : claim_captions(judgement)) text += caption + "\n";
  text += "\n";
  for (const auto& [name, value] : judgement.provenance)
    text += fmt::format("- {}: {}\n", name, name == "command" ? "`" + value + "`" : escaped_markdown(value));
  return text;
}

std::string format_claims_json(const Judgement& judgement) {
  Json json = {
      {"schema", 1}, {"experiment", judgement.experiment}, {"level", judgement.level}, {"looks", judgement.looks}};
  json["claims"] = Json::array();
  for (const auto& claim : judgement.claims) {
    Json one = {{"says", claim.says},
                {"source", claim.source},
                {"holds", claim.holds},
                {"over", claim.over},
                {"left_metric", claim.left_metric},
                {"right_metric", claim.right_metric},
                {"verdict", name_of(claim.verdict)},
                {"p_support", claim.p_support},
                {"p_refute", claim.p_refute},
                {"quantity", claim.quantity}};
    one["needed"] = claim.needed ? Json(*claim.needed) : Json(nullptr);
    one["remarks"] = claim.remarks;
    one["in_plan"] = claim.in_plan;
    one["results_when_stated"] = claim.results_when_stated;
    one["hash"] = claim.hash;
    one["pairs"] = Json::array();
    for (const auto& pair : claim.pairs) one["pairs"].push_back(pair_json(pair));
    json["claims"].push_back(std::move(one));
  }
  json["provenance"] = Json::object();
  for (const auto& [name, value] : judgement.provenance) json["provenance"][name] = value;
  return json.dump(2) + "\n";
}

}  // namespace assay
