// A tiny run of COCO-LM with all options of positions and dropout.
#pragma once

#include "unit/run/tiny_run.h"

namespace assay::testing {

inline constexpr int64_t kRows = 8;

struct CocoLmRun : TinyRun {
  explicit CocoLmRun(const json& objective = json::object()) {
    line["train"]["train"]["batch"] = kRows;
    line["resources"]["micro_batch"] = kRows;
    const json scheme = {{"use", "combine"}, {"schemes", {{{"use", "learned"}, {"positions", 16}}, {{"use", "t5"}}}}};
    model() = {{"use", "bert"},  {"layers", 2},     {"width", 16},          {"heads", 4},
               {"head", "none"}, {"init_std", 0.2}, {"positional", scheme}, {"activation_dropout", 0.1}};
    auto generator = model();
    generator.update({{"layers", 1}, {"head", "dense"}});
    json cocolm = {{"use", "cocolm"},        {"label", "cocolm"}, {"weight", 1.0},
                   {"generator", generator}, {"d_scl", 12},       {"scl_group", 2}};
    cocolm.update(objective);
    if (cocolm.value("objective", "") == "mlm") cocolm.erase("generator");
    line["train"]["objectives"] = json::array({cocolm});
  }
};

}  // namespace assay::testing
