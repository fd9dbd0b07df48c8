// What a report shows, as one JSON value: the table, the verdicts and all that stands beside it. page.h makes the page
// of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compare/table/table.h"
#include "compare/verdicts/claims.h"
#include "record/layout.h"
#include "report/run_log.h"

namespace assay::report {

// Reads plan, states, logs and events. `logs` remembers curves from one report to the next. Text of runs may hold any
// bytes; see page_with.
nlohmann::ordered_json report_data(const compare::Table& table, const compare::Judgement& judgement,
                                   const record::ExperimentLayout& experiment, RunLogs& logs);

}  // namespace assay::report
