# The enrollment tool against the real portal and a real SoftHSM2 token. Each script reports its tests as TAP.
find_program(PINWARD_DEBIAN_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED) # it has python3-jsonschema

add_library(tool-kill-at MODULE tool_kill_at.c)
target_compile_definitions(tool-kill-at PRIVATE _GNU_SOURCE)
target_link_libraries(tool-kill-at PRIVATE ${CMAKE_DL_LIBS})

add_library(tool-stop-at-end MODULE tool_stop_at_end.c)
target_compile_definitions(tool-stop-at-end PRIVATE _GNU_SOURCE)

add_library(tool-broken-token MODULE tool_broken_token.c)
target_compile_definitions(tool-broken-token PRIVATE TEST_BACKEND="${PINWARD_DEFAULT_BACKEND}")
target_link_libraries(tool-broken-token PRIVATE pinward-flags PkgConfig::P11KIT ${CMAKE_DL_LIBS})

include(preload.cmake)
set(tool_tests broken doctor token timer pfx pfx_import story full_disk refusals hostile interrupted lies killed secrets scripts certificates forms)
if(NOT PINWARD_SANITIZE MATCHES "thread") # openssl loads the module
  list(APPEND tool_tests profiles)
endif()
if(TARGET with-tpm)
  list(APPEND tool_tests token_tpm)
endif()
set(tool_environment "PINWARD_TOOL=$<TARGET_FILE:pinward>;PINWARD_MODULE=$<TARGET_FILE:pinward-pkcs11>;PINWARD_PORTAL=$<TARGET_FILE:pinward-portal>;PINWARD_PORTAL_ADMIN=$<TARGET_FILE:pinward-portal-admin>;PINWARD_SCRIPTED_PINENTRY=$<TARGET_FILE:scripted-pinentry>;PINWARD_KILL_LIBRARY=$<TARGET_FILE:tool-kill-at>;PINWARD_STOP_LIBRARY=$<TARGET_FILE:tool-stop-at-end>;PINWARD_BROKEN_TOKEN=$<TARGET_FILE:tool-broken-token>;PINWARD_PRELOAD=${preload}")
foreach(test IN LISTS tool_tests)
  set(machine "")
  if(test STREQUAL "token_tpm")
    set(machine with-tpm)
  endif()
  add_test(NAME tool_${test} COMMAND ${machine} ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/tool_${test}.py)
  set_tests_properties(tool_${test} PROPERTIES
      LABELS integration
      TIMEOUT 280
      ENVIRONMENT "${tool_environment}")
endforeach()
set_tests_properties(tool_secrets tool_full_disk PROPERTIES TIMEOUT 600) # on a busy disk
if(PINWARD_SANITIZE)
  # What the portal leaves in its memory depends on the C library's allocator.
  set_property(TEST tool_secrets APPEND PROPERTY ENVIRONMENT
      "PINWARD_PORTAL=${PROJECT_SOURCE_DIR}/build/release/tests/portal/pinward-portal")
endif()
if(TARGET with-tpm)
  set_property(TEST tool_token_tpm APPEND PROPERTY ENVIRONMENT "PINWARD_TPM2=${PINWARD_TEST_TPM2}"
      "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan-tpm2.supp:print_suppressions=0")
endif()

# Keys used by pinward-agent. The story is among the tests that always run; all that can run so, with ctest -L isolated-all
# (./dev test --all). ThreadSanitizer knows nothing of p11-kit's locks.
function(pinward_tool_test_isolated name label)
  add_test(NAME isolated.${name} COMMAND ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/${ARGN})
  set_tests_properties(isolated.${name} PROPERTIES
      LABELS "${label}"
      TIMEOUT 280
      ENVIRONMENT "${tool_environment};PINWARD_AGENT=$<TARGET_FILE:pinward-agent>;PINWARD_TEST_ISOLATED=1")
endfunction()
if(NOT PINWARD_SANITIZE MATCHES "thread")
  pinward_tool_test_isolated(tool_isolated isolated tool_isolated.py)
  pinward_tool_test_isolated(tool_story isolated tool_story.py story application_prompts)
  pinward_tool_test_isolated(tool_story_rest isolated-all tool_story.py on_a_terminal misread_captchas starting_over
      approval_by_hand password other_state_folder)
  pinward_tool_test_isolated(tool_certificates isolated-all tool_certificates.py)
  pinward_tool_test_isolated(tool_refusals isolated-all tool_refusals.py)
  pinward_tool_test_isolated(tool_pfx isolated-all tool_pfx.py refused configured_never passwd)
  pinward_tool_test_isolated(tool_pfx_import isolated-all tool_pfx_import.py wrong_files killed_between_steps other_files_first)
  pinward_tool_test_isolated(tool_profiles isolated-all tool_profiles.py rsa_3072 rsa_4096)
  pinward_tool_test_isolated(tool_scripts isolated-all tool_scripts.py without_a_person files_that_are_not_secret
      rules_before_typing standing renew_if_due captcha_without_drawing nowhere_to_write progress)
  pinward_tool_test_isolated(tool_killed isolated-all tool_killed.py everywhere importing at_windows)
  pinward_tool_test_isolated(tool_interrupted isolated-all tool_interrupted.py elsewhere two_on_one_token)
  # Left out: what needs keys that leave the token or EC keys, which tool_isolated sees refused; tests that interrupt the token
  # or its pinentry in the tool's own process, where they are not; and what doctor says of the module.
endif()
