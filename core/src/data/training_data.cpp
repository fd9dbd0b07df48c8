#include "data/training_data.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "assay/random.h"
#include "data/epoch_file.h"
#include "data/sequences.h"

namespace assay::data {
namespace {

std::vector<int64_t> permutation(int64_t count, const Draws& draws) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)],
              order[draws.below(static_cast<uint64_t>(i) + 1, static_cast<uint64_t>(i))]);
  return order;
}

void apply(const DataSpec& spec, Stage stage, Sample& sample, int64_t epoch, int64_t number) {
  for (size_t t = 0; t < spec.transforms.size(); ++t) {
    const auto& transform = *spec.transforms[t];
    if (transform.stage() == stage)
      guard(transform, "apply", [&] { transform.apply(sample, transform_draws(spec, t, epoch, number)); });
  }
}

EpochContent materialise(const DataSpec& spec, int64_t epoch) {
  EpochContent content;
  const auto& tokenizer = spec.vocabulary->tokenizer();
  const auto end_of_text = static_cast<int32_t>(spec.vocabulary->special(kEndOfText));
  content.tokens.push_back(end_of_text);
  const auto count = guard(*spec.dataset, "size", [&] { return spec.dataset->size(Split::kTrain); });
  const auto order = permutation(count, Draws(spec.seed, "documents").substream(static_cast<uint64_t>(epoch)));
  std::vector<size_t> begins;  // of documents in the stream; the leading end of text belongs to document 0
  for (const auto index : order) {
    const auto document =
        guard(*spec.dataset, "document", [&] { return spec.dataset->document(Split::kTrain, index); });
    Sample sample{document.id, document.text, {}, {}, {}};
    apply(spec, Stage::kDocument, sample, epoch, index);
    if (sample.tokens.empty())
      sample.tokens = guard(tokenizer, "encode", [&] { return tokenizer.encode(sample.text); });
    apply(spec, Stage::kTokens, sample, epoch, index);
    if (!sample.key_mask.empty())
      throw UserError(
          "a transform of stage document or tokens returned a key_mask, but documents are packed without padding; "
          "return it at stage context");
    sample.tokens.push_back(end_of_text);
    if (!sample.segment.empty()) sample.segment.push_back(sample.segment.back());
    const size_t before = content.tokens.size(), after = before + sample.tokens.size();
    begins.push_back(before);
    content.tokens.insert(content.tokens.end(), sample.tokens.begin(), sample.tokens.end());
    const auto extend = [&](auto& all, auto& part, auto neutral) {  // grows only if a transform uses it
      if (part.empty() && all.empty()) return;
      all.resize(before, neutral);
      part.resize(sample.tokens.size(), neutral);
      all.insert(all.end(), part.begin(), part.end());
      all.resize(after, neutral);
    };
    extend(content.loss_weight, sample.loss_weight, 1.0F);
    extend(content.segment, sample.segment, 0);
  }
  if (!content.loss_weight.empty()) content.loss_weight.resize(content.tokens.size(), 1.0F);
  if (content.segment.empty()) return content;
  content.segment.resize(content.tokens.size(), 0);
  begins.push_back(content.tokens.size());
  for (size_t d = 0; d + 1 < begins.size(); ++d)
    for (size_t i = begins[d]; i < begins[d + 1]; ++i)
      content.segment[i] += static_cast<int32_t>(segment_of(static_cast<int64_t>(d) + 1, Part::kWhole));
  return content;
}

// Marks the padding of a row whose T + 1 tokens are padding where key_mask is false. Padding is neither key nor target,
// predicts nothing and has no position.
void mark_padding(Batch& batch, int64_t row, const std::vector<bool>& key_mask) {
  const int64_t B = batch.rows(), T = batch.length();
  const auto ids = batch.tokens.options();
  if (!batch.key_mask.defined()) batch.key_mask = at::ones({B, T}, ids.dtype(at::kBool));
  if (!batch.loss_weight.defined()) batch.loss_weight = at::ones({B, T}, ids.dtype(at::kFloat));
  std::vector<int64_t> positions;
  bool behind_padding = false;  // otherwise positions equal indices, which is the default
  for (int64_t i = 0, real = 0; i < T; ++i) {
    const bool is_real = key_mask[static_cast<size_t>(i)];
    batch.key_mask.data_ptr<bool>()[row * T + i] = is_real;
    if (!is_real || !key_mask[static_cast<size_t>(i) + 1]) batch.loss_weight.data_ptr<float>()[row * T + i] = 0;
    behind_padding |= is_real && real < i;
    real += is_real;
    positions.push_back(std::max<int64_t>(real - 1, 0));
  }
  if (!behind_padding) return;
  if (!batch.positions.defined()) batch.positions = at::arange(T, ids).unsqueeze(0).repeat({B, 1});
  std::copy(positions.begin(), positions.end(), batch.positions.data_ptr<int64_t>() + row * T);
}

int64_t contexts_in(const EpochFile& file, int64_t stride) {
  return file.is_stream() ? (file.size() - 1 + stride - 1) / stride : file.sequences();
}

// The first segment of the document that contains `segment`; added to later segments so that document numbers continue.
int32_t whole_documents(int32_t segment) { return segment - segment % static_cast<int32_t>(kParts); }

// The ranks of a process reach a new epoch at the same time: the first one writes it, the others find it.
void write_if_absent(const DataSpec& spec, int64_t number, const std::filesystem::path& file) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  if (std::filesystem::exists(file)) return;
  EpochFile::write(file, makes_sequences(spec) ? materialised_sequences(spec, number) : materialise(spec, number));
}

}  // namespace

struct TrainingData::Epoch {
  Epoch(int64_t number, int64_t begin, const std::filesystem::path& path) : number(number), begin(begin), file(path) {}
  int64_t number, begin;  // begin: its first row in the endless stream of rows
  EpochFile file;
  std::vector<int64_t> order;
};

TrainingData::TrainingData(const DataSpec& spec, std::vector<int64_t> begins)
    : spec_(spec), begins_(std::move(begins)) {
  for (const auto* transform : spec_.transforms) lengths_vary_ |= transform->stage() != Stage::kContext;
  if (begins_.size() > 1) {
    file_of(static_cast<int64_t>(begins_.size()) - 2);
    return;
  }
  const EpochFile first(file_of(0));
  if (first.is_stream() && first.size() <= spec_.context)
    throw UserError("data: the training split has " + std::to_string(first.size() - 1) +
                    " tokens, including one end of text per document, fewer than one sequence of length " +
                    std::to_string(spec_.context) + "; use more text or a smaller data.context");
  first_contexts_ = contexts_in(first, spec_.stride());
}

TrainingData::~TrainingData() = default;

std::filesystem::path TrainingData::file_of(int64_t epoch) const {
  auto path = spec_.folder / (spec_.key + "-" + std::to_string(epoch) + ".tokens");
  write_if_absent(spec_, epoch, path);
  return path;
}

int64_t TrainingData::contexts_of(int64_t epoch) const {
  if (!lengths_vary_) return first_contexts_;
  const auto at = static_cast<size_t>(epoch);
  if (at + 1 < begins_.size()) return begins_[at + 1] - begins_[at];
  return contexts_in(EpochFile(file_of(epoch)), spec_.stride());
}

int64_t TrainingData::epoch_of(int64_t row) {
  if (!lengths_vary_) return row / first_contexts_;
  while (begins_.back() <= row)
    begins_.push_back(begins_.back() + contexts_of(static_cast<int64_t>(begins_.size()) - 1));
  return std::upper_bound(begins_.begin(), begins_.end(), row) - begins_.begin() - 1;
}

int64_t TrainingData::begin_of(int64_t epoch) const {
  return lengths_vary_ ? begins_[static_cast<size_t>(epoch)] : epoch * first_contexts_;
}

TrainingData::Epoch& TrainingData::epoch(int64_t number) {
  if (current_ && current_->number == number) return *current_;
  if (previous_ && previous_->number == number) return *previous_;
  previous_ = std::move(current_);
  current_ = std::make_unique<Epoch>(number, begin_of(number), file_of(number));
  current_->order = permutation(contexts_in(current_->file, spec_.stride()),
                                Draws(spec_.seed, "contexts").substream(static_cast<uint64_t>(number)));
  return *current_;
}

// T + 1 tokens of the stream.
Sample TrainingData::cut(const EpochFile& file, int64_t place) const {
  const int64_t targets = file.size() - 1, begin = place * spec_.stride(), end = begin + spec_.context;
  Sample sample;
  for (int64_t i = begin; i <= end; ++i) {
    const auto again = std::max<int64_t>(i - 1, 0) / targets;  // after its end, the stream starts again
    const auto at = i - again * targets;                       // after its last end of text, not the first
    sample.tokens.push_back(file.token(at));
    if (end > targets || file.has_weights()) sample.loss_weight.push_back(again > 0 ? 0 : file.weight(at));
    if (file.has_segments())  // repeated documents get new numbers
      sample.segment.push_back(file.segment(at) + static_cast<int32_t>(again) * whole_documents(file.segment(targets)));
  }
  return sample;
}

Sample TrainingData::context(const Epoch& epoch, int64_t place) const {
  auto sample = epoch.file.is_stream() ? cut(epoch.file, place) : padded_sequence(epoch.file, place, spec_);
  apply(spec_, Stage::kContext, sample, epoch.number, place);
  if (static_cast<int64_t>(sample.tokens.size()) != spec_.context + 1)
    throw UserError("a transform of stage context changed the length of a sequence from " +
                    std::to_string(spec_.context + 1) + " to " + std::to_string(sample.tokens.size()) +
                    " tokens; it must preserve the length");
  if (!sample.key_mask.empty() && sample.key_mask.size() != sample.tokens.size())
    throw UserError("a transform of stage context returned a key_mask of size " +
                    std::to_string(sample.key_mask.size()) + " for " + std::to_string(sample.tokens.size()) +
                    " tokens; it must have one entry per token or be empty");
  for (const auto* transform : spec_.transforms) guard(*transform, "observe", [&] { transform->observe(sample); });
  return sample;
}

Batch TrainingData::rows(int64_t begin, int64_t end, int64_t first_row_id) {
  const int64_t T = spec_.context, B = end - begin;
  const auto ids = at::TensorOptions().dtype(at::kLong);
  Batch batch;
  batch.tokens = at::empty({B, T}, ids);
  batch.targets = at::empty({B, T}, ids);
  batch.row_id = at::arange(first_row_id, first_row_id + B, ids);
  batch.sample_id = at::empty({B}, ids);
  for (int64_t row = 0; row < B; ++row) {
    const auto& present = epoch(epoch_of(begin + row));
    const auto place = present.order[static_cast<size_t>(begin + row - present.begin)];
    const auto sample = context(present, place);
    batch.sample_id.data_ptr<int64_t>()[row] = present.begin + place;
    auto* tokens = batch.tokens.data_ptr<int64_t>() + row * T;
    auto* targets = batch.targets.data_ptr<int64_t>() + row * T;
    for (int64_t i = 0; i < T; ++i) {
      tokens[i] = sample.tokens[static_cast<size_t>(i)];
      targets[i] = sample.tokens[static_cast<size_t>(i) + 1];
    }
    if (!sample.loss_weight.empty()) {
      if (!batch.loss_weight.defined())
        batch.loss_weight = at::empty({B, T}, at::TensorOptions().dtype(at::kFloat)).fill_(1);
      for (int64_t i = 0; i < T; ++i)
        batch.loss_weight.data_ptr<float>()[row * T + i] = sample.loss_weight[static_cast<size_t>(i) + 1];
    }
    if (!sample.segment.empty()) {
      if (!batch.segment.defined()) batch.segment = at::empty({B, T}, ids).fill_(0);
      for (int64_t i = 0; i < T; ++i)
        batch.segment.data_ptr<int64_t>()[row * T + i] = sample.segment[static_cast<size_t>(i)];
    }
    if (!sample.key_mask.empty()) mark_padding(batch, row, sample.key_mask);
    if (present.file.is_stream()) continue;
    if (!batch.source_length.defined()) batch.source_length = at::ones({B}, ids);
    batch.source_length.data_ptr<int64_t>()[row] = sample.source;
    for (const auto& [name, values] : sample.channels) {
      const auto size = static_cast<int64_t>(values.size());
      auto& channel = batch.channels[name];
      if (!channel.defined()) channel = at::empty({B, size}, ids.dtype(at::kFloat));
      std::copy(values.begin(), values.end(), channel.data_ptr<float>() + row * size);
    }
  }
  return batch;
}

std::unique_ptr<TrainingData> open_training_data(const DataSpec& spec, const Mesh& mesh,
                                                 const std::vector<int64_t>& begins) {
  std::unique_ptr<TrainingData> data;
  if (mesh.first()) data = std::make_unique<TrainingData>(spec, begins);
  mesh.tensor().barrier();
  mesh.data().barrier();
  return data ? std::move(data) : std::make_unique<TrainingData>(spec, begins);
}

}  // namespace assay::data
