#include "compare/formats/format_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "compare/formats/cell_text.h"
#include "compare/formats/escape.h"
#include "compare/formats/format.h"
#include "compare/statistics/exact_tests.h"
#include "study/claims.h"

namespace assay::compare {
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
  if (pair.pairs.skipping > 0) text += fmt::format(" ({} with skipped steps)", pair.pairs.skipping);
  if (pair.correlation) text += fmt::format(", r {:.2f}", *pair.correlation);
  if (pair.documents)
    text += fmt::format(", over documents [{:.4g}, {:.4g}]", pair.documents->low, pair.documents->high);
  if (!is_complete(pair.pairs))
    text += fmt::format("; {} of {} {}: {}", pair.pairs.present, pair.pairs.planned,
                        pair.right.empty() ? "runs" : "pairs", reasons_text(pair.pairs));
  if (pair.by_rank) text += "; decided by the exact signed-rank test, which ranks a diverged run as worst";
  if (pair.is_tested && !pair.by_rank && pair.test->is_exact)
    text += "; decided by the exact sign-flip test, because the differences have no spread";
  return text;
}

std::string stated_text(const JudgedClaim& claim) {
  if (!claim.in_plan) return "The claim was stated after the plan was made and is not in it.";
  if (claim.results_when_stated == 0) return "The claim was stated before there was any result.";
  return fmt::format("The claim was stated when there were {} results.", claim.results_when_stated);
}

// Whether a verdict rests on a p that signs alone cannot reach. "Supported" depends on the pair with the largest p,
// "refuted" on that with the smallest.
bool is_below_floor(const JudgedClaim& claim) {
  if (claim.pairs.empty() || claim.verdict == Verdict::kUndecided) return false;
  if (claim.verdict == Verdict::kSupported) {
    const auto& last = *std::ranges::max_element(claim.pairs, {}, &ClaimPair::p_support);
    return last.p_support < last.support_floor;
  }
  const auto& first = *std::ranges::min_element(claim.pairs, {}, &ClaimPair::p_refute);
  return first.p_refute < first.refute_floor;
}

std::string decision_text(const JudgedClaim& claim, double level) {
  if (!claim.is_tested)
    return fmt::format("not tested, so its p is 1 in Holm's correction over the claims, at level {:.2g}", level);
  const auto p = claim.verdict == Verdict::kSupported ? p_text(claim.p_support)
                 : claim.verdict == Verdict::kRefuted
                     ? p_text(claim.p_refute) + " against it"
                     : fmt::format("{} for it and {} against it", p_text(claim.p_support), p_text(claim.p_refute));
  return fmt::format(
      "p {} after Holm's correction over the claims, at level {:.2g}{}", p, level,
      is_below_floor(claim)
          ? "; the t test's p is below the exact test's floor, because it assumes normally distributed differences"
          : "");
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
               {"planned", pair.pairs.planned},
               {"to_come", pair.pairs.missing},
               {"failed", pair.pairs.failed},
               {"diverged", pair.pairs.diverged},
               {"pruned", pair.pairs.pruned},
               {"not_applicable", pair.pairs.not_applicable},
               {"with_skipped_steps", pair.pairs.skipping},
               {"tested", pair.is_tested}};
  json["difference"] = pair.test ? Json(pair.test->difference) : Json(nullptr);
  json["documents"] = pair.documents ? Json::array({pair.documents->low, pair.documents->high}) : Json(nullptr);
  json["half_width"] = pair.test ? Json(half_width(*pair.test)) : Json(nullptr);
  json["p"] = pair.test ? Json(p_two_sided(*pair.test)) : Json(nullptr);
  json["p_support"] = pair.p_support;
  json["p_refute"] = pair.p_refute;
  json["sign_flip_p"] = optional_number(pair.sign_flip_p);
  json["correlation"] = optional_number(pair.correlation);
  json["by_rank"] = pair.by_rank;
  json["without_spread"] = pair.test && pair.test->is_exact;
  json["needed"] = pair.needed ? Json(*pair.needed) : Json(nullptr);
  return json;
}

}  // namespace

std::string claim_statement(const JudgedClaim& claim) {
  return fmt::format("{} in {}, {}", claim.inequality, metrics_text(claim), claim.over);
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
  const auto of_scaling = [](const JudgedClaim& claim) { return study::is_scaling_metric(claim.left_metric); };
  const auto& claims = judgement.claims;
  const bool some = std::any_of(claims.begin(), claims.end(), of_scaling),
             all = some && std::all_of(claims.begin(), claims.end(), of_scaling);
  std::string tests;
  if (!all) tests = "The tests are paired t tests over seeds, on this held-out text; ";
  if (some)
    tests += std::string(all ? "The tests" : "those") + " of compute multipliers are t tests over budgets and seeds; ";
  std::vector<std::string> lines{
      tests + "\u00b1 is the half-width of the 95% interval; p is adjusted by Holm over the claims."};
  if (judgement.interim_analyses > 0)
    lines.push_back(fmt::format(
        "Interim analyses of this study so far: {}; "
        "the level is the alpha that is left for this one (O'Brien-Fleming alpha spending of Lan and DeMets).",
        judgement.interim_analyses));
  return lines;
}

std::string format_claims_text(const Judgement& judgement) {
  auto text = fmt::format("{}: {}\n", base::printable(judgement.experiment), summary_text(judgement));
  for (const auto& claim : judgement.claims) {
    text += fmt::format("\n{:<9}  {}\n", name_of(claim.verdict), base::printable(claim.says));
    const auto add = [&](const std::string& line) { text += "           " + base::printable(line) + "\n"; };
    if (!claim.source.empty()) add(claim.source);
    add(fmt::format("{}   in {}, {}", claim.inequality, metrics_text(claim), claim.over));
    for (const auto& line : claim_lines(claim, judgement.level)) add(line);
  }
  text += "\n";
  for (const auto& caption : claim_captions(judgement)) text += caption + "\n";
  for (const auto& [name, value] : judgement.provenance) text += name + ": " + base::printable(value) + "\n";
  return text;
}

std::string format_claims_markdown(const Judgement& judgement) {
  auto text = fmt::format("**{}**: {}\n", escaped_markdown(judgement.experiment), summary_text(judgement));
  for (const auto& claim : judgement.claims) {
    text += fmt::format("\n**{}**: {}", name_of(claim.verdict), escaped_markdown(claim.says));
    text += claim.source.empty() ? "\n\n" : fmt::format(" ({})\n\n", escaped_markdown(claim.source));
    const auto add = [&](const std::string& line) { text += "- " + line + "\n"; };
    add(fmt::format("{} in {}, {}", markdown_code(claim.inequality), escaped_markdown(metrics_text(claim)),
                    claim.over));
    for (const auto& line : claim_lines(claim, judgement.level)) add(markdown_line(line));
  }
  text += "\n";
  for (const auto& caption : claim_captions(judgement)) text += caption + "\n";
  text += "\n";
  for (const auto& [name, value] : judgement.provenance)
    text += fmt::format("- {}: {}\n", name, name == "command" ? markdown_code(value) : escaped_markdown(value));
  return text;
}

std::string format_claims_json(const Judgement& judgement) {
  Json json = {{"schema", 1},
               {"experiment", judgement.experiment},
               {"level", judgement.level},
               {"looks", judgement.interim_analyses}};
  json["claims"] = Json::array();
  for (const auto& claim : judgement.claims) {
    Json one = {{"says", claim.says},
                {"source", claim.source},
                {"holds", claim.inequality},
                {"over", claim.over},
                {"left_metric", claim.left_metric},
                {"right_metric", claim.right_metric},
                {"verdict", name_of(claim.verdict)},
                {"tested", claim.is_tested},
                {"p_support", claim.p_support},
                {"p_refute", claim.p_refute},
                {"quantity", claim.quantity}};
    one["needed"] = claim.needed ? Json(*claim.needed) : Json(nullptr);
    one["needed_level"] = claim.needed ? Json(claim.needed_level) : Json(nullptr);
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
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::compare
