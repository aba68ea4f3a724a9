# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the program, the libraries with their headers, the configurations, and a CMake
# package, so that find_package(lacuna) gives lacuna::base, lacuna::sparse_formats and so on: the
# libraries the folders make, under their folders' names. tests/consumer is the project that uses it.
include(CMakePackageConfigHelpers)
set(lacuna_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/lacuna")

get_property(lacuna_libraries GLOBAL PROPERTY LACUNA_LIBRARIES)
# The commands are the program's own; with them CLI11 stays out of the package.
list(REMOVE_ITEM lacuna_libraries lacuna_app)
# SystemC's shared library refers to sc_main, so whoever links it links this object as well.
set(lacuna_exported ${lacuna_libraries})
if(TARGET sc_main_stub)
  list(APPEND lacuna_exported sc_main_stub)
endif()
install(TARGETS ${lacuna_exported} EXPORT lacunaTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  OBJECTS DESTINATION "${CMAKE_INSTALL_LIBDIR}/lacuna")
if(TARGET lacuna)
  install(TARGETS lacuna RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

# The top folders that make libraries are those that have public headers.
set(lacuna_folders)
foreach(library IN LISTS lacuna_libraries)
  get_target_property(folder ${library} SOURCE_DIR)
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${folder}")
  string(REGEX REPLACE "/.*" "" folder "${folder}")
  list(APPEND lacuna_folders "${PROJECT_SOURCE_DIR}/${folder}")
endforeach()
list(REMOVE_DUPLICATES lacuna_folders)
install(DIRECTORY ${lacuna_folders} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lacuna"
  FILES_MATCHING PATTERN "*.hpp")
if(EXISTS "${PROJECT_SOURCE_DIR}/configs")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/configs" DESTINATION "${CMAKE_INSTALL_DATADIR}/lacuna")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# What SC_CPLUSPLUS had to be here, it has to be for every user of these libraries: the consumer's
# package file repeats it instead of probing again, because the consumer's own default language
# standard would give another answer.
get_target_property(LACUNA_SYSTEMC_DEFINITIONS ${lacuna_systemc} INTERFACE_COMPILE_DEFINITIONS)
if(NOT LACUNA_SYSTEMC_DEFINITIONS)
  set(LACUNA_SYSTEMC_DEFINITIONS "")
endif()
set(LACUNA_SYSTEMC_TARGET ${lacuna_systemc})
configure_package_config_file(cmake/lacunaConfig.cmake.in "${PROJECT_BINARY_DIR}/lacunaConfig.cmake"
  INSTALL_DESTINATION "${lacuna_package_dir}" PATH_VARS CMAKE_INSTALL_DATADIR
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lacunaConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lacunaConfig.cmake"
  "${PROJECT_BINARY_DIR}/lacunaConfigVersion.cmake" DESTINATION "${lacuna_package_dir}")
install(EXPORT lacunaTargets NAMESPACE lacuna:: DESTINATION "${lacuna_package_dir}")

# Not with sanitizers: a consumer that is built without them cannot link libraries built with them.
if(LACUNA_BUILD_TESTS AND NOT LACUNA_SANITIZE)
  set(lacuna_consumer "${PROJECT_BINARY_DIR}/consumer")
  add_test(NAME "consumer: the project installs into an empty prefix"
    COMMAND ${CMAKE_COMMAND} -D BUILD=${PROJECT_BINARY_DIR} -D PREFIX=${lacuna_consumer}/prefix
            -P ${PROJECT_SOURCE_DIR}/tests/consumer/install.cmake)
  add_test(NAME "consumer: another project finds, builds and runs against the install"
    COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR}/tests/consumer
            -D PREFIX=${lacuna_consumer}/prefix -D BUILD=${lacuna_consumer}/build
            -D GENERATOR=${CMAKE_GENERATOR} -D COMPILER=${CMAKE_CXX_COMPILER}
            -D VERSION=${PROJECT_VERSION}
            -P ${PROJECT_SOURCE_DIR}/tests/consumer/build_and_run.cmake)
  set_tests_properties("consumer: the project installs into an empty prefix" PROPERTIES
    FIXTURES_SETUP lacuna_prefix LABELS slow TIMEOUT 120)
  set_tests_properties("consumer: another project finds, builds and runs against the install"
    PROPERTIES FIXTURES_REQUIRED lacuna_prefix LABELS slow TIMEOUT 300)
endif()
