// The files of pages/viewer/ as text: the controls, their style, and the scripts one after another.
#pragma once

namespace arbg::apps {

extern const char* const kViewerMarkup;
extern const char* const kViewerStyle;
extern const char* const kViewerScript;

}  // namespace arbg::apps
