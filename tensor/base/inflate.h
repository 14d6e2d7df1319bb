// DEFLATE, the compression of ZIP archives, undone.
//
// Source: RFC 1951. A block is stored, or coded by Huffman codes that are fixed or sent before it;
// the codes stand for bytes, and for stretches of at most 258 bytes of what has been written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace arbg {

// The `size` bytes that `deflated` stands for. Throws Error with `where` if it stands for fewer or
// more, or for nothing; no memory is asked for beyond what so many bytes can stand for.
std::string inflate(std::string_view deflated, std::size_t size, const std::string& where);

}  // namespace arbg
