// Dotted keys: model.positional.max_exponent, objective.simctg.margin (an entry of a list is named by its label).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

using KeyPath = std::vector<std::string>;

// "a.b" -> {a, b}; text with an empty part stays one key, which no schema knows.
KeyPath split_key(std::string_view text);
std::string join_key(const KeyPath& path);

// `positional` is short for `model.positional`; names shown to the user have the short form.
KeyPath canonical_path(KeyPath path);
std::string short_name(const KeyPath& canonical);

// Sections that are lists of labelled entries: objective, transform, evaluate, tracker, callback, exchange.
bool is_labelled_section(std::string_view name);
// The label of an entry (default: its `use`); empty when it has neither.
std::string label_of(const Node& entry);
Node* find_labelled(Array& entries, std::string_view label);

// The value at a canonical path of a whole document; null when there is none.
const Node* find_path(const Node& root, const KeyPath& path);
// The position of the longest existing part of the path.
Position nearest_position(const Node& root, const KeyPath& path);

// The command-line arguments that set a part of the value at `path`.
std::vector<std::string> words_within(const Node& root, const KeyPath& path);

}  // namespace assay::document
