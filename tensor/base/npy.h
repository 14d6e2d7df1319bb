// NumPy's .npy files: arrays of numbers, row-major.
//
// Source of the format: numpy.lib.format, versions 1.0 to 3.0 (headers: npy_header.h).
// Little-endian f4, f8, i4, i8 are read; Fortran order and every other dtype are refused by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace arbg {

// A plain row-major array: numbers and a shape, last axis fastest.
template <class T>
struct Array {
  std::vector<std::int64_t> shape;
  std::vector<T> data;
};

// Reads a file, converting its numbers to double. Throws Error on anything malformed or truncated
// (path, what was expected, what was found). NaN and infinity pass: the caller knows what they
// mean. Bytes after those of the shape are ignored, as by NumPy: an appending run may have been
// killed.
Array<double> read_npy(const std::filesystem::path& path);

// The same from bytes already in memory; `path` only names them in messages.
Array<double> parse_npy(std::string_view bytes, const std::filesystem::path& path);

// A file [frames, ...] of which frames are read one at a time: for trajectories larger than memory.
// It is opened for each read, so that any number of files may be in use, by several threads.
class NpyFrames {
 public:
  // Reads the header. Throws Error as read_npy does.
  explicit NpyFrames(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }  // frames included
  std::int64_t frames() const { return shape_.front(); }

  // The numbers of one frame as double. Throws Error if the file has become shorter.
  void read(std::int64_t frame, std::span<double> out) const;

 private:
  std::filesystem::path path_;
  std::vector<std::int64_t> shape_;
  std::string dtype_;
  std::size_t data_offset_ = 0, frame_bytes_ = 0;
};

// Writes a file as float64, float32 or int32, by the element type.
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const double> data);
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const float> data);
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::int32_t> data);

template <class T>
void write_npy(const std::filesystem::path& path, const Array<T>& array) {
  write_npy(path, std::span<const std::int64_t>(array.shape), std::span<const T>(array.data));
}

// A float32 .npy file [frames, ...] that grows: for trajectories. The header has a fixed length and
// always states the frames that are complete and synced, so that a killed run leaves a readable
// file.
class NpyAppender {
 public:
  // Opens or creates `path` with frames of shape `frame_shape` and truncates it to `keep_frames`
  // (what a checkpoint says was complete). Throws Error if an existing file has another frame shape
  // or fewer frames. A new file is made in `directory`, an open one, if it is given: whatever has
  // been moved to the folder's name since.
  NpyAppender(const std::filesystem::path& path, std::vector<std::int64_t> frame_shape,
              std::int64_t keep_frames, int directory = -1);
  ~NpyAppender();
  NpyAppender(const NpyAppender&) = delete;
  NpyAppender& operator=(const NpyAppender&) = delete;

  // A whole number of frames. This and sync() throw Error if the file is not as long as they have
  // made it, or gone: written at its place, a frame would leave a hole before it, or be lost.
  void append(std::span<const float> frames);
  void sync();  // header and data are on disk when this returns
  std::int64_t frames() const { return frames_; }

 private:
  std::int64_t end() const;  // of the last frame in the file
  void require_unchanged() const;
  void write_at(std::int64_t offset, const void* bytes, std::size_t size);
  std::filesystem::path path_;
  std::vector<std::int64_t> frame_shape_;
  std::int64_t frame_size_ = 1, frames_ = 0;
  int fd_ = -1;
};

}  // namespace arbg
