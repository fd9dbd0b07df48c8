#include "run/data_sizes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <unordered_set>

#include "assay/random.h"
#include "base/text.h"
#include "data/sequences.h"

namespace assay::run {
namespace {

constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};
constexpr double kMaxTimes = 3;             // maximum of reached / requested share, and of its inverse,
constexpr double kShareTolerance = 0.05;    // unless the shares differ by at most this fraction of the data
constexpr int64_t kMaxTokenised = 4 << 20;  // bytes of a split; a larger one is estimated from a sample
constexpr int64_t kPiecesOfAPart = 64;      // at equal distances

Document document_of(const Dataset& dataset, Split split, int64_t index) {
  return guard(dataset, "document", [&] { return dataset.document(split, index); });
}

int64_t documents_of(const Dataset& dataset, Split split) {
  return guard(dataset, "size", [&] { return dataset.size(split); });
}

// The hash of the content, equal for copies that differ only in line ends ("\r\n" or "\n").
uint64_t key_of(std::string_view content) {
  if (content.find('\r') == std::string_view::npos) return stream_key(0, content);
  std::string plain;
  for (size_t i = 0; i < content.size(); ++i)
    if (content[i] != '\r' || i + 1 == content.size() || content[i + 1] != '\n') plain += content[i];
  return stream_key(0, plain);
}

MeasuredData measured(const Dataset& dataset) {
  MeasuredData data;
  auto& sizes = data.splits;
  std::unordered_set<uint64_t> train;
  for (const auto split : kSplits) {
    auto& size = sizes[static_cast<size_t>(split)];
    size.documents = documents_of(dataset, split);
    for (int64_t i = 0; i < size.documents; ++i) {
      const auto text = document_of(dataset, split, i).text;
      const auto bytes = static_cast<int64_t>(text.size());
      size.bytes += bytes;
      if (bytes > 0) size.smallest = size.smallest == 0 ? bytes : std::min(size.smallest, bytes);
      if (split == Split::kTrain) data.train_documents.push_back(bytes);
      const auto content = content_of(text);
      if (content.empty()) continue;
      const auto key = key_of(content);
      if (split == Split::kTrain) {
        train.insert(key);
      } else if (train.count(key)) {
        ++size.copies;
        size.copied_bytes += bytes;
      }
    }
  }
  return data;
}

// At most `most` bytes starting at `begin`; partial UTF-8 characters at the ends are removed.
std::string_view piece_of(std::string_view text, size_t begin, size_t most) {
  const auto is_inside = [&](size_t at) { return at < text.size() && (text[at] & 0xC0) == 0x80; };
  auto end = std::min(begin + most, text.size());
  for (int i = 0; i < 3 && is_inside(begin); ++i) ++begin;
  for (int i = 0; i < 3 && end > begin && is_inside(end); ++i) --end;
  return text.substr(begin, end - begin);
}

// A large split is sampled by pieces at equal distances; documents without a piece are not read again.
EpochSize epoch_size(const Assembled& run, const MeasuredData& data) {
  const auto& train = data.splits[static_cast<size_t>(Split::kTrain)];
  const auto tokens_of = [&](std::string_view text) {
    const auto ids = guard(*run.tokenizer, "encode", [&] { return run.tokenizer->encode(text); });
    return static_cast<int64_t>(ids.size());
  };
  const bool estimated = train.bytes > kMaxTokenised;
  const int64_t distance = estimated ? train.bytes / kPiecesOfAPart : 0, most = kMaxTokenised / kPiecesOfAPart;
  int64_t passed = 0, next = 0, read = 0, tokens = 0;
  for (int64_t i = 0; i < train.documents; ++i) {
    const auto bytes = data.train_documents[static_cast<size_t>(i)];
    const bool is_sampled = estimated && next < passed + bytes;
    const auto text = is_sampled || !estimated ? document_of(*run.dataset, Split::kTrain, i).text : std::string();
    if (!estimated) tokens += tokens_of(text);
    for (; estimated && next < passed + bytes; next += distance) {
      const auto piece = piece_of(text, static_cast<size_t>(next - passed), static_cast<size_t>(most));
      tokens += tokens_of(piece);
      read += static_cast<int64_t>(piece.size());
    }
    passed += bytes;
  }
  if (estimated)
    tokens = std::llround(static_cast<double>(tokens) / static_cast<double>(read) * static_cast<double>(train.bytes));
  return {tokens + train.documents, estimated};
}

// The rows of an epoch. A large split is sampled by documents at equal distances.
EpochSize sequences_size(const Assembled& run, const MeasuredData& data) {
  const auto& train = data.splits[static_cast<size_t>(Split::kTrain)];
  const data::DataSpec spec{run.dataset, run.vocabulary.get(), run.transforms, run.context, run.data_seed, "",
                            {},          run.unread()};
  const auto distance = (train.bytes + kMaxTokenised - 1) / kMaxTokenised;
  EpochSize size;
  int64_t real = 0, read = 0;
  try {
    for (int64_t i = 0; i < train.documents; i += std::max<int64_t>(distance, 1), ++read)
      for (const auto& sample : data::sequences_of(spec, 0, i)) {
        real += static_cast<int64_t>(sample.tokens.size());
        ++size.sequences;
      }
  } catch (const UserError& error) {
    return {.fault = error.what()};
  }
  if (size.sequences == 0) return {.fault = "no transform makes a row of the documents of the training split"};
  size.filled = static_cast<double>(real) / static_cast<double>(size.sequences * run.context);
  size.estimated = read < train.documents;
  if (size.estimated) size.sequences = size.sequences * train.documents / read;
  size.tokens = size.sequences * run.context;
  return size;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g%%", 100 * share);
  return text;
}

std::string quoted(Split split) { return "'" + std::string(name_of(split)) + "'"; }

// "1,024 documents".
std::string counted(int64_t count, const std::string& what) {
  return base::grouped(count) + " " + what + (count == 1 ? "" : "s");
}

// Shares of the data, in the unit that the rule of the dataset divides.
struct Share {
  double requested, reached;
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
  const double requested = split == Split::kValidation ? fractions->validation
                           : split == Split::kTest     ? fractions->test
                                                       : 1 - fractions->validation - fractions->test;
  return Share{requested, amount(sizes[static_cast<size_t>(split)]) / all,
               fractions->of_documents ? "documents" : "bytes"};
}

// Whether the requested and the reached share differ too much.
bool is_far(const Share& share) {
  const bool differs = share.reached > kMaxTimes * share.requested || kMaxTimes * share.reached < share.requested;
  return differs && std::abs(share.reached - share.requested) > kShareTolerance;
}

// Whether moving the smallest available document from or to the split would bring its share closer to the requested
// one. No split may become empty.
bool could_be_nearer(const Assembled& run, const SplitSizes& sizes, Split split, const Share& share) {
  const auto& own = sizes[static_cast<size_t>(split)];
  const auto fractions = guard(*run.dataset, "fractions", [&] { return run.dataset->fractions(); });
  double all = 0;
  for (const auto& size : sizes) all += static_cast<double>(fractions->of_documents ? size.documents : size.bytes);
  const auto is_nearer = [&](const SplitSize& from, double sign) {
    const auto moved = fractions->of_documents ? 1.0 : static_cast<double>(from.smallest);
    const auto after = share.reached + sign * moved / all;
    return from.documents > 1 && std::abs(after - share.requested) < std::abs(share.reached - share.requested);
  };
  if (share.reached > share.requested) return is_nearer(own, -1);
  return std::any_of(sizes.begin(), sizes.end(),
                     [&](const SplitSize& other) { return &other != &own && is_nearer(other, 1); });
}

bool may_lengthen(const Assembled& run) {
  return std::any_of(run.transforms.begin(), run.transforms.end(),
                     [](const Transform* transform) { return transform->stage() != Stage::kContext; });
}

// Whether the run reads the split, for training or in an evaluation.
bool uses(const Assembled& run, Split split) {
  return (split == Split::kTrain && run.steps > 0) ||
         std::any_of(run.evaluators.begin(), run.evaluators.end(),
                     [&](const auto& entry) { return entry.split == split; });
}

// Looks up a key in `known`, or computes and stores its value; if the computation throws, nothing is stored.
template <class Found, class Look>
const Found& looked_up(std::map<std::string, Found>& known, const std::string& key, Look&& look) {
  const auto found = known.find(key);
  return found != known.end() ? found->second : known.emplace(key, look()).first->second;
}

std::string distance_of(Split split, const Share& share) {
  return "the split " + quoted(split) + " has " + percent(share.reached) + " of the " + share.of + ", but " +
         percent(share.requested) + " is requested";
}

}  // namespace

const MeasuredData& DataSizes::measured_data(const Assembled& run) {
  return looked_up(measured_, run.dataset_config, [&] { return measured(*run.dataset); });
}

const SplitSizes& DataSizes::splits(const Assembled& run) { return measured_data(run).splits; }

const EpochSize& DataSizes::epoch(const Assembled& run) {
  if (!run.makes_sequences())
    return looked_up(epochs_, run.data_config, [&] { return epoch_size(run, measured_data(run)); });
  const auto key = run.data_config + run.transforms_config + std::to_string(run.context - run.unread());
  return looked_up(epochs_, key, [&] { return sequences_size(run, measured_data(run)); });
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
    std::string contents;
    for (const auto other : kSplits)
      contents += (contents.empty() ? "" : ", ") + std::string(name_of(other)) + " " +
                  base::grouped(sizes[static_cast<size_t>(other)].documents);
    faults.emplace_back(path, "the split " + quoted(split) + (size.documents > 0 ? " has no text" : " is empty") +
                                  " (documents: " + contents +
                                  "); use another split, or divide the data differently (" + describe + ")");
    return false;
  };
  if (run.steps > 0 && check_text(Split::kTrain, "data.dataset") && !may_lengthen(run)) {
    const auto& epoch = all.epoch(run);
    if (!epoch.estimated && epoch.tokens < run.context)
      faults.emplace_back("data.context",
                          "the training split has " + base::grouped(epoch.tokens) +
                              " tokens, including one end of text per document, fewer than one sequence of length " +
                              std::to_string(run.context) + "; use more text or a smaller data.context");
  }
  if (run.steps > 0 && run.makes_sequences() && sizes[static_cast<size_t>(Split::kTrain)].bytes > 0)
    if (const auto& fault = all.epoch(run).fault; !fault.empty()) faults.emplace_back("data.context", fault);
  for (const auto& entry : run.evaluators) {
    const auto path = "evaluate." + entry.label;
    if (!check_text(entry.split, path + ".split")) continue;
    for (const auto& fault : all.findings(run, entry).faults) faults.emplace_back(path, fault);
  }
  for (const auto split : kSplits) {
    const auto share = uses(run, split) ? share_of(run, sizes, split) : std::nullopt;
    if (share && share->reached > 0 && is_far(*share) && could_be_nearer(run, sizes, split, *share))
      faults.emplace_back("data.dataset", distance_of(split, *share) +
                                              "; a share must not be more than three times or less than a third of the "
                                              "requested one where they differ by more than " +
                                              percent(kShareTolerance) +
                                              " of the data and another division of the documents is closer; set other "
                                              "fractions, or divide the data differently (" +
                                              describe + ")");
  }
  return faults;
}

std::vector<std::string> data_notes(const Assembled& run, DataSizes& all) {
  std::vector<std::string> notes;
  const auto& sizes = all.splits(run);
  for (const auto& warning : guard(*run.dataset, "warnings", [&] { return run.dataset->warnings(); }))
    notes.push_back("data.dataset: " + warning);
  for (const auto split : {Split::kValidation, Split::kTest}) {
    const auto& size = sizes[static_cast<size_t>(split)];
    if (size.copies == 0 || run.steps == 0 || !uses(run, split)) continue;
    notes.push_back("data.dataset: " + base::grouped(size.copies) + " of the " + counted(size.documents, "document") +
                    " of " + quoted(split) + " (" +
                    percent(static_cast<double>(size.copied_bytes) / static_cast<double>(size.bytes)) +
                    " of its bytes) have the same text as a document of 'train', so metrics on them are not held-out; "
                    "to divide the data by its text, see 'assay describe " +
                    run.dataset->identity().name + "'");
  }
  for (const auto split : kSplits) {
    const auto share = uses(run, split) ? share_of(run, sizes, split) : std::nullopt;
    if (share && share->reached > 0 && is_far(*share) && !could_be_nearer(run, sizes, split, *share))
      notes.push_back("data.dataset: " + distance_of(split, *share) + "; with so few documents, no division is closer");
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
    text += (text.empty() ? "" : "; ") + std::string(name_of(split)) + " " + counted(size.documents, "document") +
            ", " + counted(size.bytes, "byte");
    if (split == Split::kTrain && run.steps > 0) {
      const auto& epoch = all.epoch(run);
      text += std::string(epoch.estimated ? ", about " : ", ") +
              (run.makes_sequences() ? counted(epoch.sequences, "row") + " per epoch, of which " +
                                           percent(epoch.filled) + " is not padding"
                                     : counted(epoch.tokens, "token") + " per epoch");
    }
    if (const auto share = share_of(run, sizes, split))
      text +=
          " (" + percent(share->reached) + " of the " + share->of + ", " + percent(share->requested) + " requested)";
  }
  return run.dataset->identity().name + ": " + text;
}

}  // namespace assay::run
