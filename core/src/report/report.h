// What a report shows, as one JSON value: the table, the verdicts and all that stands beside it. page.h makes the page
// of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compare/claims.h"
#include "compare/table.h"
#include "record/layout.h"
#include "report/run_log.h"

namespace assay {

// Reads plan, states, logs and events. `logs` remembers curves from one report to the next. Text of runs may hold any
// bytes; see page_with.
nlohmann::ordered_json report_data(const Table& table, const Judgement& judgement, const ExperimentLayout& experiment,
                                   RunLogs& logs);

}  // namespace assay
