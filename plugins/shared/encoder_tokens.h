// Special tokens of bidirectional models. A model or objective declares those that it needs, and so do evaluators.
#pragma once

namespace assay::encoder {

inline constexpr const char* kCls = "[CLS]";    // before every sequence; its final state represents the sequence
inline constexpr const char* kMask = "[MASK]";  // in place of a token that is to be predicted
inline constexpr const char* kPad = "[PAD]";    // behind the end of shorter sequences of a batch

}  // namespace assay::encoder
