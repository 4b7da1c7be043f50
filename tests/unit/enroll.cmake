# The enrollment tool's rooms, each by itself.
foreach(test certcheck cli journal logintries request)
  add_executable(test-enroll_${test} enroll_${test}.c enroll_ca.c enroll_state.c)
  target_link_libraries(test-enroll_${test} PRIVATE pinward-enroll pinward-test-check PkgConfig::CMOCKA)
  add_test(NAME unit.enroll_${test} COMMAND test-enroll_${test})
  set_tests_properties(unit.enroll_${test} PROPERTIES LABELS unit TIMEOUT 60)
endforeach()

pinward_add_test(unit enroll_ledger enroll_ledger.c)
target_link_libraries(test-enroll_ledger PRIVATE pinward-enroll)

pinward_add_test(unit enroll_key_profile enroll_key_profile.c)
target_link_libraries(test-enroll_key_profile PRIVATE pinward-enroll)

pinward_add_test(unit enroll_help enroll_help.c)
target_link_libraries(test-enroll_help PRIVATE pinward-enroll)

pinward_add_test(unit enroll_choice enroll_choice.c)
target_link_libraries(test-enroll_choice PRIVATE pinward-enroll)

pinward_add_test(unit enroll_pfx enroll_pfx.c)
target_link_libraries(test-enroll_pfx PRIVATE pinward-enroll)
