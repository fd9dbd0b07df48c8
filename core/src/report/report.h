// The content of a report as one JSON value: the table, the verdicts and everything beside them. page.h makes the page
// from it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compare/table/table.h"
#include "compare/verdicts/claims.h"
#include "record/layout.h"
#include "report/run_log.h"

namespace assay::report {

// Reads plan, states, logs and events. `logs` caches curves from one report to the next. Texts of runs may contain any
// bytes; see page_with.
nlohmann::ordered_json report_data(const compare::Table& table, const compare::Judgement& judgement,
                                   const record::ExperimentLayout& experiment, RunLogs& logs);

}  // namespace assay::report
