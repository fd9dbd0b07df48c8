#include "data/sequences.h"

#include <algorithm>

namespace assay::data {
namespace {

const Transform* maker_of(const DataSpec& spec) {
  for (const auto* transform : spec.transforms)
    if (transform->stage() == Stage::kSequences) return transform;
  return nullptr;
}

// "document 'id' (file:line)", for messages.
std::string place_of(const Document& document) {
  const auto place = document.fields.find("place");
  return "document '" + document.id + "'" + (place == document.fields.end() ? "" : " (" + place->second + ")");
}

// Throws when a sequence, with the end of text before it, is not what the interface promises.
void check_sequence(const Sample& sample, const std::string& place, const DataSpec& spec) {
  const auto tokens = static_cast<int64_t>(sample.tokens.size());
  const auto where = place + ", view '" + sample.view + "': ";
  const auto most = spec.context - spec.unread;
  if (tokens > most)
    throw UserError(where + "the sequence has " + std::to_string(tokens) +
                    " tokens, including the end of text before it, and a row holds " + std::to_string(most) +
                    "; set data.context to " + std::to_string(tokens + spec.unread) +
                    " or more, or let the transform cut it");
  const auto fits = [&](const auto& values) { return values.empty() || values.size() == sample.tokens.size() - 1; };
  if (!fits(sample.loss_weight) || !fits(sample.segment) || !sample.key_mask.empty())
    throw UserError(where +
                    "loss_weight and segment must have one entry per token or be empty, and key_mask must be empty");
  if (sample.source < 0 || sample.source >= tokens - 1)
    throw UserError(where + "the source has " + std::to_string(sample.source) + " of " + std::to_string(tokens - 1) +
                    " tokens; it must be shorter than the sequence");
}

// All sequences have the channels of the first one.
void check_channels(const Sample& sample, EpochContent& content) {
  ChannelSizes sizes;
  for (const auto& [name, values] : sample.channels) sizes.emplace_back(name, static_cast<int64_t>(values.size()));
  if (content.begins.empty()) content.channel_sizes = sizes;
  if (sizes != content.channel_sizes)
    throw UserError("document '" + sample.id + "', view '" + sample.view +
                    "': the channels differ from those of other sequences; all sequences must have the same channels "
                    "of the same sizes");
}

}  // namespace

Draws transform_draws(const DataSpec& spec, size_t number, int64_t epoch, int64_t sample) {
  return Draws(spec.seed, "transform/" + std::to_string(number))
      .substream(static_cast<uint64_t>(epoch))
      .substream(static_cast<uint64_t>(sample));
}

bool makes_sequences(const DataSpec& spec) { return maker_of(spec) != nullptr; }

std::vector<Sample> sequences_of(const DataSpec& spec, int64_t epoch, int64_t index) {
  const auto* maker = maker_of(spec);
  const auto number =
      static_cast<size_t>(std::find(spec.transforms.begin(), spec.transforms.end(), maker) - spec.transforms.begin());
  const auto document = guard(*spec.dataset, "document", [&] { return spec.dataset->document(Split::kTrain, index); });
  auto samples = guard(*maker, "sequences",
                       [&] { return maker->sequences(document, transform_draws(spec, number, epoch, index)); });
  for (auto& sample : samples) {
    sample.id = document.id;
    sample.tokens.insert(sample.tokens.begin(), static_cast<int32_t>(spec.vocabulary->special(kEndOfText)));
    check_sequence(sample, place_of(document), spec);
    if (!sample.loss_weight.empty()) sample.loss_weight.insert(sample.loss_weight.begin(), 0.0F);
    if (!sample.segment.empty()) sample.segment.insert(sample.segment.begin(), sample.segment.front());
    ++sample.source;  // an encoder reads the end of text, too
  }
  return samples;
}

EpochContent materialised_sequences(const DataSpec& spec, int64_t epoch) {
  EpochContent content;
  const auto count = guard(*spec.dataset, "size", [&] { return spec.dataset->size(Split::kTrain); });
  for (int64_t index = 0; index < count; ++index)
    for (const auto& sample : sequences_of(spec, epoch, index)) {
      const size_t before = content.tokens.size(), after = before + sample.tokens.size();
      check_channels(sample, content);
      content.begins.push_back(static_cast<int64_t>(before));
      content.source.push_back(static_cast<int32_t>(sample.source));
      content.tokens.insert(content.tokens.end(), sample.tokens.begin(), sample.tokens.end());
      const auto extend = [&](auto& all, const auto& part, auto neutral) {  // grows only if a sequence uses it
        if (part.empty() && all.empty()) return;
        all.resize(before, neutral);
        all.insert(all.end(), part.begin(), part.end());
        all.resize(after, neutral);
      };
      extend(content.loss_weight, sample.loss_weight, 1.0F);
      extend(content.segment, sample.segment, 0);
      for (const auto& [name, values] : sample.channels)
        content.channels.insert(content.channels.end(), values.begin(), values.end());
    }
  if (content.begins.empty())
    throw UserError("data: the transform '" + maker_of(spec)->identity().name +
                    "' makes no sequence of the documents of the training split; check which documents it accepts");
  content.begins.push_back(static_cast<int64_t>(content.tokens.size()));
  return content;
}

Sample padded_sequence(const EpochFile& file, int64_t sequence, const DataSpec& spec) {
  const auto length = static_cast<size_t>(spec.context) + 1;
  Sample sample;
  for (int64_t i = file.begin(sequence); i < file.begin(sequence + 1); ++i) {
    sample.tokens.push_back(file.token(i));
    if (file.has_weights()) sample.loss_weight.push_back(file.weight(i));
    if (file.has_segments()) sample.segment.push_back(file.segment(i));
  }
  // The mask is there even without padding, so that a row is computed alike in every batch.
  sample.key_mask.assign(sample.tokens.size(), true);
  sample.key_mask.resize(length, false);
  sample.tokens.resize(length, static_cast<int32_t>(spec.vocabulary->special(kEndOfText)));
  if (file.has_weights()) sample.loss_weight.resize(length, 0.0F);
  if (file.has_segments()) sample.segment.resize(length, sample.segment.back());
  sample.source = file.source(sequence);
  const auto* values = file.channels(sequence);
  for (const auto& [name, size] : file.channel_sizes()) {
    sample.channels[name].assign(values, values + size);
    values += size;
  }
  return sample;
}

}  // namespace assay::data
