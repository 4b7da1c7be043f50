function(pinward_set_test_properties name label environment)
  set_tests_properties(${name} PROPERTIES
      LABELS ${label}
      TIMEOUT 60
      ENVIRONMENT "${environment}")
endfunction()

# pinward_add_test(<label> <name> <source>...): a cmocka program, registered as <label>.<name>.
function(pinward_add_test label name)
  add_executable(test-${name} ${ARGN})
  target_link_libraries(test-${name} PRIVATE pinward-test-support)
  add_test(NAME ${label}.${name} COMMAND test-${name})
  pinward_set_test_properties(${label}.${name} ${label} "")
endfunction()

# pinward_test_on(<backend> <name>...): these programs again, on another backend (support/backend_kind.h), as
# <backend>.<name>.
function(pinward_test_on backend)
  set(environment PINWARD_TEST_BACKEND=${backend})
  set(machine "")
  if(backend STREQUAL tpm2)
    set(machine with-tpm)
    list(APPEND environment
        LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan-tpm2.supp:print_suppressions=0
        TSS2_LOG=all+NONE) # each wrong PIN would be three lines
  endif()
  foreach(name IN LISTS ARGN)
    add_test(NAME ${backend}.${name} COMMAND ${machine} $<TARGET_FILE:test-${name}>)
    pinward_set_test_properties(${backend}.${name} ${backend} "${environment}")
  endforeach()
endfunction()

# pinward_test_on_backends(<name>...): on every other backend.
function(pinward_test_on_backends)
  get_property(backends GLOBAL PROPERTY PINWARD_TEST_BACKENDS)
  foreach(backend IN LISTS backends)
    pinward_test_on(${backend} ${ARGN})
  endforeach()
endfunction()

# pinward_test_isolated(<name>...): these programs again, with the module in processes of pinward-agent's
# (support/isolated.h), as isolated.<name>. <client>: which one takes the module's place, p11-kit or pinward-client.
function(pinward_test_isolated client)
  foreach(name IN LISTS ARGN)
    add_test(NAME isolated.${name} COMMAND test-${name})
    pinward_set_test_properties(isolated.${name} isolated PINWARD_TEST_ISOLATED=${client})
  endforeach()
endfunction()
