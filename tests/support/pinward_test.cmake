# pinward_add_test(<label> <name> <source>...): a cmocka program, registered as <label>.<name>.
function(pinward_add_test label name)
  add_executable(test-${name} ${ARGN})
  target_link_libraries(test-${name} PRIVATE pinward-test-support)
  add_test(NAME ${label}.${name} COMMAND test-${name})
  set_tests_properties(${label}.${name} PROPERTIES
      LABELS ${label}
      TIMEOUT 60
      ENVIRONMENT "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0")
endfunction()
