// The audit on paper: the terminal, JSON, the page with its figures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "metrics/pages/report.h"
#include "sampling/audit/audit.h"
#include "tensor/base/folder_lock.h"
#include "tensor/base/json.h"

namespace arbg::apps {

Json to_json(const sampling::Audit& audit);
// What to_json() wrote: the lines, without what figures show. `from` names it in errors.
sampling::Audit audit_from_json(const Json& json, const std::string& from);

std::string verdict_of(const sampling::Audit& audit);  // "PASS: 38 passed, 0 failed, 0 warnings"
std::string audit_text(const sampling::Audit& audit);  // for the terminal
// The lines as a section of another page.
void add_audit(metrics::Report& report, const sampling::Audit& audit);
// Of a histogram of log weights less their median: none is so large that it is left out.
std::vector<double> log_weight_edges(double largest);
// audit.json and audit.html, which says that `command` makes it again.
void write_audit(const FolderLock& lock, const sampling::Audit& audit, const std::string& command);

}  // namespace arbg::apps
