#include "run/data_spec.h"

#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace assay::run {
using nlohmann::json;

data::DataSpec data_spec(const Assembled& run, const record::PlanLine& line, const std::string& library,
                         const std::filesystem::path& contexts) {
  std::string text = library + line.data_id + json(run.vocabulary->special()).dump();
  if (run.makes_sequences()) text += " " + std::to_string(run.context - run.unread());  // what a row holds
  for (const auto& [name, plugin] : line.plugins)
    if (name.starts_with("dataset/") || name.starts_with("tokenizer/") || name.starts_with("transform/"))
      text += name + plugin.sha256;
  return {run.dataset, run.vocabulary.get(), run.transforms,
          run.context, run.data_seed,        base::sha256(text).substr(0, 24),
          contexts,    run.unread()};
}

}  // namespace assay::run
