#include "run/data_sizes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <unordered_set>

#include "assay/random.h"

namespace assay {
namespace {

constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};
constexpr double kFarthest = 0.25;           // share of the data that a split may be from what was asked
constexpr int64_t kMostTokenised = 4 << 20;  // bytes of a split; of a larger one a part stands for all
constexpr int64_t kPiecesOfAPart = 64;       // at even distances

Document document_of(const Dataset& dataset, Split split, int64_t index) {
  return guard(dataset, "document", [&] { return dataset.document(split, index); });
}

int64_t documents_of(const Dataset& dataset, Split split) {
  return guard(dataset, "size", [&] { return dataset.size(split); });
}

SplitSizes measured(const Dataset& dataset) {
  SplitSizes sizes;
  std::unordered_set<uint64_t> train;
  for (const auto split : kSplits) {
    auto& size = sizes[static_cast<size_t>(split)];
    size.documents = documents_of(dataset, split);
    for (int64_t i = 0; i < size.documents; ++i) {
      const auto text = document_of(dataset, split, i).text;
      const auto bytes = static_cast<int64_t>(text.size());
      size.bytes += bytes;
      const auto content = content_of(text);
      if (content.empty()) continue;
      const auto key = stream_key(0, content);
      if (split == Split::kTrain) {
        train.insert(key);
      } else if (train.count(key)) {
        ++size.copies;
        size.copied_bytes += bytes;
      }
    }
  }
  return sizes;
}

// A part of a large split is pieces of its documents at even distances.
EpochSize epoch_size(const Assembled& run, const SplitSize& train) {
  const auto tokens_of = [&](std::string_view text) {
    const auto ids = guard(*run.tokenizer, "encode", [&] { return run.tokenizer->encode(text); });
    return static_cast<int64_t>(ids.size());
  };
  const bool estimated = train.bytes > kMostTokenised;
  const int64_t distance = estimated ? train.bytes / kPiecesOfAPart : 0, most = kMostTokenised / kPiecesOfAPart;
  int64_t passed = 0, next = 0, read = 0, tokens = 0;
  for (int64_t i = 0; i < train.documents; ++i) {
    const auto text = document_of(*run.dataset, Split::kTrain, i).text;
    const auto bytes = static_cast<int64_t>(text.size());
    if (!estimated) tokens += tokens_of(text);
    for (; estimated && next < passed + bytes; next += distance) {
      const auto piece = std::string_view(text).substr(static_cast<size_t>(next - passed), static_cast<size_t>(most));
      tokens += tokens_of(piece);
      read += static_cast<int64_t>(piece.size());
    }
    passed += bytes;
  }
  if (estimated)
    tokens = std::llround(static_cast<double>(tokens) / static_cast<double>(read) * static_cast<double>(train.bytes));
  return {tokens + train.documents, estimated};
}

std::string grouped(int64_t number) {
  const auto digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g%%", 100 * share);
  return text;
}

std::string quoted(Split split) { return "'" + std::string(name_of(split)) + "'"; }

std::string plural(int64_t count, const std::string& what) {
  return grouped(count) + " " + what + (count == 1 ? "" : "s");
}

// Of the data; what a share is of is what its rule divides.
struct Share {
  double asked, reached;
  const char* of;
};
std::optional<Share> share_of(const Assembled& run, const SplitSizes& sizes, Split split) {
  const auto fractions = guard(*run.dataset, "fractions", [&] { return run.dataset->fractions(); });
  if (!fractions) return {};
  const auto amount = [&](const SplitSize& size) {
    return static_cast<double>(fractions->of_documents ? size.documents : size.bytes);
  };
  double all = 0;
  for (const auto& size : sizes) all += amount(size);
  if (all == 0) return {};
  const double asked = split == Split::kValidation ? fractions->validation
                       : split == Split::kTest     ? fractions->test
                                                   : 1 - fractions->validation - fractions->test;
  return Share{asked, amount(sizes[static_cast<size_t>(split)]) / all, fractions->of_documents ? "documents" : "bytes"};
}

bool may_lengthen(const Assembled& run) {
  return std::any_of(run.transforms.begin(), run.transforms.end(),
                     [](const Transform* transform) { return transform->stage() != Stage::kContext; });
}

// Whether the run reads the split at all: to train, or in an evaluation.
bool uses(const Assembled& run, Split split) {
  return (split == Split::kTrain && run.steps > 0) ||
         std::any_of(run.evaluators.begin(), run.evaluators.end(),
                     [&](const auto& entry) { return entry.split == split; });
}

// Of `known`, where nothing is kept of a look that throws.
template <class Found, class Look>
const Found& looked_up(std::map<std::string, Found>& known, const std::string& key, Look&& look) {
  const auto found = known.find(key);
  return found != known.end() ? found->second : known.emplace(key, look()).first->second;
}

}  // namespace

const SplitSizes& DataSizes::splits(const Assembled& run) {
  return looked_up(splits_, run.data_config, [&] { return measured(*run.dataset); });
}

const EpochSize& DataSizes::epoch(const Assembled& run) {
  return looked_up(epochs_, run.data_config,
                   [&] { return epoch_size(run, splits(run)[static_cast<size_t>(Split::kTrain)]); });
}

const SplitFindings& DataSizes::findings(const Assembled& run, const LabelledEvaluator& entry) {
  const auto key = run.data_config + std::to_string(run.context) + " " + entry.config;
  return looked_up(findings_, key, [&] {
    return guard(*entry.evaluator, "check_split", [&] {
      return entry.evaluator->check_split({*run.dataset, entry.split, *run.tokenizer, run.context});
    });
  });
}

std::vector<std::pair<std::string, std::string>> data_faults(const Assembled& run, DataSizes& all) {
  std::vector<std::pair<std::string, std::string>> faults;
  const auto& sizes = all.splits(run);
  const auto describe = "assay describe " + run.dataset->identity().name;
  const auto check_text = [&](Split split, const std::string& path) {
    const auto& size = sizes[static_cast<size_t>(split)];
    if (size.bytes > 0) return true;
    std::string holds;
    for (const auto other : kSplits)
      holds += (holds.empty() ? "" : ", ") + std::string(name_of(other)) + " " +
               grouped(sizes[static_cast<size_t>(other)].documents);
    faults.emplace_back(path, "the split " + quoted(split) + (size.documents > 0 ? " holds no text" : " is empty") +
                                  " (documents: " + holds + "); name another split, or divide the data otherwise (" +
                                  describe + ")");
    return false;
  };
  if (run.steps > 0 && check_text(Split::kTrain, "data.dataset") && !may_lengthen(run)) {
    const auto& [tokens, estimated] = all.epoch(run);
    if (!estimated && tokens < run.context)
      faults.emplace_back("data.context",
                          "the training split holds " + grouped(tokens) +
                              " tokens, the ends of its documents included, fewer than one context of " +
                              std::to_string(run.context) + "; use more text or a smaller data.context");
  }
  for (const auto& entry : run.evaluators) {
    const auto path = "evaluate." + entry.label;
    if (!check_text(entry.split, path + ".split")) continue;
    for (const auto& fault : all.findings(run, entry).faults) faults.emplace_back(path, fault);
  }
  for (const auto split : kSplits) {
    const auto share = uses(run, split) ? share_of(run, sizes, split) : std::nullopt;
    if (share && share->reached > 0 && std::abs(share->reached - share->asked) > kFarthest)
      faults.emplace_back("data.dataset", "the split " + quoted(split) + " holds " + percent(share->reached) +
                                              " of the " + share->of + ", and " + percent(share->asked) +
                                              " were asked for; more than " + percent(kFarthest) +
                                              " of the data between the two are refused; give other fractions, or "
                                              "divide the data otherwise (" +
                                              describe + ")");
  }
  return faults;
}

std::vector<std::string> data_notes(const Assembled& run, DataSizes& all) {
  std::vector<std::string> notes;
  const auto& sizes = all.splits(run);
  for (const auto split : {Split::kValidation, Split::kTest}) {
    const auto& size = sizes[static_cast<size_t>(split)];
    if (size.copies == 0 || run.steps == 0 || !uses(run, split)) continue;
    notes.push_back("data.dataset: " + grouped(size.copies) + " of the " + plural(size.documents, "document") + " of " +
                    quoted(split) + " (" +
                    percent(static_cast<double>(size.copied_bytes) / static_cast<double>(size.bytes)) +
                    " of its bytes) have the text of one of 'train', so what is measured on them is not held out; "
                    "whether the data can be divided by its text, assay describe " +
                    run.dataset->identity().name + " says");
  }
  for (const auto& entry : run.evaluators)
    if (sizes[static_cast<size_t>(entry.split)].bytes > 0)
      for (const auto& note : all.findings(run, entry).notes) notes.push_back("evaluate." + entry.label + ": " + note);
  return notes;
}

std::string data_summary(const Assembled& run, DataSizes& all) {
  const auto& sizes = all.splits(run);
  std::string text;
  for (const auto split : kSplits) {
    const auto& size = sizes[static_cast<size_t>(split)];
    text += (text.empty() ? "" : "; ") + std::string(name_of(split)) + " " + plural(size.documents, "document") + ", " +
            plural(size.bytes, "byte");
    if (split == Split::kTrain && run.steps > 0) {
      const auto& [tokens, estimated] = all.epoch(run);
      text += std::string(estimated ? ", about " : ", ") + plural(tokens, "token") + " per epoch";
    }
    if (const auto share = share_of(run, sizes, split))
      text += " (" + percent(share->reached) + " of the " + share->of + ", " + percent(share->asked) + " asked)";
  }
  return run.dataset->identity().name + ": " + text;
}

}  // namespace assay
