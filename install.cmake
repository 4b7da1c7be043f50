# What cmake --install puts where; the tests and the reference portal stay in the build.
install(TARGETS pinward DESTINATION ${PINWARD_PLACE_OF_PROGRAM})
install(TARGETS pinward-pkcs11 pinward-client DESTINATION ${PINWARD_PLACE_OF_MODULE})
install(FILES ${CMAKE_BINARY_DIR}/common/pinward.conf DESTINATION ${PINWARD_PLACE_OF_SETTINGS}/pinward)

# For programs that use the vendor interface.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PINWARD_PREFIX_FROM_PC /${pkgconfig_dir} /)
configure_file(include/pinward.pc.in include/pinward.pc @ONLY)
install(FILES include/pinward.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(FILES ${CMAKE_BINARY_DIR}/include/pinward.pc DESTINATION ${pkgconfig_dir} COMPONENT dev)

# p11-kit reads such files in /usr/share/p11-kit/modules, and looks for the module in the system's pkcs11 folder.
install(FILES pkcs11-module/pinward.module DESTINATION ${CMAKE_INSTALL_DATADIR}/p11-kit/modules)

install(FILES softhsm-config/softhsm2.conf.in DESTINATION ${CMAKE_INSTALL_DATADIR}/pinward/softhsm-config)
install(PROGRAMS softhsm-config/make-store DESTINATION ${CMAKE_INSTALL_DATADIR}/pinward/softhsm-config)

# The user's timer; systemd looks below /usr and /usr/local only.
configure_file(enroll/pinward-renew.service.in enroll/pinward-renew.service @ONLY)
install(PROGRAMS enroll/renew-if-due DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/pinward)
install(FILES ${CMAKE_BINARY_DIR}/enroll/pinward-renew.service enroll/pinward-renew.timer DESTINATION lib/systemd/user)

# Nobody may read the agent's file: then the kernel makes its memory unreadable before its first instruction (prctl(2),
# PR_SET_DUMPABLE).
install(TARGETS pinward-agent DESTINATION ${PINWARD_PLACE_OF_PROGRAM}
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
configure_file(pkcs11-module/agent/pinward-agent.service.in pkcs11-module/agent/pinward-agent.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pkcs11-module/agent/pinward-agent.service pkcs11-module/agent/pinward-agent.socket
    DESTINATION lib/systemd/user)

# The same as a service with a user of its own; nothing of it runs before somebody switches it on.
foreach(unit pinward-service.service pinward-prompt.service)
  configure_file(pkcs11-module/agent/service/${unit}.in pkcs11-module/agent/${unit} @ONLY)
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/pkcs11-module/agent/pinward-service.service
    pkcs11-module/agent/service/pinward-service.socket DESTINATION lib/systemd/system)
install(FILES ${CMAKE_BINARY_DIR}/pkcs11-module/agent/pinward-prompt.service DESTINATION lib/systemd/user)
install(FILES pkcs11-module/agent/service/sysusers.conf DESTINATION lib/sysusers.d RENAME pinward.conf)
install(FILES pkcs11-module/agent/service/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME pinward.conf)

if(NOT PINWARD_FOR_DEBIAN) # which has names of its own for these
  install(FILES CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
install(FILES README.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} # as in the sources, so that links lead on
    FILES_MATCHING PATTERN *.md PATTERN *.json PATTERN *.yaml PATTERN *.png PATTERN *.c
    PATTERN man EXCLUDE # what the manual pages are made of
    PATTERN completions EXCLUDE)
