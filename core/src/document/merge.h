// How one layer of configuration goes over another: `extends`, a swept component and --set all merge alike.
#pragma once

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

// Tables merge by key. A table whose `use` changes replaces the inherited one, except the keys that it lists in `keep`.
void merge_value(Node& base, Node over, Diagnostics& diagnostics);

// steps, tokens, flops, tokens_per_parameter: giving one takes the others of the layer below away.
bool is_budget(std::string_view train_key);
void drop_other_budgets(Table& train, std::string_view given);

// Two whole files: lists of labelled entries merge by label, [[sweep]], [[claim]] and [[figure]] replace.
void merge_document(Node& base, Node over, Diagnostics& diagnostics);

// Writes out what one file may abbreviate: [positional], component names as strings, a single entry for a list; and
// checks that every entry has a label of its own.
void expand_shorthands(Node& document, Diagnostics& diagnostics);

}  // namespace assay::document
