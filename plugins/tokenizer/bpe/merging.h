// Byte-pair encoding of one piece: the neighbouring pair of lowest rank is merged everywhere, from left to right, until
// no pair has a merge. Sennrich, Haddow, Birch 2016, arXiv:1508.07909, sec. 3.2; n log n in the length of the piece.
#pragma once

#include <queue>
#include <string_view>
#include <tuple>
#include <vector>

#include "vocabulary_files.h"

namespace {

class Merging {
 public:
  Merging(const BytePairs& pairs, std::string_view piece) : pairs_(pairs) {
    const auto end = static_cast<int32_t>(piece.size());
    tokens_.reserve(piece.size());
    for (int32_t i = 0; i < end; ++i)
      tokens_.push_back({pairs.id_of_byte[static_cast<unsigned char>(piece[static_cast<size_t>(i)])], i - 1,
                         i + 1 < end ? i + 1 : kNone});
    for (int32_t i = 0; i + 1 < end; ++i) offer(i);
    while (!candidates_.empty()) merge_everywhere(candidates_.top().rank);
  }

  std::vector<int32_t> ids() const {
    std::vector<int32_t> out;
    for (int32_t i = tokens_.empty() ? kNone : 0; i != kNone; i = at(i).next) out.push_back(at(i).id);
    return out;
  }

 private:
  static constexpr int32_t kNone = -1;
  struct Token {
    int32_t id, previous, next;  // indices of the neighbours
  };
  struct Candidate {
    int32_t rank, place, left, right;  // the pair at `place` as it was when offered
    bool operator<(const Candidate& other) const { return std::tie(rank, place) > std::tie(other.rank, other.place); }
  };

  Token& at(int32_t place) { return tokens_[static_cast<size_t>(place)]; }
  const Token& at(int32_t place) const { return tokens_[static_cast<size_t>(place)]; }

  void offer(int32_t place) {
    const int32_t left = at(place).id, right = at(at(place).next).id;
    const auto found = pairs_.merges.find(BytePairs::pair(left, right));
    if (found != pairs_.merges.end()) candidates_.push({found->second.rank, place, left, right});
  }

  // New pairs are offered after the round: a token that two merges make may form a pair of lower rank.
  void merge_everywhere(int32_t rank) {
    std::vector<int32_t> changed;
    while (!candidates_.empty() && candidates_.top().rank == rank) {
      const auto [_, place, left, right] = candidates_.top();
      candidates_.pop();
      auto& token = at(place);
      if (token.id != left || token.next == kNone || at(token.next).id != right)
        continue;  // another merge has changed the pair since
      auto& eaten = at(token.next);
      token.id = pairs_.merges.at(BytePairs::pair(left, right)).id;
      token.next = eaten.next;
      eaten.id = kNone;
      if (token.next != kNone) at(token.next).previous = place;
      changed.push_back(place);
    }
    for (const auto place : changed) {
      if (at(place).id == kNone) continue;
      if (at(place).previous != kNone) offer(at(place).previous);
      if (at(place).next != kNone) offer(place);
    }
  }

  const BytePairs& pairs_;
  std::vector<Token> tokens_;
  std::priority_queue<Candidate> candidates_;
};

}  // namespace
