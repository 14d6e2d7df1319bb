#include "tensor/base/file_kind.h"

namespace arbg {
namespace {

struct Kind {
  std::string_view mark, name;
};

using namespace std::string_view_literals;

constexpr Kind kKinds[] = {
    {"\x93NUMPY"sv, "a .npy array"},
    {"PK\x03\x04"sv, "a ZIP archive (as .npz files are, and PyTorch's .pt)"},
    {"PK\x05\x06"sv, "an empty ZIP archive (as .npz files are)"},
    {"CDF\x01"sv, "a NetCDF file (AMBER's .nc)"},
    {"CDF\x02"sv, "a NetCDF file (AMBER's .nc)"},
    {"CDF\x05"sv, "a NetCDF file (AMBER's .nc)"},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file (.h5, or .nc of NetCDF 4)"},
    {"\x00\x00\x07\xcb"sv, "a GROMACS .xtc trajectory"},
    {"\x00\x00\x07\xe7"sv, "a GROMACS .xtc trajectory"},
    {"\x00\x00\x07\xc9"sv, "a GROMACS .trr trajectory"},
    {"T\x00\x00\x00CORD"sv, "a DCD trajectory"},
    {"\x00\x00\x00TCORD"sv, "a DCD trajectory"},
    {"\x1f\x8b"sv, "compressed by gzip: unpack it first"},
    {"\xfd\x37zXZ\x00"sv, "compressed by xz: unpack it first"},
    {"BZh"sv, "compressed by bzip2: unpack it first"},
    {"\x28\xb5\x2f\xfd"sv, "compressed by zstd: unpack it first"},
    {"\x80\x02"sv, "a Python pickle"},
    {"\x80\x03"sv, "a Python pickle"},
    {"\x80\x04"sv, "a Python pickle"},
    {"\x80\x05"sv, "a Python pickle"},
    {"version https://git-lfs"sv, "a pointer of Git LFS: fetch the file itself by git lfs pull"},
    {"<!DOCTYPE"sv, "a web page"},
    {"<!doctype"sv, "a web page"},
    {"<html"sv, "a web page"},
    {"%VERSION"sv, "an AMBER prmtop file"},
    {"data_"sv, "an mmCIF file"},
    {"ATOM  "sv, "a PDB file"},
    {"HEADER"sv, "a PDB file"},
    {"REMARK"sv, "a PDB file"},
    {"CRYST1"sv, "a PDB file"},
    {"MODEL "sv, "a PDB file"},
};

}  // namespace

std::string_view kind_of_file(std::string_view first_bytes) {
  for (const Kind& kind : kKinds) {
    if (first_bytes.starts_with(kind.mark)) return kind.name;
  }
  return "";
}

std::string said_kind(std::string_view first_bytes) {
  const std::string_view kind = kind_of_file(first_bytes);
  return kind.empty() ? "" : "; it is " + std::string(kind);
}

}  // namespace arbg
