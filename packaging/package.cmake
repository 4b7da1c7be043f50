# The Debian packages, made by CPack (./dev package): pinward, and pinward-dev with what programs are compiled against.
set(PINWARD_MAINTAINER "Pinward maintainers <maintainers@pinward.example>" CACHE STRING "Who answers for the packages")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "${PINWARD_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL main dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1 CACHE STRING "The package's own part of its version")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_MAIN_PACKAGE_NAME pinward)
set(CPACK_DEBIAN_MAIN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_MAIN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_MAIN_PACKAGE_DEPENDS "softhsm2, pinentry-curses | pinentry")
set(CPACK_DEBIAN_MAIN_PACKAGE_RECOMMENDS "libnotify-bin, p11-kit, p11-kit-modules, pinentry-gnome3 | pinentry-gtk2 | pinentry-qt")
set(CPACK_DEBIAN_MAIN_PACKAGE_SUGGESTS "fonts-noto-cjk, libengine-pkcs11-openssl, opensc")
set(CPACK_DEBIAN_MAIN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/packaging/conffiles;${CMAKE_CURRENT_SOURCE_DIR}/packaging/postrm")
set(CPACK_DEBIAN_MAIN_DESCRIPTION "\
Pinward makes a private key usable only when its owner has just agreed, by
typing the PIN. Its PKCS#11 module stands between any application and any
token (SoftHSM2 by default, smart cards through OpenSC, any vendor's module)
and asks at every use of a signing or decryption key, in a window that says
which program wants what. Every decision is recorded in a ledger.

The tool, pinward, gets certificates from a certification authority's portal
(apply, activate, renew), with keys that are generated on the token.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME pinward-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "pinward (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), libp11-kit-dev")
set(CPACK_DEBIAN_DEV_DESCRIPTION "\
Pinward makes a private key usable only when its owner has just agreed, by
typing the PIN.

This package has the header and the pkg-config file of the interface by which
a program asks its user once for a number of uses (batch consent).")

# What Debian's policy wants in a package and nobody else does.
if(PINWARD_FOR_DEBIAN)
  find_program(GZIP gzip REQUIRED)
  set(changelogs ${CMAKE_BINARY_DIR}/changelog.gz ${CMAKE_BINARY_DIR}/changelog.Debian.gz)
  add_custom_command(OUTPUT ${changelogs}
      COMMAND ${CMAKE_COMMAND} -E copy ${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog
      COMMAND ${CMAKE_COMMAND} -E copy ${PROJECT_SOURCE_DIR}/packaging/changelog changelog.Debian
      COMMAND ${GZIP} -9nf changelog changelog.Debian
      DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/packaging/changelog
      VERBATIM)
  add_custom_target(pinward-changelogs ALL DEPENDS ${changelogs})
  set(packages pinward pinward-dev)
  set(components main dev)
  foreach(package component IN ZIP_LISTS packages components)
    install(FILES ${changelogs} packaging/copyright DESTINATION share/doc/${package} COMPONENT ${component})
    install(FILES packaging/${package}.lintian-overrides DESTINATION share/lintian/overrides RENAME ${package}
        COMPONENT ${component})
  endforeach()
  install(CODE "
      file(GLOB_RECURSE pages \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/*.[1-8]\")
      execute_process(COMMAND ${GZIP} -9nf \${pages} COMMAND_ERROR_IS_FATAL ANY)"
      COMPONENT main)
endif()

include(CPack)
