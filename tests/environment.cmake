# What every test runs with; ctest reads this before it runs any. What you set yourself stays.
# intercept_tls_get_addr: with it LeakSanitizer of GCC 12 takes a library's thread-local storage for what it is not, now and
# then, and crashes as the program ends.
if(NOT DEFINED ENV{ASAN_OPTIONS})
  set(ENV{ASAN_OPTIONS} intercept_tls_get_addr=0)
endif()
if(NOT DEFINED ENV{LSAN_OPTIONS})
  set(ENV{LSAN_OPTIONS} suppressions=${CMAKE_CURRENT_LIST_DIR}/lsan.supp:print_suppressions=0)
endif()
