# A compiler for any target, named by MCUGRAD_CC (a list: the command and its first arguments).
# CMake's trial compilations are skipped: they take longer than the whole build.
if(NOT MCUGRAD_HOST)
  set(CMAKE_SYSTEM_NAME Generic)
endif()
set(CMAKE_C_COMPILER ${MCUGRAD_CC})
set(CMAKE_C_COMPILER_ID ${MCUGRAD_CC_ID})
set(CMAKE_C_COMPILER_ID_RUN TRUE)
set(CMAKE_C_COMPILER_VERSION 1)
set(CMAKE_C_COMPILER_FORCED TRUE)
set(CMAKE_C_ABI_COMPILED TRUE)

# `zig ar` is two words, which CMAKE_AR cannot be.
list(JOIN MCUGRAD_AR " " ar)
set(CMAKE_C_ARCHIVE_CREATE "${ar} qcs <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_APPEND "${ar} qs <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_FINISH "")
