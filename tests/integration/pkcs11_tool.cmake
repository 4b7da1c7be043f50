# pkcs11-tool, which was built without sanitizers, through the module. ThreadSanitizer would report what SoftHSM2 itself
# does.
find_program(PINWARD_TEST_PKCS11_TOOL pkcs11-tool)
include(preload.cmake)
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
