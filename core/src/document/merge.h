// Merges one layer of configuration over another. `extends`, swept components and --set all follow the same rules.
#pragma once

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

// Tables merge by key. A table whose `use` changes replaces the inherited one, except the keys that it lists in `keep`.
void merge_value(Node& base, Node over, Diagnostics& diagnostics);

// steps, tokens, flops, tokens_per_parameter: setting one removes the others of the layer below.
bool is_budget(std::string_view train_key);
void drop_other_budgets(Table& train, std::string_view given);

// Merges two whole files: lists of labelled entries merge by label; [[sweep]], [[claim]] and [[figure]] are replaced.
void merge_document(Node& base, Node over, Diagnostics& diagnostics);

// Expands the abbreviations of a file ([positional], component names as strings, a single entry instead of a list) and
// checks that every entry has a unique label.
void expand_shorthands(Node& document, Diagnostics& diagnostics);

}  // namespace assay::document
