# SPDX-License-Identifier: Apache-2.0
# Configures, builds and runs the consumer against the prefix, from nothing.
file(REMOVE_RECURSE "${BUILD}")
execute_process(COMMAND ${CMAKE_COMMAND} -S "${SOURCE}" -B "${BUILD}" -G "${GENERATOR}"
  -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${PREFIX} -D VERSION=${VERSION}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build "${BUILD}" COMMAND_ERROR_IS_FATAL ANY)
file(WRITE "${BUILD}/small.mtx"
  "%%MatrixMarket matrix coordinate real general\n3 4 2\n1 1 1.5\n3 4 -2\n")
execute_process(COMMAND "${BUILD}/consumer" "${BUILD}/small.mtx" COMMAND_ERROR_IS_FATAL ANY)
