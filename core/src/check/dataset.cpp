// Datasets: documents do not depend on the access order, ids are unique across all splits, indices are bounded.
#include "assay/dataset.h"

#include <map>

#include "check/subject.h"

namespace assay::check {
namespace {

constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};
constexpr int64_t kMax = 500;  // documents checked per split

std::string place(Split split, int64_t index) {
  return std::string(name_of(split)) + " document " + std::to_string(index);
}

std::string random_access(const Subject& subject) {
  const Instance<Dataset> forwards(subject), backwards(subject);
  for (const auto split : kSplits) {
    const auto size = forwards->size(split);
    if (size < 0) return std::string(name_of(split)) + " has " + std::to_string(size) + " documents";
    if (backwards->size(split) != size) return std::string(name_of(split)) + " has two sizes";
    std::map<int64_t, Document> found;
    const int64_t looked_at = std::min(size, kMax);
    for (int64_t i = looked_at; i-- > 0;) found[i] = backwards->document(split, i);
    for (int64_t i = 0; i < looked_at; ++i) {
      const auto document = forwards->document(split, i);
      if (document.text != found[i].text || document.id != found[i].id || document.fields != found[i].fields)
        return place(split, i) + " differs when documents are read in reverse order";
    }
  }
  return "";
}

std::string unique_ids(const Subject& subject) {
  const Instance<Dataset> dataset(subject);
  std::map<std::string, std::string> seen;
  int64_t documents = 0;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < dataset->size(split); ++i, ++documents) {
      const auto id = dataset->document(split, i).id;
      if (id.empty()) return place(split, i) + " has no id";
      const auto [known, fresh] = seen.emplace(id, place(split, i));
      if (!fresh) return place(split, i) + " has the id '" + id + "' of " + known->second;
    }
  return documents ? "" : "it has no document in any split";
}

std::string ends(const Subject& subject) {
  const Instance<Dataset> dataset(subject);
  for (const auto split : kSplits)
    for (const int64_t index : {int64_t{-1}, dataset->size(split)}) {
      try {
        dataset->document(split, index);
      } catch (const std::exception&) {
        continue;
      }
      return place(split, index) + " is returned, but the split has " + std::to_string(dataset->size(split));
    }
  return "";
}

std::string sources(const Subject& subject) {
  const Instance<Dataset> dataset(subject);
  const auto all = dataset->sources();
  if (all.empty()) return "it names no source";
  for (const auto& source : all)
    if (source.name.empty()) return "a source has no name";
  return "";
}

std::string text_of_splits(const Subject& subject) {
  const Instance<Dataset> dataset(subject);
  std::string all;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < std::min(dataset->size(split), kMax); ++i) {
      const auto document = dataset->document(split, i);
      all += document.id + "\n" + document.text + "\n";
    }
  return all;
}

}  // namespace

void dataset(const Subject& subject) {
  subject.property("documents do not depend on the access order", [&] { return random_access(subject); });
  subject.property("ids are unique across all splits", [&] { return unique_ids(subject); });
  subject.property("an index outside a split is rejected", [&] { return ends(subject); });
  subject.property("it names its sources", [&] { return sources(subject); });
  subject.property("it is reproducible, also in two threads",
                   [&] { return repeats([&] { return text_of_splits(subject); }); });
}

}  // namespace assay::check
