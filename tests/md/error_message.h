// What an arbg::Error says, or "" if the call does not throw one.
#pragma once

#include <string>

#include "tensor/base/error.h"

namespace arbg {

template <class Call>
std::string error_message(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace arbg
