// The parts of [[sweep]] and of overrides: assignments, alternatives made of them, and blocks.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/key_path.h"
#include "document/node.h"
#include "sweep/selector.h"

namespace assay::sweep {

// A key and the value that a combination sets there in the document.
struct Assignment {
  document::KeyPath path;  // canonical
  document::Position position;
  document::Node value;
};

// The value of a combination on one axis, as shown to users.
struct Choice {
  std::string axis;        // displayed name: positional, optimizer.lr, case
  document::KeyPath path;  // of the key; empty for a case
  nlohmann::json shown;    // the label, the name of a component, or the value itself
  std::string text;        // short form of `shown` for row labels
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
  std::vector<Dimension> dimensions;  // in the order of the file; the last one varies fastest
  std::vector<When> whens;
  std::vector<Selector> excludes;
};

// One assignment of --set or of an argument key=value.
struct Override {
  document::KeyPath path;
  std::string name;
  document::Position position;
  document::Node value;
};

}  // namespace assay::sweep
