// The emulated device: memory of its own, full of NaN, and recordings of what it was asked for.
#include "tensor/device/runtime.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "machine.h"
#include "tensor/base/error.h"

namespace arbg::emulator {
namespace {

using tensor::Recording;

std::size_t bytes_of_device = ~std::size_t{0}, bytes_taken = 0;
std::int64_t done = 0;

std::byte* made_block(std::size_t bytes) {
  if (bytes > bytes_of_device - bytes_taken)
    throw tensor::out_of_memory("an emulated device", bytes, bytes_of_device - bytes_taken,
                                bytes_of_device);
  bytes_taken += bytes;
  auto* block = static_cast<std::byte*>(std::malloc(bytes > 0 ? bytes : 1));
  require(block != nullptr, "out of memory: ", bytes, " bytes on the emulated device");
  std::memset(block, 0xFF, bytes);
  add_block(block, bytes);
  return block;
}

void free_block(std::byte* block) {
  bytes_taken -= remove_block(block);
  std::free(block);
}

// Keeps the memory that was taken while it was made, also when that has been given back: its next
// run needs it again. Other memory that is given back meanwhile is kept, too, for its kernels to be
// named that touch it: on a GPU it would be another tensor's by then.
class Recorded final : public Recording {
 public:
  ~Recorded() override;
  void run() override {
    for (const auto& one : work_) one();
    done += std::ssize(work_);
  }
  void add(std::function<void()> work) { work_.push_back(std::move(work)); }
  void keep(std::byte* block) { given_back_.push_back(block); }

 private:
  std::vector<std::function<void()>> work_;
  std::vector<std::byte*> given_back_;
};

Recorded* recording = nullptr;
std::map<std::byte*, Recorded*> owners;  // of blocks that recordings have taken

Recorded::~Recorded() {
  for (std::byte* block : given_back_) free_block(block);
  std::erase_if(owners, [&](const auto& owner) { return owner.second == this; });
}

void require_not_recorded(const char* does) {
  require(!recording, "work that is to be repeated as one graph ", does);
}

class EmulatedRuntime final : public tensor::Runtime {
 public:
  std::byte* take(std::size_t bytes) override {
    std::byte* block = made_block(bytes);
    if (recording) owners[block] = recording;
    return block;
  }
  void give_back(std::byte* block, std::size_t) override {
    const auto owner = owners.find(block);
    if (owner != owners.end()) return owner->second->keep(block);
    if (!recording) return free_block(block);
    end_block(block);
    recording->keep(block);
  }
  void upload(std::byte* to, std::span<const std::byte> from) override {
    require_not_recorded("brings numbers to the device");
    std::memcpy(to, from.data(), from.size());
  }
  void download(const std::byte* from, std::span<std::byte> to) override {
    require_not_recorded("waits for numbers of the device");
    std::memcpy(to.data(), from, to.size());
  }
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    ask([=] { std::memmove(to, from, bytes); });
  }
  void zero(std::byte* at, std::size_t bytes) override {
    ask([=] { std::memset(at, 0, bytes); });
  }
  void fill(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) override {
    ask([=, copy = std::vector(pattern.begin(), pattern.end())] {
      tensor::fill_on_host(at, bytes, copy);
    });
  }
  bool on_host() const override { return false; }
  std::string name() const override { return "an emulated device"; }
  std::size_t bytes() const override { return bytes_of_device; }

  std::unique_ptr<Recording> record(const std::function<void()>& work) override {
    auto recorded = std::make_unique<Recorded>();
    struct Now {
      explicit Now(Recorded* recorded_now) { recording = recorded_now; }
      ~Now() { recording = nullptr; }
    } const until_done(recorded.get());
    work();
    return recorded;
  }
};

}  // namespace

void set_memory(std::size_t bytes) { bytes_of_device = bytes; }
std::size_t memory_taken() { return bytes_taken; }
std::int64_t times_asked() { return done; }

void ask(std::function<void()> work) {
  if (recording) return recording->add(std::move(work));
  work();
  ++done;
}

}  // namespace arbg::emulator

namespace arbg::tensor {

Runtime& cuda_runtime() {
  static auto* const the_only = new emulator::EmulatedRuntime;  // outlives every tensor
  return *the_only;
}

}  // namespace arbg::tensor
