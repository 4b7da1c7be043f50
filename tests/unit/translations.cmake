# The catalogues of po/, against the sources as they are; and the look-up, in the catalogues of this build.
add_test(NAME unit.translations
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/translations ${CMAKE_CURRENT_BINARY_DIR}/translations)
set_tests_properties(unit.translations PROPERTIES LABELS unit TIMEOUT 60)

if(PINWARD_LOCALEDIR STREQUAL "${CMAKE_BINARY_DIR}/locale")
  add_executable(test-i18n i18n.c)
  target_link_libraries(test-i18n PRIVATE pinward-common PkgConfig::CMOCKA Threads::Threads)
  add_dependencies(test-i18n pinward-messages)
  add_test(NAME unit.i18n COMMAND test-i18n)
  set_tests_properties(unit.i18n PROPERTIES LABELS unit TIMEOUT 60)
endif()
