// The sub-commands of arbg. Each takes its words, does its work and returns the exit status.
#pragma once

#include <string>
#include <vector>

namespace arbg::apps {

using Words = std::vector<std::string>;

int md_command(const Words& words);
int train_command(const Words& words);
int refine_command(const Words& words);
int sample_command(const Words& words);
int evaluate_command(const Words& words);
int audit_command(const Words& words);
int build_command(const Words& words);
int minimize_command(const Words& words);
int energy_command(const Words& words);
int convert_command(const Words& words);
int logits_command(const Words& words);
int demo_command(const Words& words);
int view_command(const Words& words);
int plot_command(const Words& words);
int info_command(const Words& words);

}  // namespace arbg::apps
