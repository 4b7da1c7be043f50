# The module isolated. Programs that were built without sanitizers load p11-kit's client; the agent is built with them.
# ThreadSanitizer knows nothing of p11-kit's locks.
if(PINWARD_SANITIZE MATCHES "thread")
  return()
endif()

# A token's module that has turned against the process that loads it.
add_library(hostile-token MODULE hostile_token.c)
set_target_properties(hostile-token PROPERTIES PREFIX "")
target_compile_definitions(hostile-token PRIVATE HOSTILE_BEHIND="${PINWARD_DEFAULT_BACKEND}")
target_link_libraries(hostile-token PRIVATE pinward-flags pinward-p11-declarations Threads::Threads ${CMAKE_DL_LIBS})
target_include_directories(hostile-token PRIVATE ${PROJECT_SOURCE_DIR})

set(agent_tests attack limits remote sandbox secrets service service_attacks story)
set(agent_environment "PINWARD_SERVICE_SOURCES=${PROJECT_SOURCE_DIR}/pkcs11-module/agent/service;PINWARD_SSHD=${PROJECT_SOURCE_DIR}/build/sshd;PINWARD_SANITIZE=${PINWARD_SANITIZE};PINWARD_AGENT=$<TARGET_FILE:pinward-agent>;PINWARD_TOOL=$<TARGET_FILE:pinward>;PINWARD_HOSTILE_TOKEN=$<TARGET_FILE:hostile-token>;PINWARD_SCRIPTED_PINENTRY=$<TARGET_FILE:scripted-pinentry>;PINWARD_SOFTHSM=${PINWARD_DEFAULT_BACKEND};PINWARD_P11_CLIENT=${PINWARD_TEST_P11_CLIENT};PINWARD_AGENT_UNITS=${PROJECT_BINARY_DIR}/pkcs11-module/agent;PINWARD_AGENT_SOCKET_UNIT=${PROJECT_SOURCE_DIR}/pkcs11-module/agent/pinward-agent.socket")
foreach(test IN LISTS agent_tests)
  add_test(NAME integration.agent_${test}
      COMMAND ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/agent_${test}.py)
  set_tests_properties(integration.agent_${test} PROPERTIES
      LABELS integration
      TIMEOUT 600
      ENVIRONMENT "${agent_environment}")
endforeach()

# What people run, since sanitizers have memory of their own.
set(agent_build ${PROJECT_BINARY_DIR})
if(PINWARD_SANITIZE)
  set(agent_build ${PROJECT_SOURCE_DIR}/build/release)
endif()
add_test(NAME integration.agent_memory COMMAND ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/agent_memory.py)
set_tests_properties(integration.agent_memory PROPERTIES
    LABELS integration
    TIMEOUT 240
    ENVIRONMENT "PINWARD_AGENT=${agent_build}/pkcs11-module/agent/pinward-agent;PINWARD_SCRIPTED_PINENTRY=${agent_build}/tests/pinentry/scripted-pinentry;PINWARD_SOFTHSM=${PINWARD_DEFAULT_BACKEND};PINWARD_P11_CLIENT=${PINWARD_TEST_P11_CLIENT}")

# PINWARD_SOAK_S makes it longer than ten seconds (docs/assurance.md).
add_executable(soak-client soak_client.c)
target_link_libraries(soak-client PRIVATE pinward-flags PkgConfig::P11KIT ${CMAKE_DL_LIBS})
target_compile_options(soak-client PRIVATE -fno-sanitize=all) # fifty of them at once
target_link_options(soak-client PRIVATE -fno-sanitize=all)
add_test(NAME integration.agent_soak COMMAND ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/agent_soak.py)
set_tests_properties(integration.agent_soak PROPERTIES
    LABELS integration
    TIMEOUT 1000
    ENVIRONMENT "${agent_environment};PINWARD_SOAK_CLIENT=$<TARGET_FILE:soak-client>")

# The module's suite once more, as far as p11-kit's protocol carries it; docs/isolation.md says what it does not.
pinward_test_isolated(p11-kit
    module_application module_decrypt module_find module_keys module_ledger module_ledger_logins module_levels
    module_lifecycle module_login module_mechanisms module_new_pin module_once module_processes module_prompt module_refuse
    module_rename module_retry module_retry_limits module_rules module_sign module_sign_parts module_threads module_withdraw)
pinward_test_isolated(pinward-client
    module_batch module_batch_end module_cool_down module_export module_host module_ledger_tool
    module_once_keys module_pinentry module_races)
