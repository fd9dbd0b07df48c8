#include "document/merge.h"

#include <fmt/format.h>

#include <set>

#include "base/nearest.h"
#include "document/key_path.h"

namespace assay::document {
namespace {

void merge_tables(Table& base, Table over, Diagnostics& diagnostics) {
  for (auto& entry : over.entries) {
    if (auto* existing = base.find_entry(entry.key)) {
      existing->position = entry.position;
      merge_value(existing->value, std::move(entry.value), diagnostics);
    } else {
      base.entries.push_back(std::move(entry));
    }
  }
}

// The new component, plus the keys that it keeps from the component that it replaces.
Node replaced_component(const Table& base, Node over, Diagnostics& diagnostics) {
  auto& table = *over.as<Table>();
  const auto* keep = table.find("keep");
  if (!keep) return over;
  const Node wanted = *keep;
  table.erase("keep");
  const auto* names = wanted.as<Array>();
  if (!names)
    diagnostics.add(wanted.position, fmt::format("'keep' must be a list of key names, but is {}", describe(wanted)));
  for (const auto& name : names ? *names : Array{}) {
    const auto* text = name.as<std::string>();
    const auto* kept = text ? base.find_entry(*text) : nullptr;
    if (!text) {
      diagnostics.add(name.position, fmt::format("'keep' must list key names, but has {}", describe(name)));
    } else if (!kept) {
      std::vector<std::string> keys;
      for (const auto& entry : base.entries) keys.push_back(entry.key);
      diagnostics.add(name.position, fmt::format("'keep' names '{}', which the replaced table does not have{}", *text,
                                                 base::suggestion(*text, keys, "its keys are ")));
    } else if (!table.find(*text)) {
      table.entries.push_back(*kept);
    }
  }
  return over;
}

bool is_true(const Table& table, std::string_view key) {
  const auto* node = table.find(key);
  const auto* flag = node ? node->as<bool>() : nullptr;
  return flag && *flag;
}

void merge_entries(const std::string& section, Array& base, Array over, Diagnostics& diagnostics) {
  for (auto& entry : over) {
    const auto label = label_of(entry);
    auto* existing = find_labelled(base, label);
    if (entry.as<Table>() && is_true(*entry.as<Table>(), "remove")) {
      if (!existing) {
        diagnostics.add(
            entry.position,
            fmt::format("no inherited [[{}]] is labelled '{}', so there is nothing to remove", section, label));
      } else {
        base.erase(base.begin() + (existing - base.data()));
      }
    } else if (existing) {
      const auto position = entry.position;
      merge_value(*existing, std::move(entry), diagnostics);
      existing->position = position;
    } else {
      base.push_back(std::move(entry));
    }
  }
}

void expand_labelled(const std::string& section, Node& list, Diagnostics& diagnostics) {
  if (!list.as<Array>()) {
    const auto position = list.position;
    Array single;
    single.push_back(std::move(list));
    list = {std::move(single), position};
  }
  std::set<std::string> labels;
  auto& entries = *list.as<Array>();
  std::erase_if(entries, [&](Node& entry) {
    expand_component_string(entry);
    const auto label = label_of(entry);
    if (!entry.is_table()) {
      diagnostics.add(entry.position,
                      fmt::format("an entry of [[{}]] must be a table or a name, but is {}", section, describe(entry)));
    } else if (label.empty()) {
      diagnostics.add(entry.position,
                      fmt::format("this [[{}]] needs 'use' (a string) or the 'label' of an inherited entry", section));
    } else if (!labels.insert(label).second) {
      diagnostics.add(entry.position,
                      fmt::format("more than one [[{}]] is labelled '{}'; labels must be unique", section, label));
    } else {
      return false;
    }
    return true;
  });
}

void expand_strings_of(Table& document) {
  for (const char* name : {"model", "optimizer", "scheduler"})
    if (auto* node = document.find(name)) expand_component_string(*node);
  if (auto* data = document.find("data"); data && data->is_table())
    for (const char* name : {"dataset", "tokenizer"})
      if (auto* node = data->as<Table>()->find(name)) expand_component_string(*node);
}

void move_positional(Table& document, Diagnostics& diagnostics) {
  const auto* entry = document.find_entry("positional");
  if (!entry) return;
  Entry moved = *entry;
  document.erase("positional");
  expand_component_string(moved.value);
  auto* model = document.find("model");
  if (!model) model = &document.set("model", moved.position, {Table{}, moved.position});
  auto* table = model->as<Table>();
  if (!table) return;  // reported as a wrong type
  if (const auto* other = table->find_entry("positional")) {
    diagnostics.add(
        moved.position,
        fmt::format("[positional] is short for model.positional, which is also given at {}; keep one of them",
                    other->position.text()));
  } else {
    table->entries.push_back(std::move(moved));
  }
}

}  // namespace

void merge_value(Node& base, Node over, Diagnostics& diagnostics) {
  if (base.is_table() && base.as<Table>()->find("use")) expand_component_string(over);
  if (over.is_table()) expand_component_string(base);
  if (!base.is_table() || !over.is_table()) {
    base = std::move(over);
    return;
  }
  const auto *old_use = string_of(*base.as<Table>(), "use"), *new_use = string_of(*over.as<Table>(), "use");
  if (old_use && new_use && *old_use != *new_use) {
    base = replaced_component(*base.as<Table>(), std::move(over), diagnostics);
  } else {
    if (old_use || new_use) over.as<Table>()->erase("keep");  // nothing is replaced, so all of it is kept
    base.position = over.position;
    merge_tables(*base.as<Table>(), std::move(*over.as<Table>()), diagnostics);
  }
}

bool is_budget(std::string_view train_key) {
  return train_key == "steps" || train_key == "tokens" || train_key == "flops" || train_key == "tokens_per_parameter";
}

void drop_other_budgets(Table& train, std::string_view given) {
  std::erase_if(train.entries, [&](const Entry& entry) { return entry.key != given && is_budget(entry.key); });
}

void merge_document(Node& base, Node over, Diagnostics& diagnostics) {
  auto& target = *base.as<Table>();
  base.position = over.position;
  for (auto& entry : over.as<Table>()->entries) {
    auto* existing = target.find_entry(entry.key);
    const bool replaces = entry.key == "sweep" || entry.key == "claim" || entry.key == "figure";
    const bool labelled = is_labelled_section(entry.key) && entry.value.as<Array>();
    if (labelled) {
      if (!existing) {
        target.set(entry.key, entry.position, {Array{}, entry.value.position});
        existing = target.find_entry(entry.key);
      }
      existing->value.position = entry.value.position;
      merge_entries(entry.key, *existing->value.as<Array>(), std::move(*entry.value.as<Array>()), diagnostics);
    } else if (replaces || !existing) {
      target.set(entry.key, entry.position, std::move(entry.value));
    } else if (entry.key == "experiment" && existing->value.is_table() && entry.value.is_table()) {
      for (auto& inner : entry.value.as<Table>()->entries)  // seeds are one value in any form
        existing->value.as<Table>()->set(inner.key, inner.position, std::move(inner.value));
    } else {
      existing->position = entry.position;
      if (entry.key == "train" && existing->value.is_table() && entry.value.is_table())
        for (const auto& inner : entry.value.as<Table>()->entries)
          if (is_budget(inner.key)) drop_other_budgets(*existing->value.as<Table>(), inner.key);
      merge_value(existing->value, std::move(entry.value), diagnostics);
    }
  }
}

void expand_shorthands(Node& document, Diagnostics& diagnostics) {
  auto& table = *document.as<Table>();
  expand_strings_of(table);
  move_positional(table, diagnostics);
  for (auto& entry : table.entries)
    if (is_labelled_section(entry.key)) expand_labelled(entry.key, entry.value, diagnostics);
}

}  // namespace assay::document
