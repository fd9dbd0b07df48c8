// Expands [[sweep]] to combinations: alternatives multiply inside a block, blocks are concatenated.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"
#include "schema/descriptors.h"
#include "sweep/block.h"
#include "sweep/selector.h"

namespace assay::sweep {

inline constexpr size_t kMaxRuns = 100'000;

struct Combination {
  document::Node document;  // complete, its expressions evaluated
  std::vector<Choice> choices;
};

// All combinations of a sweep over a base document.
class Sweep {
 public:
  Sweep(const document::Node& base, std::vector<Block> blocks, const std::vector<Override>& overrides,
        const schema::Catalogue& catalogue, document::Diagnostics& diagnostics);

  // Names of the axes, in the order of the file.
  std::vector<std::string> axes() const;
  // Calls `use` with every combination and reports the errors of combinations that no exclude drops. More than `most`
  // combinations are an error.
  void for_each(size_t most, const std::function<void(Combination)>& use);

 private:
  struct Partial {
    std::vector<const Alternative*> chosen;
  };
  struct Conditions {  // of a block
    std::vector<SelectorUse> whens, excludes;
  };
  Combination document_of(const Partial& partial, document::Diagnostics& diagnostics) const;
  bool matches(SelectorUse& use, const Combination& combination) const;
  void resolve_selectors(const Block& block, Conditions& conditions) const;
  bool expand(const Block& block, size_t when, Partial& partial, std::vector<SelectorUse>& whens,
              const std::function<bool()>& use) const;
  bool emit(const Partial& partial, std::vector<SelectorUse>& excludes);  // false: too many combinations
  void require_matches(const std::vector<SelectorUse>& uses, const char* what) const;

  const document::Node& base_;
  std::vector<Block> blocks_;
  const std::vector<Override>& overrides_;
  const schema::Catalogue& catalogue_;
  document::Diagnostics& diagnostics_;
  size_t count_ = 0, most_ = 0;
  const std::function<void(Combination)>* use_ = nullptr;
};

}  // namespace assay::sweep
