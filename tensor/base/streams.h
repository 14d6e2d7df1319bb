// Every name of a stream of random numbers, and who draws from it: stream_id(kName, k).
//
// Two uses of one seed are independent because their names differ, so that they stand together
// here; tests/streams.cmake refuses two that are equal, one that nobody uses, and a name written
// anywhere else. A changed name changes every number that is drawn from it. Names that end in a
// blank are beginnings, to which their users add numbers. A network's parameter draws its first
// values from the stream of its own name (nn/transformer/transformer_parameters.cpp).
#pragma once

#include <string_view>

namespace arbg::streams {

// nn
inline constexpr std::string_view kDropout = "dropout of branch ";  // transformer_layers; k: step
inline constexpr std::string_view kPositions = "pos_embed.weight";  // transformer_parameters

// md
inline constexpr std::string_view kBuilder = "builder";        // molecule/builder; k: attempt
inline constexpr std::string_view kVelocities = "velocities";  // dynamics/dynamics; k: replica
inline constexpr std::string_view kSwaps = "swaps";            // dynamics/dynamics
inline constexpr std::string_view kTurns = "turns";            // dynamics/dynamics: peptide bonds
inline constexpr std::string_view kLangevin = "langevin";      // dynamics/integrator; k: replica

// sampling/proposals
inline constexpr std::string_view kSample = "sample";  // draws, unless another stream is asked for
inline constexpr std::string_view kEncode = "encode";  // frames of conformations, Generator::encode

// sampling/smc; k: population, or move
inline constexpr std::string_view kTwisted = "twisted";
inline constexpr std::string_view kTwistedResampling = "twisted resampling";
inline constexpr std::string_view kAnnealed = "annealed ";  // and which of its purposes

// sampling/training; k: epoch, visit, step or round
inline constexpr std::string_view kEpoch = "epoch";             // training_data: the order
inline constexpr std::string_view kFrame = "frame";             // training_data, mixed_data
inline constexpr std::string_view kMixedBatch = "mixed batch";  // mixed_data: which conformations
inline constexpr std::string_view kHeldOut = "held out";        // mixed_data: their frames
inline constexpr std::string_view kWalkerMove = "walkers ";     // walker_pool: local moves
inline constexpr std::string_view kExchange = "exchange";       // walker_pool: global moves
inline constexpr std::string_view kPool = "pool";               // walker_pool: batches

// sampling/evaluation; k: division
inline constexpr std::string_view kAgreement = "agreement";  // agreement: halves of replicas

// arbg demo; k: the seed of the run to learn from
inline constexpr std::string_view kReferenceRun = "reference run";  // becomes that of the reference

// arbg refine; k: round
inline constexpr std::string_view kWalkers = "walkers";    // where walkers start
inline constexpr std::string_view kRefine = "refine";      // fresh samples of a round
inline constexpr std::string_view kRefineRound = "round";  // its sweep of local moves
inline constexpr std::string_view kRefined = "refined";    // the samples at the end

// arbg sample, evaluate, view
inline constexpr std::string_view kTune = "tune";          // pilot samples of the temperature
inline constexpr std::string_view kResample = "resample";  // samples to compare, or to show

// metrics
inline constexpr std::string_view kCentres = "centres";      // kmeans; k: restart
inline constexpr std::string_view kBootstrap = "bootstrap";  // bootstrap; k: draw

// the audit
inline constexpr std::string_view kAudit = "audit";                     // fresh samples
inline constexpr std::string_view kAuditMotion = "audit motion";        // rotations and shifts
inline constexpr std::string_view kAuditDirection = "audit direction";  // of finite differences
inline constexpr std::string_view kAuditTransform = "audit transform";  // places within cells
inline constexpr std::string_view kAuditSelection = "audit selection";  // rows selected half-way

}  // namespace arbg::streams
