// What is published of the accuracy that so many energies give, of the molecule at hand.
//
// Source: Rehman, Tan, Bengio, Bose, Tong, "Autoregressive Boltzmann Generators" (2026, arXiv
// 2606.27361). Of AAA, Ace-AAA-Nme, AAAAAA and chignolin: the generator trained on that molecule,
// E-W2 and T-W2 after 200,000 energies; the largest 0.2 % of the weights are dropped, 10,000
// samples are drawn from the others and compared with the first 10,000 frames. Of uncapped peptides
// of eight of the twenty amino acids: means over 30 others that no model was trained on, read off a
// figure, of plain dynamics (a step is an energy) and of two transferable generators, Prose and
// Robin. With amber99sbildn-obc2 at 300 K where there are caps, amber14-obc1 at 310 K where there
// are none. No figure of alanine dipeptide says how many energies it took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::apps {

struct PublishedPoint {
  std::int64_t energies;
  double energy_w2_kt, torsion_w2_rad;
  double tica_w2;  // NaN: not published
};

struct PublishedCurve {
  std::string name;  // "published: Robin, mean of 30 other peptides"
  std::vector<PublishedPoint> points;
};

struct PublishedFigures {
  std::vector<PublishedCurve> curves;
  std::string note;  // what they are; without curves, why there are none
};

PublishedFigures published_figures(const md::Topology& topology, const std::string& forcefield,
                                   double temperature_kelvin);

// The four molecules with figures of their own, for a table of all.
std::vector<PublishedCurve> published_molecules();

}  // namespace arbg::apps
