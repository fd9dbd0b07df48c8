// assay claims X: judges every claim of an experiment.
#include "compare/verdicts/claims.h"

#include <iostream>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "compare/formats/format_claims.h"
#include "compare/results/origin.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

using JudgementFormat = std::string (*)(const compare::Judgement&);

JudgementFormat judgement_format(const std::string& name) {
  if (name == "text") return compare::format_claims_text;
  if (name == "md") return compare::format_claims_markdown;
  if (name == "json") return compare::format_claims_json;
  throw UserError("--format: '" + name + "' is not a valid format; give text, md or json");
}

}  // namespace

// 0 when every claim is decided, whichever way: a refuted claim is a result.
int claims(const Arguments& arguments) {
  std::string format;
  bool mixed_code = false;
  po::options_description options;
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"), "text, md or json")(
      "mixed-code", po::bool_switch(&mixed_code), "allow records of different code");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay claims takes one experiment, a TOML file or a name; see assay claims --help");
  const auto print = judgement_format(format);
  const auto experiment = find_experiment(parsed->words[0]);
  const auto settings = compare_settings_of(experiment);
  if (settings.claims.empty()) throw UserError("assay claims: '" + parsed->words[0] + "' has no [[claim]]");
  note_other_plan(experiment);
  try {
    const auto judgement = judge_claims(experiment, settings, mixed_code, arguments);
    std::cout << print(judgement);
    return judgement.count(compare::Verdict::kUndecided) > 0 ? kUndecided : kDone;
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay claims: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
}

}  // namespace assay::cli
