// The runtime of one CUDA device: a pool of its memory, one stream, captured graphs.
//
// A block that is given back may be handed out at once: whoever takes it asks for its work later,
// and the stream keeps the order. Blocks that are taken while a graph is captured are the graph's
// for as long as it lives, whoever holds them in between; otherwise its next launch would write
// into what has become another tensor.
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "tensor/device/runtime.h"
#include "tensor/device/stream_cuda.h"

namespace arbg::tensor {
namespace {

using cuda::check;

constexpr const char* kWentWrong = "what it was asked for before went wrong";

// Sizes are rounded up to 1, 5/4, 6/4 or 7/4 of a power of two, and to 512 bytes.
std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t kLeast = 512;
  if (bytes <= kLeast) return kLeast;
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

using FreeBlocks = std::map<std::size_t, std::vector<std::byte*>>;  // by capacity

// The memory of a graph.
struct GraphMemory {
  FreeBlocks free;
  std::set<std::byte*> all;
};

class CudaRuntime;

class CapturedGraph final : public Recording {
 public:
  explicit CapturedGraph(CudaRuntime& runtime) : runtime_(runtime) {}
  ~CapturedGraph() override;
  void run() override { check(cudaGraphLaunch(executable_, cuda::stream()), "launching a graph"); }

 private:
  friend class CudaRuntime;
  CudaRuntime& runtime_;
  GraphMemory memory_;
  cudaGraphExec_t executable_ = nullptr;
};

// Words of 4 bytes, `even` and `odd` by turns.
__global__ void fill_words(std::uint32_t* to, std::size_t count, std::uint32_t even,
                           std::uint32_t odd) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) to[i] = i % 2 == 0 ? even : odd;
}

class CudaRuntime final : public Runtime {
 public:
  CudaRuntime() : stream_(cuda::stream()) {
    check(cudaGetDeviceProperties(&properties_, 0), "asking what it is");
  }

  std::string name() const override { return properties_.name; }
  std::size_t bytes() const override { return properties_.totalGlobalMem; }
  bool on_host() const override { return false; }

  std::byte* take(std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    const std::size_t capacity = rounded(bytes);
    if (!graph_) return from_pool_or_fresh(capacity);
    if (std::byte* own = last_of(graph_->memory_.free[capacity])) return own;
    std::byte* block = from_pool_or_fresh(capacity);
    graph_->memory_.all.insert(block);
    owners_[block] = graph_;
    return block;
  }

  void give_back(std::byte* block, std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    const auto owner = owners_.find(block);
    (owner == owners_.end() ? free_ : owner->second->memory_.free)[rounded(bytes)].push_back(block);
  }

  void upload(std::byte* to, std::span<const std::byte> from) override {
    require_not_captured("brings numbers to the device");
    check(cudaMemcpyAsync(to, from.data(), from.size(), cudaMemcpyHostToDevice, stream_),
          "a copy to it");
    // CUDA does not promise that it has read pageable memory before.
    check(cudaStreamSynchronize(stream_), kWentWrong);
  }

  void download(const std::byte* from, std::span<std::byte> to) override {
    require_not_captured("waits for numbers of the device");
    check(cudaMemcpyAsync(to.data(), from, to.size(), cudaMemcpyDeviceToHost, stream_),
          "a copy from it");
    check(cudaStreamSynchronize(stream_), kWentWrong);
  }

  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    const bool overlap = from < to + bytes && to < from + bytes;
    if (!overlap) return copy_apart(to, from, bytes);
    std::byte* between = take(bytes);
    copy_apart(between, from, bytes);
    copy_apart(to, between, bytes);
    give_back(between, bytes);
  }

  void zero(std::byte* at, std::size_t bytes) override {
    check(cudaMemsetAsync(at, 0, bytes, stream_), "setting memory to zero");
  }

  // Bound by memory: 4 bytes a thread.
  void fill(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) override {
    constexpr std::size_t kThreads = 256;
    std::uint32_t even = 0, odd = 0;
    std::memcpy(&even, pattern.data(), sizeof(even));
    std::memcpy(&odd, pattern.data() + pattern.size() - sizeof(odd), sizeof(odd));
    const std::size_t words = bytes / sizeof(even), blocks = (words + kThreads - 1) / kThreads;
    fill_words<<<static_cast<unsigned>(blocks), kThreads, 0, stream_>>>(
        reinterpret_cast<std::uint32_t*>(at), words, even, odd);
    check(cudaGetLastError(), "filling memory");
  }

  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    auto graph = std::make_unique<CapturedGraph>(*this);
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), "beginning a graph");
    graph_ = graph.get();
    cudaGraph_t captured = nullptr;
    try {
      work();
    } catch (...) {
      graph_ = nullptr;
      cudaStreamEndCapture(stream_, &captured);
      cudaGetLastError();  // that of a capture that was broken off
      if (captured) cudaGraphDestroy(captured);
      throw;
    }
    graph_ = nullptr;
    check(cudaStreamEndCapture(stream_, &captured), "ending a graph");
    const cudaError_t error = cudaGraphInstantiate(&graph->executable_, captured, 0);
    cudaGraphDestroy(captured);
    check(error, "making a graph");
    return graph;
  }

  // What of a graph's memory is free goes to the pool now, the rest when it is given back.
  void let_go(GraphMemory& memory) {
    const std::lock_guard lock(mutex_);
    for (std::byte* block : memory.all) owners_.erase(block);
    for (auto& [capacity, blocks] : memory.free)
      free_[capacity].insert(free_[capacity].end(), blocks.begin(), blocks.end());
  }

 private:
  void require_not_captured(const char* does) const {
    require(!graph_, "work that is to be repeated as one graph ", does);
  }

  void copy_apart(std::byte* to, const std::byte* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "a copy within it");
  }

  static std::byte* last_of(std::vector<std::byte*>& blocks) {
    if (blocks.empty()) return nullptr;
    std::byte* const block = blocks.back();
    blocks.pop_back();
    return block;
  }

  // What a first run of the work has left in the pool is what its graph needs.
  std::byte* from_pool_or_fresh(std::size_t capacity) {
    std::byte* const block = last_of(free_[capacity]);
    return block ? block : fresh(capacity);
  }

  // From the device itself; if it has no more, once more without what waits in the pool.
  std::byte* fresh(std::size_t capacity) {
    void* block = nullptr;
    if (cudaMalloc(&block, capacity) == cudaSuccess) return static_cast<std::byte*>(block);
    cudaGetLastError();
    if (!graph_) {
      for (auto& [size, blocks] : free_) {
        for (std::byte* one : blocks) cudaFree(one);
        blocks.clear();
      }
      if (cudaMalloc(&block, capacity) == cudaSuccess) return static_cast<std::byte*>(block);
      cudaGetLastError();
    }
    std::size_t left = 0, all = 0;
    cudaMemGetInfo(&left, &all);
    throw out_of_memory(name(), capacity, left, all);
  }

  cudaDeviceProp properties_{};
  const cudaStream_t stream_;
  std::mutex mutex_;
  FreeBlocks free_;
  std::map<std::byte*, CapturedGraph*> owners_;  // of blocks of graphs
  CapturedGraph* graph_ = nullptr;               // that is being captured
};

CapturedGraph::~CapturedGraph() {
  if (executable_) cudaGraphExecDestroy(executable_);
  runtime_.let_go(memory_);
}

}  // namespace

Runtime& cuda_runtime() {
  static CudaRuntime* const the_only = new CudaRuntime;  // outlives every tensor
  return *the_only;
}

}  // namespace arbg::tensor
