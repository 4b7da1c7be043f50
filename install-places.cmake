# Where things are installed, for the programs to find each other and for install.cmake: relative to the prefix, which
# is known for certain only when something is run; absolute where whoever configures the build gives an absolute folder.
set(PINWARD_PLACE_OF_PROGRAM ${CMAKE_INSTALL_BINDIR})
set(PINWARD_PLACE_OF_MODULE ${CMAKE_INSTALL_LIBDIR}/pkcs11)
set(PINWARD_PLACE_OF_SETTINGS ${CMAKE_INSTALL_SYSCONFDIR})
set(PINWARD_PLACE_OF_LOCALES ${CMAKE_INSTALL_LOCALEDIR})
foreach(place BINDIR LIBDIR LOCALEDIR INCLUDEDIR DATADIR DOCDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${place}}")
    message(FATAL_ERROR "CMAKE_INSTALL_${place} is ${CMAKE_INSTALL_${place}}: give it relative to the prefix")
  endif()
endforeach()

# Of two components, main and dev: see packaging/package.cmake.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME main)
