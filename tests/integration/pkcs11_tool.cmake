# pkcs11-tool, which was built without sanitizers, through the module: it needs the sanitizers' runtime before anything
# else is loaded. ThreadSanitizer would report what SoftHSM2 itself does.
find_program(PINWARD_TEST_PKCS11_TOOL pkcs11-tool)
set(preload "")
if(PINWARD_SANITIZE MATCHES "address")
  set(runtime libasan.so)
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(runtime libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
  endif()
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${runtime} OUTPUT_VARIABLE preload
      OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT PINWARD_TEST_PKCS11_TOOL)
  message(WARNING "pkcs11-tool is not there (Debian: opensc): its tests are not run through the module")
elseif(NOT PINWARD_SANITIZE MATCHES "thread")
  add_test(NAME integration.module_pkcs11_tool
      COMMAND ${PINWARD_DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/module_pkcs11_tool.py)
  set_tests_properties(integration.module_pkcs11_tool PROPERTIES
      LABELS integration
      TIMEOUT 240
      ENVIRONMENT "PINWARD_MODULE=$<TARGET_FILE:pinward-pkcs11>;PINWARD_SCRIPTED_PINENTRY=$<TARGET_FILE:scripted-pinentry>;PINWARD_SOFTHSM=${PINWARD_DEFAULT_BACKEND};PINWARD_CARD_BACKEND=$<TARGET_FILE:card-backend>;PINWARD_PRELOAD=${preload}")
endif()
