// A molecule to turn, as a piece of a page: conformations, and samples that grow step by step.
//
// One section with its controls, its data and a script of our own (viewer/*.js, compiled into the
// program): nothing from outside, so that it works without a network and from file://. A page may
// hold several. metrics::Report::add_markup() takes one in; the colours are those of its style.
//
// The data are a JSON object. Lists have one entry a frame, atom or coordinate; arrays of numbers
// are little-endian integers as base64:
//
//   title, elements [N], names [N], residue [N] (index into residues), residues, bonds [2 bonds]
//   nm_per_unit    positions are int16 times this
//   frames         names, positions [n, N, 3], and where they are known energy (kT), log_q, weight
//   reference      name, positions [N, 3]
//   columns        C, of a distribution; each is the sum of bins_a_column neighbouring bins
//   nats_per_unit  -log p are uint16 times this; 65535: less probable than any other
//   coordinates    [K]: atom, kind, text, unit (nm or degree), low, high (the support), log_width
//                  (of a bin), curve (row of `placed`, -1: none), axis (of the tree: grandparent
//                  and parent); null without roll-outs
//   roll_outs      name, log_q, positions [N, 3], value [K], column [K] (both of what was drawn),
//                  log_p [K] (of the drawn bin), log_drawn [K] (with the density within it),
//                  probability [K, C], placed [curves, C] (what the placement energies alone would
//                  give)
//
// Sum over j of log_drawn - log_width is log_q.
#pragma once

#include <string>

#include "apps/jobs/view_job.h"
#include "tensor/base/json.h"

namespace arbg::apps {

// The markup. All text in it is escaped.
std::string viewer(const View& view);

Json viewer_data(const View& view);

// Half the step between positions in the data of a view: the most that rounding moves them.
double position_error_nm(const View& view);

}  // namespace arbg::apps
