// [[sweep]] to combinations: alternatives multiply inside a block, blocks stand one after another.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/descriptors.h"
#include "config/diagnostics.h"
#include "config/key_path.h"
#include "config/node.h"
#include "config/selector.h"

namespace assay::config {

// One key and the value that a combination lays over the document there.
struct Assignment {
  KeyPath path;  // canonical
  Position position;
  Node value;
};

// What a combination says of itself under one name.
struct Choice {
  std::string axis;      // as shown: positional, optimizer.lr, case
  KeyPath path;          // of the key; empty for a case
  nlohmann::json shown;  // the label, the name of a component, or the value itself
  std::string text;      // short form of `shown` for row labels
  bool operator==(const Choice&) const = default;
};

struct Alternative {
  std::vector<Assignment> sets;
  std::vector<Choice> choices;
};
using Dimension = std::vector<Alternative>;  // an axis, lists that advance together, or the cases of a block

struct When {
  Selector condition;
  std::vector<Dimension> grid;
};

struct Block {
  std::vector<Dimension> dimensions;  // in the order of the file: the last one turns fastest
  std::vector<When> whens;
  std::vector<Selector> excludes;
};

// One assignment of --set, or of the word key=value.
struct Override {
  KeyPath path;
  std::string name;
  Position position;
  Node value;
};

inline constexpr size_t kMostRuns = 100'000;

struct Combination {
  Node document;  // complete, its expressions evaluated
  std::vector<Choice> choices;
};

// All combinations of a sweep over a base document.
class Sweep {
 public:
  Sweep(const Node& base, std::vector<Block> blocks, const std::vector<Override>& overrides, const Catalogue& catalogue,
        Diagnostics& diagnostics);

  // Names of the axes, in the order of the file.
  std::vector<std::string> axes() const;
  // What is wrong with a combination that no exclude drops is reported. At most `most` combinations, else one error.
  void for_each(size_t most, const std::function<void(Combination)>& use);

 private:
  struct Partial {
    std::vector<const Alternative*> chosen;
  };
  struct Conditions {  // of a block
    std::vector<SelectorUse> whens, excludes;
  };
  Combination document_of(const Partial& partial, Diagnostics& diagnostics) const;
  bool matches(SelectorUse& use, const Combination& combination) const;
  void settle(const Block& block, Conditions& conditions) const;
  bool expand(const Block& block, size_t when, Partial& partial, std::vector<SelectorUse>& whens,
              const std::function<bool()>& use) const;
  bool emit(const Partial& partial, std::vector<SelectorUse>& excludes);  // false: there are too many
  void require_matches(const std::vector<SelectorUse>& uses, const char* what) const;

  const Node& base_;
  std::vector<Block> blocks_;
  const std::vector<Override>& overrides_;
  const Catalogue& catalogue_;
  Diagnostics& diagnostics_;
  size_t count_ = 0, most_ = 0;
  const std::function<void(Combination)>* use_ = nullptr;
};

}  // namespace assay::config
