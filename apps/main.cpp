// arbg: one program, a table of sub-commands.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>

#include "apps/cli/command_line.h"
#include "apps/cli/several_processes.h"
#include "apps/commands/commands.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/nearest_name.h"
#include "tensor/base/world.h"

namespace {

using namespace arbg::apps;
using arbg::Ranks;

struct Command {
  const char* name;
  std::variant<int (*)(const Words&), int (*)(const Words&, const Ranks&)> run;  // alone, or shared
  const char* summary;
  bool stops = false;  // sees Ctrl-C between its steps, saves and leaves; others end at once
};

constexpr Command kCommands[] = {
    {"demo", demo_command,
     "everything on one molecule: md, train, sample, reweight, evaluate, audit, report", true},
    {"md", md_command, "molecular dynamics of a peptide: reference conformations", true},
    {"train", train_command, "train a generator on a folder of conformations", true},
    {"sample", sample_command,
     "draw conformations with exact log q, energies and importance weights", true},
    {"refine", refine_command,
     "train a model from the force field alone, without data, or improve a model", true},
    {"evaluate", evaluate_command,
     "compare weighted samples with reference conformations; write report.html"},
    {"audit", audit_command,
     "recompute probabilities, energies and weights by independent code; write audit.html"},
    {"view", view_command,
     "a molecule to turn: conformations of a run, samples as they grow; write view.html"},
    {"plot", plot_command, "one picture of the report of evaluate, as an SVG file"},
    {"build", build_command, "a PDB file from a sequence: idealised geometry, then minimised"},
    {"minimize", minimize_command, "move a conformation to the nearest minimum of its energy"},
    {"energy", energy_command, "energies, terms and forces of given conformations"},
    {"convert", convert_command, "trajectories from one format to another: .npy, .npz, .dcd, .pdb"},
    {"logits", logits_command,
     "logits and log likelihoods of given tokens, by any network of the published form"},
    {"info", info_command, "what a checkpoint, run folder or array file contains"},
};

void print_help(std::FILE* to) {
  std::fputs(
      "arbg - an autoregressive Boltzmann generator with exact likelihoods\n\n"
      "Usage: arbg COMMAND [options]        arbg COMMAND --help\n\nCommands:\n",
      to);
  for (const auto& command : kCommands)
    std::fprintf(to, "  %-10s%s\n", command.name, command.summary);
  std::fputs(
      "\nStart with: arbg demo\nExit status: 0 done, 1 failed, 2 no such command, 130 "
      "interrupted\n",
      to);
}

int run_alone_or_shared(const Command& command, const Words& words, const Ranks& ranks) {
  if (const auto* shared = std::get_if<1>(&command.run)) return (*shared)(words, ranks);
  arbg::require(ranks.count() == 1, "this command is not shared among processes, and ",
                ranks.count(), " were started: start one, without mpirun or srun");
  return std::get<0>(command.run)(words);
}

// Throws Error if anything that was printed was lost.
void require_printed() {
  const bool earlier = std::ferror(stdout) != 0, flushed = std::fflush(stdout) == 0;
  arbg::require(flushed && !earlier, "cannot write to standard output", flushed ? "" : ": ",
                flushed ? "" : std::strerror(errno));
}

constexpr char kNoMemory[] =
    "there is not enough memory for a job of this size; ask for fewer samples, frames or replicas, "
    "or smaller batches";

// Runs a command; whatever goes wrong, at any rank, becomes one line and exit status 1, or 130
// after Ctrl-C.
int run(const Command& command, const Words& words, const Ranks& ranks) {
  std::string wrong;
  try {
    if (command.stops) arbg::catch_interrupts();
    prepare_several_processes(ranks, words);
    const int status = run_alone_or_shared(command, words, ranks);
    require_printed();
    ranks.barrier();  // where others hear of one that fails at the end
    return status;
  } catch (const std::bad_alloc&) {
    wrong = kNoMemory;
  } catch (const std::length_error&) {  // more than any memory
    wrong = kNoMemory;
  } catch (const std::filesystem::filesystem_error& error) {
    wrong = "cannot use " + error.path1().string() + ": " + error.code().message();
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  std::fprintf(stderr, "arbg %s: %s\n", command.name, ranks.fail_together(wrong).c_str());
  return arbg::interrupted() ? 130 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGXFSZ, SIG_IGN);  // a file above the limit is an error that is reported
  const auto ranks = arbg::start_ranks();
  if (!ranks->is_first()) be_silent();
  Words words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "help") words = {words[1], "--help"};
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help(words.empty() ? stderr : stdout);
    require_printed();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    std::puts("arbg " ARBG_VERSION);
    require_printed();
    return 0;
  }
  std::vector<std::string_view> names;
  for (const auto& command : kCommands) {
    if (words[0] == command.name) return run(command, {words.begin() + 1, words.end()}, *ranks);
    names.push_back(command.name);
  }
  const std::string nearest(arbg::nearest_name(words[0], names));
  std::fprintf(
      stderr, "arbg: unknown command '%s'; %s\n", words[0].c_str(),
      nearest.empty() ? "see arbg --help" : ("did you mean arbg " + nearest + "?").c_str());
  return 2;
} catch (const arbg::Error& error) {
  std::fprintf(stderr, "arbg: %s\n", error.what());
  return 1;
}
