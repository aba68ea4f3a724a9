# SPDX-License-Identifier: Apache-2.0
# cmake -D BUILD=... -D PREFIX=... -P install.cmake: installs a finished build into an empty prefix.
file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND ${CMAKE_COMMAND} --install "${BUILD}" --prefix "${PREFIX}"
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE stray RELATIVE "${PREFIX}" "${PREFIX}/include/*.cpp" "${PREFIX}/include/*.txt")
if(stray)
  message(FATAL_ERROR "only headers belong into include: ${stray}")
endif()
