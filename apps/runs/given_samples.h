// Samples from elsewhere, to be judged as our own are: frames of any trajectory of the reference's
// molecule, or of another run of dynamics.
#pragma once

#include <filesystem>
#include <string>

#include "apps/runs/dataset.h"
#include "apps/runs/samples_run.h"

namespace arbg::apps {

// `path` is a folder made by arbg md, of the reference's force field and temperature, or a .npy,
// .npz or .dcd file of frames in nm (.dcd: Angstrom), whose atoms are in the order of a PDB file
// beside it or of the reference; they are brought into the order of the reference. Energies are
// those of the reference's force field. `log_weights`, a .npy file of one number a frame, up to a
// constant; empty: frames count alike. Throws Error as load_trajectory() does, and for weights that
// are not as many as frames, NaN or infinite (-infinity is a weight of 0). Ranks that call it
// together share the energies that it computes.
SamplesRun load_given_samples(const std::filesystem::path& path,
                              const std::filesystem::path& log_weights, const Dataset& reference,
                              const Ranks& ranks = Ranks::alone());

// Energies of another force field or temperature mean something else: throws Error if those of
// `where` are not the reference's.
void require_same_target(const std::string& where, const std::string& forcefield,
                         double temperature_kelvin, const Dataset& reference);

}  // namespace arbg::apps
