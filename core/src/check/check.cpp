#include "check/check.h"

#include <map>

#include "check/subject.h"

namespace assay::check {

void check_component(const loader::Registry& registry, const std::string& kind, const std::string& name,
                     const nlohmann::json& given, const Observer& observer) {
  static const std::map<std::string, std::vector<void (*)(const Subject&)>> of_kind{
      {"positional", {positional, cached_decoding, runs}},
      {"objective", {objective, runs}},
      {"transform", {transform, runs}},
      {"scheduler", {scheduler, runs}},
      {"optimizer", {optimizer, runs}},
      {"model", {model, cached_decoding, runs}},
      {"dataset", {dataset, runs}},
      {"tokenizer", {tokenizer, runs}},
      {"decoder", {decoder}},
      {"evaluator", {evaluator}},
      {"tracker", {tracker}},
      {"callback", {runs}},
      {"scorer", {scorer}},
      {"attack", {attack}},
      {"defense", {defense}},
  };
  const Subject subject(registry, kind, name, given, observer);
  constructs(subject);
  const auto known = of_kind.find(kind);
  if (known == of_kind.end()) return;
  for (const auto properties : known->second) properties(subject);
}

}  // namespace assay::check
