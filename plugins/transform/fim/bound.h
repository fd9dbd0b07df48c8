// The transform, bound to the tokenizer bytes and the ids of shown.h.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "assay/tokenizer.h"
#include "assay/transform.h"
#include "harness.h"
#include "shown.h"

namespace assay::testing {

struct BoundFim {
  explicit BoundFim(const nlohmann::json& parameters) : transform(make<Transform>("fim", parameters)) {
    vocabulary.emplace(*tokenizer, 261,
                       std::map<std::string, int64_t>{{kEndOfText, kEnd},
                                                      {fim::kPrefixName, kPre},
                                                      {fim::kMiddleName, kMid},
                                                      {fim::kSuffixName, kSuf},
                                                      {fim::kPadName, kPad}});
    transform->bind(*vocabulary);
  }
  Made<Tokenizer> tokenizer = make<Tokenizer>("bytes", nlohmann::json::object());
  Made<Transform> transform;
  std::optional<Vocabulary> vocabulary;
};

}  // namespace assay::testing
