# SPDX-License-Identifier: Apache-2.0
# Installs the program, the libraries with their public headers, and a package for
# find_package(convoy). tests/install builds examples/custom_model against what this installs.
include(CMakePackageConfigHelpers)

set(CONVOY_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
get_property(convoy_libraries GLOBAL PROPERTY CONVOY_LIBRARIES)
set_target_properties(convoy_torch PROPERTIES EXPORT_NAME torch)
install(TARGETS ${convoy_libraries} convoy_torch EXPORT convoyTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy)
install(EXPORT convoyTargets NAMESPACE convoy:: DESTINATION ${CONVOY_PACKAGE_DIR})
# So that it finds a LibTorch that lies outside the system's folders.
set_target_properties(convoy PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS convoy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/convoyConfig.cmake.in
  ${PROJECT_BINARY_DIR}/convoyConfig.cmake INSTALL_DESTINATION ${CONVOY_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/convoyConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/convoyConfig.cmake ${PROJECT_BINARY_DIR}/convoyConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake
        DESTINATION ${CONVOY_PACKAGE_DIR})
