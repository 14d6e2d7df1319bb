#include "tensor/base/npy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy_header.h"

namespace arbg {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the .npy code assumes a little-endian machine");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPreamble = 10;             // magic, version 1.0, 16-bit header length
constexpr std::size_t kLongestHeader = 1 << 16;   // of the files whose frames are read one by one
constexpr std::size_t kAppenderDataOffset = 128;  // room for any shape we append to

std::string make_header(std::string_view dtype, std::span<const std::int64_t> shape,
                        std::size_t multiple) {
  std::string text = "{'descr': '" + std::string(dtype) + "', 'fortran_order': False, 'shape': (";
  for (const auto extent : shape) text += std::to_string(extent) + ", ";
  if (shape.size() > 1)
    text.resize(text.size() - 2);
  else if (shape.size() == 1)
    text.pop_back();
  text += "), }";
  const std::size_t unpadded = kPreamble + text.size() + 1;
  text.append((unpadded + multiple - 1) / multiple * multiple - unpadded, ' ');
  text += '\n';
  std::string header(kMagic);
  header +=
      {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

template <class T>
void convert(std::string_view data, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

void convert_from(std::string_view dtype, std::string_view data, std::span<double> out) {
  if (dtype == "<f8") convert<double>(data, out);
  if (dtype == "<f4") convert<float>(data, out);
  if (dtype == "<i8") convert<std::int64_t>(data, out);
  if (dtype == "<i4") convert<std::int32_t>(data, out);
}

// Bytes of one number, after checking that `available` bytes of data are enough for the shape.
std::size_t number_bytes(const NpyHeader& header, std::size_t available,
                         const std::filesystem::path& path) {
  const bool eight = header.dtype == "<f8" || header.dtype == "<i8";
  const bool four = header.dtype == "<f4" || header.dtype == "<i4";
  require(eight || four, path.string(), ": dtype '", header.dtype,
          "' is not supported; save it as float32, float64, int32 or int64 (little-endian)");
  const std::size_t bytes = eight ? 8 : 4;
  // What follows is of a run that was killed between appending and stating so in the header.
  require(static_cast<std::size_t>(header.elements) <= available / bytes, path.string(),
          ": truncated: the shape needs ", header.elements, " numbers of ", bytes,
          " bytes, the file holds ", available, " bytes of data");
  return bytes;
}

template <class T>
void write_as(const std::filesystem::path& path, std::string_view dtype,
              std::span<const std::int64_t> shape, std::span<const T> data) {
  std::int64_t elements = 1;
  for (const auto extent : shape) elements *= extent;
  require(elements == static_cast<std::int64_t>(data.size()), path.string(), ": the shape has ",
          elements, " elements, the data ", data.size());
  std::string bytes = make_header(dtype, shape, 64);
  bytes.append(reinterpret_cast<const char*>(data.data()), data.size_bytes());
  write_file(path, bytes);
}

}  // namespace

Array<double> read_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path), path);
}

Array<double> parse_npy(std::string_view bytes, const std::filesystem::path& path) {
  const NpyHeader header = parse_npy_header(bytes, path);
  const auto data = bytes.substr(header.data_offset);
  number_bytes(header, data.size(), path);
  Array<double> array{header.shape, std::vector<double>(static_cast<std::size_t>(header.elements))};
  convert_from(header.dtype, data, array.data);
  return array;
}

NpyFrames::NpyFrames(std::filesystem::path path) : path_(std::move(path)) {
  const NpyHeader header = parse_npy_header(read_file(path_, kLongestHeader), path_);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path_));
  const auto number = number_bytes(header, size - header.data_offset, path_);
  require(!header.shape.empty(), path_.string(), ": expected frames, found a single number");
  shape_ = header.shape;
  dtype_ = header.dtype;
  data_offset_ = header.data_offset;
  if (frames() > 0) frame_bytes_ = number * static_cast<std::size_t>(header.elements / frames());
}

void NpyFrames::read(std::int64_t frame, std::span<double> out) const {
  const std::size_t number = dtype_.back() == '8' ? 8 : 4;
  require(frame >= 0 && frame < frames() && out.size() * number == frame_bytes_, path_.string(),
          ": asked for ", out.size(), " numbers of frame ", frame, ", it has ", frames(),
          " frames of ", frame_bytes_ / number);
  const auto bytes = read_file_part(
      path_, data_offset_ + static_cast<std::size_t>(frame) * frame_bytes_, frame_bytes_);
  require(bytes.size() == frame_bytes_, path_.string(), ": frame ", frame,
          " is no longer there: the file has become shorter");
  convert_from(dtype_, bytes, out);
}

void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const double> data) {
  write_as(path, "<f8", shape, data);
}
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const float> data) {
  write_as(path, "<f4", shape, data);
}
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::int32_t> data) {
  write_as(path, "<i4", shape, data);
}

NpyAppender::NpyAppender(const std::filesystem::path& path, std::vector<std::int64_t> frame_shape,
                         std::int64_t keep_frames, int directory)
    : path_(path), frame_shape_(std::move(frame_shape)), frames_(keep_frames) {
  for (const auto extent : frame_shape_) frame_size_ *= extent;
  if (keep_frames > 0) {
    const NpyHeader header = parse_npy_header(read_file(path, kAppenderDataOffset), path);
    const auto size = static_cast<std::size_t>(std::filesystem::file_size(path));
    require(header.dtype == "<f4" && header.data_offset == kAppenderDataOffset &&
                !header.shape.empty() &&
                std::vector(header.shape.begin() + 1, header.shape.end()) == frame_shape_,
            path.string(), ": not a trajectory of this run (other atom count or number type)");
    require((size - header.data_offset) / 4 >= static_cast<std::size_t>(keep_frames * frame_size_),
            path.string(), ": the checkpoint counts ", keep_frames, " frames, the file has fewer");
  }
  const auto file = directory >= 0 ? path.filename() : path;
  fd_ = ::openat(directory >= 0 ? directory : AT_FDCWD, file.c_str(),
                 O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  const auto kept = end();
  if (fd_ < 0 || ::ftruncate(fd_, kept) != 0) {
    const int reason = errno;
    if (fd_ >= 0) ::close(fd_);
    fail("cannot write ", path.string(), ": ", std::strerror(reason));
  }
  sync();
}

NpyAppender::~NpyAppender() { ::close(fd_); }

void NpyAppender::write_at(std::int64_t offset, const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::pwrite(fd_, from, size, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      fail("cannot write ", path_.string(), ": ", std::strerror(reason));
    }
    from += written;
    offset += written;
    size -= static_cast<std::size_t>(written);
  }
}

std::int64_t NpyAppender::end() const {
  return static_cast<std::int64_t>(kAppenderDataOffset) + frames_ * frame_size_ * 4;
}

void NpyAppender::require_unchanged() const {
  struct stat status;
  require(::fstat(fd_, &status) == 0, "cannot read ", path_.string(), ": ", std::strerror(errno));
  require(status.st_size == end() && status.st_nlink > 0, path_.string(), ": expected ", end(),
          " bytes, all written by this run, found ", status.st_nlink > 0 ? status.st_size : 0,
          ": another program has changed the file; run the command again when nothing else writes "
          "there");
}

void NpyAppender::append(std::span<const float> frames) {
  const auto count = static_cast<std::int64_t>(frames.size()) / frame_size_;
  require(count * frame_size_ == static_cast<std::int64_t>(frames.size()), path_.string(),
          ": appended data is not a whole number of frames");
  require_unchanged();
  write_at(end(), frames.data(), frames.size_bytes());
  frames_ += count;
}

void NpyAppender::sync() {
  std::vector<std::int64_t> shape{frames_};
  shape.insert(shape.end(), frame_shape_.begin(), frame_shape_.end());
  const std::string header = make_header("<f4", shape, kAppenderDataOffset);
  require(header.size() == kAppenderDataOffset, path_.string(),
          ": the frame shape is too long for a header");
  require_unchanged();
  if (::fdatasync(fd_) != 0) fail("cannot write ", path_.string(), ": ", std::strerror(errno));
  write_at(0, header.data(), header.size());
  if (::fdatasync(fd_) != 0) fail("cannot write ", path_.string(), ": ", std::strerror(errno));
}

}  // namespace arbg
