// arbg: one program, a table of sub-commands.
#include <cstdio>
#include <exception>
#include <string>

#include "apps/commands/commands.h"
#include "tensor/base/interrupt.h"

namespace {

using namespace arbg::apps;

struct Command {
  const char* name;
  int (*run)(const Words&);
  const char* summary;
};

constexpr Command kCommands[] = {
    {"demo", demo_command, "everything on alanine dipeptide: md, train, sample, reweight, evaluate, report"},
    {"md", md_command, "molecular dynamics of a peptide: reference conformations"},
    {"train", train_command, "train a generator on a folder of conformations"},
    {"sample", sample_command, "draw conformations with exact log q, energies and importance weights"},
    {"evaluate", evaluate_command, "compare weighted samples with reference conformations; write report.html"},
    {"energy", energy_command, "energies, terms and forces of given conformations"},
    {"info", info_command, "what a checkpoint, run folder or array file contains"},
};

void print_help(std::FILE* to) {
  std::fputs(
      "arbg - an autoregressive Boltzmann generator with exact likelihoods\n\n"
      "Usage: arbg COMMAND [options]        arbg COMMAND --help\n\nCommands:\n",
      to);
  for (const auto& command : kCommands) std::fprintf(to, "  %-10s%s\n", command.name, command.summary);
  std::fputs("\nStart with: arbg demo --output runs/demo\n", to);
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help(words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    std::puts("arbg " ARBG_VERSION);
    return 0;
  }
  for (const auto& command : kCommands) {
    if (words[0] != command.name) continue;
    try {
      arbg::catch_interrupts();
      return command.run({words.begin() + 1, words.end()});
    } catch (const std::exception& error) {
      std::fprintf(stderr, "arbg %s: %s\n", command.name, error.what());
      return 1;
    }
  }
  std::fprintf(stderr, "arbg: unknown command '%s'\n\n", words[0].c_str());
  print_help(stderr);
  return 2;
}
