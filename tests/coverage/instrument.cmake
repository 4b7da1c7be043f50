# Counters in what is measured (docs/assurance.md): the programs' own code, not the tests. clang's continuous mode keeps
# them in a file that each process maps, so that they are there after _exit, SIGKILL and in children that were forked;
# threads add to them atomically. A process that is forbidden to open files goes on with what it has mapped.
if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "PINWARD_COVERAGE needs clang: its counters outlive a process that is killed")
endif()

set(pinward_counters -fcoverage-mapping
    "-fprofile-instr-generate=${CMAKE_BINARY_DIR}/counters/%c%m.profraw"
    "SHELL:-mllvm -runtime-counter-relocation" "SHELL:-mllvm -instrprof-atomic-counter-update-all")

foreach(folder common pkcs11-module pkcs11-module/agent pkcs11-module/client enroll)
  get_property(targets DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(kind ${target} TYPE)
    if(kind MATCHES "LIBRARY|EXECUTABLE" AND NOT kind STREQUAL INTERFACE_LIBRARY)
      target_compile_options(${target} PRIVATE ${pinward_counters})
      target_link_options(${target} PUBLIC -fprofile-instr-generate)
    endif()
  endforeach()
endforeach()

# Programs of the tests run as other users, too.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/counters)
execute_process(COMMAND chmod 1777 ${CMAKE_BINARY_DIR}/counters COMMAND_ERROR_IS_FATAL ANY)
