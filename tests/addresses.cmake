# Who may follow an address of numbers (tensor/README.md): fails, naming the file, where one is taken outside the
# code of its device. host_data() is for X_reference.cpp and X_cpu.cpp, device_data() for X_cuda.cu and what these share,
# and for X_cuda.cpp, which hand them on to kernels of another library (tensor/device/on_device.h).
# Files of weights are read into the host's memory, and written from it, as they are.
set(FAILURES "")
set(FOUND 0)
foreach(FOLDER tensor autograd nn md metrics sampling apps)
  file(GLOB_RECURSE SOURCES RELATIVE ${ROOT} ${ROOT}/${FOLDER}/*.h ${ROOT}/${FOLDER}/*.cpp ${ROOT}/${FOLDER}/*.cu
       ${ROOT}/${FOLDER}/*.cuh)
  list(FILTER SOURCES EXCLUDE REGEX "^tensor/(device/|tensor[.]cpp$)")  # what gives them
  foreach(SOURCE ${SOURCES})
    set(FORBIDDEN "host_data<|device_data<|[.>]address\\(")
    if(SOURCE MATCHES "_(reference|cpu)[.]cpp$|^nn/files/safetensors[.]cpp$")
      set(FORBIDDEN "device_data<|[.>]address\\(")
    elseif(SOURCE MATCHES "_cuda[.](cu|cpp)$|[.]cuh$")
      set(FORBIDDEN "host_data<|[.>]address\\(")
    endif()
    file(READ ${ROOT}/${SOURCE} TEXT)
    if(TEXT MATCHES "host_data<")
      math(EXPR FOUND "${FOUND} + 1")
    endif()
    if(TEXT MATCHES "${FORBIDDEN}")
      list(APPEND FAILURES "${SOURCE}: ${CMAKE_MATCH_0}")
    endif()
  endforeach()
endforeach()
if(FOUND EQUAL 0)
  message(FATAL_ERROR "found no use of host_data() at all: this test looks in the wrong place")
endif()
if(FAILURES)
  list(JOIN FAILURES "\n  " TEXT)
  message(FATAL_ERROR "addresses followed outside the code of their device:\n  ${TEXT}")
endif()
